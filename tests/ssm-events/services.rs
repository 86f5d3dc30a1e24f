//! Records for other programs, and of other services than Systems Manager: who reads them must see which.

#[path = "outcomes.rs"]
mod outcomes;

use serde_json::{Value, json};
use testbed::{Output, Sandbox, offline, repository};

use crate::EXE;

fn record(service: &str) -> Value {
    json!({"eventName": "StartSession", "eventSource": format!("{service}.amazonaws.com"), "eventID": format!("e-{service}"),
        "eventTime": "2026-11-24T10:00:00Z", "awsRegion": "eu-central-1", "recipientAccountId": "111122223333",
        "errorCode": "AccessDenied", "userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/ann"}})
}

#[test]
fn a_call_of_another_service_says_so_in_every_form() {
    let (athena, own) = (record("athena"), record("ssm"));
    let run = |arguments: &[&str]| {
        let run = offline(EXE)
            .args(arguments)
            .stdin(format!("{athena}\n{own}\n"))
            .run();
        run.assert_status(0);
        run
    };
    let text = run(&["format", "--to", "text"]).stdout;
    let lines: Vec<&str> = text.lines().collect();
    assert!(
        lines[0].starts_with("DENIED: StartSession service=athena who=ann "),
        "{text}"
    );
    assert!(!lines[1].contains("service="), "{text}");
    let slack = run(&["format", "--to", "slack"]).records();
    let section = |index: usize| slack[index]["attachments"][0]["blocks"][1].to_string();
    assert!(section(0).contains("*service*  athena"), "{}", section(0));
    assert!(!section(1).contains("*service*"), "{}", section(1));
    let csv = run(&["format", "--to", "csv"]).stdout;
    let ends = csv.lines().map(|line| line.rsplit(',').next().unwrap());
    assert_eq!(ends.collect::<Vec<_>>(), ["service", "athena", "ssm"]);
    let report = run(&["report"]).records();
    assert_eq!(
        (&report[0]["service"], &report[1]["service"]),
        (&json!("athena"), &json!("ssm"))
    );
    let table = run(&["report", "-o", "text"]).stdout;
    assert!(
        table.contains("SERVICE") && table.contains("athena"),
        "{table}"
    );
    assert!(
        run(&["report", "--html"])
            .stdout
            .contains(r#""service":"athena""#)
    );
}

fn asff(input: &str) -> Output {
    offline(EXE)
        .args(["format", "--to", "asff"])
        .stdin(input)
        .run()
}

fn lists(output: &Output) -> Vec<Vec<Value>> {
    let lines = output.stdout.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

#[test]
fn security_hub_takes_records_in_lists_of_one_account_and_region() {
    let account = Sandbox::start().account();
    account.aws(&["securityhub", "enable-security-hub"]);
    let of = |n: usize, region: &str, more: &Value| {
        let mut one = record("ssm");
        let own = json!({"eventID": format!("e-{region}-{n}"), "awsRegion": region, "recipientAccountId": account.id(),
            "sourceIPAddress": "192.0.2.7", "requestParameters": {"target": "i-0123456789abcdef0", "reason": "INC-1"}});
        for object in [&own, more] {
            one.as_object_mut()
                .unwrap()
                .extend(object.as_object().unwrap().clone());
        }
        format!("{one}\n")
    };
    let mut input: String = (0..150).map(|n| of(n, "us-east-1", &json!({}))).collect();
    input.push_str(&of(0, "eu-central-1", &json!({"errorCode": null})));
    input.push_str(&of(
        1,
        "eu-central-1",
        &json!({"eventID": "", "sourceIPAddress": "2001:db8::1",
        "requestParameters": {"target": "mi-0123456789abcdef0", "reason": "x".repeat(9_000)}}),
    ));
    let made = asff(&input);
    made.assert_status(0).assert_stderr("");
    let all = lists(&made);
    assert_eq!(all.iter().map(Vec::len).collect::<Vec<_>>(), [100, 2, 50]);
    assert!(
        all.iter()
            .flatten()
            .all(|one| one["AwsAccountId"] == account.id())
    );
    let (denied, fine) = (&all[0][0], &all[1][0]);
    assert_eq!(denied["Severity"]["Label"], "MEDIUM");
    assert_eq!(denied["Title"], "DENIED: StartSession by ann");
    assert_eq!(denied["Action"]["AwsApiCallAction"]["Api"], "StartSession");
    assert_eq!(denied["CreatedAt"], "2026-11-24T10:00:00Z");
    assert!(
        denied["Resources"][0]["Id"]
            .as_str()
            .unwrap()
            .ends_with(":instance/i-0123456789abcdef0")
    );
    assert_eq!(fine["Severity"]["Label"], "INFORMATIONAL");
    let path = account.home().join("records.asff");
    std::fs::write(&path, &made.stdout).unwrap();
    let validate = repository().join("tests/scripts/validate");
    account
        .tool(validate.as_os_str())
        .args(["asff"])
        .args([&path])
        .run()
        .assert_status(0);
    for list in made
        .stdout
        .lines()
        .filter(|list| list.contains("us-east-1"))
    {
        let sent = account.aws(&["securityhub", "batch-import-findings", "--findings", list]);
        assert_eq!(sent["FailedCount"], 0, "{sent}");
    }
}

/// A list is one argument of a command, of which Linux takes 128 KiB; Security Hub takes 240 KB a finding and 32 resources.
#[test]
fn lists_and_findings_are_as_large_as_they_may_be_and_say_what_is_left_out() {
    let long = "\u{1f600}".repeat(9_000);
    let mut all = String::new();
    for n in 0..40 {
        let mut one = record("ssm");
        let nodes: Vec<String> = (0..50).map(|node| format!("i-{n:08}{node:09}")).collect();
        one["eventID"] = json!(format!("e-{n}"));
        one["requestParameters"] =
            json!({"instanceIds": nodes, "reason": long, "documentName": long});
        all.push_str(&format!("{one}\n"));
    }
    let mut named = record("ssm");
    let names: Vec<String> = (0..50).map(|n| format!("{long}{n}")).collect();
    named["requestParameters"] = json!({"instanceIds": names, "reason": long, "documentName": long, "sessionId": long,
        "commandId": long});
    named["sourceIPAddress"] = json!(long);
    named["errorCode"] = json!(long);
    named["eventID"] = json!(long);
    named["userIdentity"]["arn"] = json!(format!("arn:aws:iam::111122223333:user/{long}"));
    all.push_str(&named.to_string());
    let made = asff(&all);
    made.assert_status(0).assert_stderr("");
    assert!(made.stdout.lines().all(|list| list.len() <= 130_000));
    let findings: Vec<Value> = lists(&made).concat();
    assert_eq!(findings.len(), 41);
    for (finding, n) in findings
        .iter()
        .zip((0..41).map(|n| if n < 40 { 32 } else { 15 }))
    {
        assert!(finding.to_string().len() < 240_000);
        assert_eq!(finding["Resources"].as_array().unwrap().len(), n);
        let said = format!("50 nodes, the first {n} of which are its resources here. ");
        let description = finding["Description"].as_str().unwrap();
        assert!(description.starts_with(&said), "{description}");
    }
}

#[test]
fn what_security_hub_has_no_place_for_is_counted() {
    let mut without = record("ssm");
    without["recipientAccountId"] = Value::Null;
    let mut untimed = record("ssm");
    untimed["eventTime"] = json!("yesterday");
    let left = asff(&format!("{without}\n{untimed}\n{}\n", record("ssm")));
    left.assert_status(2)
        .assert_complains("2 records without account, region or time: in no list");
    assert_eq!(lists(&left).len(), 1);
    asff("").assert_status(0).assert_stderr("");
}
