//! `history` of a trail's bucket, read directly and through Athena.

use serde_json::json;
use testbed::{Account, Sandbox};

use crate::{EXE, account};

/// Puts the log files of two accounts, two regions and three days into a bucket, one of them damaged; returns its place.
pub(crate) fn logs(account: &Account) -> String {
    let bucket = format!("logs-{}", account.id());
    account.aws(&["s3api", "create-bucket", "--bucket", &bucket]);
    let put = |key: &str, text: &str| {
        let file = account.home().join("object");
        std::fs::write(&file, text).unwrap();
        account.aws(&[
            "s3api",
            "put-object",
            "--bucket",
            &bucket,
            "--key",
            key,
            "--body",
            file.to_str().unwrap(),
        ]);
    };
    let log = |id: &str, name: &str, time: &str| {
        json!({"Records": [{"eventName": name, "eventSource": "ssm.amazonaws.com",
        "eventID": id, "eventTime": time}]})
        .to_string()
    };
    let day = |of: &str, region: &str, day: &str| {
        format!("audit/AWSLogs/{of}/CloudTrail/{region}/{day}/x.json.gz")
    };
    put(
        &day("111122223333", "eu-central-1", "2026/11/01"),
        &log("e-1", "StartSession", "2026-11-01T10:00:00Z"),
    );
    put(
        &day("111122223333", "eu-central-1", "2026/11/03"),
        &log("e-2", "StartSession", "2026-11-02T23:59:00Z"),
    );
    put(
        &day("111122223333", "us-east-1", "2026/11/03"),
        &log("e-3", "SendCommand", "2026-11-03T10:00:00Z"),
    );
    put(
        &day("444455556666", "us-east-1", "2026/11/03"),
        &log("e-4", "StartSession", "2026-11-03T10:00:00Z"),
    );
    put(
        &day("444455556666", "us-east-1", "2026/11/09"),
        "{\"Records\":[{",
    );
    put(
        "audit/AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/11/03/d.json.gz",
        "{}",
    );
    format!("s3://{bucket}/audit")
}

fn find(account: &Account, place: &str, more: &[&str], status: i32) -> Vec<String> {
    let found = account
        .tool(EXE)
        .args(["history", "--s3", place])
        .args(more)
        .run();
    found.assert_status(status);
    let id = |record: &serde_json::Value| record["eventID"].as_str().unwrap_or("unread").to_owned();
    found.records().iter().map(id).collect()
}

fn count(account: &Account, operation: &str) -> usize {
    let operations = account.operations();
    operations
        .iter()
        .filter(|name| name.ends_with(operation))
        .count()
}

#[test]
fn reads_by_account_region_and_day() {
    let account = account();
    let place = logs(&account);
    let find = |more: &[&str], status| find(&account, &place, more, status);
    assert_eq!(
        find(&["--until", "2026-11-04"], 0),
        ["e-1", "e-2", "e-3", "e-4"]
    );
    assert_eq!(
        find(&["--since", "2026-11-02", "--until", "2026-11-03"], 0),
        ["e-2"]
    );
    assert_eq!(
        find(&["--account", "444455556666", "--since", "2026-11-03"], 2),
        ["e-4", "unread"]
    );
    assert_eq!(find(&["--region", "eu-central-1"], 0), ["e-1", "e-2"]);
    account.forget_calls();
    find(
        &[
            "--account",
            "111122223333",
            "--region",
            "eu-central-1",
            "--since",
            "2026-11-03",
        ],
        0,
    );
    assert_eq!(
        count(&account, "GetObject"),
        1,
        "earlier days are not fetched"
    );
    assert!(account.writes().is_empty());
}

#[test]
fn the_trail_of_an_organization_is_read_too_and_athena_does_not_mix_trails() {
    let account = account();
    let place = logs(&account);
    let (bucket, file) = (
        place.trim_start_matches("s3://").trim_end_matches("/audit"),
        account.home().join("object"),
    );
    let record = json!({"Records": [{"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": "e-org",
        "eventTime": "2026-11-05T10:00:00Z"}]});
    std::fs::write(&file, record.to_string()).unwrap();
    let key = "audit/AWSLogs/o-abc/777788889999/CloudTrail/eu-west-1/2026/11/05/x.json.gz";
    account.aws(&[
        "s3api",
        "put-object",
        "--bucket",
        bucket,
        "--key",
        key,
        "--body",
        file.to_str().unwrap(),
    ]);
    assert_eq!(
        find(
            &account,
            &place,
            &["--until", "2026-11-06", "--since", "2026-11-05"],
            0
        ),
        ["e-org"]
    );
    let athena = [
        "history",
        "--s3",
        &place,
        "--engine",
        "athena",
        "--query-results",
        "s3://results/",
    ];
    let mixed = account.tool(EXE).args(athena).run();
    mixed.assert_status(2).assert_complains(
        "the bucket has those of 2 (audit/AWSLogs/, audit/AWSLogs/o-abc/): choose with --account",
    );
    let one = account
        .tool(EXE)
        .args(athena)
        .args(["--account", "777788889999"])
        .run();
    one.assert_status(0);
    assert_eq!(one.json()["eventID"], "e-org");
}

#[test]
fn a_bucket_without_log_files_is_an_error_and_not_an_empty_answer() {
    let account = account();
    let place = logs(&account);
    let outside = place.trim_end_matches("/audit");
    let none = account.tool(EXE).args(["history", "--s3", outside]).run();
    none.assert_status(2)
        .assert_complains("has no CloudTrail files of the accounts and regions asked for");
    account.fault(
        json!({"service": "s3", "operation": "ListObjectsV2", "kind": "denied", "times": -1}),
    );
    let denied = account.tool(EXE).args(["history", "--s3", &place]).run();
    denied.assert_status(2).assert_complains("ListObjectsV2");
}

/// What could not be listed is a finding on stdout, for who reads the pipe; what is asked for and has no folder is one, too.
#[test]
fn a_folder_that_cannot_be_listed_is_a_gap_and_stops_no_other() {
    let account = account();
    let place = logs(&account);
    let denied = |after: u32| json!({"service": "s3", "operation": "ListObjectsV2", "kind": "denied", "after": after});
    let until = ["--until", "2026-11-04"];
    let verify = ["--until", "2026-11-04", "--verify"];
    let lists = |arguments: &[&str]| {
        account.forget_calls();
        let run = account.tool(EXE).args(["history", "--s3", &place]);
        run.args(arguments).run();
        u32::try_from(count(&account, "ListObjectsV2")).unwrap()
    };
    for (arguments, n_least) in [(&until[..], 6), (&verify[..], 8)] {
        let n_lists = lists(arguments);
        assert!(n_lists >= n_least, "{n_lists}");
        for after in 0..n_lists {
            account.fault(denied(after));
            let run = account.tool(EXE).args(["history", "-q", "--s3", &place]);
            let found = run.args(arguments).run();
            account.clear_faults();
            found.assert_status(2);
            let records = found.records();
            let gaps: Vec<_> = records
                .iter()
                .filter(|one| one["id"] == "events.history.unread")
                .collect();
            assert_eq!(gaps.len(), 1, "{after}: {}", found.stdout);
            let resource = gaps[0]["resource"].as_str().unwrap();
            assert!(
                resource.starts_with(&format!("{place}/AWSLogs/")),
                "{resource}"
            );
            assert!(
                gaps[0]["message"]
                    .as_str()
                    .unwrap()
                    .contains("ListObjectsV2")
            );
            if arguments == until {
                // Those of the folders before it, and behind it.
                let n_expected = [0, 1, 3, 2, 3, 3][after as usize];
                let n_read = records.len() - 1;
                assert_eq!(n_read, n_expected, "{after}: {}", found.stdout);
            }
            let page = account.tool(EXE).args(["report", "--html"]);
            let page = page.stdin(found.stdout).run();
            page.assert_status(2);
            assert!(page.stdout.contains("ListObjectsV2"));
        }
    }
}

#[test]
fn what_is_asked_for_and_has_no_folder_is_a_gap() {
    let account = account();
    let place = logs(&account);
    let gaps = |more: &[&str]| {
        let run = account.tool(EXE).args(["history", "-q", "--s3", &place]);
        let found = run.args(["--until", "2026-11-04"]).args(more).run();
        let records = found.records();
        let gaps = records.iter().filter(|one| one["kind"] == "finding");
        let gaps: Vec<String> = gaps.map(|one| one["message"].to_string()).collect();
        found.assert_status(if gaps.is_empty() { 0 } else { 2 });
        (records.len() - gaps.len(), gaps.concat())
    };
    let two = ["--account", "111122223333,999900001111"];
    let (n_read, said) = gaps(&two);
    assert_eq!(n_read, 3);
    assert!(
        said.contains("no CloudTrail files of account 999900001111"),
        "{said}"
    );
    let (n_read, said) = gaps(&["--region", "us-east-1,eu-north-1"]);
    assert_eq!(n_read, 2);
    assert!(said.contains("no CloudTrail files of eu-north-1"), "{said}");
    let pair = [
        "--account",
        "444455556666",
        "--region",
        "us-east-1,eu-central-1",
    ];
    let (n_read, said) = gaps(&pair);
    assert_eq!(n_read, 1);
    assert!(
        said.contains("of account 444455556666 in eu-central-1"),
        "{said}"
    );
    // That an account did nothing in a Region is not a gap where only the Region is named.
    assert_eq!(gaps(&["--region", "eu-central-1"]), (2, String::new()));
    let (n_read, said) = gaps(&["--account", "999900001111"]);
    assert_eq!(n_read, 0);
    assert!(
        said.contains("no CloudTrail files of the accounts and regions"),
        "{said}"
    );
}

#[test]
fn what_athena_does_not_answer_is_a_gap() {
    let account = account();
    let place = logs(&account);
    let athena = ["--engine", "athena", "--query-results", "s3://results/"];
    account.fault(
        json!({"service": "athena", "operation": "GetQueryResults", "kind": "denied", "times": -1}),
    );
    let run = account.tool(EXE).args(["history", "-q", "--s3", &place]);
    let denied = run.args(athena).run();
    denied.assert_status(2);
    assert_eq!(denied.json()["id"], "events.history.unread");
    assert!(
        denied.stdout.contains("GetQueryResults"),
        "{}",
        denied.stdout
    );
}

#[test]
fn athena_finds_the_same_records_and_only_their_files_are_read() {
    let account = account();
    let place = logs(&account);
    let athena = ["--engine", "athena", "--query-results", "s3://results/"];
    let filters: [&[&str]; 3] = [
        &["--until", "2026-11-04"],
        &["--since", "2026-11-02", "--until", "2026-11-03"],
        &["--event", "SendCommand", "--until", "2026-11-06"],
    ];
    for filter in filters {
        let direct = find(&account, &place, filter, 0);
        account.forget_calls();
        assert_eq!(
            find(&account, &place, &[filter, &athena].concat(), 0),
            direct
        );
        assert_eq!(count(&account, "GetObject"), direct.len());
    }
    assert!(account.problems().is_empty(), "{:?}", account.problems());
    account.fault(json!({"service": "athena", "operation": "StartQueryExecution", "kind": "denied", "times": -1}));
    let denied = account
        .tool(EXE)
        .args(["history", "--s3", &place])
        .args(athena)
        .run();
    denied
        .assert_status(2)
        .assert_complains("StartQueryExecution");
}

/// GetBucketLocation is refused to other accounts in other Regions, whatever the bucket's policy says; HeadBucket names the Region.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>
#[test]
fn a_bucket_of_another_account_in_another_region_is_read() {
    for (partition, home, away) in [
        ("aws", "eu-west-1", "us-east-1"),
        // One that an account has to opt in to.
        ("aws", "me-central-1", "eu-central-1"),
        ("aws-cn", "cn-northwest-1", "cn-north-1"),
    ] {
        let (owner, reader) = (account(), Sandbox::start().account());
        let bucket = format!("central-{}", owner.id());
        let at_home =
            |arguments: &[&str]| owner.aws(&[&["s3api", "--region", home], arguments].concat());
        let named = ["--bucket", &bucket];
        let constraint = format!("LocationConstraint={home}");
        let create = ["create-bucket", "--create-bucket-configuration"];
        at_home(&[&create[..], &[&constraint], &named].concat());
        let arn = format!("arn:{partition}:s3:::{bucket}");
        let principal = format!("arn:{partition}:iam::{}:root", reader.id());
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": principal},
            "Action": ["s3:GetObject", "s3:ListBucket"], "Resource": [arn, format!("{arn}/*")]}]});
        let policy = policy.to_string();
        at_home(&[&["put-bucket-policy", "--policy", &policy], &named[..]].concat());
        let record = json!({"Records": [{"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": "e-1",
            "eventTime": "2026-11-01T10:00:00Z"}]});
        let file = owner.home().join("object");
        std::fs::write(&file, record.to_string()).unwrap();
        let key = format!("AWSLogs/111122223333/CloudTrail/{away}/2026/11/01/x.json.gz");
        let put = ["put-object", "--key", &key, "--body"];
        at_home(&[&put[..], &[file.to_str().unwrap()], &named].concat());
        let place = format!("s3://{bucket}");
        assert_eq!(
            find(&reader, &place, &["--region", away], 0),
            ["e-1"],
            "{home}"
        );
    }
}
