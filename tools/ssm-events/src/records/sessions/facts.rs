//! What is known of an account and Region, and where it has transcripts written.

use std::collections::BTreeMap;
use std::rc::Rc;

use records::Reading;

use super::changes::Changes;
use super::document::{Document, InForce, PREFERENCES, in_force, is_of_aws};
use super::inputs::Logging;
use super::session::Session;
use super::store::Store;

/// What was read of one account and Region.
#[derive(Debug, Default)]
pub(crate) struct Facts {
    /// Why `DescribeSessions` could not be read, if it could not.
    pub(crate) undescribed: Option<String>,
    /// `DescribeSessions` has said of all sessions that are open, so that any other one has ended.
    pub(crate) lists_all_open: bool,
    /// The documents that sessions were started with, by name.
    pub(crate) documents: BTreeMap<String, Document>,
    /// What became of documents in the past.
    pub(crate) changes: Changes,
    /// The stores that were looked into: with what is wrong with one that could not be read.
    pub(crate) stores: BTreeMap<Store, Option<String>>,
    /// Why it is not known whether what lies in a store is encrypted.
    pub(crate) unknown_keys: BTreeMap<Store, String>,
}

impl Facts {
    /// Returns where the transcript of a session may be, by each version that may have been in force; why that is not known.
    pub(crate) fn logging(&self, session: &Session) -> Result<Vec<Rc<Logging>>, String> {
        // Only the start and Systems Manager say the document. Without both it may be any, such as one that forwards a port.
        // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_TerminateSession.html
        if !session.is_begun && session.described.is_none() {
            return Err("no record says which document the session was started with".to_owned());
        }
        let name = session.document.as_deref().unwrap_or(PREFERENCES);
        if is_of_aws(name) {
            // "inputs: The session preferences to use for sessions established using this Session document": they have none.
            // https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html
            return Ok(vec![Rc::default()]);
        }
        let (found, document) = self.in_force(name, session)?;
        let (Some(found), Reading::Present(versions)) = (found.versions, document) else {
            // Without preferences a session is logged nowhere, and without another document it does not begin.
            return match name {
                PREFERENCES => Ok(vec![Rc::new(Logging {
                    is_absent: true,
                    ..Logging::default()
                })]),
                _ => Err(format!("{name} did not exist when the session began")),
            };
        };
        let logging = found.into_iter().map(|place| {
            let version = &versions[place];
            match &version.inputs {
                Reading::Present(inputs) => inputs
                    .filled(session.parameters.as_deref())
                    .map_err(|reason| format!("{name} version {}: {reason}", version.number)),
                Reading::Absent => Err(format!(
                    "{name} version {} may have been in force, and was not read",
                    version.number
                )),
                Reading::Unknown(reason) => Err(reason.clone()),
            }
        });
        logging.collect()
    }

    /// Returns the stores in which the transcript of a session may lie: of all versions that were read, where it is not known
    /// which one was in force.
    pub(crate) fn stores_of(&self, session: &Session) -> Vec<Store> {
        let name = session.document.as_deref().unwrap_or(PREFERENCES);
        let document = self.documents.get(name);
        let logging = self.logging(session).unwrap_or_else(|_| {
            let versions = document.and_then(Reading::present).into_iter().flatten();
            let inputs = versions.filter_map(|version| version.inputs.present());
            let filled = inputs.map(|inputs| inputs.filled(session.parameters.as_deref()));
            filled.filter_map(Result::ok).collect()
        });
        let stores = logging.iter().flat_map(|one| &one.stores);
        stores.cloned().collect()
    }

    /// Returns whether a message is about a call that failed, so that a permission may be missing.
    pub(super) fn is_of_call(&self, message: &str) -> bool {
        let unread = self.undescribed.iter().chain(&self.changes.unread);
        let stores = self.stores.values().flatten();
        let documents = self.documents.values().flat_map(|document| {
            let versions = document.present().into_iter().flatten();
            let contents = versions.filter_map(|version| version.inputs.known().err());
            document.known().err().into_iter().chain(contents)
        });
        let mut texts = unread
            .chain(stores)
            .chain(self.unknown_keys.values())
            .map(String::as_str)
            .chain(documents);
        texts.any(|text| message.contains(text))
    }

    /// Returns whether another version was in force if its document was changed so lately that nobody can see it yet.
    pub(super) fn is_unsettled(&self, session: &Session) -> bool {
        let name = session.document.as_deref().unwrap_or(PREFERENCES);
        let found = self.in_force(name, session);
        !is_of_aws(name) && found.is_ok_and(|(found, _)| found.is_unsettled)
    }

    fn in_force(&self, name: &str, session: &Session) -> Result<(InForce, &Document), String> {
        let Some(document) = self.documents.get(name) else {
            return Err(format!("the document {name} was not read"));
        };
        let found = in_force(name, document, &self.changes, session.started)?;
        Ok((found, document))
    }
}
