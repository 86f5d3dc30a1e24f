//! Two accounts: in one a stack is made, in the other a plan is applied, and both are asked the same.

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::{Account, Output, offline, repository};

/// What holds the webhook in the environment of a plan; a secret, which no template holds.
pub(crate) const WEBHOOK: &str = "http://127.0.0.1:9/services/T0/B0/c4n4ry";

/// The name of every stack.
const STACK: &str = "rendered";

/// Calls by service, operation and what is given, all in one process: the AWS CLI takes a second to start.
const CALL: &str = "import boto3, json, sys
def call(service, operation, given):
    region = given.pop('region', None)
    return getattr(boto3.client(service, region_name=region), operation)(**given)
print(json.dumps([call(*wanted) for wanted in json.load(sys.stdin)], default=str))";

/// What AWS makes up: IDs, names and times.
const MADE_UP: [&str; 13] = [
    "CreateDate",
    "CreationDate",
    "CreationTime",
    "KeyId",
    "LastAuthorizedTime",
    "LastModified",
    "LastModifiedTime",
    "ResponseMetadata",
    "RevisionId",
    "RoleId",
    "RoleLastUsed",
    "SecretArn",
    "creationTime",
];

/// A call of the API.
pub(crate) type Call<'a> = (&'a str, &'a str, Value);

fn exe(tool: &str) -> PathBuf {
    repository().join("target/debug").join(tool)
}

pub(crate) fn run(account: &Account, tool: &str, arguments: &[&str], input: &str) -> Output {
    let tool = account.tool(exe(tool)).env("WEBHOOK", WEBHOOK);
    tool.args(arguments).stdin(input).run()
}

/// Renders offline: whatever a template holds, it has from the desired state.
pub(crate) fn render(tool: &str, arguments: &[&str], desired: &str) -> Output {
    let arguments = ["render"].iter().chain(arguments);
    offline(exe(tool)).args(arguments).stdin(desired).run()
}

/// Returns a template, of which nothing is said.
pub(crate) fn template(tool: &str, arguments: &[&str], desired: &str) -> String {
    let arguments = [&["--cloudformation"], arguments].concat();
    let rendered = render(tool, &arguments, desired);
    rendered.assert_status(0).assert_stderr("");
    rendered.stdout
}

/// Runs Python in an account.
pub(crate) fn python(account: &Account, arguments: &[&str], input: &str) -> String {
    let python = account.tool(repository().join(".venv/bin/python"));
    let python = python.env("AWS_DEFAULT_REGION", "us-east-1");
    let output = python.args(arguments).stdin(input).run();
    output.assert_status(0);
    output.stdout
}

/// Returns what AWS answers to every call; `ACCOUNT` in what is given is replaced by the account.
pub(crate) fn answers(account: &Account, calls: &[Call<'_>]) -> Vec<Value> {
    let calls = json!(calls).to_string().replace("ACCOUNT", account.id());
    serde_json::from_str(&python(account, &["-c", CALL], &calls)).unwrap()
}

/// Makes a stack of a template in a region.
pub(crate) fn deploy(account: &Account, region: &str, template: &str, parameters: &[(&str, &str)]) {
    let events = change(account, "create_stack", region, template, parameters);
    assert!(events.is_empty(), "{events:#?}");
}

/// Returns why a stack fails.
pub(crate) fn refused(
    account: &Account,
    template: &str,
    parameters: &[(&str, &str)],
) -> Vec<String> {
    change(account, "create_stack", "us-east-1", template, parameters)
}

/// Changes the stack to another template.
pub(crate) fn update(account: &Account, region: &str, template: &str) {
    let events = change(account, "update_stack", region, template, &[]);
    assert!(events.is_empty(), "{events:#?}");
}

/// Deletes the stack.
pub(crate) fn delete(account: &Account, region: &str) {
    let given = json!({ "region": region, "StackName": STACK });
    let delete = ("cloudformation", "delete_stack", given);
    let list = ("cloudformation", "list_stacks", json!({ "region": region }));
    let stacks = &answers(account, &[delete, list])[1]["StackSummaries"];
    assert_eq!(stacks[0]["StackStatus"], "DELETE_COMPLETE", "{stacks:#}");
}

/// Makes or changes the stack, and returns what failed.
fn change(
    account: &Account,
    operation: &str,
    region: &str,
    template: &str,
    parameters: &[(&str, &str)],
) -> Vec<String> {
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|(key, value)| json!({ "ParameterKey": key, "ParameterValue": value }))
        .collect();
    let wanted = json!({ "region": region, "StackName": STACK, "TemplateBody": template,
        "Parameters": parameters, "Capabilities": ["CAPABILITY_NAMED_IAM"] });
    let describe = json!({ "region": region, "StackName": STACK });
    let calls = [
        ("cloudformation", operation, wanted),
        ("cloudformation", "describe_stacks", describe.clone()),
        ("cloudformation", "describe_stack_events", describe),
    ];
    let [_, stacks, events] = &answers(account, &calls)[..] else {
        panic!("as many answers as calls");
    };
    assert!(!stacks.to_string().contains("c4n4ry"), "{stacks}");
    assert!(!events.to_string().contains("c4n4ry"), "{events}");
    let status = stacks["Stacks"][0]["StackStatus"].as_str();
    if status.is_some_and(|status| ["CREATE_COMPLETE", "UPDATE_COMPLETE"].contains(&status)) {
        return Vec::new();
    }
    assert_eq!(status, Some("ROLLBACK_COMPLETE"), "{events:#}");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let events = events["StackEvents"].as_array().into_iter().flatten();
    let failed = events.filter(|event| event["ResourceStatus"] == "CREATE_FAILED");
    failed
        .map(|event| {
            let (id, reason) = (&event["LogicalResourceId"], &event["ResourceStatusReason"]);
            format!("{}: {}", text(id), text(reason))
        })
        .collect()
}

pub(crate) fn apply(account: &Account, tool: &str, arguments: &[&str], desired: &str) {
    let plan = run(account, tool, &[&["plan"], arguments].concat(), desired);
    plan.assert_status(0);
    run(account, tool, &["apply"], &plan.stdout).assert_status(0);
}

/// Fails unless nothing is left to do in the account of the stack.
pub(crate) fn assert_nothing_to_do(
    account: &Account,
    tool: &str,
    arguments: &[&str],
    desired: &str,
) {
    let plan = run(account, tool, &[&["plan"], arguments].concat(), desired);
    plan.assert_status(0).assert_stderr("");
    assert!(!plan.records().is_empty());
    for plan in plan.records() {
        assert_eq!(plan["changes"], json!([]));
    }
    assert!(account.problems().is_empty(), "{:?}", account.problems());
}

/// Returns what `show` prints of a desired state.
pub(crate) fn shown(account: &Account, tool: &str, arguments: &[&str], desired: &str) -> Value {
    let shown = run(account, tool, &[&["show"], arguments].concat(), desired);
    shown.assert_status(0);
    reported(account, &json!(shown.records()))
}

/// Fails unless both accounts answer alike to every call.
pub(crate) fn assert_alike(stack: &Account, applied: &Account, calls: &[Call<'_>]) {
    let of_stack = answers(stack, calls).into_iter();
    let answers = of_stack.zip(answers(applied, calls));
    for (call, (of_stack, of_apply)) in calls.iter().zip(answers) {
        assert_eq!(
            reported(stack, &of_stack),
            reported(applied, &of_apply),
            "{call:?}"
        );
    }
}

/// Returns what is said of an account, without what no two accounts share.
pub(crate) fn reported(account: &Account, value: &Value) -> Value {
    match value {
        // Policies are texts whose spaces mean nothing.
        Value::String(text) if text.starts_with('{') => {
            reported(account, &serde_json::from_str(text).unwrap())
        }
        Value::String(text) => json!(without_ids(&text.replace(account.id(), "ACCOUNT"))),
        Value::Array(items) => items.iter().map(|item| reported(account, item)).collect(),
        Value::Object(fields) => {
            let fields = fields.iter();
            let fields = fields.filter(|(name, _)| !MADE_UP.contains(&name.as_str()));
            fields
                .map(|(name, field)| {
                    let name = without_ids(&name.replace(account.id(), "ACCOUNT"));
                    (name, reported(account, field))
                })
                .collect()
        }
        other => other.clone(),
    }
}

/// Replaces every UUID.
fn without_ids(text: &str) -> String {
    let is_uuid = |word: &str| {
        let parts: Vec<usize> = word.split('-').map(str::len).collect();
        parts == [8, 4, 4, 4, 12] && word.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
    };
    let words = text.split_inclusive(['/', ':']).map(|word| {
        let (id, end) = match word.strip_suffix(['/', ':']) {
            Some(id) => (id, &word[id.len()..]),
            None => (word, ""),
        };
        if is_uuid(id) {
            format!("UUID{end}")
        } else {
            word.to_owned()
        }
    });
    words.collect()
}
