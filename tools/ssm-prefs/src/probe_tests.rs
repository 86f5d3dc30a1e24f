//! Verdicts that no account shows by itself.

use cli::{Finding, Outcome, Reading, Target};
use records::{Document, DocumentVersion};
use serde_json::{Value, json};

use super::{Judged, Seen, SessionSeen, needs_cause, places, verdict};
use crate::model::{Conversation, LogGroup, Look, ManagedNode, Observed, ProbeVerdict};
use crate::roles::Roles;

const MISSING: Option<Look> = Some(Look::Missing("nothing is there"));
const FOUND: Option<Look> = Some(Look::Found);

fn unread() -> Option<Look> {
    Some(Look::Unread("denied".to_owned()))
}

fn document(inputs: &Value, latest: &str) -> Document {
    let version = |number: &str, inputs: &Value| DocumentVersion {
        version: number.to_owned(),
        content: json!({"sessionType": "Standard_Stream", "inputs": inputs}),
    };
    let other = json!({"s3BucketName": "other"});
    Document {
        default: version("1", inputs),
        latest: version(latest, if latest == "1" { inputs } else { &other }),
    }
}

/// Returns the verdict, the outcome and the IDs of the findings.
fn judge(
    conversation: &Conversation,
    (s3, logs): (Option<Look>, Option<Look>),
    latest: &str,
) -> (ProbeVerdict, Outcome, Vec<String>) {
    let (verdict, outcome, findings) =
        judge_by(conversation, (s3, logs), latest, &Observed::default());
    let ids = findings.into_iter().map(|finding| finding.id).collect();
    (verdict, outcome, ids)
}

fn judge_by(
    conversation: &Conversation,
    (s3, logs): (Option<Look>, Option<Look>),
    latest: &str,
    observed: &Observed,
) -> (ProbeVerdict, Outcome, Vec<Finding>) {
    let target = Target {
        account: "111122223333".to_owned(),
        region: "eu-central-1".to_owned(),
    };
    let document = document(
        &json!({"s3BucketName": "logs", "cloudWatchLogGroupName": "/sessions"}),
        latest,
    );
    let seen = Seen {
        target: &target,
        instance_id: "i-1",
        node: &ManagedNode::default(),
        document: Some(&document),
        patience_seconds: 5,
        session: Some(SessionSeen {
            session_id: "me-1",
            nonce: "probe-1",
            conversation: Some(conversation),
            document: None,
            left_open: None,
            s3,
            logs,
        }),
    };
    let judged = Judged {
        of_node: Err("no record".to_owned()),
        knows_caller: false,
        roles: Roles::default(),
    };
    let observed = needs_cause(&seen).then_some(observed);
    let (record, findings, outcome) = verdict(&seen, observed, &judged);
    let last: Vec<&String> = findings.iter().map(|finding| &finding.id).collect();
    assert!(last.ends_with(&record.causes.iter().collect::<Vec<_>>()));
    (record.verdict, outcome, findings)
}

#[test]
fn nothing_unread_is_fine_and_nothing_missing_is_unknown() {
    use Outcome::{Fine, Found, Trouble};
    use ProbeVerdict::{NotProved, Proved, Unknown};
    let ran = Conversation::Ran;
    for (looks, verdict, outcome) in [
        ((FOUND, FOUND), Proved, Fine),
        ((FOUND, MISSING), NotProved, Found),
        ((FOUND, unread()), Unknown, Trouble),
        ((unread(), unread()), Unknown, Trouble),
        ((MISSING, unread()), NotProved, Trouble),
    ] {
        let judged = judge(&ran, looks.clone(), "1");
        assert_eq!((judged.0, judged.1), (verdict, outcome), "{looks:?}");
    }
}

#[test]
fn sessions_that_may_go_by_a_newer_version_are_a_cause() {
    let (.., ids) = judge(&Conversation::Ran, (FOUND, MISSING), "2");
    assert_eq!(ids[1], "prefs.document.versions_differ");
    let (.., ids) = judge(&Conversation::Ran, (FOUND, FOUND), "2");
    assert!(ids.is_empty(), "{ids:?}");
}

#[test]
fn a_refusal_in_words_that_are_not_known_is_held_against_everything() {
    let refused = Conversation::Refused("no more sessions today".to_owned());
    let (verdict, outcome, ids) = judge(&refused, (None, None), "1");
    assert_eq!(
        (verdict, outcome),
        (ProbeVerdict::NotProved, Outcome::Found)
    );
    // Nothing of what the preferences name is in what was read.
    assert_eq!(
        ids,
        [
            "prefs.probe.refused",
            "prefs.bucket.missing",
            "prefs.log_group.missing"
        ]
    );
}

#[test]
fn what_explains_the_one_loss_does_not_explain_the_other() {
    let group = LogGroup {
        arn: String::new(),
        kms_key: None,
        retention_days: None,
        deletion_protection: false,
    };
    let observed = Observed {
        log_group: Reading::Present(group),
        ..Observed::default()
    };
    let ran = Conversation::Ran;
    let (.., findings) = judge_by(&ran, (MISSING, MISSING), "1", &observed);
    let ids: Vec<&str> = findings.iter().map(|one| one.id.as_str()).collect();
    let missing = "prefs.probe.transcript_missing";
    assert_eq!(
        ids,
        [
            missing,
            missing,
            "prefs.bucket.missing",
            "prefs.probe.cause_unknown"
        ]
    );
    assert_eq!(
        findings[3].message,
        "nothing certain that was read explains why the transcript is not in the log group; not judged: the role of the node (no record)"
    );
}

#[test]
fn keys_are_joined_as_agents_join_them() {
    for (prefix, expected) in [
        ("", "a-b.log"),
        ("sessions", "sessions/a-b.log"),
        ("sessions/", "sessions/a-b.log"),
        ("a//b/./c/..", "a/b/a-b.log"),
        ("/a/", "/a/a-b.log"),
        ("a:b", "a:b/a-b.log"),
    ] {
        let content = json!({"inputs": {"s3BucketName": "logs", "s3KeyPrefix": prefix}});
        let places = places(&content, "a-:b");
        assert_eq!(places.s3.unwrap().1, expected, "{prefix}");
        assert_eq!(places.logs, None);
    }
}
