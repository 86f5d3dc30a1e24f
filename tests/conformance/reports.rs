//! Findings as other programs read them, held to the published schemas of SARIF and JUnit, and to what the records say.

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox, repository};

use super::{TOOLS, Tool};

fn check(tool: &Tool, account: &Account, format: &str) -> Output {
    let desired = account.home().join("desired.json");
    std::fs::write(&desired, tool.desired).unwrap();
    let flags = ["check", "-f", "desired.json", "-o", format];
    tool.run(account, &flags).run()
}

/// Holds a document to its schema, and returns it.
fn valid(account: &Account, format: &str, output: &Output) -> String {
    let path = account.home().join(format!("report.{format}"));
    std::fs::write(&path, &output.stdout).unwrap();
    let validate = repository().join("tests/scripts/validate");
    let run = account
        .tool(validate.as_os_str())
        .args([format])
        .args([&path]);
    run.run().assert_status(0);
    output.stdout.clone()
}

fn sarif(account: &Account, output: &Output) -> Value {
    let document: Value = serde_json::from_str(&valid(account, "sarif", output)).unwrap();
    document["runs"][0].clone()
}

fn len(value: &Value) -> usize {
    value.as_array().unwrap().len()
}

/// Returns the number that an attribute of the whole JUnit document has.
fn attribute(document: &str, name: &str) -> usize {
    let (_, rest) = document.split_once("<testsuites ").unwrap();
    let (_, value) = rest.split_once(&format!(" {name}=\"")).unwrap();
    value.split('"').next().unwrap().parse().unwrap()
}

fn holds(tool: &Tool, account: &Account) {
    let records = check(tool, account, "json");
    let findings = records.records();
    let n_unknown = findings.iter().filter(|one| {
        one["kind"] == "unreachable"
            || one["id"]
                .as_str()
                .is_some_and(|id| id.ends_with(".unknown"))
    });
    let n_unknown = n_unknown.count();

    let output = check(tool, account, "asff");
    let lists = valid(account, "asff", &output);
    let lists = lists
        .lines()
        .map(|list| serde_json::from_str::<Value>(list).unwrap());
    let all = findings.iter().filter(|one| one["kind"] != "result");
    // Security Hub has no place for what is of an organization.
    let (global, taken): (Vec<_>, Vec<_>) =
        all.partition(|one| one["target"]["region"] == "global");
    assert_eq!(lists.map(|list| len(&list)).sum::<usize>(), taken.len());
    output.assert_status(if global.is_empty() { records.status } else { 2 });
    for one in global {
        let said = one["message"].as_str().or(one["error"].as_str());
        output.assert_complains(said.unwrap());
    }

    let output = check(tool, account, "ocsf");
    output.assert_status(records.status);
    let events = valid(account, "ocsf", &output);
    let is_unknown = |line: &&str| line.contains("\"status\":\"Unknown\"");
    let n_results = findings.iter().filter(|one| one["kind"] == "result");
    // A run that ended before it found anything is one event of its own.
    let n_ended = usize::from(findings.is_empty() && records.status == 2);
    let n_expected = findings.len() - n_results.count() + n_ended;
    assert_eq!(events.lines().count(), n_expected, "{events}");
    let n_events_unknown = events.lines().filter(is_unknown).count();
    assert_eq!(n_events_unknown, n_unknown + n_ended);

    let output = check(tool, account, "sarif");
    output.assert_status(records.status);
    let run = sarif(account, &output);
    let invocation = &run["invocations"][0];
    let is_error = usize::from(findings.is_empty() && records.status == 2);
    assert_eq!(
        len(&run["results"]),
        findings.len() - n_unknown,
        "{}",
        tool.name
    );
    assert_eq!(
        len(&invocation["toolExecutionNotifications"]),
        n_unknown + is_error
    );
    assert_eq!(invocation["executionSuccessful"], n_unknown + is_error == 0);
    for result in run["results"].as_array().unwrap() {
        let physical = &result["locations"][0]["physicalLocation"];
        assert_eq!(
            physical["artifactLocation"]["uri"], "desired.json",
            "{result}"
        );
        let rule = &run["tool"]["driver"]["rules"][result["ruleIndex"].as_u64().unwrap() as usize];
        assert_eq!(rule["id"], result["ruleId"]);
    }

    let output = check(tool, account, "junit");
    output.assert_status(records.status);
    let document = valid(account, "junit", &output);
    assert_eq!(attribute(&document, "errors"), n_unknown + is_error);
    let failures = findings
        .iter()
        .filter(|one| one["severity"] != "info")
        .count();
    assert!(
        attribute(&document, "failures") <= failures && attribute(&document, "tests") > 0,
        "{document}"
    );

    let output = check(tool, account, "csv");
    output.assert_status(records.status);
    let (header, rows) = output.stdout.split_once('\n').unwrap();
    assert_eq!(header, "severity,id,account,region,resource,message,fix");
    assert_eq!(rows.lines().count(), findings.len(), "{}", output.stdout);
}

/// A spreadsheet finds the columns of the list, not those of findings, also where nothing could be read.
#[test]
fn an_empty_list_has_the_columns_of_its_records() {
    for (name, header) in [
        (
            "ssm-agentcheck",
            "node,name,state,ping,agent,imds,managed_by,region,account,platform",
        ),
        ("ssm-role", "region,account,host_management,roles,instances"),
        (
            "ssm-prefs",
            "region,account,document,key,bucket,log_group,idle",
        ),
        (
            "ssm-events",
            "region,account,rule,connection,destination,function,trail,waiting",
        ),
    ] {
        let tool = TOOLS.iter().find(|tool| tool.name == name).unwrap();
        let account = Sandbox::start().account();
        let show = |account: &Account| {
            let output = tool
                .run(account, &["show", "-o", "csv"])
                .stdin(tool.desired);
            output.run()
        };
        assert_eq!(
            show(&account).assert_status(0).stdout.lines().next(),
            Some(header),
            "{name}"
        );
        account.fault(json!({"service": "sts", "operation": "GetCallerIdentity", "kind": "denied", "times": -1}));
        let (service, operation) = tool.first_read.unwrap();
        account.fault(
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1}),
        );
        let output = show(&account);
        let is_list = output.stdout.is_empty() || output.stdout.lines().next() == Some(header);
        assert!(is_list, "{name}: {}", output.stdout);
    }
    // No node at all.
    let tool = TOOLS
        .iter()
        .find(|tool| tool.name == "ssm-agentcheck")
        .unwrap();
    let output = tool
        .run(&Sandbox::start().account(), &["show", "-o", "csv"])
        .run();
    let header = "node,name,state,ping,agent,imds,managed_by,region,account,platform\n";
    assert_eq!(output.assert_status(0).stdout, header);
}

#[test]
fn a_report_says_what_the_records_say() {
    for tool in TOOLS.iter().filter(|tool| tool.can("check")) {
        holds(tool, &Sandbox::start().account());
    }
}

#[test]
fn security_hub_takes_what_is_printed_for_it() {
    let tool = TOOLS.iter().find(|tool| tool.name == "ssm-prefs").unwrap();
    let account = Sandbox::start().account();
    account.aws(&["securityhub", "enable-security-hub"]);
    let output = check(tool, &account, "asff");
    let mut n_sent = 0;
    // A second time updates what is there.
    for list in output.stdout.lines().chain(output.stdout.lines()) {
        let sent = account.aws(&["securityhub", "batch-import-findings", "--findings", list]);
        assert_eq!(sent["FailedCount"], 0, "{sent}");
        n_sent += sent["SuccessCount"].as_u64().unwrap();
    }
    let held = account.aws(&["securityhub", "get-findings"])["Findings"].clone();
    assert!(n_sent > 0 && len(&held) as u64 * 2 == n_sent, "{held}");
    let records = check(tool, &account, "json").records();
    let is_held = |id: &Value| {
        let title = format!("{}: ", id.as_str().unwrap());
        let mut all = held.as_array().unwrap().iter();
        all.any(|one| one["Title"].as_str().unwrap().starts_with(&title))
    };
    assert!(records.iter().all(|one| is_held(&one["id"])), "{held}");
    assert!(account.problems().is_empty(), "{:?}", account.problems());
}

#[test]
fn what_could_not_be_read_is_no_pass_in_any_report() {
    for tool in TOOLS.iter().filter(|tool| tool.can("check")) {
        let account = Sandbox::start().account();
        let (service, operation) = tool.first_read.unwrap();
        account.fault(
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1}),
        );
        holds(tool, &account);
        let run = sarif(&account, &check(tool, &account, "sarif"));
        assert_eq!(
            run["invocations"][0]["executionSuccessful"], false,
            "{}",
            tool.name
        );
        let junit = check(tool, &account, "junit").stdout;
        assert!(attribute(&junit, "errors") > 0, "{}: {junit}", tool.name);
    }
}

#[test]
fn a_finding_in_a_file_is_at_its_line() {
    let account = Sandbox::start().account();
    let policy = "{\"Version\": \"2012-10-17\",\n \"Statement\": [{\"Effect\": \"Deny\", \"Action\": \"*\",\n  \"Resource\": 7}]}";
    std::fs::create_dir(account.home().join("a b")).unwrap();
    std::fs::write(account.home().join("a b/p.json"), policy).unwrap();
    for name in ["ssm-scp", "ssm-role"] {
        let tool = TOOLS.iter().find(|tool| tool.name == name).unwrap();
        let lint = |format| {
            let lint = tool.run(&account, &["lint", "./a b/p.json", "-o", format]);
            lint.run()
        };
        let output = lint("sarif");
        output.assert_status(1);
        let run = sarif(&account, &output);
        let physical = &run["results"][0]["locations"][0]["physicalLocation"];
        assert_eq!(
            physical["artifactLocation"],
            json!({"uri": "a%20b/p.json", "uriBaseId": "%SRCROOT%"})
        );
        let lines: Vec<u64> = run["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                one["locations"][0]["physicalLocation"]["region"]["startLine"]
                    .as_u64()
                    .unwrap()
            })
            .collect();
        assert!(lines.contains(&3), "{lines:?}");
        let junit = valid(&account, "junit", &lint("junit"));
        assert!(
            junit.contains("<testsuite name=\"./a b/p.json\""),
            "{junit}"
        );
    }
}

/// The IDs of such rules end as those of findings about what could not be read.
#[test]
fn a_word_that_a_linter_does_not_know_was_read_all_the_same() {
    let account = Sandbox::start().account();
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "deny", "Action": "*", "Resource": "*"}]}"#;
    let tool = TOOLS.iter().find(|tool| tool.name == "ssm-role").unwrap();
    let lint = |format| {
        tool.run(&account, &["lint", "-", "-o", format])
            .stdin(policy)
    };
    let output = lint("sarif").run();
    output.assert_status(1);
    let run = sarif(&account, &output);
    assert_eq!(run["results"][0]["ruleId"], "role.effect.unknown");
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    assert_eq!(attribute(&lint("junit").run().stdout, "errors"), 0);
}
