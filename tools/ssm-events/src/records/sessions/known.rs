//! What `sessions` has printed, for who shows sessions: reports and messages.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context;
use cloudtrail::{Found, Verdict};
use records::{RecordedSession, SessionEnd, Transcript};
use serde_json::Value;

/// Ends and transcripts by account, Region and ID.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownSessions(HashMap<(String, String, String), KnownSession>);

/// What is known of one session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownSession {
    pub(crate) ended: Option<String>,
    pub(crate) how_it_ended: Option<SessionEnd>,
    pub(crate) ended_by: Option<String>,
    pub(crate) transcript: Option<Transcript>,
}

impl KnownSessions {
    /// Reads records of sessions.
    ///
    /// # Errors
    /// The file cannot be read, or a session in it, or it says that it does not have all sessions.
    pub(crate) fn read(path: &Path) -> anyhow::Result<KnownSessions> {
        let mut known = KnownSessions::default();
        let mut number = 0;
        let read = cloudtrail::objects_of(Some(path), |found| {
            number += 1;
            let place = || format!("record {number}");
            let object = match found {
                Found::Object(object) => object,
                Found::Damaged(spoilt) => return Err(anyhow::Error::new(spoilt).context(place())),
            };
            let value: Value = serde_json::from_slice(object).with_context(place)?;
            if let Some(gap) = cloudtrail::gap(&value) {
                // Whoever reads a report or a message takes a session without a mark for one with a transcript.
                anyhow::bail!("{}: sessions were not all read: {gap}", place());
            }
            if value["kind"] != "session" {
                return Ok(Verdict::Whole);
            }
            let session: RecordedSession = cli::from_value(&value).with_context(place)?;
            let target = session.target.map(|target| (target.account, target.region));
            let (account, region) = target.unwrap_or_default();
            known.0.insert(
                (account, region, session.session_id),
                KnownSession {
                    ended: session.ended,
                    how_it_ended: session.how_it_ended,
                    ended_by: session.ended_by,
                    transcript: session.transcript,
                },
            );
            Ok(Verdict::Whole)
        });
        read.with_context(|| format!("read sessions from {}", path.display()))?;
        Ok(known)
    }

    /// Returns what is known of a session.
    pub(crate) fn of(&self, account: &str, region: &str, id: &str) -> Option<&KnownSession> {
        if id.is_empty() || self.0.is_empty() {
            return None;
        }
        let key = (account.to_owned(), region.to_owned(), id.to_owned());
        self.0.get(&key)
    }
}
