//! Why a session is refused or its transcript missing: what agents say when they refuse, and the judgement that `check` makes of the
//! role of the node, of whoever started the session, and of key, bucket and log group. Pure.

use cli::{Finding, Severity};

use super::{Judged, Seen, SessionSeen};
use crate::finding::warning;
use crate::model::{Conversation, Look, Observed};
use crate::preflight::preflight;
use crate::{check, lint};

/// What agents say when they refuse a session, whose findings it is about, and what to do about it. The words:
/// <https://github.com/aws/amazon-ssm-agent>, `agent/session/datachannel`, `agent/session/config/config.go` and
/// `agent/session/shell`.
const REFUSALS: [(&str, &[&str], &str); 6] = [
    (
        "KMSEncryption failed on client",
        &["prefs.operator.", "prefs.key."],
        "allow kms:GenerateDataKey on the session key to whoever starts the session",
    ),
    (
        "Fetching data key failed",
        &["prefs.role.kms_decrypt", "prefs.key."],
        "allow kms:Decrypt on the session key to the role of the node",
    ),
    (
        "unable to validate encryption on Amazon S3 bucket",
        &["prefs.role.s3_encryption", "prefs.bucket."],
        "allow s3:GetEncryptionConfiguration on the bucket to the role of the node",
    ),
    (
        "encryption is not set up on the selected Amazon S3 bucket",
        &["prefs.bucket."],
        "encrypt the bucket with SSE-S3 or SSE-KMS",
    ),
    (
        "encryption is not set up on the selected CloudWatch Logs log group",
        &["prefs.log_group.", "prefs.role.logs_describe"],
        "encrypt the log group, and allow logs:DescribeLogGroups to the role of the node",
    ),
    (
        "Unable to start command",
        &RUN_AS,
        "have the user that sessions run as on the node, or turn run-as off",
    ),
];
/// Of a refusal in other words.
const OF_SESSIONS: [&str; 7] = [
    "prefs.key.",
    "prefs.operator.",
    "prefs.role.kms_decrypt",
    "prefs.role.s3_encryption",
    "prefs.role.logs_describe",
    "prefs.bucket.",
    "prefs.log_group.",
];
const RUN_AS: [&str; 3] = [
    "prefs.content.run_as_root",
    "prefs.content.run_as_user",
    "prefs.content.run_as_without_user",
];
const OF_BUCKET: [&str; 3] = ["prefs.bucket.", "prefs.role.s3_put", "prefs.role.s3_kms"];
const OF_LOG_GROUP: [&str; 3] = [
    "prefs.log_group.",
    "prefs.role.logs_describe",
    "prefs.role.logs_write",
];
/// Of every loss.
const OF_ALL: &str = "prefs.roles.unknown";
/// Sessions may go by another version than the one whose destinations were looked into.
const OF_VERSIONS: &str = "prefs.document.versions_differ";

/// Returns which findings a refusal is about, and what to do about it; `None` for one in words that are not known.
pub(super) fn refusal(words: &str) -> Option<(&'static [&'static str], &'static str)> {
    let known = REFUSALS.iter().find(|(said, ..)| words.contains(said));
    known.map(|(_, ids, fix)| (*ids, *fix))
}

/// Returns what keeps the session or the transcript from being as it should, the certain causes first; never nothing.
pub(super) fn causes(
    seen: &Seen<'_>,
    session: &SessionSeen<'_>,
    observed: &Observed,
    judged: &Judged,
) -> Vec<Finding> {
    let Some(document) = seen.document else {
        return Vec::new();
    };
    let lost = lost(session);
    let content = &document.default.content;
    let mut causes = Vec::new();
    check::versions(document, &mut causes);
    let users = lint::lint_run_as(content).into_iter();
    let found = preflight(content, observed, &judged.roles, seen.target);
    let found = users.chain(found).filter(|finding| {
        let bears = finding.id == OF_ALL || lost.iter().any(|one| one.is_about(finding));
        // What only long transcripts need is not why this one, of three lines, is lost.
        bears && !(finding.id == "prefs.role.s3_kms" && finding.severity == Severity::Warning)
    });
    causes.extend(found);
    causes.sort_by_key(|finding| finding.severity);
    let explains = |finding: &Finding, one: &Lost| {
        finding.severity == Severity::Error
            && (one.is_about(finding) || finding.id == OF_VERSIONS && !one.is_session)
    };
    let mut open = lost;
    open.retain(|one| !causes.iter().any(|finding| explains(finding, one)));
    if !open.is_empty() {
        causes.push(unexplained(seen, judged, &open));
    }
    causes
}

/// Something that is not as the preferences have it.
struct Lost {
    what: &'static str,
    is_session: bool,
    /// How the IDs of findings begin that are about it.
    ids: Vec<&'static str>,
}

impl Lost {
    fn is_about(&self, finding: &Finding) -> bool {
        self.ids.iter().any(|id| finding.id.starts_with(id))
    }
}

fn lost(session: &SessionSeen<'_>) -> Vec<Lost> {
    let mut lost = Vec::new();
    if let Some(Conversation::Refused(words)) = session.conversation {
        lost.push(Lost {
            what: "the session is refused",
            is_session: true,
            ids: match refusal(words) {
                Some((ids, _)) => ids.to_vec(),
                None => OF_SESSIONS.iter().chain(&RUN_AS).copied().collect(),
            },
        });
    }
    for (look, what, ids) in [
        (
            &session.s3,
            "the transcript is not in the bucket",
            &OF_BUCKET,
        ),
        (
            &session.logs,
            "the transcript is not in the log group",
            &OF_LOG_GROUP,
        ),
    ] {
        if matches!(look, Some(Look::Missing(_))) {
            lost.push(Lost {
                what,
                is_session: false,
                ids: ids.to_vec(),
            });
        }
    }
    lost
}

fn unexplained(seen: &Seen<'_>, judged: &Judged, open: &[Lost]) -> Finding {
    let mut not_judged = Vec::new();
    let mut fix = Vec::new();
    if let Err(reason) = &judged.of_node {
        not_judged.push(format!("the role of the node ({reason})"));
        fix.push("pass what `ssm-role show` prints to --roles");
    }
    // Whoever starts a session makes its data key, and has no part in what becomes of the transcript.
    if !judged.knows_caller && open.iter().any(|one| one.is_session) {
        not_judged.push("the role of whoever started the session".to_owned());
        fix.push("pass it to --operators");
    }
    let what: Vec<&str> = open.iter().map(|one| one.what).collect();
    let not_judged = match not_judged.as_slice() {
        [] => String::new(),
        parts => format!("; not judged: {}", parts.join(", ")),
    };
    fix.push(match seen.node.platform.as_deref() {
        // Streaming needs it: agent/session/shell/shell_windows.go, isLogStreamingSupported.
        Some("Windows") => {
            "look whether PowerShell is 5.1 or later, and into errors.log of the agent on the node"
        }
        _ => "look into errors.log of the agent on the node",
    });
    warning(
        "probe.cause_unknown",
        seen.instance_id,
        format!(
            "nothing certain that was read explains why {}{not_judged}",
            what.join(" and ")
        ),
        &fix.join("; "),
    )
}
