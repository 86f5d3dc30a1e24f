//! Profiles whose roles take a code of an MFA device: asked for on a terminal, else said.

use std::path::Path;

use serde_json::Value;
use testbed::{Account, Run, Sandbox, repository};

use super::{READERS, complains, config, readers};

const CODE: &str = "123456";

/// Writes profiles: keys, a role that takes a code, one that is assumed through it, and one on its own keys.
fn profiles(account: &Account) -> std::path::PathBuf {
    let (id, key) = (account.id(), account.access_key());
    config(
        account,
        &format!(
            "[profile keys]\naws_access_key_id = {key}\naws_secret_access_key = canary\n\
             [profile admin]\nrole_arn = arn:aws:iam::{id}:role/admin\nsource_profile = keys\nexternal_id = canary-id\n\
             mfa_serial = arn:aws:iam::{id}:mfa/me\nduration_seconds = 900\n\
             [profile through]\nrole_arn = arn:aws:iam::{id}:role/through\nsource_profile = admin\nrole_session_name = me\n\
             [profile own]\nrole_arn = arn:aws:iam::{id}:role/own\nsource_profile = own\nmfa_serial = GAHT12345678\n\
             aws_access_key_id = {key}\naws_secret_access_key = canary\n\
             [profile environment]\nrole_arn = arn:aws:iam::{id}:role/environment\ncredential_source = Environment\n\
             mfa_serial = GAHT12345678\n"
        ),
    )
}

/// Returns a run on a terminal on which this is typed when a code is asked for.
fn on_terminal(account: &Account, number: usize, answer: &str) -> Run {
    let (tool, arguments, stdin) = READERS[number];
    typed(account, answer, tool).args(arguments).stdin(stdin)
}

fn typed(account: &Account, answer: &str, tool: &str) -> Run {
    account
        .tool(repository().join(".venv/bin/python"))
        .args([
            repository()
                .join("tests/configuration/on_terminal.py")
                .as_path(),
            Path::new(answer),
        ])
        .args([repository().join("target/debug").join(tool)])
        .env("AWS_CONFIG_FILE", profiles(account))
}

fn assumed(account: &Account) -> Vec<Value> {
    let calls = account.calls().into_iter();
    let assumed = calls.filter(|call| call["operation"] == "AssumeRole");
    assumed.map(|call| call["params"].clone()).collect()
}

#[test]
fn asks_on_the_terminal_and_uses_the_code_once() {
    for number in 0..READERS.len() {
        for (profile, serial, n_roles) in [
            ("admin", "arn:aws:iam::ID:mfa/me", 1),
            ("through", "arn:aws:iam::ID:mfa/me", 2),
            ("own", "GAHT12345678", 1),
            ("environment", "GAHT12345678", 1),
        ] {
            let account = Sandbox::start().account();
            let run = on_terminal(&account, number, CODE).args(["--profile", profile]);
            let output = run.run();
            output.assert_status(0);
            let serial = serial.replace("ID", account.id());
            let asks = format!("MFA code of {serial} for profile '");
            assert_eq!(output.stderr.matches(&asks).count(), 1, "{}", output.stderr);
            assert!(!output.stderr.contains("canary"), "{}", output.stderr);
            assert!(output.stdout.starts_with('{'), "{}", output.stdout);
            let assumed = assumed(&account);
            assert_eq!(assumed.len(), n_roles, "{profile}: {assumed:?}");
            assert_eq!(assumed[0]["SerialNumber"], serial);
            assert_eq!(assumed[0]["TokenCode"], CODE);
            if profile == "admin" {
                assert_eq!(assumed[0]["ExternalId"], "canary-id");
                assert_eq!(
                    assumed[0]["DurationSeconds"].to_string().trim_matches('"'),
                    "900"
                );
            }
            if let Some(last) = assumed.get(1) {
                assert!(
                    last["TokenCode"].is_null() && last["RoleSessionName"] == "me",
                    "{last}"
                );
            }
        }
    }
}

#[test]
fn without_a_terminal_it_says_what_to_do() {
    let account = Sandbox::start().account();
    for name in ["--profile", "AWS_PROFILE"] {
        for (tool, run) in readers(&account) {
            let run = run.env("AWS_CONFIG_FILE", profiles(&account));
            let run = match name {
                "AWS_PROFILE" => run
                    .env(name, "admin")
                    .env_remove("AWS_ACCESS_KEY_ID")
                    .env_remove("AWS_SECRET_ACCESS_KEY"),
                _ => run.args([name, "admin"]),
            };
            let said = "profile 'admin' takes a code of the MFA device arn:aws:iam::ID:mfa/me, and there is no terminal to ask on: \
                run `eval \"$(aws configure export-credentials --profile admin --format env)\"`, then this without --profile\n";
            complains(&run.run(), tool, &said.replace("ID", account.id()));
        }
    }
    assert_eq!(account.calls(), Vec::<Value>::new());
}

/// What the hint ends in: keys in the environment need no code, whatever `AWS_PROFILE` is.
#[test]
fn keys_in_the_environment_need_no_code() {
    let account = Sandbox::start().account();
    for (_, run) in readers(&account) {
        let run = run.env("AWS_CONFIG_FILE", profiles(&account));
        run.env("AWS_PROFILE", "admin").run().assert_status(0);
    }
    assert_eq!(assumed(&account), Vec::<Value>::new());
}

#[test]
fn a_code_that_is_not_one_and_one_that_is_refused_are_one_line() {
    for (answer, said) in [
        ("12345", "profile 'admin': an MFA code has 6 digits\n"),
        ("", "profile 'admin': an MFA code has 6 digits\n"),
        (
            CODE,
            "AssumeRole arn:aws:iam::ID:role/admin with the code of arn:aws:iam::ID:mfa/me: AccessDenied: ",
        ),
    ] {
        let account = Sandbox::start().account();
        account
            .fault(serde_json::json!({"operation": "AssumeRole", "kind": "denied", "times": -1}));
        let output = on_terminal(&account, 0, answer)
            .args(["--profile", "admin"])
            .run();
        output.assert_status(2);
        output.assert_complains(&format!("ssm-prefs: {}", said.replace("ID", account.id())));
        assert!(!output.stderr.contains("canary"), "{}", output.stderr);
    }
}

/// `apply` listens for Ctrl-C by itself; the terminal still waits for Enter then.
#[test]
fn control_c_where_a_code_is_asked_for_ends_apply_at_once() {
    let account = Sandbox::start().account();
    let ssm_prefs = repository().join("target/debug/ssm-prefs");
    let planned = account.tool(ssm_prefs).args(["plan"]);
    let planned = planned.stdin(r#"{"idle_timeout_minutes": 7}"#).run();
    planned.assert_status(0);
    let output = typed(&account, "^C", "ssm-prefs")
        .args(["apply", "--profile", "admin"])
        .stdin(planned.stdout)
        .run();
    output.assert_status(130);
    assert!(output.stderr.contains("MFA code of "), "{}", output.stderr);
    let results = &output.records()[0]["results"];
    assert_eq!(results[0]["status"], "skipped", "{results}");
    assert_eq!(results[0]["error"], "interrupted", "{results}");
    assert!(account.writes().is_empty() && assumed(&account).is_empty());
}
