//! Where the transcript of a session is, or why there is none. What was not read is never taken for what is not there.

use std::rc::Rc;

use records::{
    EcsTarget, NoTranscript, SessionEnd, Transcript, TranscriptObject, TranscriptStream,
};

use super::changes::SHOWN_AFTER_MINUTES;
use super::document::PREFERENCES;
use super::facts::Facts;
use super::inputs::Logging;
use super::session::Session;
use super::store::Store;

/// `DescribeSessions` has "terminated sessions from the past 30 days".
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeSessions.html>
const HISTORY: i64 = 30 * 24 * 3600;

/// What time it is, and how long a transcript may take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    pub(crate) now: i64,
    /// In seconds.
    pub(crate) grace: i64,
}

/// Returns where the transcript of a session is, or why there is none.
pub(super) fn transcript(session: &Session, facts: &Facts, rules: &Rules) -> Transcript {
    let (object, filled) = (session.filled_object(), session.filled_stream());
    let encrypted: Vec<Option<bool>> = object
        .map(|object| object.encrypted)
        .into_iter()
        .chain(filled.map(|stream| stream.encrypted))
        .collect();
    let mut made = Transcript {
        s3: object.map(|object| TranscriptObject {
            bucket: object.bucket.as_deref().map(str::to_owned),
            key: format!("{}{}.log", object.folder, session.id),
        }),
        log_stream: filled.map(|stream| TranscriptStream {
            log_group: stream.log_group.as_deref().map(str::to_owned),
            name: session.id.to_string(),
        }),
        bytes: object.map(|object| object.bytes),
        encrypted: match () {
            () if encrypted.is_empty() || encrypted.contains(&None) => None,
            () => Some(encrypted.iter().all(|one| *one == Some(true))),
        },
        ..Transcript::default()
    };
    let is_there = object.is_some() || filled.is_some();
    let (why, message) = why_none(session, facts, rules);
    if !is_there {
        made.none = Some(why);
    }
    if why == NoTranscript::UploadFailed {
        let missing = missing(session, facts);
        made.missing_in = missing.iter().map(Store::to_string).collect();
        made.message = (!is_there || !missing.is_empty()).then_some(message);
    } else if !is_there || (why == NoTranscript::Unread && !has_all(session, facts)) {
        made.message = Some(message);
    }
    if is_there && made.message.is_none() {
        made.message = unknown_copy(session, facts).or_else(|| unknown_encryption(session, facts));
    }
    made
}

/// Returns whether something about a transcript is not known: where one is, another may be missing or in clear.
pub(crate) fn is_unread(made: &Transcript) -> bool {
    match made.none {
        Some(why) => why == NoTranscript::Unread,
        None => made.message.is_some() && made.missing_in.is_empty(),
    }
}

/// Returns whether every store that may have the transcript has it, so that nothing more has to be known.
fn has_all(session: &Session, facts: &Facts) -> bool {
    let logging = expected(session, facts);
    logging.is_ok_and(|logging| {
        let mut stores = logging.iter().flat_map(|one| &one.stores);
        stores.all(|store| is_in(session, store))
    })
}

/// Returns where the transcript of a session may be, as [`Facts::logging`]: where a copy lies, by those versions alone that have it
/// written there.
fn expected(session: &Session, facts: &Facts) -> Result<Vec<Rc<Logging>>, String> {
    let all = facts.logging(session)?;
    let stores = all.iter().flat_map(|one| &one.stores);
    let found: Vec<&Store> = stores.filter(|store| is_in(session, store)).collect();
    let fits = |one: &&Rc<Logging>| found.iter().all(|store| one.stores.contains(store));
    let fitting: Vec<Rc<Logging>> = all.iter().filter(fits).cloned().collect();
    Ok(match fitting.is_empty() {
        true => all,
        false => fitting,
    })
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

/// Returns why it is not known whether there should be another copy, if versions differ in that.
fn unknown_copy(session: &Session, facts: &Facts) -> Option<String> {
    let logging = expected(session, facts).unwrap_or_default();
    let mut stores = logging.iter().flat_map(|one| &one.stores);
    let store = stores.find(|store| !is_in(session, store))?;
    Some(format!(
        "whether the transcript should be in {store} as well is not known: {}",
        facts.changes.why_unknown()
    ))
}

/// Returns why it is not known whether a transcript is encrypted, if the preferences demand that.
pub(super) fn unknown_encryption(session: &Session, facts: &Facts) -> Option<String> {
    let (object, stream) = (session.filled_object(), session.filled_stream());
    let is_object = object.is_some_and(|object| object.encrypted.is_none());
    let is_stream = stream.is_some_and(|stream| stream.encrypted.is_none());
    let logging = expected(session, facts).unwrap_or_default();
    let unknown = logging.iter().find_map(|one| {
        one.stores.iter().find(|store| match store {
            Store::Bucket { .. } => is_object && one.object_must_be_encrypted,
            Store::LogGroup { .. } => is_stream && one.group_must_be_encrypted,
        })
    })?;
    let why = facts.unknown_keys.get(unknown);
    let why = why.map_or("that was not read", String::as_str);
    Some(format!(
        "whether the transcript in {unknown} is encrypted is not known: {why}"
    ))
}

/// Returns the stores that should have the transcript and do not. Where versions differ, one of them was in force: what all name
/// is missing for certain.
fn missing(session: &Session, facts: &Facts) -> Vec<Store> {
    let logging = expected(session, facts).unwrap_or_default();
    let mut missing = all_stores(&logging);
    missing.retain(|store| {
        let is_certain = logging.iter().all(|one| one.stores.contains(store));
        is_certain && !is_in(session, store)
    });
    missing
}

/// Returns each store of these, once.
fn all_stores(logging: &[Rc<Logging>]) -> Vec<Store> {
    let mut all: Vec<Store> = Vec::new();
    for store in logging.iter().flat_map(|one| &one.stores) {
        if !all.contains(store) {
            all.push(store.clone());
        }
    }
    all
}

/// Returns why a session has no transcript, if it has none, and in words.
fn why_none(session: &Session, facts: &Facts, rules: &Rules) -> (NoTranscript, String) {
    use NoTranscript as No;
    let document = session.document.as_deref().unwrap_or(PREFERENCES);
    let end = session.how_it_ended();
    let said = |why: No, text: &str| (why, text.to_owned());
    match document {
        // "Logging isn't available for Session Manager sessions that connect through port forwarding or SSH."
        // https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html
        "AWS-StartSSHSession" => return said(No::Ssh, "sessions of SSH are never logged"),
        name if name.starts_with("AWS-StartPortForwardingSession") => {
            return said(No::Port, "sessions that forward a port are never logged");
        }
        _ => {}
    }
    let node = session.node.as_deref().unwrap_or_default();
    if EcsTarget::parse(node).is_some() || session.id.starts_with("ecs-execute-command-") {
        // https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html
        return said(No::Container, "ECS Exec logs as its cluster is set up");
    }
    if end == SessionEnd::Failed {
        return said(No::NotStarted, "the session failed to start");
    }
    if session.id.is_empty() {
        return said(No::Unread, "the record does not have the ID of the session");
    }
    let logging = match expected(session, facts) {
        Ok(logging) => logging,
        Err(reason) => return (No::Unread, reason),
    };
    if logging.iter().all(|one| one.is_port) {
        return said(No::Port, "sessions that forward a port are never logged");
    }
    if logging.iter().all(|one| one.stores.is_empty()) {
        let off = match logging.iter().all(|one| one.is_absent) {
            true => format!(
                "there was no {document} when the session began: `ssm-prefs plan` says what makes it"
            ),
            false => format!("{document} names neither bucket nor log group"),
        };
        let unless = match facts.is_unsettled(session) {
            true => format!(
                "; a change of the last {SHOWN_AFTER_MINUTES} minutes may not be in CloudTrail's event history yet, and could make this another answer"
            ),
            false => String::new(),
        };
        return (No::PreferencesOff, off + &unless);
    }
    if logging.iter().any(|one| one.stores.is_empty()) {
        return (
            No::Unread,
            format!(
                "versions of {document} differ in whether sessions are logged, and which one was the default is not known: {}",
                facts.changes.why_unknown()
            ),
        );
    }
    let grace = format!("a transcript may take {} minutes", rules.grace / 60);
    let is_old = session
        .began()
        .is_some_and(|began| rules.now - began > HISTORY);
    match (end, session.ended()) {
        (SessionEnd::Open, _) => return said(No::StillOpen, "the session has not ended"),
        (_, Some(ended)) if ended + rules.grace > rules.now => {
            return (
                No::TooRecent,
                format!("the session has just ended, and {grace}"),
            );
        }
        _ => {}
    }
    let stores = logging.iter().flat_map(|one| &one.stores);
    for store in stores {
        match facts.stores.get(store) {
            Some(None) => {}
            Some(Some(reason)) => return (No::Unread, format!("{store}: {reason}")),
            None => return (No::Unread, format!("{store} was not listed")),
        }
    }
    if session.ended().is_none() {
        return match &facts.undescribed {
            Some(reason) => (
                No::Unread,
                format!("whether the session has ended is not known: {reason}"),
            ),
            None if session
                .began()
                .is_some_and(|began| began + rules.grace > rules.now) =>
            {
                (
                    No::TooRecent,
                    format!("the session has just begun, and {grace}"),
                )
            }
            None if is_old => said(
                No::Unread,
                "whether the session has ended is not known: it began before the 30 days that Systems Manager keeps, and no record says it",
            ),
            None => said(
                No::Unread,
                "whether the session has ended is not known: Systems Manager does not list it",
            ),
        };
    }
    let text = |stores: &[Store], and: &str| {
        let stores: Vec<String> = stores.iter().map(Store::to_string).collect();
        stores.join(and)
    };
    let missing = missing(session, facts);
    let nowhere = match missing.is_empty() {
        true => format!(
            "neither in {}, one of which should have it",
            text(&all_stores(&logging), " nor in ")
        ),
        false => format!("nothing in {}", text(&missing, " and ")),
    };
    let is_empty = [
        session.object.is_some() && session.filled_object().is_none(),
        session.stream.is_some() && session.filled_stream().is_none(),
    ];
    let empty = match is_empty {
        [true, true] => "; its object and its log stream are empty",
        [true, false] => "; its object is empty",
        [false, true] => "; its log stream is empty",
        [false, false] => "",
    };
    (
        No::UploadFailed,
        format!("{nowhere}: it could not be uploaded, or was removed since{empty}"),
    )
}

#[cfg(test)]
#[path = "judge_tests.rs"]
mod tests;
