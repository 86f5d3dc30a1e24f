//! What people type when they do not know a tool yet: each gets one message that names what to type instead.

use serde_json::json;
use testbed::{Account, Output, Sandbox, offline, repository};

use super::TOOLS;
use super::wrong_lines::LINES;

#[test]
fn a_wrong_invocation_gets_what_to_type() {
    let account = with_desired_states();
    for (line, expected) in LINES {
        let output = typed(&account, line);
        assert_eq!(output.status, 2, "{line}: {}", output.stderr);
        // Of records the other end of a pipe must know that there are none.
        match line.starts_with("ssm-events history ") && !output.stdout.is_empty() {
            true => assert_eq!(output.json()["id"], "events.history.unread", "{line}"),
            false => assert_eq!(output.stdout, "", "{line}"),
        }
        for words in expected {
            let (words, is_there) = match words.strip_prefix('!') {
                Some(words) => (words, false),
                None => (*words, true),
            };
            let contains = output.stderr.contains(words);
            assert_eq!(contains, is_there, "{line}: {}", output.stderr);
        }
    }
    assert!(account.writes().is_empty());
}

fn with_desired_states() -> Account {
    let account = Sandbox::start().account();
    for name in ["agent", "events", "prefs", "role", "scp"] {
        let desired = repository().join(format!("scripts/rollout.d/{name}.json"));
        std::fs::copy(desired, account.home().join(format!("{name}.json"))).unwrap();
    }
    for directory in ["layers", "none"] {
        std::fs::create_dir(account.home().join(directory)).unwrap();
    }
    for (name, text) in [
        ("prefs.yaml", "idle_timeout_minutes: 15\n"),
        ("hash.json", "# Fifteen.\n{\"idle_timeout_minutes\": 15}\n"),
        ("result.json", "{\"kind\": \"result\", \"undo\": null}\n"),
        ("empty.json", "{}"),
        ("nothing.json", ""),
        ("list.json", "[null,null]"),
        ("inner.json", "{\"kms_key\":[\"alias/x\",null,true]}"),
        ("waves.json", "{\"update\":{\"waves\":[1,\"50%\"]}}"),
        ("idle.json", "{\"idle_timeout_minutes\": 90}"),
        (
            "nobody.json",
            "{\"policy_name\":\"p\",\"targets\":[\"r-abcd\"]}",
        ),
        (
            "deaf.json",
            "{\"events\":[],\"webhook\":{\"env\":\"SLACK_WEBHOOK_URL\"}}",
        ),
        ("profiles.json", "{\"instance_profiles\":{}}"),
        ("layers/base.json", "{\"idle_timeout_minutes\": 20}"),
        (
            "layers/over.json",
            "{\"for\": {\"region\": \"us-east-1\"}, \"reason\": \"a test\",\n\"desired\": {\"idle_timeout_minutes\": 600}}",
        ),
    ] {
        std::fs::write(account.home().join(name), text).unwrap();
    }
    account
}

/// Runs a command line, in which ~ is a blank in a word.
pub(super) fn typed(account: &Account, line: &str) -> Output {
    let words: Vec<String> = line.split(' ').map(|word| word.replace('~', " ")).collect();
    let tool = TOOLS.iter().find(|tool| tool.name == words[0]).unwrap();
    account.tool(tool.exe().as_os_str()).args(&words[1..]).run()
}

/// What people type who do not know whether it is there, and what they get.
const RIGHT: [(&str, &str); 11] = [
    // As grep, it says nothing of nothing.
    (
        "ssm-events match {\"detail\":{\"errorCode\":[{\"prefix\":\"AccessDenied\"}]}}",
        "",
    ),
    ("ssm-agentcheck --version", "ssm-agentcheck 0.1.0 ("),
    ("ssm-agentcheck help check", "Check the nodes"),
    ("ssm-agentcheck show --help", "Print one record"),
    ("ssm-agentcheck show --verbose", ""),
    ("ssm-agentcheck show -v", ""),
    ("ssm-agentcheck show -o csv", ""),
    ("ssm-scp lint scp.json", ""),
    ("ssm-role lint role.json", ""),
    ("ssm-agentcheck check -f agent.json", ""),
    (
        "ssm-scp simulate --guard scp.json --principal arn:aws:iam::222222222222:role/x",
        "denied by OnlyExemptPrincipals",
    ),
];

/// What is right, finds nothing, and says on stderr how much it looked at.
const NOTHING: [(&str, &str); 2] = [
    ("ssm-scp replay --guard scp.json", "0 records"),
    (
        "ssm-agentcheck check",
        "no desired state given: using the defaults; --generate example prints one",
    ),
];

/// What finds something on any machine without an agent's metadata service.
#[test]
fn a_machine_is_judged_without_a_word_behind_the_verb() {
    let account = Sandbox::start().account();
    let output = typed(&account, "ssm-agentcheck host");
    output.assert_status(1);
    assert_eq!(output.records()[0]["kind"], "finding");
}

/// A filter of the list that another program prints: there is one record after the other.
#[test]
fn a_filter_for_a_list_says_that_there_is_none() {
    let account = Sandbox::start().account();
    account.seed(&json!({"nodes": [{"account": account.id(), "region": "us-east-1", "instance_id": "i-00000000000000001"}]}));
    typed(&account, "ssm-agentcheck show --jq .nodes[].id")
        .assert_status(2)
        .assert_complains("one record after the other");
}

/// `jq .agent missing.json | ssm-agentcheck check`: what has failed is not a desired state.
#[test]
fn an_empty_pipe_is_not_a_desired_state() {
    let account = with_desired_states();
    let name = "ssm-agentcheck";
    for tool in TOOLS.iter().filter(|tool| tool.name == name) {
        let run = account.tool(tool.exe().as_os_str()).args(["check"]);
        let output = run.stdin("").run();
        output.assert_status(2).assert_complains("empty");
        assert!(output.stdout.is_empty(), "{}", output.stdout);
    }
}

#[test]
fn what_is_right_works() {
    let account = with_desired_states();
    for (line, expected) in NOTHING {
        typed(&account, line)
            .assert_status(0)
            .assert_complains(expected);
    }
    for (line, expected) in RIGHT {
        let output = typed(&account, line);
        output.assert_status(0);
        assert!(
            output.stdout.contains(expected),
            "{line}: {}",
            output.stdout
        );
    }
}

#[test]
fn a_report_of_nothing_says_where_records_come_from() {
    let account = Sandbox::start().account();
    let output = typed(&account, "ssm-events report");
    output
        .assert_status(0)
        .assert_complains("pipe in what `ssm-events history` prints");
}

/// What `plan` refuses, `lint` finds, in the file in which it is.
#[test]
fn lint_finds_what_plan_refuses() {
    let account = with_desired_states();
    let over = "{\"for\": {\"region\": \"us-east-1\"}, \"reason\": \"a test\",\n\"desired\": {\"idle_timout_minutes\": 9}}";
    std::fs::create_dir(account.home().join("typo")).unwrap();
    std::fs::write(account.home().join("typo/base.json"), "{}").unwrap();
    std::fs::write(account.home().join("typo/over.json"), over).unwrap();
    for (line, expected) in [
        (
            "ssm-agentcheck lint waves.json",
            "waves.json:1:12 $.update.waves",
        ),
        (
            "ssm-prefs lint idle.json",
            "idle.json:1:2 $.idle_timeout_minutes",
        ),
        ("ssm-prefs lint inner.json", "$.kms_key"),
        (
            "ssm-prefs lint layers",
            "layers/over.json:2:13 $.desired.idle_timeout_minutes",
        ),
        (
            "ssm-prefs lint typo",
            "typo/over.json:2:13 $.desired.idle_timout_minutes",
        ),
        (
            "ssm-prefs lint typo/over.json",
            "typo/over.json:2:13 $.desired.idle_timout_minutes",
        ),
    ] {
        let output = typed(&account, line);
        output.assert_status(1);
        let found = output.records();
        assert_eq!(found.len(), 1, "{line}: {}", output.stdout);
        let resource = found[0]["resource"].as_str().unwrap();
        assert!(resource.ends_with(expected), "{line}: {resource}");
    }
    typed(&account, "ssm-prefs lint layers/over.json").assert_status(0);
}

/// A header without a row says that there is none.
#[test]
fn a_list_that_was_not_read_has_no_columns() {
    let tool = TOOLS.iter().find(|tool| tool.name == "ssm-agentcheck");
    let run = offline(tool.unwrap().exe());
    let output = run.args(["show", "-o", "csv"]).run();
    output.assert_status(2).assert_complains("no region");
    assert_eq!(output.stdout, "");
}
