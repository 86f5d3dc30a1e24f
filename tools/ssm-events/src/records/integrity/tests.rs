//! Names, files of keys, and periods of what needs no signature. What has signatures is tested on the local AWS.

use records::{IntegrityStatus, Target, Timestamp};

use super::file_name::{day_after, day_of};
use super::keys::{last_part, unhex};
use super::*;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn names_say_where_and_when() {
    let log = "x/111122223333_CloudTrail_us-gov-west-1_20261103T1005Z_Q0hK6PSy4DjQHGzs.json.gz";
    let log = file_name(log).unwrap();
    assert_eq!(log.target.to_string(), "111122223333/us-gov-west-1");
    assert_eq!((log.time, log.digest), (time("2026-11-03T10:05:00Z"), None));
    for (end, is_backfill) in [("", false), ("_backfill", true)] {
        let name = format!(
            "111122223333_CloudTrail-Digest_us-east-2_my_trail-1_eu-west-1_20150817T150131Z{end}.json.gz"
        );
        let digest = file_name(&name).unwrap();
        assert_eq!(digest.target.region, "us-east-2");
        assert_eq!(digest.time, time("2015-08-17T15:01:31Z"));
        let of_digest = digest.digest.unwrap();
        assert_eq!(
            (of_digest.trail.as_str(), of_digest.home.as_str()),
            ("my_trail-1", "eu-west-1")
        );
        assert_eq!(of_digest.is_backfill, is_backfill);
    }
    for other in [
        "",
        "x.json.gz",
        "111122223333_CloudTrail-Insight_us-east-1_20261103T1005Z_Q0hK6PSy4DjQHGzs.json.gz",
        "111122223333_CloudTrail_us-east-1.json.gz",
        "111122223333_CloudTrail-Digest_us-east-1_20150817T150131Z.json.gz",
        "111122223333_CloudTrail_us-east-1_20269903T1005Z_x.json.gz",
    ] {
        assert_eq!(file_name(other), None, "{other}");
    }
}

#[test]
fn the_day_of_the_folder_goes_before_that_of_the_name() {
    let name = "111122223333_CloudTrail_us-east-1_20261103T1005Z_x.json.gz";
    assert_eq!(day(name).as_deref(), Some("2026/11/03"));
    let moved = format!("a/2026/11/04/{name}");
    assert_eq!(day(&moved).as_deref(), Some("2026/11/04"));
    assert_eq!(day("a/2026/13/04/x"), None);
    assert_eq!(day_after("2026/12/31"), "2027/01/01");
    assert_eq!(day_of(time("2026-12-31T23:59:59Z")), "2026/12/31");
}

#[test]
fn keys_and_signatures_are_read_as_they_are_printed() {
    let printed = r#"{"PublicKeyList": [{"Value": "MIIB", "ValidityStartTime": 1.0, "ValidityEndTime": 2.0, "Fingerprint": "31e8"}]}"#;
    let keys = PublicKeys::read(&format!("{printed}\n{printed}")).unwrap();
    assert_eq!(keys.get("31e8").unwrap(), [0x30, 0x82, 0x01]);
    assert_eq!(keys.get("31e9"), Err(String::new()));
    for bad in ["", "{}", r#"{"PublicKeyList": []}"#, "null"] {
        assert!(PublicKeys::read(bad).is_err(), "{bad}");
    }
    let signatures = Signatures::read(r#"{"key": "a/b.json.gz", "signature": "0aff"}"#).unwrap();
    assert_eq!(signatures.of("/copy/b.json.gz"), Some("0aff"));
    assert_eq!(signatures.of("c.json.gz"), None);
    assert_eq!(unhex("0aFF"), Some(vec![10, 255]));
    for bad in ["0", "0g", "é"] {
        assert_eq!(unhex(bad), None, "{bad}");
    }
    assert_eq!(last_part("x"), "x");
}

fn ledger(window: Window) -> Ledger {
    let target = Target {
        account: "111122223333".to_owned(),
        region: "us-east-1".to_owned(),
    };
    Ledger::new(target, Naming::Name, window)
}

/// A digest as nobody signed it.
fn unsigned(end: &str, name: &str) -> Loaded {
    let content = format!(
        r#"{{"digestStartTime": "2026-11-03T10:00:00Z", "digestEndTime": "{end}", "digestS3Bucket": "b", "digestS3Object": "{name}",
        "digestPublicKeyFingerprint": "31e8", "digestSignatureAlgorithm": "SHA256withRSA", "previousDigestS3Bucket": null,
        "logFiles": [{{"s3Bucket": "b", "s3Object": "l", "hashValue": "00", "hashAlgorithm": "SHA-256"}}]}}"#
    );
    Loaded {
        place: name.to_owned(),
        id: name.to_owned(),
        name: file_name(name).unwrap(),
        digest: Digest::read(content.as_bytes(), "00".to_owned()),
        signature: None,
    }
}

#[test]
fn a_digest_that_nobody_signed_proves_nothing_and_names_nothing() {
    let mut ledger = ledger(Window::default());
    let mut keys = PublicKeys::default();
    let name =
        |end: &str| format!("111122223333_CloudTrail-Digest_us-east-1_all_us-east-1_{end}.json.gz");
    let none = unsigned("2026-11-03T11:00:00Z", &name("20261103T110000Z"));
    let wrong = Loaded {
        signature: Some("00".to_owned()),
        ..unsigned("2026-11-03T12:00:00Z", &name("20261103T120000Z"))
    };
    keys.add("31e8", vec![0x30]);
    for loaded in [none, wrong] {
        ledger.digest(loaded, &keys);
    }
    ledger.no_more_digests(&keys);
    assert_eq!(ledger.first_day(), None, "its log files are not expected");
    let done = ledger.done();
    let statuses: Vec<IntegrityStatus> = done.iter().map(|period| period.status).collect();
    assert_eq!(
        statuses,
        [IntegrityStatus::Unproved, IntegrityStatus::Altered]
    );
}

#[test]
fn time_without_a_digest_is_not_proved() {
    let window = Window {
        since: Some(time("2026-11-03T00:00:00Z")),
        until: Some(time("2026-11-04T00:00:00Z")),
        last_day: Some("2026/11/05".to_owned()),
        now: Some(time("2026-12-01T00:00:00Z")),
        trails: Vec::new(),
    };
    let mut ledger = ledger(window);
    ledger.judged(
        "2026/11/03",
        Judged {
            id: "l".to_owned(),
            place: "l".to_owned(),
            flaw: Some(Flaw::unproved("no proved digest names it")),
        },
    );
    ledger.no_more_digests(&PublicKeys::default());
    let done = ledger.done();
    let reported: Vec<_> = done
        .iter()
        .map(|period| {
            (
                period.status,
                period.from,
                period.to,
                period.log_files.len(),
            )
        })
        .collect();
    let day = |day: &str| Some(time(&format!("{day}T00:00:00Z")));
    let unproved = IntegrityStatus::Unproved;
    let (third, fourth) = (day("2026-11-03"), day("2026-11-04"));
    assert_eq!(
        reported,
        [(unproved, third, fourth, 0), (unproved, third, fourth, 1)]
    );
}

fn week() -> Window {
    Window {
        since: Some(time("2026-11-01T00:00:00Z")),
        until: Some(time("2026-11-08T00:00:00Z")),
        last_day: Some("2026/11/09".to_owned()),
        now: Some(time("2026-12-01T00:00:00Z")),
        trails: Vec::new(),
    }
}

fn is_unreadable(name: &str) -> Loaded {
    Loaded {
        place: name.to_owned(),
        id: name.to_owned(),
        name: file_name(name).unwrap(),
        digest: Err(Flaw::altered("it is not a valid digest")),
        signature: Some("00".to_owned()),
    }
}

#[test]
fn an_unreadable_digest_behind_the_time_asked_for_hides_none_of_it() {
    let name = "111122223333_CloudTrail-Digest_us-east-1_all_us-east-1_20261110T020000Z.json.gz";
    for since in [week().since, None] {
        let mut ledger = ledger(Window { since, ..week() });
        ledger.digest(is_unreadable(name), &PublicKeys::default());
        ledger.no_more_digests(&PublicKeys::default());
        let done = ledger.done();
        assert_eq!(done.len(), 1);
        assert_eq!(done[0].status, IntegrityStatus::Altered);
        assert!(since.is_none() || done[0].from == since);
    }
}

#[test]
fn a_time_too_late_for_any_digest_is_not_proved() {
    let window = Window {
        since: Some(time("2026-11-30T23:00:00Z")),
        until: None,
        last_day: None,
        ..week()
    };
    let mut ledger = ledger(window.clone());
    ledger.no_more_digests(&PublicKeys::default());
    assert_eq!(ledger.done(), []);
    let nothing = ledger.nothing();
    assert_eq!(nothing.status, IntegrityStatus::Unproved);
    assert_eq!((nothing.from, nothing.to), (window.since, window.now));
}

#[test]
fn a_trail_that_is_asked_for_and_has_no_digest_is_missed() {
    let trails = vec!["gone".to_owned()];
    let mut ledger = ledger(Window { trails, ..week() });
    let name = "111122223333_CloudTrail-Digest_us-east-1_all_us-east-1_20261107T230000Z.json.gz";
    ledger.digest(is_unreadable(name), &PublicKeys::default());
    ledger.no_more_digests(&PublicKeys::default());
    let done = ledger.done();
    let gone = done.iter().find(|one| one.trail.as_deref() == Some("gone"));
    let gone = gone.unwrap();
    assert_eq!(gone.status, IntegrityStatus::Unproved);
    assert_eq!((gone.from, gone.to), (week().since, week().until));
}

#[test]
fn a_digest_says_where_its_trail_writes_and_wrote_before() {
    let content = r#"{"digestStartTime": "2026-11-03T10:00:00Z", "digestEndTime": "2026-11-03T11:00:00Z", "digestS3Bucket": "new",
        "digestS3Object": "audit/AWSLogs/1/CloudTrail-Digest/x", "digestPublicKeyFingerprint": "", "digestSignatureAlgorithm": "",
        "previousDigestS3Bucket": "old", "previousDigestS3Object": "AWSLogs/1/CloudTrail-Digest/w"}"#;
    let digest = Digest::read(content.as_bytes(), String::new()).unwrap();
    assert_eq!(digest.root(), "new/audit");
    assert_eq!(digest.previous().unwrap().root(), "old");
}
