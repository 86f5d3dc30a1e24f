//! `send` reads the secrets of its destinations with the policy that `ssm-events` prints for its flags, and not without one action of it. They
//! are in a parameter and in a secret, each under a customer managed key.

use std::path::Path;

use serde_json::{Value, json};
use testbed::{Account, Front, Sandbox, Slack};

use super::bin;
use super::denied::names;

const EVENT: &str = r#"{"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": "e-1", "awsRegion": "us-east-1",
    "eventTime": "2026-11-24T03:00:00Z", "recipientAccountId": "111122223333"}"#;

/// Keeps a secret under a key, in a parameter and in Secrets Manager.
fn keep(account: &Account, key: &Value, name: &str, secret: &str) {
    let create = |words: [&str; 2], body: Value| {
        let body = body.to_string();
        account.aws(&[&words[..], &["--cli-input-json", &body]].concat());
    };
    create(
        ["ssm", "put-parameter"],
        json!({"Name": format!("/{name}"), "Type": "SecureString", "KeyId": key, "Value": secret}),
    );
    create(
        ["secretsmanager", "create-secret"],
        json!({"Name": name, "KmsKeyId": key, "SecretString": secret}),
    );
}

/// Sends with the whole policy that is about this desired state, and without each action that reads the secret.
fn hold(account: &Account, flags: &[&str], front: &Front, desired: &Value, actions: [&str; 2]) {
    let spool = flags.concat().replace('/', "-");
    // A policy is asked for once for each file.
    let path = account.home().join(format!("{spool}.json"));
    std::fs::write(&path, desired.to_string()).unwrap();
    let send = |spool: &str| {
        let run = account.tool(bin("ssm-events"));
        run.args(["send", "--interval", "0", "--retry-for", "0"])
            .args([Path::new("--spool"), &account.home().join(spool)])
            .args(flags)
            .env("AWS_CA_BUNDLE", front.certificate())
            .stdin(EVENT)
            .narrowed_by(&path)
    };
    let sent = send(&spool).run();
    sent.assert_status(0).assert_stderr("");
    assert_eq!(sent.json()["status"], "delivered", "{flags:?}");
    for action in actions {
        let lacking = send(&format!("{spool}-{action}"));
        let refused = lacking.without(action).run();
        refused.assert_status(2);
        assert!(!refused.refused.is_empty(), "{flags:?} without {action}");
        assert!(names(&refused, action), "{flags:?}: {refused:?}");
    }
}

#[test]
fn secrets_of_destinations() {
    let account = Sandbox::start().account();
    let key = account.aws(&["kms", "create-key"])["KeyMetadata"]["Arn"].clone();
    let (webhook, bot, json) = (Slack::start(), Slack::bot(), Slack::json());
    let front = Front::start(json.address(), account.home());
    std::fs::write(account.home().join("body.jq"), "{id: .event.event_id}").unwrap();
    let api = format!("http://{}/api", bot.address());
    let hook = format!("{}/hooks/x", front.url());
    let of_bot = ["--channel", "C0123456789", "--slack-api", &api];
    let of_url = ["--allow-local-address", "--jq-file", "body.jq"];
    let ways: [(&str, &str, &[&str]); 4] = [
        ("--webhook", webhook.url(), &[]),
        ("--routes", webhook.url(), &[]),
        ("--slack-token", "xoxb-b0t", &of_bot),
        ("--url", &hook, &of_url),
    ];
    for (flag, secret, more) in ways {
        let name = flag.trim_start_matches('-');
        keep(&account, &key, name, secret);
        for (kind, source, action) in [
            ("parameter", format!("/{name}"), "ssm:GetParameter"),
            ("secret", name.to_owned(), "secretsmanager:GetSecretValue"),
        ] {
            let webhook = json!({kind: source});
            let value = match flag {
                "--routes" => {
                    let to = json!({"ops": {"slack_webhook": webhook}});
                    let routes = json!({"default": ["ops"], "destinations": to});
                    let file = format!("{kind}.routes");
                    std::fs::write(account.home().join(&file), routes.to_string()).unwrap();
                    file
                }
                _ => format!("{kind}:{source}"),
            };
            // The one that a desired state names; the secrets of the others are in none.
            let webhook = match flag {
                "--webhook" => webhook,
                _ => json!({"env": "WEBHOOK"}),
            };
            let flags = [&[flag, value.as_str()], more].concat();
            let actions = [action, "kms:Decrypt"];
            let desired = json!({"webhook": webhook});
            hold(&account, &flags, &front, &desired, actions);
        }
    }
    let counts = [webhook, bot, json].map(|service| service.messages().len());
    assert_eq!(counts, [4, 2, 2]);
}
