//! Sessions without a transcript that should have one, as findings.

use std::collections::BTreeMap;

use cli::{Finding, FindingKind, Severity, Target};
use records::NoTranscript;

use super::judge::{Judged, judge};
use super::{Book, Facts, Rules};

/// The finding about what could not be read.
pub(crate) const UNREAD: &str = "events.transcript.unread";
/// Reasons, each with the number of sessions that it is about and the first of them.
type Reasons = BTreeMap<String, (usize, String)>;

const GRANT: &str = "grant what `ssm-events --generate policy --for sessions` prints";
const FIX: &str =
    "run `ssm-prefs check --roles` and `ssm-prefs probe`; on the node, the agent's log says why";

/// Returns a finding for each session whose transcript is missing or not encrypted, and one for each reason why others are not
/// known.
pub(crate) fn findings(book: &Book, place: &Target, facts: &Facts, rules: &Rules) -> Vec<Finding> {
    let mut found = Vec::new();
    let (mut unread, mut unsettled) = (Reasons::new(), Reasons::new());
    let finding =
        |id: &str, severity: Severity, resource: &str, message: String, fix: &str| Finding {
            kind: FindingKind::Finding,
            id: id.to_owned(),
            severity,
            target: Some(place.clone()),
            resource: resource.to_owned(),
            message,
            fix: fix.to_owned(),
            is_unread: id == UNREAD,
        };
    if let Some(reason) = &facts.undescribed {
        unread.insert(reason.clone(), (0, "DescribeSessions".to_owned()));
    }
    for session in &book.sessions {
        let Judged {
            transcript: made,
            unknown,
            is_in_clear,
        } = judge(session, facts, rules);
        let who = session.person.as_deref().unwrap_or("somebody");
        let node = session.node.as_deref().unwrap_or("a node");
        let what = made.message.clone().unwrap_or_default();
        match made.none {
            Some(NoTranscript::UploadFailed) => {
                let message = format!("the session of {who} on {node} has no transcript: {what}");
                found.push(finding(
                    "events.transcript.missing",
                    Severity::Error,
                    &session.id,
                    message,
                    FIX,
                ));
            }
            Some(NoTranscript::PreferencesOff) if facts.is_unsettled(session) => {
                let first = || (0, session.id.to_string());
                unsettled.entry(what).or_insert_with(first).0 += 1;
            }
            None if !made.missing_in.is_empty() => {
                let message = format!(
                    "one of two transcripts of the session of {who} on {node} is missing: {what}"
                );
                found.push(finding(
                    "events.transcript.incomplete",
                    Severity::Warning,
                    &session.id,
                    message,
                    FIX,
                ));
            }
            _ => {}
        }
        if let Some(reason) = unknown {
            let first = || (0, session.id.to_string());
            unread.entry(reason).or_insert_with(first).0 += 1;
        }
        if is_in_clear {
            let message =
                format!("the transcript of the session of {who} on {node} is not encrypted");
            let fix = "copy the object onto itself, or associate a KMS key with the log group";
            found.push(finding(
                "events.transcript.unencrypted",
                Severity::Warning,
                &session.id,
                message,
                fix,
            ));
        }
    }
    found.extend(unread.into_iter().map(|(reason, (n_sessions, first))| {
        let message = match n_sessions {
            0 => reason,
            n => format!(
                "whether {} a transcript as demanded is not known: {reason}",
                match n {
                    1 => "a session has".to_owned(),
                    n => format!("{n} sessions have"),
                }
            ),
        };
        let fix = match facts.is_of_call(&message) {
            true => GRANT,
            false => "no permission is missing: do what the message names, or look for the transcripts by hand",
        };
        finding(UNREAD, Severity::Error, &first, message, fix)
    }));
    found.extend(unsettled.into_iter().map(|(reason, (n_sessions, first))| {
        let sessions = cli::count(n_sessions, "session");
        let message = format!("no transcript was to be written of {sessions}: {reason}");
        let fix = "make preferences that log, as `ssm-prefs plan` says; what was changed is shown when this is run 15 minutes later";
        finding("events.transcript.unsettled", Severity::Warning, &first, message, fix)
    }));
    found
}
