//! The way through Lambda: the documents of the function, the changes towards it, what is wrong with it.

use cli::{Reading, Severity, Target};
use serde_json::{Value, json};

use crate::alerts::model::{
    Action, Desired, DesiredFunction, Hashes, Observed, PLAN, RuleTarget, Webhook,
};
use crate::alerts::rule;

/// An operating system and nothing else: the package brings its program.
pub(crate) const RUNTIME: &str = concat!("provided", ".", "al2023");

/// Of the function that this tool makes.
pub(crate) const DESCRIPTION: &str = "Sends Slack alerts for Systems Manager use";
/// The name of the program in the package.
pub(crate) const HANDLER: &str = "bootstrap";

/// Enough for Slack to be tried for a while, and for a secret to be read.
const TIMEOUT_SECONDS: i32 = 60;
/// The least that Lambda has; the function needs a tenth.
const MEMORY_MB: i32 = 128;

/// Returns the ARN of the function.
fn arn(function: &DesiredFunction, target: &Target, partition: &str) -> String {
    format!(
        "arn:{partition}:lambda:{}:{}:function:{}",
        target.region, target.account, function.name.0
    )
}

/// Lambda may use the role, for functions of this account.
/// <https://docs.aws.amazon.com/lambda/latest/dg/permissions-function-role-confused-deputy.html>
pub(crate) fn trust(target: &Target) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": "lambda.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEquals": { "aws:SourceAccount": target.account } },
        }],
    })
}

/// Grants writing logs, reading the one webhook, and giving up into the queue. A secret under a customer key needs
/// `kms:Decrypt` on that key besides, which only its owner can name.
pub(crate) fn role_policy(
    desired: &Desired,
    function: &DesiredFunction,
    target: &Target,
    partition: &str,
) -> Value {
    let account = &target.account;
    // The role serves the functions of all regions.
    let log = format!(
        "arn:{partition}:logs:*:{account}:log-group:/aws/lambda/{}:*",
        function.name.0
    );
    let (action, resource) = match &desired.webhook {
        Webhook::Secret(id) if id.starts_with("arn:") => {
            ("secretsmanager:GetSecretValue", id.clone())
        }
        // Secrets Manager appends six characters to a name.
        Webhook::Secret(id) => (
            "secretsmanager:GetSecretValue",
            format!("arn:{partition}:secretsmanager:*:{account}:secret:{id}-??????"),
        ),
        Webhook::Parameter(name) | Webhook::Env(name) | Webhook::File(name) => (
            "ssm:GetParameter",
            format!(
                "arn:{partition}:ssm:*:{account}:parameter/{}",
                name.trim_start_matches('/')
            ),
        ),
    };
    let queue = format!(
        "arn:{partition}:sqs:*:{account}:{}",
        rule::queue_name(&desired.rule_name.0)
    );
    json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": log },
            { "Effect": "Allow", "Action": action, "Resource": resource },
            { "Effect": "Allow", "Action": "sqs:SendMessage", "Resource": queue },
        ],
    })
}

fn configuration(
    desired: &Desired,
    function: &DesiredFunction,
    target: &Target,
    partition: &str,
) -> Value {
    let webhook = match &desired.webhook {
        Webhook::Env(name) => format!("env:{name}"),
        Webhook::File(path) => format!("file:{path}"),
        Webhook::Parameter(name) => format!("parameter:{name}"),
        Webhook::Secret(id) => format!("secret:{id}"),
    };
    let mut environment = json!({ "SSM_EVENTS_WEBHOOK": webhook });
    if let Some(zone) = &function.time_zone {
        environment["SSM_EVENTS_TIME_ZONE"] = json!(zone);
    }
    json!({
        "role": rule::role_arn(&desired.role_name.0, target, partition),
        "architecture": function.architecture,
        "runtime": RUNTIME,
        "timeout_seconds": TIMEOUT_SECONDS,
        "memory_mb": MEMORY_MB,
        "environment": environment,
    })
}

/// Returns the rule's target: the whole event goes to the function, and what cannot be handed over into the queue.
pub(crate) fn target(
    desired: &Desired,
    function: &DesiredFunction,
    account: &Target,
    partition: &str,
) -> RuleTarget {
    let of_destination = rule::target(desired, account, partition);
    RuleTarget {
        destination: arn(function, account, partition),
        role: String::new(),
        paths: Value::Null,
        template: String::new(),
        ..of_destination
    }
}

/// Returns the states of the function to reach in their order, each with its action and reason; the rule's own come after.
pub(crate) fn wanted(
    desired: &Desired,
    function: &DesiredFunction,
    hashes: &Hashes,
    observed: &Observed,
    target: &Target,
    partition: &str,
) -> Vec<(Action, Value, &'static str)> {
    let configuration = configuration(desired, function, target, partition);
    let queue = rule::queue_arn(&desired.rule_name.0, target, partition);
    let mut wanted = match observed.function.present() {
        None => vec![(
            Action::CreateFunction,
            json!({ "code_sha256": hashes.code.present(), "configuration": configuration, "ready": true, "zip": function.zip }),
            "no function sends alerts to Slack",
        )],
        Some(_) => vec![
            (
                Action::UpdateFunctionCode,
                json!({ "code_sha256": hashes.code.present(), "ready": true, "zip": function.zip }),
                "the function has other code than the package",
            ),
            (
                Action::UpdateFunctionConfiguration,
                json!({ "configuration": configuration, "ready": true }),
                "the function is set up in another way",
            ),
        ],
    };
    wanted.push((
        Action::PutFunctionEventInvokeConfig,
        json!({ "on_failure": queue }),
        "what the function cannot deliver would be lost after two retries",
    ));
    wanted
}

/// Returns what is wrong with the function: severity, ID, message and cure.
pub(crate) fn problems(
    desired: &Desired,
    function: &DesiredFunction,
    hashes: &Hashes,
    observed: &Observed,
    target: &Target,
    partition: &str,
) -> Vec<(Severity, &'static str, String, &'static str)> {
    let (error, warning, apply) = (Severity::Error, Severity::Warning, PLAN);
    let existing = match &observed.function {
        Reading::Absent => {
            return vec![(
                error,
                "events.function.missing",
                "the function does not exist: no alerts are sent".to_owned(),
                apply,
            )];
        }
        Reading::Unknown(why) => {
            let allow = "allow the read that the message names";
            return vec![(
                warning,
                "events.function.unknown",
                format!("the function could not be read: {why}"),
                allow,
            )];
        }
        Reading::Present(existing) => existing,
    };
    let mut found = Vec::new();
    let mut add =
        |severity, id, message: &str| found.push((severity, id, message.to_owned(), apply));
    match &hashes.code {
        Reading::Present(code) if *code != existing.code_sha256 => add(
            warning,
            "events.function.outdated",
            "the function has other code than the package",
        ),
        Reading::Present(_) | Reading::Absent => {}
        Reading::Unknown(why) => add(
            warning,
            "events.function.unknown",
            &format!("whether the function has the code of the package is not known: {why}"),
        ),
    }
    if existing.configuration != configuration(desired, function, target, partition) {
        add(
            error,
            "events.function.drifted",
            "the function is set up in another way than desired",
        );
    }
    if existing.permission != Some(rule::arn(&desired.rule_name.0, target, partition)) {
        add(
            error,
            "events.function.denied",
            "the rule may not invoke the function: no alerts are sent",
        );
    }
    if existing.on_failure != Some(rule::queue_arn(&desired.rule_name.0, target, partition)) {
        add(
            error,
            "events.function.lossy",
            "what the function cannot deliver is lost after two retries",
        );
    }
    found
}
