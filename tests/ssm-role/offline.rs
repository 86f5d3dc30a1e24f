//! The verbs without AWS: `policy` and `lint`.

use serde_json::{Value, json};
use testbed::{Output, offline};

use super::EXE;

fn run(arguments: &[&str], input: &str) -> Output {
    offline(EXE).args(arguments).stdin(input).run()
}

fn prefs() -> String {
    let version = json!({"version": "1", "content": {"inputs": {"kmsKeyId": "alias/session"}}});
    json!({"kind": "preferences", "target": {"account": "111122223333", "region": "eu-central-1"},
        "document": {"state": "present", "value": {"default": version, "latest": version}}})
    .to_string()
}

fn sids(policy: &Value) -> Vec<String> {
    let statements = policy["Statement"].as_array().unwrap().iter();
    statements
        .map(|statement| statement["Sid"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn a_policy_comes_out_of_a_pipe_and_passes_the_linter() {
    for arguments in [
        vec!["--for", "instance"],
        vec!["--for", "operator", "--tag", "Environment=prod"],
        vec![
            "--for",
            "operator",
            "--instance-id",
            "i-0123456789abcdef0",
            "--document",
            "Own",
        ],
        vec!["--for", "command", "--tag", "Environment=prod"],
    ] {
        let output = run(
            &[&["policy", "--prefs", "-"], arguments.as_slice()].concat(),
            &prefs(),
        );
        output.assert_status(0).assert_stderr("");
        let linted = run(&["lint"], &output.stdout);
        linted.assert_status(0);
        assert_eq!(linted.stdout, "", "{arguments:?}");
    }
}

#[test]
fn without_preferences_the_place_must_be_named() {
    let output = run(&["policy", "--for", "instance"], "");
    output
        .assert_status(2)
        .assert_complains("pass --prefs or --target ACCOUNT/REGION");
    let target = "111122223333/eu-central-1";
    let output = run(&["policy", "--for", "instance", "--target", target], "");
    output.assert_status(0);
    let expected = [
        "ManagedNode",
        "SessionsAndCommands",
        "CommandsOfAgentsBefore33400",
    ];
    assert_eq!(sids(&output.json()), expected);
}

#[test]
fn nodes_are_never_assumed() {
    for grantee in ["operator", "command"] {
        let output = run(&["policy", "--for", grantee, "--prefs", "-"], &prefs());
        output
            .assert_status(2)
            .assert_complains("no nodes selected: pass --instance-id or --tag");
        assert_eq!(output.stdout, "");
    }
    for bad in [
        ["--tag", "prod"],
        ["--instance-id", "*"],
        ["--target", "here"],
    ] {
        let arguments = [["policy", "--for"].as_slice(), &["operator"], &bad].concat();
        run(&arguments, "").assert_status(2);
    }
}

#[test]
fn what_is_no_preferences_record_is_refused() {
    for (input, complaint) in [
        (
            "",
            "the input is empty: pipe in what `ssm-prefs show` prints",
        ),
        (
            r#"{"kind": "node"}"#,
            "expected what `ssm-prefs show` prints, found a record of kind node",
        ),
        (
            r#"{"kind": "unreachable", "tool": "ssm-prefs", "target": {"account": "111122223333", "region": "eu-central-1"},
                "error": "denied"} {"kind": "preferences"}"#,
            "record 2: $: missing field `target`",
        ),
        ("{", "EOF while parsing"),
    ] {
        let output = run(&["policy", "--for", "instance", "--prefs", "-"], input);
        output.assert_status(2).assert_complains(complaint);
    }
}

#[test]
fn mistakes_are_reported_with_line_and_column() {
    let home = testbed::Home::create();
    let path = home.path().join("operator policy.json");
    let text = r#"{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": "ssm:SendCommand", "Resource": "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell"},
    {"Effect": "Allow", "Action": "ssm:StartSession", "Resource": "arn:aws:ec2:us-east-1:account-id:instance/*"},
    {"Effect": "Allow", "Action": "ssm:TerminateSession", "Resource": "*"},
  ]
}"#;
    std::fs::write(&path, text).unwrap();
    let output = run(&["lint", path.to_str().unwrap()], "");
    output.assert_status(1);
    let records = output.records();
    let place = |line: usize| format!("{}:{line}:", path.display());
    for (id, line) in [
        ("role.ssm.send_command_on_session_document", 4),
        ("role.ssm.document_access_check", 5),
        ("role.placeholder.left", 5),
        ("role.ssm.foreign_sessions", 6),
        ("role.json.syntax", 6),
    ] {
        let is_it = |record: &Value| {
            record["id"] == id
                && record["resource"]
                    .as_str()
                    .unwrap()
                    .starts_with(&place(line))
        };
        assert!(
            records.iter().any(is_it),
            "{id} on line {line}: {}",
            output.stdout
        );
    }
}

#[test]
fn a_policy_without_mistakes_is_quiet() {
    let policy = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}]}"#;
    let output = run(&["lint"], policy);
    output.assert_status(0).assert_stderr("");
    assert_eq!(output.stdout, "");
}

#[test]
fn accepted_findings_are_left_out_by_the_same_file_as_those_of_other_tools() {
    let home = testbed::Home::create();
    let path = home.path().join("accepted.json");
    let entry =
        |id: &str| json!({"id": id, "sid": "Ends", "reason": "one team", "expires": "9999-12-31"});
    let entries = json!([
        entry("role.ssm.foreign_sessions"),
        entry("scp.ssm.foreign_sessions")
    ]);
    std::fs::write(&path, entries.to_string()).unwrap();
    let policy = r#"{"Version": "2012-10-17", "Statement": [
        {"Sid": "Ends", "Effect": "Allow", "Action": "ssm:TerminateSession", "Resource": "*"}]}"#;
    run(&["lint", "--fail-on", "error"], policy).assert_status(0);
    run(&["lint"], policy).assert_status(1);
    let output = run(&["lint", "--suppressions", path.to_str().unwrap()], policy);
    let note = format!("ssm-role: 1 finding switched off by {}\n", path.display());
    output.assert_status(0).assert_stderr(&note);
    assert_eq!(output.stdout, "");
}

#[test]
fn a_template_takes_a_document_for_all_accounts_and_nothing_else() {
    let prefs = std::env::temp_dir().join(format!("prefs-{}.json", std::process::id()));
    let render = |document: &str| {
        std::fs::write(&prefs, document).unwrap();
        let arguments = [
            "render",
            "--cloudformation",
            "--prefs",
            prefs.to_str().unwrap(),
        ];
        run(&arguments, r#"{"default_host_management": {}}"#)
    };
    let rendered = render(r#"{"inputs": {"kmsKeyId": "alias/session"}}"#);
    rendered.assert_status(0).assert_stderr("");
    let policy = &rendered.json()["Resources"]["HostManagementPreferences"]["Properties"];
    assert_eq!(
        policy["PolicyDocument"]["Statement"][0]["Sid"],
        "DecryptSessionsByAlias"
    );
    let refused = render(&self::prefs());
    refused
        .assert_status(2)
        .assert_complains("expected a document as `ssm-prefs render` prints it");
    assert_eq!(refused.stdout, "");
    std::fs::remove_file(&prefs).unwrap();
}

#[test]
fn render_says_what_it_cannot_leave_to_a_stack() {
    let refused = run(
        &["render", "--cloudformation"],
        r#"{"default_host_management": {}, "instance_profiles": {}, "hybrid_activations": {}}"#,
    );
    refused.assert_status(2).assert_stderr(
        "ssm-role: read desired roles from stdin: $.instance_profiles: a stack cannot change roles that are there already: leave that to plan \
         and apply, and render what `jq 'del(.instance_profiles, .hybrid_activations)' FILE` prints at line 1 column 33\n",
    );
    assert_eq!(refused.stdout, "");
    let aimless = run(&["render"], "{}");
    aimless
        .assert_status(2)
        .assert_complains("--cloudformation");
}
