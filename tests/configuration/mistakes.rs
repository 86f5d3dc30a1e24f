//! Settings on which the SDK panics, and those that it passes over: one line that names the setting, and status 2.

use testbed::{Run, Sandbox};

use super::{complains, config, readers, write};

/// Each a variable, or `config` for the text of the profile, its value, and what is said.
const MISTAKES: [(&str, &str, &str); 24] = [
    (
        "AWS_RETRY_MODE",
        "adaptve",
        "AWS_RETRY_MODE is 'adaptve': expected standard, adaptive or legacy",
    ),
    (
        "config",
        "retry_mode = never",
        "retry_mode of profile 'default' is 'never'",
    ),
    (
        "AWS_MAX_ATTEMPTS",
        "0",
        "AWS_MAX_ATTEMPTS is '0': expected a number of attempts, 1 or more",
    ),
    ("AWS_MAX_ATTEMPTS", "abc", "AWS_MAX_ATTEMPTS is 'abc'"),
    ("AWS_MAX_ATTEMPTS", "", "AWS_MAX_ATTEMPTS is ''"),
    ("AWS_MAX_ATTEMPTS", "-1", "AWS_MAX_ATTEMPTS is '-1'"),
    (
        "config",
        "max_attempts = 0",
        "max_attempts of profile 'default' is '0'",
    ),
    (
        "config",
        "max_attempts = many",
        "max_attempts of profile 'default' is 'many'",
    ),
    (
        "AWS_ENDPOINT_URL",
        "",
        "AWS_ENDPOINT_URL is empty: remove it, or give it a URL",
    ),
    ("AWS_ENDPOINT_URL_SSM", "", "AWS_ENDPOINT_URL_SSM is empty"),
    ("AWS_ENDPOINT_URL_EC2", "", "AWS_ENDPOINT_URL_EC2 is empty"),
    (
        "AWS_ENDPOINT_URL_ORGANIZATIONS",
        "",
        "AWS_ENDPOINT_URL_ORGANIZATIONS is empty",
    ),
    (
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS",
        " ",
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS is empty",
    ),
    (
        "config",
        "endpoint_url =",
        "endpoint_url of profile 'default' is empty",
    ),
    (
        "config",
        "services = local\n[services local]\nssm =\n  endpoint_url =\n",
        "endpoint_url of ssm in the services of profile 'default' is empty",
    ),
    (
        "AWS_ENDPOINT_URL",
        "localhost:4566",
        "AWS_ENDPOINT_URL is not a URL",
    ),
    (
        "AWS_ENDPOINT_URL_STS",
        "https://me:canary@[",
        "AWS_ENDPOINT_URL_STS is not a URL",
    ),
    (
        "AWS_ENDPOINT_URL_KMS",
        "http://",
        "AWS_ENDPOINT_URL_KMS is not a URL",
    ),
    (
        "config",
        "endpoint_url = ftp://host",
        "endpoint_url of profile 'default' is not a URL",
    ),
    (
        "AWS_ACCESS_KEY_ID",
        "AKIA111122223333\n",
        "AWS_ACCESS_KEY_ID has a line break",
    ),
    (
        "AWS_ACCESS_KEY_ID",
        "AKIA111122223333\r",
        "AWS_ACCESS_KEY_ID has a line break",
    ),
    (
        "AWS_SECRET_ACCESS_KEY",
        "canary\r\n",
        "AWS_SECRET_ACCESS_KEY has a line break",
    ),
    (
        "AWS_SESSION_TOKEN",
        "canary\n",
        "AWS_SESSION_TOKEN has a line break",
    ),
    // No rule of ours knows this one: it is the guard that catches the SDK's panic.
    (
        "config",
        r#"credential_process = printf '{"Version":1,"AccessKeyId":"canary\\n","SecretAccessKey":"canary"}'"#,
        "the AWS SDK cannot use this configuration (it panics at aws-runtime-",
    ),
];

#[test]
fn each_mistake_is_one_line_that_names_the_setting() {
    let account = Sandbox::start().account();
    for (name, value, said) in MISTAKES {
        for (tool, run) in readers(&account) {
            let run = match name {
                "config" => with_profile(
                    run,
                    &config(&account, &format!("[default]\n{value}\n")),
                    value,
                ),
                _ => run.env(name, value),
            };
            let output = run.run();
            complains(&output, tool, said);
            assert!(!output.stderr.contains("canary"), "{}", output.stderr);
        }
    }
    assert!(account.calls().is_empty());
}

/// Variables win over the profile, so those that stand in its way go.
fn with_profile(run: Run, config: &std::path::Path, value: &str) -> Run {
    let run = run.env("AWS_CONFIG_FILE", config);
    match value.split(' ').next() {
        Some("endpoint_url") => run.env_remove("AWS_ENDPOINT_URL"),
        Some("credential_process") => run
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY"),
        _ => run,
    }
}

#[test]
fn a_bundle_without_a_usable_certificate_is_one_line() {
    let account = Sandbox::start().account();
    let broken = "-----BEGIN CERTIFICATE-----\nQUJD\n-----END CERTIFICATE-----\n";
    let (broken, empty) = (
        write(account.home(), "broken.pem", broken),
        write(account.home(), "empty.pem", "not a certificate\n"),
    );
    for (bundle, said) in [
        (broken, "broken.pem: a certificate in it cannot be parsed"),
        (empty, "empty.pem: no certificate in it"),
        (account.home().join("gone.pem"), "gone.pem: No such file"),
    ] {
        for (tool, run) in readers(&account) {
            let output = run.env("AWS_CA_BUNDLE", &bundle).run();
            complains(&output, tool, said);
        }
    }
}

/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-retries.html#cli-usage-retries-legacy>
#[test]
fn legacy_retries_are_five_attempts_as_those_of_the_aws_cli() {
    for name in ["AWS_RETRY_MODE", "config"] {
        let account = Sandbox::start().account();
        account.fault(
            serde_json::json!({"operation": "GetCallerIdentity", "kind": "error", "times": -1}),
        );
        let (tool, run) = readers(&account).next().unwrap();
        let run = match name {
            "config" => run.env(
                "AWS_CONFIG_FILE",
                config(&account, "[default]\nretry_mode = legacy\n"),
            ),
            _ => run.env(name, "legacy"),
        };
        let output = run.env("SSM_TIME_DIVISOR", "100").run();
        complains(&output, tool, "GetCallerIdentity");
        assert_eq!(account.calls().len(), 5, "{name}");
    }
}
