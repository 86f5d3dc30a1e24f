//! What a customer managed key encrypts is read with the policy that a tool prints, and not without the key.

use serde_json::json;
use testbed::{Account, Output, Run, Sandbox};

use super::bin;

const R: &str = "us-east-1";

/// Returns an account with a key, and the ARN of that.
fn account() -> (Account, String) {
    let account = Sandbox::start().account();
    let key = account.aws(&["kms", "create-key"]);
    let arn = key["KeyMetadata"]["Arn"].as_str().unwrap().to_owned();
    (account, arn)
}

/// Makes a bucket whose objects a key encrypts.
fn bucket(account: &Account, key: &str) -> String {
    let bucket = format!("encrypted-{}", account.id());
    account.aws(&["s3api", "create-bucket", "--bucket", &bucket]);
    let rule = json!({"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}]});
    let rule = rule.to_string();
    let encryption = ["s3api", "put-bucket-encryption", "--bucket", &bucket];
    let of_rule = ["--server-side-encryption-configuration", &rule];
    account.aws(&[&encryption[..], &of_rule].concat());
    bucket
}

/// Runs it as it is, and without kms:Decrypt in its policy. Returns what the former printed.
fn hold(run: impl Fn() -> Run) -> Output {
    let whole = run().run();
    let without = run().without("kms:Decrypt").run();
    assert!(!without.refused.is_empty(), "no key was used: {whole:?}");
    without.assert_status(2);
    whole
}

#[test]
fn log_files_of_a_trail() {
    let (account, key) = account();
    let bucket = bucket(&account, &key);
    let body = account.home().join("log.json");
    let record = json!({"eventID": "e-1", "eventName": "StartSession", "eventSource": "ssm.amazonaws.com",
        "eventTime": "2026-11-02T10:00:00Z", "awsRegion": R, "recipientAccountId": account.id()});
    std::fs::write(&body, json!({"Records": [record]}).to_string()).unwrap();
    let path = format!(
        "AWSLogs/{0}/CloudTrail/{R}/2026/11/02/{0}_CloudTrail_{R}_20261102T1000Z_a.json",
        account.id()
    );
    let put = ["s3api", "put-object", "--bucket", &bucket, "--key", &path];
    account.aws(&[&put[..], &["--body", body.to_str().unwrap()]].concat());
    let read = hold(|| {
        let place = format!("s3://{bucket}");
        let arguments = ["history", "--s3", &place, "--since", "2026-11-01"];
        account.tool(bin("ssm-events")).args(arguments)
    });
    read.assert_status(0);
    assert!(read.stdout.contains("e-1"), "{read:?}");
}

#[test]
fn outputs_of_commands() {
    let (account, key) = account();
    let bucket = bucket(&account, &key);
    let long = "0123456789".repeat(5_000);
    let id = "i-0000000000000000a";
    account.seed(
        &json!({"nodes": [{"account": account.id(), "region": R, "instance_id": id,
        "agent": {"version": "3.3.987.0", "run_output": [{"stdout": long}, {"stdout": long}]}}]}),
    );
    let read = hold(|| {
        let place = format!("s3://{bucket}/run");
        let run = account.tool(bin("ssm-run"));
        run.args(["--output-s3", &place, "--", "id"]).stdin(id)
    });
    read.assert_status(0);
    assert!(read.stdout.contains(&long));
}

/// Plans and checks alerts whose webhook is kept by AWS.
fn alerts(account: &Account, webhook: &serde_json::Value) {
    account.start_trail();
    let desired = json!({"webhook": webhook}).to_string();
    let run = |verb: &str, stdin: &str| {
        let run = account.tool(bin("ssm-events"));
        run.args([verb]).stdin(stdin)
    };
    let plan = hold(|| run("plan", &desired));
    plan.assert_status(0);
    // That it lacks the key is one of the faults.
    run("apply", &plan.stdout).run().assert_status(0);
    hold(|| run("check", &desired)).assert_status(0);
}

#[test]
fn a_webhook_in_a_secret() {
    let (account, key) = account();
    let secret = json!({"Name": "slack", "KmsKeyId": key,
        "SecretString": "https://hooks.slack.com/services/T0/B0/x"});
    let secret = secret.to_string();
    let create = ["secretsmanager", "create-secret", "--cli-input-json"];
    account.aws(&[&create[..], &[secret.as_str()]].concat());
    alerts(&account, &json!({"secret": "slack"}));
}

#[test]
fn a_webhook_in_a_parameter() {
    let (account, key) = account();
    let url = "https://hooks.slack.com/services/T0/B0/x";
    let parameter = json!({"Name": "/slack", "Type": "SecureString", "KeyId": key, "Value": url});
    let parameter = parameter.to_string();
    let put = ["ssm", "put-parameter", "--cli-input-json"];
    account.aws(&[&put[..], &[parameter.as_str()]].concat());
    alerts(&account, &json!({"parameter": "/slack"}));
}
