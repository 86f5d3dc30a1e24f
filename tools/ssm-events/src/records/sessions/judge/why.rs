//! Why a session has no transcript, in words.

use records::{EcsTarget, NoTranscript, SessionEnd};

use super::Case;
use crate::records::sessions::changes::SHOWN_AFTER_MINUTES;
use crate::records::sessions::document::PREFERENCES;
use crate::records::sessions::store::Store;

/// `DescribeSessions` has "terminated sessions from the past 30 days".
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeSessions.html>
const HISTORY: i64 = 30 * 24 * 3600;

impl Case<'_> {
    /// Returns why a session has no transcript, if it has none, and in words.
    pub(super) fn why_none(&self) -> (NoTranscript, String) {
        use NoTranscript as No;
        let (session, facts, rules) = (self.session, self.facts, self.rules);
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
        let logging = match &self.expected {
            Ok(logging) => logging,
            Err(reason) => return (No::Unread, reason.clone()),
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
        if session.ended().is_none()
            && let Some(answer) = self.unknown_end(&grace)
        {
            return answer;
        }
        let text = |stores: Vec<&Store>, and: &str| {
            let stores: Vec<String> = stores.into_iter().map(Store::to_string).collect();
            stores.join(and)
        };
        let missing = self.missing();
        let nowhere = match missing.is_empty() {
            true => format!(
                "neither in {}, one of which should have it",
                text(self.stores(), " nor in ")
            ),
            false => format!("nothing in {}", text(missing, " and ")),
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

    /// Returns what is to be said of a session without a known end; `None` where it has ended for certain.
    fn unknown_end(&self, grace: &str) -> Option<(NoTranscript, String)> {
        let rules = self.rules;
        let began = self.session.began();
        let is_new = began.is_some_and(|began| began + rules.grace > rules.now);
        let is_old = began.is_some_and(|began| rules.now - began > HISTORY);
        let why = match &self.facts.undescribed {
            _ if self.session.described.is_some() => {
                return Some((
                    NoTranscript::Unread,
                    "the session has ended, and when is not known".to_owned(),
                ));
            }
            Some(reason) => reason.as_str(),
            None if is_new => {
                return Some((
                    NoTranscript::TooRecent,
                    format!("the session has just begun, and {grace}"),
                ));
            }
            // Whatever is open is listed, however long ago it began.
            None if is_old && self.facts.lists_all_open => return None,
            None if is_old => {
                "it began before the 30 days that Systems Manager keeps, and no record says it"
            }
            None => "Systems Manager does not list it",
        };
        Some((
            NoTranscript::Unread,
            format!("whether the session has ended is not known: {why}"),
        ))
    }
}
