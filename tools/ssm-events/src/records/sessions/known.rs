//! What `sessions` has printed, for who shows sessions: reports and messages.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;

use anyhow::Context;
use cloudtrail::{Found, Gap, Verdict};
use records::{RecordedSession, SessionEnd, Transcript};
use serde_json::Value;

use crate::records::gaps::Gaps;

/// An account, a Region, and the ID of a session.
pub(crate) type SessionKey = (String, String, String);

/// Ends and transcripts of sessions.
#[derive(Clone, Debug, Default)]
pub(crate) struct KnownSessions {
    sessions: HashMap<SessionKey, KnownSession>,
    is_whole: bool,
    /// What could not be read: sessions that are not here may have been in it.
    pub(crate) gaps: Gaps,
    /// Objects that are something else.
    n_others: usize,
}

/// What is known of one session.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KnownSession {
    pub(crate) ended: Option<String>,
    pub(crate) how_it_ended: Option<SessionEnd>,
    pub(crate) ended_by: Option<String>,
    pub(crate) transcript: Option<Transcript>,
    /// All of it, for who shows sessions that no record has.
    pub(crate) whole: Option<Box<RecordedSession>>,
}

impl KnownSessions {
    /// Reads records of sessions. One that cannot be read, and what the file says that it does not have, is a gap.
    ///
    /// # Errors
    /// The file cannot be opened.
    pub(crate) fn read(path: &Path) -> anyhow::Result<KnownSessions> {
        KnownSessions::default().of_file(path)
    }

    /// As [`KnownSessions::read`], with all that is said of each.
    ///
    /// # Errors
    /// As [`KnownSessions::read`].
    pub(crate) fn read_whole(path: &Path) -> anyhow::Result<KnownSessions> {
        let known = KnownSessions {
            is_whole: true,
            ..KnownSessions::default()
        };
        known.of_file(path)
    }

    fn of_file(self, path: &Path) -> anyhow::Result<KnownSessions> {
        let mut known = self;
        let mut n_objects = 0;
        let file =
            File::open(path).with_context(|| format!("read sessions from {}", path.display()))?;
        let gap = |reason| Gap {
            resource: path.display().to_string(),
            reason,
        };
        let read = cloudtrail::objects(file, |found| {
            n_objects += 1;
            let taken = match found {
                Found::Object(object) | Found::Json(object) => known.take(object),
                Found::Damaged(spoilt) => Err(anyhow::Error::new(spoilt)),
            };
            let Err(error) = taken else {
                return Ok(Verdict::Whole);
            };
            known
                .gaps
                .push(gap(format!("record {n_objects}: {error:#}")));
            Ok(Verdict::Damaged)
        });
        if let Err(damage) = read {
            known.gaps.push(gap(damage.to_string()));
        }
        if known.sessions.is_empty() && known.gaps.is_empty() {
            // An empty one is what a command that failed leaves behind its `>`.
            known.gaps.push(gap(match known.n_others {
                0 => "it is empty".to_owned(),
                n_others => format!("no session among {}", cli::count(n_others, "object")),
            }));
        }
        Ok(known)
    }

    fn take(&mut self, object: &[u8]) -> anyhow::Result<()> {
        let value: Value = serde_json::from_slice(object)?;
        if let Some(gap) = cloudtrail::gap(&value) {
            // Whoever reads a report or a message takes a session without a mark for one with a transcript.
            self.gaps.push(gap);
            return Ok(());
        }
        if value["kind"] != "session" {
            self.n_others += 1;
            return Ok(());
        }
        let session: RecordedSession = cli::from_value(&value)?;
        let whole = self.is_whole.then(|| Box::new(session.clone()));
        let target = session.target.map(|target| (target.account, target.region));
        let (account, region) = target.unwrap_or_default();
        let id = match session.session_id.as_str() {
            // Its record was stripped of the ID.
            "" => format!("record {}", session.event_id),
            _ => session.session_id,
        };
        self.sessions.insert(
            (account, region, id),
            KnownSession {
                whole,
                ended: session.ended,
                how_it_ended: session.how_it_ended,
                ended_by: session.ended_by,
                transcript: session.transcript,
            },
        );
        Ok(())
    }

    /// Returns what is known of a session.
    pub(crate) fn of(&self, account: &str, region: &str, id: &str) -> Option<&KnownSession> {
        if id.is_empty() || self.sessions.is_empty() {
            return None;
        }
        let key = (account.to_owned(), region.to_owned(), id.to_owned());
        self.sessions.get(&key)
    }

    /// Returns all sessions, in no order.
    pub(crate) fn into_sessions(self) -> impl Iterator<Item = (SessionKey, KnownSession)> {
        self.sessions.into_iter()
    }
}
