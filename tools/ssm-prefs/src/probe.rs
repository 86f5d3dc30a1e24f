//! What a probe proves: the session, the bucket and the log group against the preferences, and what keeps a transcript away by the
//! judgement that `check` makes. Pure.

mod causes;

use cli::{Finding, Outcome, Target};
use records::Document;
use serde_json::Value;

use crate::finding::{error, info, warning};
use crate::model::{
    Conversation, DOCUMENT, Destination, DestinationState, Look, ManagedNode, Observed, Places,
    Probe, ProbeKind, ProbeVerdict, SessionState,
};
use crate::roles::Roles;
use crate::session_document::Inputs;

/// What was seen of one probe.
#[derive(Clone, Debug)]
pub(crate) struct Seen<'a> {
    pub(crate) target: &'a Target,
    pub(crate) instance_id: &'a str,
    pub(crate) node: &'a ManagedNode,
    pub(crate) document: Option<&'a Document>,
    pub(crate) patience_seconds: u64,
    /// `None` where no session was started, for its transcript would go nowhere.
    pub(crate) session: Option<SessionSeen<'a>>,
}

/// What was seen of a session.
#[derive(Clone, Debug)]
pub(crate) struct SessionSeen<'a> {
    pub(crate) session_id: &'a str,
    pub(crate) nonce: &'a str,
    /// `None` when a signal came between.
    pub(crate) conversation: Option<&'a Conversation>,
    pub(crate) document: Option<String>,
    pub(crate) left_open: Option<&'a str>,
    pub(crate) s3: Option<Look>,
    pub(crate) logs: Option<Look>,
}

/// What is known of the roles that may be the cause.
#[derive(Clone, Debug)]
pub(crate) struct Judged {
    /// ARN of the node's role, or why it is not known.
    pub(crate) of_node: Result<String, String>,
    /// Whether the policies of whoever started the session were given.
    pub(crate) knows_caller: bool,
    /// Those two alone.
    pub(crate) roles: Roles,
}

/// Returns where the transcript of a session goes. Agents join prefix and name as Go's `path.Join`, without colons in the name:
/// `agent/fileutil/fileutil.go` (BuildS3Path) in <https://github.com/aws/amazon-ssm-agent>.
pub(crate) fn places(content: &Value, session_id: &str) -> Places {
    let inputs = Inputs::of(content);
    let name = format!("{}.log", session_id.replace(':', ""));
    let prefix = inputs.text("s3KeyPrefix").unwrap_or_default();
    let mut parts: Vec<&str> = Vec::new();
    for part in prefix.split('/').chain([name.as_str()]) {
        match part {
            "" | "." => {}
            ".." => _ = parts.pop(),
            part => parts.push(part),
        }
    }
    let root = if prefix.starts_with('/') { "/" } else { "" };
    let key = format!("{root}{}", parts.join("/"));
    let bucket = inputs.text("s3BucketName");
    let group = inputs.text("cloudWatchLogGroupName");
    Places {
        s3: bucket.map(|bucket| (bucket.to_owned(), key)),
        logs: group.map(|group| (group.to_owned(), session_id.to_owned())),
    }
}

/// Returns whether something is to be explained: the session or a transcript is not as the preferences have it.
pub(crate) fn needs_cause(seen: &Seen<'_>) -> bool {
    let missing = |look: &Option<Look>| matches!(look, Some(Look::Missing(_)));
    seen.session.as_ref().is_some_and(|session| {
        let is_refused = matches!(session.conversation, Some(Conversation::Refused(_)));
        is_refused || missing(&session.s3) || missing(&session.logs)
    })
}

/// Returns the record, the findings and how it ended. `observed` is what the preferences name, where a cause is needed.
pub(crate) fn verdict(
    seen: &Seen<'_>,
    observed: Option<&Observed>,
    judged: &Judged,
) -> (Probe, Vec<Finding>, Outcome) {
    let record = record(seen, judged);
    let Some(session) = &seen.session else {
        let message = "neither a bucket nor a log group is named: sessions leave no transcript, so none was started";
        let fix = "name s3.bucket or cloudwatch.log_group";
        let found = error("logging.off", DOCUMENT, message, fix);
        return (record, vec![found], Outcome::Found);
    };
    let mut findings = Vec::new();
    of_session(seen, session, &mut findings);
    for (place, fix) in [
        (
            &record.s3,
            "allow s3:GetObject and s3:ListBucket on it, and kms:Decrypt on its key, to whoever runs this",
        ),
        (
            &record.logs,
            "allow logs:GetLogEvents on the log group to whoever runs this",
        ),
    ] {
        findings.extend(of_place(place, fix, seen.patience_seconds));
    }
    let causes = match observed {
        Some(observed) => causes::causes(seen, session, observed, judged),
        None => Vec::new(),
    };
    let is_unread = |place: &Destination| place.state == DestinationState::Unread;
    let outcome = match record.verdict {
        _ if session.left_open.is_some() => Outcome::Trouble,
        ProbeVerdict::Unknown => Outcome::Trouble,
        ProbeVerdict::NotProved if is_unread(&record.s3) || is_unread(&record.logs) => {
            Outcome::Trouble
        }
        ProbeVerdict::NotProved => Outcome::Found,
        ProbeVerdict::Proved => Outcome::Fine,
    };
    let record = Probe {
        causes: causes.iter().map(|cause| cause.id.clone()).collect(),
        ..record
    };
    findings.extend(causes);
    (record, findings, outcome)
}

fn record(seen: &Seen<'_>, judged: &Judged) -> Probe {
    let document = seen.document.map(|document| &document.default);
    let none = Value::Null;
    let content = document.map_or(&none, |document| &document.content);
    let session = seen.session.as_ref();
    let places = places(content, session.map_or("", |session| session.session_id));
    let conversation = session.and_then(|session| session.conversation);
    let (state, reason) = match (session, conversation) {
        (None, _) => (SessionState::NotStarted, None),
        (Some(_), None) => (SessionState::NotOpened, Some("interrupted".to_owned())),
        (_, Some(Conversation::Ran)) => (SessionState::Ran, None),
        (_, Some(Conversation::Refused(words))) => (SessionState::Refused, Some(words.clone())),
        (_, Some(Conversation::NotOpened(words))) => (SessionState::NotOpened, Some(words.clone())),
    };
    let has_session = session.is_some();
    let s3 = destination(
        places.s3,
        session.and_then(|one| one.s3.as_ref()),
        has_session,
    );
    let logs = destination(
        places.logs,
        session.and_then(|one| one.logs.as_ref()),
        has_session,
    );
    let states = [s3.state, logs.state];
    let verdict = match state {
        SessionState::NotStarted | SessionState::Refused => ProbeVerdict::NotProved,
        SessionState::NotOpened => ProbeVerdict::Unknown,
        SessionState::Ran if states.contains(&DestinationState::Missing) => ProbeVerdict::NotProved,
        SessionState::Ran if states.contains(&DestinationState::Found) => {
            let is_known = |state| matches!(state, DestinationState::Found | DestinationState::Off);
            match states.into_iter().all(is_known) {
                true => ProbeVerdict::Proved,
                false => ProbeVerdict::Unknown,
            }
        }
        SessionState::Ran => ProbeVerdict::Unknown,
    };
    Probe {
        kind: ProbeKind::Probe,
        target: seen.target.clone(),
        instance_id: seen.instance_id.to_owned(),
        verdict,
        session_id: session.map(|session| session.session_id.to_owned()),
        nonce: session.map(|session| session.nonce.to_owned()),
        session: state,
        reason,
        document: session.and_then(|session| session.document.clone()),
        document_version: document.map(|document| document.version.clone()),
        role: judged.of_node.as_ref().ok().cloned(),
        s3,
        logs,
        causes: Vec::new(),
    }
}

fn destination(
    place: Option<(String, String)>,
    look: Option<&Look>,
    has_session: bool,
) -> Destination {
    let Some((container, name)) = place else {
        return Destination {
            state: DestinationState::Off,
            container: None,
            name: None,
            detail: None,
        };
    };
    let (state, detail) = match look {
        None => (DestinationState::NotLookedFor, None),
        Some(Look::Found) => (DestinationState::Found, None),
        Some(Look::Missing(words)) => (DestinationState::Missing, Some((*words).to_owned())),
        Some(Look::Unread(reason)) => (DestinationState::Unread, Some(reason.clone())),
    };
    Destination {
        state,
        container: Some(container),
        name: has_session.then_some(name),
        detail,
    }
}

fn of_session(seen: &Seen<'_>, session: &SessionSeen<'_>, findings: &mut Vec<Finding>) {
    let node = seen.instance_id;
    match session.conversation {
        Some(Conversation::Refused(words)) => {
            let fix = causes::refusal(words).map_or(
                "correct what the findings that follow name, or look at the agent's log on the node",
                |(_, fix)| fix,
            );
            let message = format!("the agent refused the session: {words}");
            findings.push(error("probe.refused", node, message, fix));
        }
        Some(Conversation::NotOpened(words)) => findings.push(warning(
            "probe.not_opened",
            node,
            format!("the session could not be opened, so nothing is proved: {words}"),
            &format!(
                "see whether `aws ssm start-session --target {node}` opens one from this machine"
            ),
        )),
        Some(Conversation::Ran) | None => {}
    }
    if let Some(reason) = session.left_open {
        findings.push(warning(
            "probe.not_ended",
            session.session_id,
            format!("the session could not be ended, and may be open: {reason}"),
            &format!(
                "allow ssm:TerminateSession; `aws ssm terminate-session --session-id {}`",
                session.session_id
            ),
        ));
    }
}

fn of_place(place: &Destination, fix: &str, seconds: u64) -> Option<Finding> {
    let container = place.container.as_deref().unwrap_or_default();
    let name = place.name.as_deref().unwrap_or_default();
    let resource = format!("{container}/{name}");
    let detail = place.detail.as_deref().unwrap_or_default();
    match place.state {
        DestinationState::Found | DestinationState::NotLookedFor => None,
        DestinationState::Off => Some(info(
            "probe.destination_off",
            DOCUMENT,
            match fix.contains("s3:") {
                true => "the preferences name no bucket, so none was looked into",
                false => "the preferences name no log group, so none was looked into",
            },
            "none is needed when that is intended",
        )),
        DestinationState::Missing => Some(error(
            "probe.transcript_missing",
            &resource,
            format!(
                "the session ran, and its transcript is not there {seconds} s after its end: {detail}"
            ),
            "correct what the findings that follow name",
        )),
        DestinationState::Unread => Some(warning(
            "probe.transcript_unknown",
            &resource,
            format!("whether the transcript is there could not be read: {detail}"),
            fix,
        )),
    }
}

#[cfg(test)]
#[path = "probe_tests.rs"]
mod tests;
