//! What `replay` and `apply --history` make of records that go by another name, and of those that say nothing.

use serde_json::{Value, json};
use testbed::{Home, Output, offline};

use super::guarding::{apply, risks};
use super::{EXE, Organization, READER, desired, organization, run};

fn call(source: &str, name: &str, role: Option<&str>) -> Value {
    let mut record = json!({"eventTime": "2026-11-01T00:00:00Z", "eventID": "e",
        "eventSource": format!("{source}.amazonaws.com"), "eventName": name});
    if let Some(role) = role {
        let arn = format!("arn:aws:iam::111122223333:role/{role}");
        record["userIdentity"] =
            json!({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": arn}}});
    }
    record
}

/// Replays records against a policy that denies actions to everybody but `ops`.
fn replay(actions: &Value, records: &[Value], arguments: &[&str]) -> Output {
    let home = Home::create();
    let path = home.path().join("policy.json");
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Fence", "Effect": "Deny", "Action": actions,
        "Resource": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}}}]});
    std::fs::write(&path, policy.to_string()).unwrap();
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    offline(EXE)
        .args(["replay", "--policy", path.to_str().unwrap()])
        .args(arguments)
        .stdin(lines.join("\n"))
        .run()
}

#[test]
fn replay_knows_calls_by_the_names_of_their_operations() {
    let actions = json!([
        "lambda:CreateFunction",
        "lambda:UpdateFunctionCode",
        "s3:PutLifecycleConfiguration",
        "s3:DeleteObject"
    ]);
    for (source, name, action) in [
        ("lambda", "CreateFunction20150331", "lambda:CreateFunction"),
        (
            "lambda",
            "UpdateFunctionCode20150331v2",
            "lambda:UpdateFunctionCode",
        ),
        ("s3", "PutBucketLifecycle", "s3:PutLifecycleConfiguration"),
        (
            "s3",
            "DeleteBucketLifecycle",
            "s3:PutLifecycleConfiguration",
        ),
        ("s3", "DeleteObjects", "s3:DeleteObject"),
    ] {
        let replayed = replay(
            &actions,
            &[call(source, name, Some("dev"))],
            &["-q", "--exit-code"],
        );
        replayed.assert_status(1).assert_stderr("");
        assert_eq!(replayed.json()["action"], action, "{name}");
        assert_eq!(replayed.json()["n_denied"], 1, "{name}");
        let spared = replay(&actions, &[call(source, name, Some("ops"))], &["-q"]);
        spared.assert_status(0).assert_stderr("");
        assert_eq!(spared.stdout, "", "{name}");
    }
}

#[test]
fn replay_counts_a_name_that_is_no_action_as_unknown() {
    let begin = |role| [call("ssm", "BeginSession", Some(role))];
    let doubtful = replay(&json!("ssm:StartSession"), &begin("dev"), &["-q"]);
    doubtful.assert_status(2).assert_stderr("");
    let found = doubtful.json();
    assert_eq!(found["action"], "ssm:BeginSession");
    assert_eq!(
        (&found["n_denied"], &found["n_unknown"]),
        (&json!(0), &json!(1))
    );
    assert_eq!(found["depends_on"], "action");
    // Neither whom the guard exempts nor a service that it says nothing of is in doubt.
    for (actions, role) in [("ssm:StartSession", "ops"), ("ec2:RunInstances", "dev")] {
        let clear = replay(&json!(actions), &begin(role), &["-q"]);
        clear.assert_status(0).assert_stderr("");
        assert_eq!(clear.stdout, "", "{actions} {role}");
    }
    // All of the service is denied, whatever the call was.
    let certain = replay(&json!("ssm:*"), &begin("dev"), &["-q"]);
    certain.assert_status(0);
    assert_eq!(certain.json()["n_denied"], 1);
}

#[test]
fn replay_says_what_is_never_recorded() {
    let unseen = "ssm-scp: CloudTrail never records iam:PassRole, which the guard denies: who needs it is not seen here\n";
    let passed = replay(&json!("iam:PassRole"), &[], &[]);
    assert!(passed.stderr.ends_with(unseen), "{}", passed.stderr);
    let other = replay(&json!("ssm:StartSession"), &[], &[]);
    assert!(!other.stderr.contains("never"), "{}", other.stderr);
}

#[test]
fn a_caller_who_is_not_known_makes_the_status_2() {
    let start = |role| call("ssm", "StartSession", role);
    for arguments in [&["-q"][..], &["-q", "--exit-code"]] {
        let records = [start(Some("dev")), start(None)];
        let replayed = replay(&json!("ssm:StartSession"), &records, arguments);
        replayed.assert_status(2).assert_stderr("");
        assert_eq!(replayed.json()["n_denied"], 1);
        // A call that the guard says nothing of is not in doubt, whoever made it.
        let other = [call("s3", "GetObject", None)];
        replay(&json!("ssm:StartSession"), &other, arguments).assert_status(0);
    }
}

const FENCED: &str = "ssm:StartSession";

/// Records of calls that the guard says nothing of are not read; where they are damaged they are not taken for such.
#[test]
fn a_damaged_record_is_counted_and_what_comes_after_is_replayed() {
    let home = Home::create();
    let path = home.path().join("policy.json");
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Fence", "Effect": "Deny", "Action": FENCED, "Resource": "*"}]});
    std::fs::write(&path, policy.to_string()).unwrap();
    let file = home.path().join("records");
    let replay = |records: &[&[u8]]| {
        std::fs::write(&file, records.join(&b'\n')).unwrap();
        let run = offline(EXE).args(["replay", "-q", "--policy", path.to_str().unwrap()]);
        run.args(["-f", file.to_str().unwrap()]).run()
    };
    let start = call("ssm", "StartSession", Some("dev")).to_string();
    let skipped = |rest: &[u8]| {
        let head =
            br#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{"#;
        [&head[..], rest].concat()
    };
    let whole = skipped(br#""key":"value"}}"#);
    let good = replay(&[&whole, start.as_bytes()]);
    good.assert_status(0).assert_stderr("");
    for (damage, complaint) in [
        (&br#""key" "value"}}"#[..], "expected `:`"),
        (br#""key":"value",}}"#, "trailing comma"),
        (br#""key":"va\x00lue"}}"#, "invalid escape"),
        (b"\"key\":\"va\x00lue\"}}", "control character"),
        (b"\"key\":\"va\xfflue\"}}", "invalid utf-8"),
        (br#""key":tru}}"#, "expected ident"),
        (br#""key":01}}"#, "invalid number"),
        (br#""key":]}"#, "brackets that do not fit"),
    ] {
        let record = skipped(damage);
        let shown = String::from_utf8_lossy(damage).into_owned();
        let replayed = replay(&[&whole, &record, start.as_bytes()]);
        replayed.assert_status(2);
        assert_eq!(replayed.json()["n_denied"], 1, "{shown}");
        let reported = "ssm-scp: 1 record is damaged: record 2: ";
        assert!(replayed.stderr.starts_with(reported), "{}", replayed.stderr);
        assert!(
            replayed.stderr.contains(complaint),
            "{shown}: {}",
            replayed.stderr
        );
    }
    let twice = start.replace("\"eventID\":", "\"eventID\":\"x\",\"eventID\":");
    let mut odd = start.clone().into_bytes();
    let at = odd.windows(3).position(|three| three == b"dev").unwrap();
    odd[at] = 0xff;
    for (record, complaint) in [
        (twice.as_bytes(), "`eventID` is here twice"),
        (&odd, "not UTF-8"),
    ] {
        let replayed = replay(&[&whole, record, start.as_bytes()]);
        replayed.assert_status(2).assert_complains(complaint);
        let reported = "ssm-scp: 1 record is damaged: record 2: ";
        assert!(replayed.stderr.starts_with(reported), "{}", replayed.stderr);
        assert_eq!(replayed.json()["n_denied"], 1);
    }
    // What could not be read upstream may have been of such a call, too.
    let gap = json!({"kind": "finding", "id": "events.history.unread", "severity": "error", "target": null, "resource": "x.json.gz",
        "message": "could not be read to its end", "fix": "", "is_unread": true});
    let unreachable = json!({"kind": "unreachable", "tool": "ssm-events", "error": "no route",
        "target": {"account": "111122223333", "region": "eu-central-1"}});
    let period = |status: &str| {
        json!({"kind": "log_integrity", "target": {"account": "111122223333", "region": "eu-central-1"}, "trail": "all",
            "from": "2026-11-01T10:00:00Z", "to": "2026-11-01T11:00:00Z", "status": status, "digest": null, "log_files": [],
            "message": null})
    };
    let proved = replay(&[start.as_bytes(), period("proved").to_string().as_bytes()]);
    proved.assert_status(0);
    for gap in [gap, unreachable, period("altered"), period("unproved")] {
        let replayed = replay(&[start.as_bytes(), gap.to_string().as_bytes()]);
        replayed.assert_status(2);
        assert_eq!(replayed.json()["n_denied"], 1);
    }
    // An end that is missing hides what may have come after it; what came before is shown.
    let cut = replay(&[start.as_bytes(), &whole[..whole.len() - 3]]);
    cut.assert_status(2)
        .assert_complains("the end is missing of what begins here");
    assert_eq!(cut.records()[0]["n_denied"], 1);
    let both = replay(&[
        &skipped(br#""key"}}"#),
        &skipped(br#""key":}}"#),
        b"{\"eventName\":7}",
    ]);
    both.assert_status(2)
        .assert_complains("3 records are damaged; the first is record 1: ");
}

/// What does not say what was called may have been a call that the guard denies.
#[test]
fn a_record_without_a_name_is_damaged() {
    let start = call("ssm", "StartSession", Some("dev"));
    let without = |name: &str| {
        let mut record = start.clone();
        record.as_object_mut().unwrap().remove(name);
        record
    };
    let with = |name: &str, value: Value| {
        let mut record = start.clone();
        record[name] = value;
        record
    };
    let envelope = |detail: Value| json!({"source": "aws.ssm", "detail-type": "AWS API Call via CloudTrail", "detail": detail});
    let mut all = vec![
        without("eventName"),
        without("eventSource"),
        with("eventName", json!(null)),
        with("eventSource", json!(null)),
        with("eventName", json!(7)),
    ];
    all.extend(all.clone().into_iter().map(envelope));
    all.extend([envelope(json!(null)), envelope(json!("a text"))]);
    all.push(json!({"EventId": "e", "EventName": "StartSession", "CloudTrailEvent": null}));
    for odd in all {
        for arguments in [&["-q"][..], &["-q", "--exit-code"]] {
            let records = [start.clone(), odd.clone(), start.clone()];
            let replayed = replay(&json!(FENCED), &records, arguments);
            replayed.assert_status(2);
            let said = "ssm-scp: 1 record is damaged: record 2: ";
            assert!(
                replayed.stderr.starts_with(said),
                "{odd}: {}",
                replayed.stderr
            );
            assert_eq!(replayed.json()["n_denied"], 2, "{odd}");
        }
    }
    // A record that was put into JSON once more is one.
    let text = envelope(start.to_string().into());
    let replayed = replay(&json!(FENCED), &[start.clone(), text], &["-q"]);
    replayed.assert_status(0);
    assert_eq!(replayed.json()["n_denied"], 2);
}

/// Objects and not one record of a call say nothing of what was called.
#[test]
fn an_input_of_other_things_is_not_fine() {
    let logs = json!({"events": [{"message": "StartSession"}], "searchedLogStreams": []});
    for arguments in [&["-q"][..], &["-q", "--exit-code"]] {
        let replayed = replay(&json!(FENCED), std::slice::from_ref(&logs), arguments);
        replayed
            .assert_status(2)
            .assert_stderr("ssm-scp: no record of a call among 1 object\n");
        replay(&json!(FENCED), &[], arguments).assert_status(0);
        let one = json!({"Records": call("ssm", "StartSession", Some("dev"))});
        let found = replay(&json!(FENCED), &[one], arguments);
        assert_eq!(found.json()["n_denied"], 1);
    }
}

/// Whatever is damaged, each good record is replayed, and the status says that one was not.
#[test]
fn of_three_thousand_mutated_records_each_good_one_is_replayed() {
    let home = Home::create();
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": FENCED, "Resource": "*"}]});
    let (path, file) = (home.path().join("policy.json"), home.path().join("records"));
    std::fs::write(&path, policy.to_string()).unwrap();
    let mut random = testbed::Random::new(17);
    let odd = call("ssm", "StartSession", Some("odd")).to_string();
    for (before, between, after) in [("", "\n", "\n"), ("{\"Records\":[", ",", "]}")] {
        let mut bytes = before.as_bytes().to_vec();
        for n in 0..3_000 {
            let good = call("ssm", "StartSession", Some(&format!("good-{n}"))).to_string();
            bytes.extend(if n > 0 { between } else { "" }.as_bytes());
            bytes.extend(random.mutant(&odd));
            bytes.extend([between, good.as_str()].concat().as_bytes());
        }
        bytes.extend(after.as_bytes());
        std::fs::write(&file, bytes).unwrap();
        let run = offline(EXE).args(["replay", "-q", "--policy", path.to_str().unwrap()]);
        let replayed = run.args(["-f", file.to_str().unwrap()]).run();
        replayed.assert_status(2);
        let records = replayed.records();
        let good = records.iter().filter(|one| {
            one["principal"].as_str().unwrap().contains("role/good-") && one["n_denied"] == 1
        });
        assert_eq!(good.count(), 3_000);
    }
}

/// Whatever is damaged, each good record speaks against the plan, and so does that one was not read.
#[test]
fn of_three_thousand_mutated_records_each_good_one_is_a_risk() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let role = |name: &str| format!("arn:aws:iam::{}:role/{name}", member.id());
    let call = |name: &str| {
        json!({"eventTime": "2026-11-01T00:00:00Z", "eventID": "e", "eventSource": "ssm.amazonaws.com", "eventName": "StartSession",
            "userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": role(name)}}}})
            .to_string()
    };
    let (mut random, odd, mut bytes) = (testbed::Random::new(17), call("odd"), Vec::new());
    let names: Vec<String> = (0..3_000).map(|n| format!("good-{n}")).collect();
    for name in &names {
        bytes.extend(random.mutant(&odd));
        bytes.extend(format!("\n{}\n", call(name)).bytes());
    }
    let home = Home::create();
    let history = home.path().join("history.jsonl");
    std::fs::write(&history, bytes).unwrap();
    let plan = run(&account, "plan", &desired(&[&unit])).stdout;
    let arguments = [&READER[..], &["--history", history.to_str().unwrap()]].concat();
    let refused = apply(&account, &plan, &arguments);
    refused
        .assert_status(2)
        .assert_complains("nothing was written");
    let risks: std::collections::HashSet<String> = risks(&refused).into_iter().collect();
    assert!(risks.contains("history:unread"));
    let expected = |name: &&String| format!("history:{}:ssm:StartSession", role(name));
    let missing: Vec<&String> = names
        .iter()
        .filter(|name| !risks.contains(&expected(name)))
        .collect();
    assert_eq!(missing, [""; 0]);
}

/// F6: what `aws s3 sync` leaves is packed.
#[test]
fn a_packed_log_file_is_replayed() {
    let home = Home::create();
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*"}]});
    std::fs::write(home.path().join("policy.json"), policy.to_string()).unwrap();
    let records = json!({"Records": [call("ssm", "StartSession", Some("dev")), call("ssm", "StartSession", Some("qa"))]});
    std::fs::write(home.path().join("log.json"), records.to_string()).unwrap();
    let script = r#"cd "$2" && gzip log.json && "$1" replay --policy policy.json -f log.json.gz --jq .principal -r"#;
    let directory = home.path().display().to_string();
    let run = offline("/bin/sh").args(["-c", script, "sh", EXE, &directory]);
    let output = run.env("PATH", "/usr/bin:/bin").run();
    output.assert_status(0);
    let expected = "arn:aws:iam::111122223333:role/dev\narn:aws:iam::111122223333:role/qa\n";
    assert_eq!(output.stdout, expected);
}

/// What a copy leaves that was interrupted, and what carries data of others: neither shows that nobody would have been denied.
#[test]
fn a_file_that_holds_nothing_and_data_that_is_not_read_are_damaged() {
    let home = Home::create();
    let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*"}]});
    let (policy_file, file) = (
        home.path().join("policy.json"),
        home.path().join("log.json"),
    );
    std::fs::write(&policy_file, policy.to_string()).unwrap();
    let hidden = json!({"_source": call("ssm", "StartSession", Some("dev"))});
    let kinesis = json!({"Records": [{"eventSource": "aws:kinesis", "eventName": "aws:kinesis:record", "kinesis": {"data": "eyJ9"}}]});
    let blank = json!({"eventSource": "s3.amazonaws.com", "eventName": " ", "userIdentity": {"type": "Root"}});
    for (content, why) in [
        (String::new(), "it is empty"),
        ("\0".repeat(4096), "it has nothing but zeros"),
        (hidden.to_string(), "its _source holds a record"),
        (kinesis.to_string(), "whose data was not read"),
        (blank.to_string(), "its eventName is empty"),
    ] {
        std::fs::write(&file, content).unwrap();
        let replayed = offline(EXE)
            .args(["replay", "-q", "--exit-code", "--policy"])
            .args([&policy_file])
            .args(["-f"])
            .args([&file])
            .run();
        replayed
            .assert_status(2)
            .assert_complains("1 record is damaged")
            .assert_complains(why);
    }
}
