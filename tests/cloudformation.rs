//! What a stack makes of a rendered template is what `apply` makes of the same desired state: both are done in accounts of
//! their own, and the tools see no difference.

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox, offline, repository};

const PREFERENCES: &str = r#"{
    "kms_key": {"alias": "alias/sessions", "create": true},
    "s3": {"bucket": "logs-{account}-{region}", "prefix": "p", "create": true, "expire_days": 400},
    "cloudwatch": {"log_group": "/sessions/{region}", "create": true, "retention_days": 400},
    "idle_timeout_minutes": 20, "shell_profile": {"linux": "echo ${USER}"}, "shell": "bash"}"#;

/// The region of an account that makes what has no region.
const HOME: &str = "us-east-1";
const OTHER: &str = "eu-central-1";

fn exe(tool: &str) -> PathBuf {
    repository().join("target/debug").join(tool)
}

fn run(account: &Account, tool: &str, arguments: &[&str], input: &str) -> Output {
    account.tool(exe(tool)).args(arguments).stdin(input).run()
}

/// Renders offline: whatever a template holds, it has from the desired state.
fn render(tool: &str, arguments: &[&str], desired: &str) -> Output {
    let arguments = ["render", "--cloudformation"].iter().chain(arguments);
    offline(exe(tool)).args(arguments).stdin(desired).run()
}

fn aws(account: &Account, call: &str) -> Value {
    account.aws(&call.split(' ').collect::<Vec<_>>())
}

/// Returns the document that preferences stand for in every account and region.
fn render_document(desired: &str) -> String {
    let rendered = offline(exe("ssm-prefs"))
        .args(["render"])
        .stdin(desired)
        .run();
    rendered.assert_status(0);
    rendered.stdout
}

/// Makes a stack of a template in a region.
fn deploy(account: &Account, region: &str, template: &str, parameters: &[(&str, &str)]) {
    let path = account.home().join("template.json");
    std::fs::write(&path, template).unwrap();
    let body = format!("file://{}", path.display());
    let parameters: Vec<Value> = parameters
        .iter()
        .map(|(key, value)| json!({ "ParameterKey": key, "ParameterValue": value }))
        .collect();
    let parameters = json!(parameters).to_string();
    let call = format!(
        "cloudformation create-stack --region {region} --stack-name rendered --template-body {body} \
         --parameters {parameters} --capabilities CAPABILITY_NAMED_IAM"
    );
    aws(account, &call);
    let call = format!("cloudformation describe-stacks --region {region} --stack-name rendered");
    let stack = aws(account, &call)["Stacks"][0].clone();
    assert_eq!(stack["StackStatus"], "CREATE_COMPLETE", "{stack}");
}

fn apply(account: &Account, tool: &str, arguments: &[&str], desired: &str) {
    let plan: Vec<&str> = ["plan"].iter().chain(arguments).copied().collect();
    let plan = run(account, tool, &plan, desired);
    plan.assert_status(0);
    run(account, tool, &["apply"], &plan.stdout).assert_status(0);
}

/// Fails unless nothing is left to do in the account of the stack.
fn assert_nothing_to_do(account: &Account, tool: &str, arguments: &[&str], desired: &str) {
    let plan: Vec<&str> = ["plan"].iter().chain(arguments).copied().collect();
    let plan = run(account, tool, &plan, desired);
    plan.assert_status(0).assert_stderr("");
    for plan in plan.records() {
        assert_eq!(plan["changes"], json!([]));
    }
    assert!(account.problems().is_empty(), "{:?}", account.problems());
}

/// Returns what a tool or the AWS CLI says, without what no two accounts share: their ids, and ids and times that AWS makes up.
fn told(account: &Account, value: &Value) -> Value {
    match value {
        // Policies are texts whose spaces mean nothing.
        Value::String(text) if text.starts_with('{') => {
            told(account, &serde_json::from_str(text).unwrap())
        }
        Value::String(text) => json!(without_ids(&text.replace(account.id(), "ACCOUNT"))),
        Value::Array(items) => items.iter().map(|item| told(account, item)).collect(),
        Value::Object(fields) => {
            let made_up = [
                "CreateDate",
                "CreationDate",
                "RoleLastUsed",
                "creationTime",
                "RoleId",
            ];
            let fields = fields
                .iter()
                .filter(|(name, _)| !made_up.contains(&name.as_str()));
            fields
                .map(|(name, field)| (name.clone(), told(account, field)))
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

/// Fails unless both accounts answer alike to every call of the AWS CLI; `ACCOUNT` stands for the account.
fn assert_alike(stack: &Account, applied: &Account, calls: &[&str]) {
    for call in calls {
        let answer = |account: &Account| {
            told(
                account,
                &aws(account, &call.replace("ACCOUNT", account.id())),
            )
        };
        assert_eq!(answer(stack), answer(applied), "{call}");
    }
}

#[test]
fn preferences_of_a_stack_are_those_of_apply() {
    let (stack, applied) = (Sandbox::start().account(), Sandbox::start().account());
    let template = render("ssm-prefs", &[], PREFERENCES);
    template.assert_status(0).assert_stderr("");
    deploy(&stack, HOME, &template.stdout, &[]);
    assert_nothing_to_do(&stack, "ssm-prefs", &[], PREFERENCES);
    apply(&applied, "ssm-prefs", &[], PREFERENCES);
    let show = |account: &Account| {
        let shown = run(account, "ssm-prefs", &["show"], "");
        shown.assert_status(0);
        told(account, &shown.json())
    };
    assert_eq!(show(&stack), show(&applied));
    // What no plan looks at.
    let calls = [
        "kms describe-key --key-id alias/sessions",
        "logs describe-log-groups",
        "ssm describe-document --name SSM-SessionManagerRunShell --query Document.[DocumentType,DocumentFormat,SchemaVersion]",
        "s3api get-bucket-encryption --bucket logs-ACCOUNT-us-east-1",
        "s3api get-bucket-lifecycle-configuration --bucket logs-ACCOUNT-us-east-1",
        "s3api get-bucket-policy --bucket logs-ACCOUNT-us-east-1",
    ];
    assert_alike(&stack, &applied, &calls);
    let key_policy = |account: &Account| {
        let key = aws(account, "kms describe-key --key-id alias/sessions");
        let id = key["KeyMetadata"]["KeyId"].as_str().unwrap();
        let call = format!("kms get-key-policy --policy-name default --key-id {id}");
        told(account, &aws(account, &call))
    };
    assert_eq!(key_policy(&stack), key_policy(&applied));
}

#[test]
fn host_management_of_stacks_in_two_regions_is_that_of_apply() {
    let (stack, applied) = (Sandbox::start().account(), Sandbox::start().account());
    let desired = r#"{"default_host_management": {"role_name": "Nodes"}}"#;
    let document = render_document(PREFERENCES);
    let path = stack.home().join("document.json");
    std::fs::write(&path, document).unwrap();
    let template = render("ssm-role", &["--prefs", path.to_str().unwrap()], desired);
    template.assert_status(0).assert_stderr("");
    // The home region is first: the others put their policies on its role.
    for region in [HOME, OTHER] {
        deploy(&stack, region, &template.stdout, &[("HomeRegion", HOME)]);
    }
    // What each plan is made with is what each account and region has, the same in both.
    let with_preferences = |account: &Account| {
        for region in [HOME, OTHER] {
            apply(account, "ssm-prefs", &["--region", region], PREFERENCES);
        }
        let both = ["show", "--region", HOME, "--region", OTHER];
        let shown = run(account, "ssm-prefs", &both, "");
        let path = account.home().join("prefs.jsonl");
        std::fs::write(&path, shown.stdout).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let regions = ["--region", HOME, "--region", OTHER, "--prefs"];
    let path = with_preferences(&stack);
    let arguments = [&regions[..], &[path.as_str()]].concat();
    assert_nothing_to_do(&stack, "ssm-role", &arguments, desired);
    let path = with_preferences(&applied);
    let arguments = [&regions[..], &[path.as_str()]].concat();
    apply(&applied, "ssm-role", &arguments, desired);
    let show = |account: &Account| {
        let shown = run(
            account,
            "ssm-role",
            &["show", "--region", HOME, "--region", OTHER],
            "",
        );
        shown.assert_status(0);
        told(account, &json!(shown.records()))
    };
    assert_eq!(show(&stack), show(&applied));
    let calls = [
        "iam get-role --role-name Nodes",
        "iam get-role-policy --role-name Nodes --policy-name SessionManagerPreferences-eu-central-1",
    ];
    assert_alike(&stack, &applied, &calls);
}

#[test]
fn refuses_layers_in_one_template() {
    let account = Sandbox::start().account();
    let layers = account.home().join("prefs");
    std::fs::create_dir(&layers).unwrap();
    std::fs::write(layers.join("all.json"), PREFERENCES).unwrap();
    let one = r#"{"for": {"region": "eu-central-1"}, "reason": "x", "desired": {"idle_timeout_minutes": 5}}"#;
    std::fs::write(layers.join("eu.json"), one).unwrap();
    let refused = render("ssm-prefs", &["-f", layers.to_str().unwrap()], "");
    refused.assert_status(2).assert_stderr(
        "ssm-prefs: eu-central-1 has its own desired preferences: what is the same everywhere has no overrides; pass one file\n",
    );
    assert_eq!(refused.stdout, "");
}
