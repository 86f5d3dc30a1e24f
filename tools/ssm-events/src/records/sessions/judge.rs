//! Where the transcript of a session is, or why there is none. What was not read is never taken for what is not there.

mod why;

use std::rc::Rc;

use records::{NoTranscript, Transcript, TranscriptObject, TranscriptStream};

use super::facts::Facts;
use super::inputs::Logging;
use super::session::Session;
use super::store::Store;

/// What time it is, and how long a transcript may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) now: i64,
    /// In seconds.
    pub(crate) grace: i64,
}

/// What is said of the transcript of a session.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) transcript: Transcript,
    /// Why something about it is not known: whether there is one, whether another one is missing, or whether it is encrypted as
    /// preferences demand.
    pub(crate) unknown: Option<String>,
    /// It is not encrypted as preferences can demand.
    pub(crate) is_in_clear: bool,
}

/// Says where the transcript of a session is, or why there is none.
pub(crate) fn judge(session: &Session, facts: &Facts, rules: &Rules) -> Judged {
    let case = Case {
        session,
        facts,
        rules,
        expected: facts.logging(session).map(|all| fitting(session, all)),
    };
    case.judged()
}

/// Returns of the versions that may have been in force those that have a transcript written where one lies; all where none does.
fn fitting(session: &Session, all: Vec<Rc<Logging>>) -> Vec<Rc<Logging>> {
    let stores = all.iter().flat_map(|one| &one.stores);
    let found: Vec<&Store> = stores.filter(|store| is_in(session, store)).collect();
    let fits = |one: &&Rc<Logging>| found.iter().all(|store| one.stores.contains(store));
    let fitting: Vec<Rc<Logging>> = all.iter().filter(fits).cloned().collect();
    match fitting.is_empty() {
        true => all,
        false => fitting,
    }
}

fn is_in(session: &Session, store: &Store) -> bool {
    match store {
        Store::Bucket { name, prefix } => session
            .filled_object()
            .is_some_and(|object| object.is_of(name, prefix)),
        Store::LogGroup { name } => session.filled_stream().is_some_and(|stream| {
            let group = stream.log_group.as_ref();
            group.is_none_or(|group| group == name)
        }),
    }
}

/// A session with all that is known of it.
struct Case<'c> {
    session: &'c Session,
    facts: &'c Facts,
    rules: &'c Rules,
    /// Where its transcript should be, by each version that may have been in force; or why that is not known.
    expected: Result<Vec<Rc<Logging>>, String>,
}

impl Case<'_> {
    fn judged(&self) -> Judged {
        let (object, stream) = (self.session.filled_object(), self.session.filled_stream());
        let is_there = object.is_some() || stream.is_some();
        let (why, message) = self.why_none();
        let is_over = why == NoTranscript::UploadFailed;
        let missing = match is_over {
            true => self.missing(),
            false => Vec::new(),
        };
        let unknown = match why {
            NoTranscript::Unread if !is_there || !self.has_all() => Some(message.clone()),
            // What has not ended may be written yet.
            _ if is_over && is_there && missing.is_empty() => self.unknown_copy(),
            _ => None,
        };
        let unknown = unknown.or_else(|| self.unknown_encryption());
        let message = match is_there {
            false => Some(message),
            true => {
                let missing = (!missing.is_empty()).then_some(message);
                let both = missing.iter().chain(&unknown).map(String::as_str);
                let both: Vec<&str> = both.collect();
                (!both.is_empty()).then(|| both.join("; "))
            }
        };
        let encrypted: Vec<Option<bool>> = object
            .map(|object| object.encrypted)
            .into_iter()
            .chain(stream.map(|stream| stream.encrypted))
            .collect();
        let transcript = Transcript {
            s3: object.map(|object| TranscriptObject {
                bucket: object.bucket.as_deref().map(str::to_owned),
                key: format!("{}{}.log", object.folder, self.session.id),
            }),
            log_stream: stream.map(|stream| TranscriptStream {
                log_group: stream.log_group.as_deref().map(str::to_owned),
                name: self.session.id.to_string(),
            }),
            bytes: object.map(|object| object.bytes),
            encrypted: match () {
                () if encrypted.is_empty() || encrypted.contains(&None) => None,
                () => Some(encrypted.iter().all(|one| *one == Some(true))),
            },
            none: (!is_there).then_some(why),
            missing_in: missing.iter().map(ToString::to_string).collect(),
            message,
        };
        let is_clear = |encrypted: Option<bool>| encrypted == Some(false);
        // CloudWatch Logs encrypts by itself; a key is what preferences may demand.
        let must = || self.logging().iter().any(|one| one.group_must_be_encrypted);
        Judged {
            transcript,
            unknown,
            is_in_clear: object.is_some_and(|object| is_clear(object.encrypted))
                || (stream.is_some_and(|stream| is_clear(stream.encrypted)) && must()),
        }
    }

    /// Returns where the transcript should be, as far as that is known.
    fn logging(&self) -> &[Rc<Logging>] {
        self.expected.as_deref().unwrap_or_default()
    }

    /// Returns the stores that some version names, each once.
    fn stores(&self) -> Vec<&Store> {
        let mut all = Vec::new();
        for store in self.logging().iter().flat_map(|one| &one.stores) {
            if !all.contains(&store) {
                all.push(store);
            }
        }
        all
    }

    /// Returns whether every version names a store: one of them was in force.
    fn is_certain(&self, store: &Store) -> bool {
        let mut all = self.logging().iter();
        all.all(|one| one.stores.contains(store))
    }

    /// Returns whether every store that may have the transcript has it, so that nothing more has to be known.
    fn has_all(&self) -> bool {
        let mut stores = self.stores().into_iter();
        self.expected.is_ok() && stores.all(|store| is_in(self.session, store))
    }

    /// Returns the stores that should have the transcript for certain, and do not.
    fn missing(&self) -> Vec<&Store> {
        let mut missing = self.stores();
        missing.retain(|store| self.is_certain(store) && !is_in(self.session, store));
        missing
    }

    /// Returns why it is not known whether there should be another copy, if versions differ in that.
    fn unknown_copy(&self) -> Option<String> {
        let mut stores = self.stores().into_iter();
        let store = stores.find(|store| !self.is_certain(store) && !is_in(self.session, store))?;
        Some(format!(
            "whether the transcript should be in {store} as well is not known: {}",
            self.facts.changes.why_unknown()
        ))
    }

    /// Returns why it is not known whether a transcript is encrypted, if the preferences demand that.
    fn unknown_encryption(&self) -> Option<String> {
        let (object, stream) = (self.session.filled_object(), self.session.filled_stream());
        let is_object = object.is_some_and(|object| object.encrypted.is_none());
        let is_stream = stream.is_some_and(|stream| stream.encrypted.is_none());
        let unknown = self.logging().iter().find_map(|one| {
            one.stores.iter().find(|store| match store {
                Store::Bucket { .. } => is_object && one.object_must_be_encrypted,
                Store::LogGroup { .. } => is_stream && one.group_must_be_encrypted,
            })
        })?;
        let why = self.facts.unknown_keys.get(unknown);
        let why = why.map_or("that was not read", String::as_str);
        Some(format!(
            "whether the transcript in {unknown} is encrypted is not known: {why}"
        ))
    }
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
