//! Records with one byte changed, cut or doubled: what is skipped without being looked at must be damaged wherever a reading of the
//! whole record says so.

use iam_policy::Compiled;
use organization::compile;
use serde_json::{Value, json};

use super::cloudtrail_record::Record;
use super::{DeniedCall, Replay, Replaying};

const N_MUTANTS: usize = 20_000;

fn guard() -> [Compiled; 1] {
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Fence", "Effect": "Deny", "Action": "ssm:StartSession",
        "Resource": "arn:aws:ec2:*:*:instance/*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}}}]});
    [compile("guard", &policy.to_string()).unwrap()]
}

fn record(source: &str, name: &str) -> Value {
    json!({
        "eventVersion": "1.11",
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/dev/ann", "sessionContext":
            {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/dev"}, "attributes": {"mfaAuthenticated": "false"}}},
        "eventTime": "2026-11-01T00:00:00Z", "eventSource": source, "eventName": name, "awsRegion": "eu-central-1",
        "sourceIPAddress": "203.0.113.7", "requestParameters": {"target": "i-0123456789abcdef0", "note": "a \"quoted\" \\ é", "sizes": [1, -2.5e3, true, null]},
        "responseElements": null, "readOnly": false, "eventID": "e-1",
    })
}

/// Returns one of the records with a change, by a number.
fn mutant(records: &[Vec<u8>], numbers: &mut testbed::Random) -> Vec<u8> {
    let mut random = |below: usize| numbers.below(below);
    let mut text = records[random(records.len())].clone();
    let at = random(text.len());
    match random(5) {
        0 => text.truncate(at),
        1 => {
            text.remove(at);
        }
        2 => text.insert(at, b"\0\"\\{}[]:,x0\xff\x1f"[random(13)]),
        3 => text[at] ^= 1 << random(8),
        _ => text[at] = b"\0\"\\{}[]:,x0\xff\x1f"[random(13)],
    }
    text
}

/// Returns what a reading of the whole record says: whether it is damaged, and what was denied.
fn read_in_full(guard: &[Compiled], text: &[u8]) -> (u64, Vec<DeniedCall>) {
    let mut replay = Replay::default();
    let text = std::str::from_utf8(text).ok();
    let record = text.and_then(|text| serde_json::from_str::<Record>(text).ok());
    // It says what was called.
    let value = text.and_then(|text| cloudtrail::parse(text).ok());
    let is_named = value.is_none_or(|value| cloudtrail::unwrap(value).unread.is_empty());
    let is_read = record.is_some() && is_named;
    if let Some(record) = record {
        replay.record(&record, guard, &|_| true);
    }
    (u64::from(!is_read), replay.into_denied().collect())
}

#[test]
fn what_is_skipped_is_as_damaged_as_what_is_read() {
    let guard = guard();
    let records = [
        record("s3.amazonaws.com", "GetObject"),
        record("ec2.amazonaws.com", "DescribeInstances"),
        record("ssm.amazonaws.com", "StartSession"),
    ];
    let records = records.map(|record| record.to_string().into_bytes());
    let (mut numbers, mut n_damaged, mut n_skipped, mut n_denied) =
        (testbed::Random::new(1), 0, 0, 0);
    for _ in 0..N_MUTANTS {
        let text = mutant(&records, &mut numbers);
        let mut replaying = Replaying::by(&guard, |_| true);
        replaying.found(&cloudtrail::Found::Object(&text));
        let replay = replaying.end();
        let counts = replay.counts;
        assert_eq!(replay.damage.is_some(), counts.n_damaged == 1);
        let denied: Vec<DeniedCall> = replay.into_denied().collect();
        let (expected, denied_in_full) = read_in_full(&guard, &text);
        let shown = String::from_utf8_lossy(&text);
        assert_eq!(counts.n_records, 1, "{shown}");
        assert_eq!(counts.n_damaged, expected, "{shown}");
        assert_eq!(denied, denied_in_full, "{shown}");
        n_damaged += counts.n_damaged;
        n_skipped += counts.n_not_concerned;
        n_denied += u64::from(!denied.is_empty());
    }
    // Of each kind there are many, or the agreement says nothing.
    assert!(
        n_damaged > 5_000 && n_skipped > 2_000 && n_denied > 1_000,
        "{n_damaged} {n_skipped} {n_denied}"
    );
}
