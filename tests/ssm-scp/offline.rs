//! The verbs that need neither credentials nor network.

use serde_json::{Value, json};
use testbed::{Home, Output, Run, offline};

use super::{EXE, desired};

#[test]
fn render_needs_neither_keys_nor_network_and_refuses_what_locks_people_out() {
    let rendered = offline(EXE)
        .args(["render"])
        .stdin(desired(&["r-abcd"]))
        .run();
    rendered.assert_status(0).assert_complains(
        "ssm-scp: service-linked roles and all principals of the management account are outside any SCP\n",
    );
    let statement = rendered.json()["Statement"][0].clone();
    assert_eq!(
        statement["Condition"],
        json!({"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/ops"]}})
    );
    for (input, complaint) in [
        (
            r#"{"policy_name": "p", "exempt_principals": [], "targets": ["r-abcd"]}"#,
            "$.exempt_principals",
        ),
        (
            r#"{"policy_name": "p", "exempt_principals": ["arn:aws:iam::111122223333:group/g"], "targets": ["r-abcd"]}"#,
            "a group is never a principal",
        ),
        (
            r#"{"policy_name": "p", "exempt_principals": ["arn:aws:iam::*:role/o"], "actions": ["ssmmessages:*"], "targets": ["r-abcd"]}"#,
            "which agents need",
        ),
        (
            r#"{"policy_name": "p", "exempt_principals": ["arn:aws:iam::*:role/o"], "targets": ["x"]}"#,
            "$.targets",
        ),
    ] {
        let refused = offline(EXE).args(["render"]).stdin(input).run();
        refused.assert_status(2).assert_complains(complaint);
        assert_eq!(refused.stdout, "");
    }
}

/// A guard that spares `ops` in every account, in a file.
fn guard(home: &Home) -> String {
    let path = home.path().join("the guard.json");
    std::fs::write(&path, desired(&["r-abcd"])).unwrap();
    path.to_str().unwrap().to_owned()
}

fn tool(arguments: &[&str]) -> Run {
    offline(EXE).args(arguments)
}

fn answers(output: &Output) -> Vec<Value> {
    output
        .records()
        .iter()
        .map(|record| record["answer"].clone())
        .collect()
}

#[test]
fn a_long_guard_is_divided_by_the_quota() {
    let input = json!({"policy_name": "p", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": ["r-abcd"],
        "protect_preferences": true, "protect_dhmc": {}});
    let one = tool(&["render"]).stdin(input.to_string()).run();
    assert_eq!(one.assert_status(0).records().len(), 1);
    let several = tool(&["render", "--quota", "600"])
        .stdin(input.to_string())
        .run();
    let several = several.assert_status(0).records();
    assert!(several.len() > 1);
    let statements = |documents: &[Value]| -> Vec<Value> {
        documents
            .iter()
            .flat_map(|document| document["Statement"].as_array().unwrap().clone())
            .collect()
    };
    assert!(
        several
            .iter()
            .all(|document| document.to_string().len() <= 600)
    );
    assert_eq!(statements(&several).len(), statements(&one.records()).len());
    let refused = tool(&["render", "--quota", "200"])
        .stdin(input.to_string())
        .run();
    refused
        .assert_status(2)
        .assert_complains("exemptions cannot be divided");
    assert_eq!(refused.stdout, "");
}

#[test]
fn lint_names_file_line_and_column_of_each_mistake() {
    let home = Home::create();
    let (broken, sound) = (
        home.path().join("broken.json"),
        home.path().join("sound.json"),
    );
    let policy = testbed::fixture("iam-policy/lint/wild_scp/policy.txt");
    std::fs::copy(policy, &broken).unwrap();
    std::fs::write(
        &sound,
        r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
    )
    .unwrap();
    let (broken, sound) = (broken.to_str().unwrap(), sound.to_str().unwrap());
    let found = tool(&["lint", broken, sound]).run();
    found.assert_status(1).assert_stderr("");
    let findings = found.records();
    let has = |id: &str, place: &str| {
        findings.iter().any(|finding| {
            finding["id"] == id
                && finding["resource"]
                    .as_str()
                    .unwrap()
                    .starts_with(&format!("{broken}:{place} $"))
        })
    };
    assert!(has("scp.guard.inverted", "13:21"), "{}", found.stdout);
    assert!(has("scp.placeholder.left", "14:25"), "{}", found.stdout);
    tool(&["lint", sound])
        .run()
        .assert_status(0)
        .assert_stderr("");
    assert_eq!(tool(&["lint", sound]).run().stdout, "");
    let cut = tool(&["lint"]).stdin("{\"Version\": ").run();
    cut.assert_status(1).assert_stderr("");
    assert_eq!(cut.records()[0]["id"], "scp.json.syntax");
    assert!(
        cut.records()[0]["resource"]
            .as_str()
            .unwrap()
            .starts_with("stdin:1:")
    );
    tool(&["lint", "no such file"])
        .run()
        .assert_status(2)
        .assert_complains("no such file");
}

#[test]
fn lint_judges_by_the_type_of_policy() {
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ssm.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    tool(&["lint", "--type", "resource"])
        .stdin(trust)
        .run()
        .assert_status(0);
    tool(&["lint", "--type", "identity"])
        .stdin(trust)
        .run()
        .assert_status(1);
    tool(&["lint"]).stdin(trust).run().assert_status(1);
    let perimeter = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"*",
        "Condition":{"BoolIfExists":{"aws:SecureTransport":"false"}}}]}"#;
    let sound = tool(&["lint", "--type", "rcp"]).stdin(perimeter).run();
    assert_eq!(sound.assert_status(0).stdout, "");
    let mistaken = tool(&["lint"]).stdin(perimeter).run();
    let mistaken = mistaken.assert_status(1).records();
    assert_eq!(mistaken.len(), 1);
    let message = mistaken[0]["message"].as_str().unwrap();
    assert!(
        message.contains("this is a resource control policy"),
        "{message}"
    );
    let help = tool(&["lint", "--help"]).run();
    let help = &help.assert_status(0).stdout;
    let words: Vec<&str> = help.split_whitespace().collect();
    let help = words.join(" ");
    assert!(help.contains("Endpoint policies of VPCs and declarative policies are not judged"));
}

#[test]
fn simulate_answers_by_files_and_exits_by_what_is_expected() {
    let home = Home::create();
    let guard = guard(&home);
    let (ops, other) = (
        "arn:aws:iam::111122223333:role/ops",
        "arn:aws:iam::111122223333:role/other",
    );
    let simulate = |arguments: &[&str]| {
        tool(&[
            "simulate",
            "--guard",
            &guard,
            "--action",
            "ssm:StartSession",
        ])
        .args(arguments)
        .run()
    };
    let both = simulate(&["--principal", ops, "--principal", other]);
    both.assert_status(0).assert_stderr("");
    assert_eq!(answers(&both), ["allowed", "denied"]);
    assert_eq!(both.records()[1]["sid"], "OnlyExemptPrincipals");
    simulate(&["--principal", ops, "--expect", "allow"]).assert_status(0);
    simulate(&[
        "--principal",
        ops,
        "--principal",
        other,
        "--expect",
        "allow",
    ])
    .assert_status(1);
    simulate(&["--principal", other, "--expect", "deny"]).assert_status(0);
    let piped = tool(&["simulate", "--guard", &guard])
        .stdin(format!("{ops}\n\n{other}\n"))
        .run();
    assert_eq!(answers(&piped), ["allowed", "allowed", "denied", "denied"]);
    for (principal, complaint) in [
        ("arn:aws:iam::111122223333:group/ops", "never a principal"),
        (
            "arn:aws:sts::111122223333:assumed-role/ops/ann",
            "arn:aws:iam::111122223333:role/ops",
        ),
        ("arn:aws:iam::111122223333:role/o*", "is a pattern"),
    ] {
        let refused = simulate(&["--principal", principal]);
        refused.assert_status(2).assert_complains(complaint);
        assert_eq!(refused.stdout, "");
    }
}

#[test]
fn people_get_a_row_for_each_answer() {
    let home = Home::create();
    let guard = guard(&home);
    let base = [
        "simulate",
        "--guard",
        &guard,
        "--action",
        "ssm:StartSession",
        "--principal",
        "arn:aws:iam::111122223333:role/dev",
        "-o",
        "text",
    ];
    let one = tool(&base).run();
    one.assert_status(0);
    for line in [
        "answer: denied\n",
        "why: denied by OnlyExemptPrincipals of guard\n",
    ] {
        assert!(one.stdout.contains(line), "{}", one.stdout);
    }
    let two = tool(&base).args(["--action", "ssm:GetDocument"]).run();
    let table = "ANSWER   ACTION            PRINCIPAL  ACCOUNT       WHY\n\
        denied   ssm:StartSession  dev        111122223333  denied by OnlyExemptPrincipals of guard\n\
        allowed  ssm:GetDocument   dev        111122223333  ";
    assert!(
        two.assert_status(0).stdout.starts_with(table),
        "{}",
        two.stdout
    );
    let filtered = tool(&base).args(["--jq", ".answer"]).run();
    assert_eq!(filtered.assert_status(0).stdout, "\"denied\"\n");
}

#[test]
fn quotas_are_numbers() {
    for quota in ["", "0", "many", "5120,0", "5120,"] {
        let refused = tool(&["render", "--quota", quota])
            .stdin(desired(&["r-abcd"]))
            .run();
        refused
            .assert_status(2)
            .assert_complains("expected a number of characters");
    }
    tool(&["render", "--quota", "5120,5"])
        .stdin(desired(&["r-abcd"]))
        .run()
        .assert_status(0);
}

#[test]
fn simulate_says_what_an_answer_depends_on() {
    let home = Home::create();
    let path = home.path().join("mfa.json");
    std::fs::write(&path, r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ssm:StartSession","Resource":"*",
        "Condition":{"BoolIfExists":{"aws:MultiFactorAuthPresent":"false"}}}]}"#).unwrap();
    let simulate = |arguments: &[&str]| {
        let base = [
            "simulate",
            "--action",
            "ssm:StartSession",
            "--principal",
            "arn:aws:iam::111122223333:user/ann",
            "--policy",
        ];
        tool(&base)
            .args([path.to_str().unwrap()])
            .args(arguments)
            .run()
    };
    let open = simulate(&[]);
    assert_eq!(answers(&open), ["unknown"]);
    assert_eq!(
        open.records()[0]["depends_on"],
        "aws:multifactorauthpresent"
    );
    assert_eq!(
        answers(&simulate(&["--context", "aws:MultiFactorAuthPresent=true"])),
        ["allowed"]
    );
    assert_eq!(
        answers(&simulate(&[
            "--context",
            "aws:MultiFactorAuthPresent=false"
        ])),
        ["denied"]
    );
    assert_eq!(
        answers(&simulate(&["--context", "aws:MultiFactorAuthPresent"])),
        ["denied"]
    );
    for wrong in ["mfa=1", "mfa"] {
        simulate(&["--context", wrong])
            .assert_status(2)
            .assert_complains("expected KEY=VALUE");
    }
}

fn record(role: &str, time: &str, error: Value) -> Value {
    let arn = format!("arn:aws:iam::111122223333:role/{role}");
    json!({"eventVersion": "1.11", "eventID": format!("id-{time}"), "eventTime": time, "eventSource": "ssm.amazonaws.com",
        "eventName": "StartSession", "awsRegion": "eu-central-1", "sourceIPAddress": "203.0.113.7", "errorCode": error,
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/{role}/ann"),
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": arn}}},
        "requestParameters": {"target": "i-0123456789abcdef0"}})
}

#[test]
fn replay_says_who_would_have_been_denied() {
    let home = Home::create();
    let guard = guard(&home);
    let records = [
        record("dev", "2026-11-02T00:00:00Z", Value::Null),
        record("dev", "2026-11-01T00:00:00Z", Value::Null),
        record("ops", "2026-11-01T00:00:00Z", Value::Null),
        record("intern", "2026-11-01T00:00:00Z", json!("AccessDenied")),
        json!({"digestStartTime": "2026-11-01T00:00:00Z"}),
        json!({"eventSource": "s3.amazonaws.com", "eventName": "GetObject"}),
    ];
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let replayed = tool(&["replay", "--guard", &guard])
        .stdin(lines.join("\n"))
        .run();
    replayed.assert_status(0).assert_stderr(
        "ssm-scp: 6 records: 1 of actions that the guard does not deny, 0 by AWS or in accounts outside the guard, 1 already denied when \
         called, 0 without a caller, 1 that are not calls\n",
    );
    tool(&["replay", "--guard", &guard])
        .stdin(&lines[0])
        .run()
        .assert_status(0)
        .assert_complains("1 record: 0 of actions");
    let call = &replayed.records()[0];
    assert_eq!(replayed.records().len(), 1);
    assert_eq!(call["principal"], "arn:aws:iam::111122223333:role/dev");
    assert_eq!(
        (&call["n_denied"], &call["first"], &call["last_event_id"]),
        (
            &json!(2),
            &json!("2026-11-01T00:00:00Z"),
            &json!("id-2026-11-02T00:00:00Z")
        )
    );
    let file = format!("{:#}", json!({ "Records": records }));
    let same = tool(&["replay", "-q", "--guard", &guard, "--exit-code"])
        .stdin(file)
        .run();
    same.assert_status(1).assert_stderr("");
    assert_eq!(same.stdout, replayed.stdout);
    let broken = tool(&["replay", "--guard", &guard])
        .stdin("{\"eventName\": \"a\"}\n{\"eventName\"")
        .run();
    broken
        .assert_status(2)
        .assert_complains("line 2: the end is missing");
    let malformed = tool(&["replay", "--guard", &guard])
        .stdin("{\"eventName\": \"a\"}\n{\"eventName\": 7}")
        .run();
    malformed
        .assert_status(2)
        .assert_complains("1 record is damaged: record 2: ");
    tool(&["replay"])
        .stdin("")
        .run()
        .assert_status(2)
        .assert_complains("pass --guard FILE or --policy FILE");
}
