//! Runs the `sh` examples of the documents as they stand there, each in a fresh account with the nodes of the demo.

#[path = "pipelines/reports.rs"]
mod reports;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox, repository};

/// The sentences before the examples. Each has a test below.
const REASONS: &str = "List the nodes that cannot be reached and the causes, missing permissions of their roles included:";
const KEEP_PLAN: &str = "Review a plan, keep it, and apply exactly that plan:";
const UNDO: &str = "Apply a change, then undo it:";
const RUN: &str = "Run a command on every Linux node, and print its output or why it did not run:";
const GATE: &str = "Keep errors, not warnings; `[ ! -s errors.jsonl ]` then fails a CI job:";
const REPORT: &str = "Report to code scanning and to a CI system:";
const SCAN: &str = "List what is installed on every Linux node, match it with the advisories in `osv/`, and write SARIF for code scanning:";
const RENDER: &str = "Print the policy document alone, for another tool to deploy, and lint it:";

#[test]
fn every_example_has_a_test() {
    let named = [REASONS, KEEP_PLAN, UNDO, RUN, SCAN, RENDER, GATE, REPORT];
    let written: Vec<String> = examples().into_iter().map(|(lead, _)| lead).collect();
    assert_eq!(written, named);
}

#[test]
fn gives_reasons_with_roles() {
    let (account, example) = (account(), example(REASONS));
    let output = run(&account, &example);
    for line in [
        "i-02a00000000000017 agentcheck.unregistered.agent_absent: ",
        "i-02a00000000000018 agentcheck.agent.missing: ",
        "i-02a00000000000020 agentcheck.connection.role: ",
    ] {
        assert!(output.stdout.contains(line), "{line} in {}", output.stdout);
    }
    assert!(account.writes().is_empty() && account.problems().is_empty());
}

#[test]
fn nodes_that_nobody_manages_get_a_profile() {
    let account = account();
    let desired = r#"{"assign_profile": {}}"#;
    std::fs::write(account.home().join("role.json"), desired).unwrap();
    let pipe = "ssm-agentcheck show --jq 'select(.managed_by==\"none\")' | ssm-role plan -f role.json --nodes -";
    let plan = run(&account, pipe).json();
    let resources: Vec<&Value> = plan["changes"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|change| change["action"] == "associate_instance_profile")
        .map(|change| &change["resource"])
        .collect();
    // One that runs and one that is stopped; the others that SSM has never seen have a profile.
    let arn = |id: &str| format!("arn:aws:ec2:us-east-1:{}:instance/{id}", account.id());
    let expected = [arn("i-02a00000000000016"), arn("i-02a00000000000023")];
    assert_eq!(json!(resources), json!(expected));
}

#[test]
fn history_says_who_would_lose_access() {
    let account = account();
    let guard = r#"{"Version": "2012-10-17", "Statement": [{"Sid": "Fence", "Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}}]}"#;
    std::fs::write(account.home().join("guard.json"), guard).unwrap();
    let records = repository().join("tests/fixtures/cloudtrail/principals");
    std::fs::create_dir(account.home().join("trail")).unwrap();
    for entry in std::fs::read_dir(records).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(
            &path,
            account.home().join("trail").join(path.file_name().unwrap()),
        )
        .unwrap();
    }
    let lost = run(
        &account,
        // Some of the records do not say who called.
        "ssm-events history trail | ssm-scp replay --policy guard.json || [ $? -eq 2 ]",
    );
    let principals: Vec<String> = lost
        .records()
        .iter()
        .map(|call| call["principal"].as_str().unwrap().to_owned())
        .collect();
    assert!(
        principals
            .iter()
            .any(|principal| principal.contains("AWSReservedSSO_")),
        "{principals:?}"
    );
    assert!(
        principals
            .iter()
            .all(|principal| !principal.contains(":user/")),
        "{principals:?}"
    );
    let report = run(&account, "ssm-events history trail | ssm-events report").records();
    assert!(
        report
            .iter()
            .any(|record| record["kind"] == "refused" && record["denied"] == true)
    );
}

#[test]
fn preferences_say_what_roles_lack() {
    let account = account();
    let pipe = "ssm-prefs plan -f desired/prefs.json | ssm-prefs apply >result.json
        ssm-prefs show | ssm-role check --prefs - -f desired/role.json >found || [ $? -eq 1 ]
        ssm-prefs show | ssm-role plan --prefs - -f desired/role.json | ssm-role apply >result.json
        ssm-prefs show | ssm-role check --prefs - -f desired/role.json || [ $? -eq 1 ]";
    let left = run(&account, pipe).records();
    let found = std::fs::read_to_string(account.home().join("found")).unwrap();
    for id in [
        "role.s3_log.denied",
        "role.cloudwatch_log.denied",
        "role.s3_kms.denied",
        "role.kms.denied",
    ] {
        assert!(found.contains(id), "{id} in {found}");
    }
    let denied = left
        .iter()
        .filter(|finding| finding["id"].as_str().unwrap().ends_with(".denied"));
    assert_eq!(denied.count(), 0, "{left:?}");
}

#[test]
fn transcripts_reach_a_bucket_with_a_key() {
    let account = account();
    let pipe = "ssm-prefs plan -f desired/prefs.json | ssm-prefs apply >prefs-result.json
        ssm-prefs show >prefs.json
        ssm-role plan --prefs prefs.json -f desired/role.json | ssm-role apply >result.json
        ssm-role show --prefs prefs.json >roles.json
        ssm-role check --prefs prefs.json -f desired/role.json || [ $? -eq 1 ]";
    let about_keys = |findings: &[Value]| -> Vec<Value> {
        let about_keys = findings
            .iter()
            .filter(|one| one["id"].as_str().unwrap().contains("kms"));
        about_keys.cloned().collect()
    };
    assert_eq!(
        about_keys(&run(&account, pipe).records()),
        Vec::<Value>::new()
    );
    // The key is that of the bucket, as AWS has it.
    let id = account.id();
    let bucket = format!("ssm-session-logs-{id}-us-east-1");
    let encryption = account.aws(&["s3api", "get-bucket-encryption", "--bucket", &bucket]);
    let rule = &encryption["ServerSideEncryptionConfiguration"]["Rules"][0];
    let key = &rule["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"];
    let roles = record(&account, "roles.json")["roles"].clone();
    let roles = roles.as_array().unwrap();
    assert!(
        roles
            .iter()
            .any(|role| role["is_default_host_management"] == true)
            && roles.len() > 1
    );
    for role in roles {
        for action in ["kms:GenerateDataKey", "kms:Decrypt"] {
            let needed = |one: &&Value| one["feature"] == "s3_kms" && one["action"] == action;
            let permission = role["permissions"]
                .as_array()
                .unwrap()
                .iter()
                .find(needed)
                .unwrap();
            assert_eq!(
                (&permission["resource"], &permission["verdict"]),
                (key, &json!("allowed")),
                "{permission}"
            );
        }
    }
    // Without the statement it is found missing, for every role that has lost it.
    for role in roles {
        let name = role["role"].as_str().unwrap();
        let policy = "SessionManagerPreferences-us-east-1";
        let mut document = role["inline_policies"][policy].clone();
        let statements = document["Statement"].as_array_mut().unwrap();
        let n_statements = statements.len();
        statements.retain(|one| {
            !one["Sid"]
                .as_str()
                .unwrap()
                .starts_with("EncryptTranscripts")
        });
        assert_eq!(statements.len(), n_statements - 1, "{name}");
        account.aws(&[
            "iam",
            "put-role-policy",
            "--role-name",
            name,
            "--policy-name",
            policy,
            "--policy-document",
            &document.to_string(),
        ]);
    }
    let check = "ssm-role check --prefs prefs.json -f desired/role.json || [ $? -eq 1 ]";
    let found = about_keys(&run(&account, check).records());
    assert_eq!(found.len(), roles.len(), "{found:?}");
    assert!(found.iter().all(|one| one["id"] == "role.s3_kms.denied"));
}

/// With everything that belongs to it read, neither tool doubts what the other has just written.
#[test]
fn own_grants_are_neither_denied_nor_unknown() {
    let account = account();
    let pipe = "ssm-prefs plan -f desired/prefs.json | ssm-prefs apply >prefs-result.json
        ssm-prefs show >prefs.json
        ssm-role plan --prefs prefs.json -f desired/role.json | ssm-role apply >result.json
        ssm-role show --prefs prefs.json >roles.json
        ssm-prefs check -f desired/prefs.json --roles roles.json || [ $? -eq 1 ]
        ssm-role check --prefs prefs.json -f desired/role.json || [ $? -eq 1 ]";
    let found = run(&account, pipe).records();
    let is_about_roles = |finding: &&Value| {
        let id = finding["id"].as_str().unwrap();
        id.starts_with("prefs.role.") || id.ends_with(".denied") || id.ends_with("unknown")
    };
    let doubted: Vec<&Value> = found.iter().filter(is_about_roles).collect();
    assert!(doubted.is_empty(), "{doubted:#?}");
    let roles = record(&account, "roles.json")["roles"].clone();
    assert!(roles.as_array().unwrap().len() > 1);
}

#[test]
fn applies_a_kept_plan() {
    let (account, example) = (account(), example(KEEP_PLAN));
    let output = run(&account, &example);
    for action in ["create_key", "create_bucket", "create_log_group"] {
        assert!(output.stdout.contains(action), "{}", output.stdout);
    }
    let result = record(&account, "result.json");
    let statuses: Vec<&Value> = result["results"]
        .as_array()
        .unwrap()
        .iter()
        .map(|applied| &applied["status"])
        .collect();
    // A new bucket has a public access block already.
    let good = |status: &&&Value| {
        ["done", "unchanged"]
            .iter()
            .any(|word| status == &&&json!(word))
    };
    assert_eq!(statuses.iter().filter(good).count(), 10, "{result}");
    let again =
        format!("{example}\n[ \"$(jq -s 'map(.changes | length) | add' plan.json)\" -eq 0 ]");
    run(&account, &again);
}

#[test]
fn undoes_what_it_applied() {
    let (account, example) = (account(), example(UNDO));
    let before = run(&account, "ssm-role show").stdout;
    let output = run(&account, &example);
    assert!(output.stdout.contains(r#""status":"done""#), "{output:?}");
    assert!(!account.writes().is_empty());
    assert_eq!(run(&account, "ssm-role show").stdout, before);
}

#[test]
fn runs_a_command_and_says_of_every_node() {
    let (account, example) = (account(), example(RUN));
    let nodes = run(
        &account,
        "ssm-agentcheck show --jq 'select(.platform.type == \"Linux\")'",
    );
    let nodes: BTreeSet<String> = nodes
        .records()
        .iter()
        .map(|node| node["instance_id"].as_str().unwrap().to_owned())
        .collect();
    let output = run(&account, &example);
    let lines: Vec<Vec<&str>> = output
        .stdout
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    assert_eq!(lines.len(), nodes.len());
    let reported: BTreeSet<String> = lines.iter().map(|line| line[0].to_owned()).collect();
    assert_eq!(reported, nodes);
    let of = |id: &str| lines.iter().find(|line| line[0] == id).unwrap();
    assert_eq!(of("i-02a00000000000001")[1..3], ["Success", "0"]);
    assert_eq!(of("i-02a00000000000012")[1..3], ["Failed", "1"]);
    let lost = of("i-02a00000000000013");
    assert_eq!(lost[1..3], ["Unreachable", "-"]);
    assert!(!lost[3].is_empty());
}

#[test]
fn renders_the_policy() {
    let (account, example) = (account(), example(RENDER));
    let output = run(&account, &example);
    // What ships has nothing that our own linter warns of.
    assert_eq!(output.stdout, "");
    let sids = record(&account, "guard.json")["Statement"][0]["Sid"].clone();
    assert_eq!(sids, "OnlyExemptPrincipals");
    assert!(account.calls().is_empty(), "it needs no AWS");
}

/// Returns the fenced `sh` blocks of the README and of the findings with the line before each.
fn examples() -> Vec<(String, String)> {
    let mut examples = Vec::new();
    for document in ["README.md", "docs/findings.md"] {
        let text = std::fs::read_to_string(repository().join(document)).unwrap();
        let mut pieces = text.split("\n```sh\n");
        let mut before = pieces.next().unwrap_or_default();
        for piece in pieces {
            let lead = before.lines().last().unwrap_or_default().to_owned();
            let example = piece.split("\n```").next().unwrap_or_default().to_owned();
            examples.push((lead, example));
            before = piece;
        }
    }
    examples
}

fn example(lead: &str) -> String {
    let found = examples().into_iter().find(|(before, _)| before == lead);
    found
        .unwrap_or_else(|| panic!("no document has '{lead}'"))
        .1
}

/// Returns a fresh account that holds what the demo has in its first member account.
fn account() -> Account {
    const MODEL: &str = "222222222222";
    let account = Sandbox::start().account();
    let path = repository().join("tests/sandbox/estates/demo.json");
    let demo: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut estate = json!({"latest_agent": demo["latest_agent"]});
    for kind in ["roles", "service_settings", "documents", "nodes"] {
        let mut items = demo[kind].as_array().unwrap().clone();
        items.retain(|item| item["account"] == MODEL);
        for item in &mut items {
            item["account"] = json!(account.id());
        }
        estate[kind] = Value::Array(items);
    }
    account.seed(&estate);
    // The examples read the desired files that the first use of the README copies, and find the scripts as what is installed does.
    let scripts = repository().join("scripts");
    let bin = account.home().join("bin");
    std::fs::create_dir(&bin).unwrap();
    for (from, to) in [
        ("rollout.d", account.home().join("desired")),
        ("rollout.sh", bin.join("ssm-rollout")),
    ] {
        std::os::unix::fs::symlink(scripts.join(from), to).unwrap();
    }
    account
}

#[track_caller]
fn run(account: &Account, example: &str) -> Output {
    let bin = account.home().join("bin");
    let path = format!(
        "{}:{}:/usr/local/bin:/usr/bin:/bin",
        binaries().display(),
        bin.display()
    );
    let output = account
        .tool("/bin/sh")
        .args(["-ec", example])
        .env("PATH", path)
        .run();
    output.assert_status(0);
    output
}

/// Returns `target/PROFILE`, where the tools are beside the directory of this test.
fn binaries() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let directory = test.ancestors().nth(2).unwrap().to_owned();
    assert!(
        directory.join("ssm-prefs").exists(),
        "no ssm-prefs in {}: run `cargo build` first",
        directory.display()
    );
    directory
}

fn record(account: &Account, name: &str) -> Value {
    let path: PathBuf = Path::new(account.home()).join(name);
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}
