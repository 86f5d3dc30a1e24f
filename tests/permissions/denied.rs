//! One action less than a verb that reads needs: whichever it is, the tool says so, prints what it could read, and exits with 2.

use serde_json::{Value, json};
use testbed::{Account, Output, Run, Sandbox};

use super::{READER, bin, organization, rows, texts};

const R: &str = "us-east-1";

/// An account in which there is something to read for every action of a tool.
struct Scene {
    account: Account,
    tool: &'static str,
    /// What is run: the verb first, with what is on stdin.
    runs: Vec<(Vec<String>, String)>,
}

impl Scene {
    fn new(tool: &'static str, account: Account) -> Scene {
        Scene {
            account,
            tool,
            runs: Vec::new(),
        }
    }

    fn run(mut self, arguments: &[&str], stdin: impl Into<String>) -> Scene {
        let arguments = arguments.iter().map(|one| (*one).to_owned()).collect();
        self.runs.push((arguments, stdin.into()));
        self
    }

    fn prepared(&self, arguments: &[String], stdin: &str) -> Run {
        self.account
            .tool(bin(self.tool))
            .args(arguments)
            .stdin(stdin)
    }
}

fn applied(account: &Account, tool: &str, desired: &Value, flags: &[&str]) {
    let plan = account
        .tool(bin(tool))
        .args(["plan"])
        .stdin(desired.to_string())
        .run();
    plan.assert_status(0);
    let apply = account.tool(bin(tool)).args(["apply"]).args(flags);
    apply.stdin(plan.stdout).run().assert_status(0);
}

fn agentcheck() -> Scene {
    let account = Sandbox::start().account();
    let id = account.id();
    account.seed(&json!({
        "roles": [{"account": id, "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true}],
        "nodes": [
            {"account": id, "region": R, "instance_id": "i-0000000000000000a", "profile": "web", "agent": {"version": "3.3.987.0"}},
            {"account": id, "region": R, "instance_id": "i-0000000000000000b", "agent": null},
        ],
    }));
    let desired = json!({"update": {}, "association": {}});
    applied(&account, "ssm-agentcheck", &desired, &[]);
    let check = json!({"imds": {"require_v2": true}, "connections": "all"});
    Scene::new("ssm-agentcheck", account)
        .run(&["show", "--evidence"], "")
        .run(&["check"], check.to_string())
        .run(&["plan"], desired.to_string())
}

fn role() -> Scene {
    let account = Sandbox::start().account();
    let id = account.id();
    let own = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]});
    account.seed(&json!({
        "roles": [{"account": id, "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true,
            "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"], "inline": {"logs": own}}],
        "nodes": [
            {"account": id, "region": R, "instance_id": "i-0000000000000000a", "profile": "web", "agent": {"version": "3.3.987.0"}},
            {"account": id, "region": R, "instance_id": "mi-0000000000000000b", "agent": {"version": "3.3.987.0", "iam_role": "web"}},
        ],
    }));
    let desired =
        json!({"default_host_management": {}, "instance_profiles": {}, "hybrid_activations": {}});
    applied(&account, "ssm-role", &desired, &[]);
    Scene::new("ssm-role", account)
        .run(&["show"], "")
        .run(&["show", "--operators"], "")
        .run(&["check"], desired.to_string())
        .run(&["plan"], desired.to_string())
}

fn prefs() -> Scene {
    let account = Sandbox::start().account();
    let id = account.id();
    let mut desired = json!({"kms_key": {"alias": "alias/sessions", "create": true},
        "s3": {"bucket": "logs-{account}-{region}", "create": true, "expire_days": 400,
            "object_lock": {"mode": "governance", "days": 1}},
        "cloudwatch": {"log_group": "/sessions", "create": true}});
    applied(&account, "ssm-prefs", &desired, &[]);
    // A transcript that is to be held.
    let session = "operator-0123456789abcdef0";
    let logs = format!("logs-{id}-{R}");
    let put = ["s3api", "put-object", "--checksum-algorithm", "SHA256"];
    let object = ["--bucket", &logs, "--key", &format!("{session}.log")];
    account.aws(&[&put[..], &object].concat());
    desired["s3"]["legal_hold"] = json!([session]);
    account.start_trail();
    let other = json!({"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": {}});
    let create = ["ssm", "create-document", "--document-type", "Session"];
    let named = ["--name", "Other", "--content", &other.to_string()];
    account.aws(&[&create[..], &named].concat());
    Scene::new("ssm-prefs", account)
        .run(&["show"], "")
        .run(&["check"], desired.to_string())
        .run(&["plan"], desired.to_string())
}

fn scp() -> Scene {
    let (account, member, unit) = organization();
    let desired = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": [unit]});
    let lockout = format!("--accept=break_glass:{}", member.id());
    let flags = [
        "--assume-role",
        READER,
        "--accept=unmatched:arn:aws:iam::*:role/ops",
        &lockout,
    ];
    applied(&account, "ssm-scp", &desired, &flags);
    let principal = format!("arn:aws:iam::{}:role/dev", member.id());
    Scene::new("ssm-scp", account)
        .run(&["show"], "")
        .run(&["gaps"], "")
        .run(&["simulate", "--principal", &principal], "")
        .run(&["impact", "--assume-role", READER], desired.to_string())
        .run(&["check"], desired.to_string())
        .run(&["plan"], desired.to_string())
}

/// The way to Slack through an API destination, whose webhook AWS keeps in a parameter.
fn destination() -> Scene {
    let account = Sandbox::start().account();
    let webhook = "https://hooks.slack.com/services/T0/B0/x";
    let key = account.aws(&["kms", "create-key"])["KeyMetadata"]["Arn"].clone();
    let parameter =
        json!({"Name": "/slack", "Type": "SecureString", "KeyId": key, "Value": webhook});
    let parameter = parameter.to_string();
    account.aws(&["ssm", "put-parameter", "--cli-input-json", &parameter]);
    let desired = json!({"webhook": {"parameter": "/slack"},
        "trail": {"name": "all", "home_region": R, "bucket": "trail-{account}"}});
    applied(&account, "ssm-events", &desired, &[]);
    Scene::new("ssm-events", account)
        .run(&["show"], desired.to_string())
        .run(&["check"], desired.to_string())
        .run(&["plan"], desired.to_string())
}

/// The way through a function, whose webhook is a secret, in a region that somebody else's trail covers.
fn function() -> Scene {
    let account = Sandbox::start().account();
    let secret =
        json!({"Name": "slack", "SecretString": "https://hooks.slack.com/services/T0/B0/x"});
    let secret = secret.to_string();
    account.aws(&[
        "secretsmanager",
        "create-secret",
        "--cli-input-json",
        &secret,
    ]);
    account.start_trail();
    let zip = account.home().join("function.zip");
    let code =
        "import sys, zipfile; zipfile.ZipFile(sys.argv[1], 'w').writestr('bootstrap', '#!/bin/sh')";
    let mut packed = std::process::Command::new("python3");
    let packed = packed.args(["-c", code]).args([&zip]).status();
    assert!(packed.unwrap().success());
    let of_function =
        json!({"webhook": {"secret": "slack"}, "role_name": "function", "function": {"zip": zip}});
    applied(&account, "ssm-events", &of_function, &[]);
    // Only an API destination has the URL, so that only then the secret is read here.
    let of_secret =
        json!({"webhook": {"secret": "slack"}, "rule_name": "other", "role_name": "other"});
    applied(&account, "ssm-events", &of_secret, &[]);
    Scene::new("ssm-events", account)
        .run(&["show"], of_function.to_string())
        .run(&["check"], of_function.to_string())
        .run(&["plan"], of_function.to_string())
        .run(&["check"], of_secret.to_string())
        .run(&["plan"], of_secret.to_string())
}

/// Returns the actions that a policy has for a verb.
fn actions(tool: &str, verb: &str) -> Vec<String> {
    let rows = rows(tool);
    let of_verb = rows
        .iter()
        .filter(|row| row["when"] == "always" && texts(&row["verbs"]).contains(&verb));
    let mut actions: Vec<String> = of_verb
        .flat_map(|row| texts(&row["actions"]))
        .map(str::to_owned)
        .collect();
    actions.sort();
    actions.dedup();
    actions
}

/// Returns the name of the operation in a message, or of the action; HEAD has no body that could name it.
pub(super) fn names(output: &Output, action: &str) -> bool {
    let operation = action.split(':').next_back().unwrap();
    let printed = format!("{}{}", output.stdout, output.stderr);
    printed.contains(action)
        || printed.contains(operation)
        || (action == "s3:ListBucket" && printed.contains("HeadBucket"))
}

fn hold(tool: &str) {
    let scenes = scenes(tool);
    let mut missed = Vec::new();
    let mut wrong = Vec::new();
    let runs = || {
        scenes
            .iter()
            .flat_map(|scene| scene.runs.iter().map(move |run| (scene, run)))
    };
    let mut verbs: Vec<&str> = runs()
        .map(|(_, (arguments, _))| arguments[0].as_str())
        .collect();
    verbs.sort_unstable();
    verbs.dedup();
    assert_eq!(verbs, held(tool), "{tool}");
    for (scene, (arguments, stdin)) in runs() {
        let whole = scene.prepared(arguments, stdin).run();
        assert!(whole.status < 2, "{tool} {arguments:?}: {}", whole.stderr);
    }
    for verb in verbs {
        for action in actions(tool, verb) {
            let mut is_reached = false;
            for (scene, (arguments, stdin)) in runs().filter(|(_, run)| run.0[0] == verb) {
                let output = scene.prepared(arguments, stdin).without(&action).run();
                if output.refused.is_empty() {
                    continue;
                }
                is_reached = true;
                let what = format!("{tool} {arguments:?} without {action}");
                if output.status != 2 {
                    wrong.push(format!(
                        "{what}: exit status {}\n{}{}",
                        output.status, output.stdout, output.stderr
                    ));
                } else if !names(&output, &action) {
                    wrong.push(format!(
                        "{what} names it nowhere\n{}{}",
                        output.stdout, output.stderr
                    ));
                }
                // One run is enough, and there are many.
                break;
            }
            if !is_reached {
                missed.push(format!("{verb} {action}"));
            }
        }
    }
    assert!(missed.is_empty(), "{tool}: no scene reaches {missed:#?}");
    assert!(wrong.is_empty(), "{tool}: {}", wrong.join("\n"));
}

/// Returns the scenes of a tool; none for one whose runs are elsewhere.
fn scenes(tool: &str) -> Vec<Scene> {
    match tool {
        "ssm-agentcheck" => vec![agentcheck()],
        "ssm-role" => vec![role()],
        "ssm-prefs" => vec![prefs()],
        "ssm-scp" => vec![scp()],
        "ssm-events" => vec![destination(), function()],
        _ => Vec::new(),
    }
}

/// The verbs of a tool that its scenes run without each action.
pub(super) fn held(tool: &str) -> &'static [&'static str] {
    match tool {
        "ssm-scp" => &["check", "gaps", "impact", "plan", "show", "simulate"],
        "ssm-run" => &[],
        _ => &["check", "plan", "show"],
    }
}

#[test]
fn nodes_that_may_not_be_read() {
    hold("ssm-agentcheck");
}

#[test]
fn roles_that_may_not_be_read() {
    hold("ssm-role");
}

#[test]
fn preferences_that_may_not_be_read() {
    hold("ssm-prefs");
}

#[test]
fn an_organization_that_may_not_be_read() {
    hold("ssm-scp");
}

#[test]
fn alerts_that_may_not_be_read() {
    hold("ssm-events");
}
