//! Saved documents: their versions as `list-document-versions` has them, and contents as `get-document` and `ssm-prefs show` have
//! them.

use std::collections::BTreeMap;
use std::rc::Rc;

use cli::Target;
use records::{Preferences, Reading};
use serde_json::Value;

use super::seconds;
use crate::records::sessions::{Document, Facts, Inputs, PREFERENCES, Version};

type Contents = BTreeMap<u64, Reading<Rc<Inputs>>>;

/// What saved answers have of documents.
#[derive(Debug, Default)]
pub(super) struct Documents {
    /// By name, in places that the answers do not name.
    nowhere: BTreeMap<String, Saved>,
    /// The preferences of places, as `ssm-prefs show` has them: the default and the latest version, without their dates.
    preferences: BTreeMap<Target, Reading<Contents>>,
}

#[derive(Clone, Debug, Default)]
struct Saved {
    /// When each version was made, and whether it is the default one; empty where no list was saved.
    listed: BTreeMap<u64, (Option<i64>, bool)>,
    contents: Contents,
}

impl Saved {
    /// Returns the document. Contents without a list say nothing of the past: neither when a version was made, nor which others
    /// there are.
    fn document(&self, contents: Option<&Contents>) -> Option<Document> {
        let version = |(number, (created, is_default)): (&u64, &(Option<i64>, bool))| {
            let more = contents.and_then(|contents| contents.get(number));
            let inputs = self.contents.get(number).or(more).cloned();
            Version {
                number: *number,
                created: *created,
                is_default: *is_default,
                inputs: inputs.unwrap_or(Reading::Absent),
            }
        };
        let versions = self.listed.iter().map(version);
        (!self.listed.is_empty()).then(|| Reading::Present(versions.collect()))
    }
}

impl Documents {
    /// Adds the documents of a place to its facts. Those of the AWS CLI name no place, and are only its where there is no other:
    /// documents of one name differ from place to place. What is saved in part is asked for again, where somebody can be asked.
    pub(super) fn known(
        &self,
        place: &Target,
        (is_only, is_asked): (bool, bool),
        facts: &mut Facts,
    ) {
        let mut known = |name: &str, document: Option<Document>| {
            let unlisted = || {
                Reading::Unknown(format!(
                    "when versions of {name} were made was not saved: save `aws ssm list-document-versions --name {name}` as well"
                ))
            };
            let document = document.or_else(|| (!is_asked).then(unlisted));
            facts
                .documents
                .extend(document.map(|document| (name.to_owned(), document)));
        };
        let nowhere = self.nowhere.iter().filter(|_| is_only);
        for (name, saved) in nowhere.clone().filter(|(name, _)| *name != PREFERENCES) {
            known(name, saved.document(None));
        }
        let saved = nowhere
            .into_iter()
            .find_map(|(name, saved)| (name == PREFERENCES).then_some(saved));
        let shown = self.preferences.get(place);
        let contents = shown.and_then(Reading::present);
        let listed = saved.and_then(|saved| saved.document(contents));
        match (listed, shown) {
            (Some(listed), _) => known(PREFERENCES, Some(listed)),
            (None, Some(Reading::Absent)) => known(PREFERENCES, Some(Reading::Absent)),
            (None, Some(Reading::Unknown(reason))) if !is_asked => {
                known(PREFERENCES, Some(Reading::Unknown(reason.clone())));
            }
            (None, shown) if shown.is_some() || saved.is_some() => known(PREFERENCES, None),
            (None, _) => {}
        }
    }

    /// Takes what either `list-document-versions` or `get-document` says of a version.
    pub(super) fn version(&mut self, one: &Value) {
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        let number = text("DocumentVersion").parse().unwrap_or(0);
        let saved = self.nowhere.entry(text("Name").to_owned()).or_default();
        // Only the list says which version is the default one.
        if let Some(is_default) = one["IsDefaultVersion"].as_bool() {
            let created = seconds(&one["CreatedDate"]);
            saved.listed.insert(number, (created, is_default));
        }
        let inputs = match &one["Content"] {
            Value::String(content) => Inputs::read(text("Name"), number, content),
            Value::Null => return,
            content => Reading::Present(Rc::new(Inputs::of(content))),
        };
        saved.contents.insert(number, inputs);
    }

    /// Takes a record of `ssm-prefs show`.
    ///
    /// # Errors
    /// It is none.
    pub(super) fn preferences(&mut self, record: &Value) -> anyhow::Result<()> {
        let shown: Preferences = cli::from_value(record)?;
        let contents = shown.document.map(|document| {
            let read = |one: records::DocumentVersion| {
                let number = one.version.parse().unwrap_or(0);
                let inputs = Rc::new(Inputs::of(&one.content));
                (number, Reading::Present(inputs))
            };
            Contents::from([document.latest, document.default].map(read))
        });
        self.preferences.insert(shown.target, contents);
        Ok(())
    }
}
