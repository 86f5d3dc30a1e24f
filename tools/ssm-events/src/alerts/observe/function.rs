//! Reads the function.

use aws_sdk_lambda::types::{Architecture, LastUpdateStatus, State};
use awsconf::reading;
use cli::Reading;
use serde_json::{Value, json};

use super::Clients;
use crate::alerts::model::Function;

/// The statement of the rule in the function's policy.
pub(crate) const STATEMENT: &str = "ssm-events";
const ABSENT: [&str; 1] = ["ResourceNotFoundException"];

pub(super) async fn function(clients: &Clients, name: &str, rule: &str) -> Reading<Function> {
    let client = &clients.lambda;
    let got = client
        .get_function_configuration()
        .function_name(name)
        .send()
        .await;
    let got = match reading(format!("GetFunctionConfiguration {name}"), &ABSENT, got) {
        Reading::Present(got) => got,
        Reading::Absent => return Reading::Absent,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let invoke = client
        .get_function_event_invoke_config()
        .function_name(name)
        .send()
        .await;
    let invoke = reading(
        format!("GetFunctionEventInvokeConfig {name}"),
        &ABSENT,
        invoke,
    );
    let policy = client.get_policy().function_name(name).send().await;
    let policy = reading(format!("GetPolicy {name}"), &ABSENT, policy);
    let (invoke, policy) = match (invoke, policy) {
        (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => {
            return Reading::Unknown(reason);
        }
        (invoke, policy) => (invoke, policy),
    };
    let on_failure = invoke.present().and_then(|invoke| {
        invoke
            .destination_config()?
            .on_failure()?
            .destination()
            .map(str::to_owned)
    });
    let policy: Value = policy
        .present()
        .and_then(|policy| serde_json::from_str(policy.policy()?).ok())
        .unwrap_or_default();
    let environment = got
        .environment()
        .and_then(|environment| environment.variables());
    let environment: std::collections::BTreeMap<_, _> = environment.into_iter().flatten().collect();
    let architecture = match got.architectures() {
        [Architecture::Arm64] => "arm64",
        _ => "x86_64",
    };
    Reading::Present(Function {
        code_sha256: got.code_sha256().unwrap_or_default().to_owned(),
        configuration: json!({
            "role": got.role(), "architecture": architecture, "runtime": got.runtime().map(|runtime| runtime.as_str()),
            "timeout_seconds": got.timeout(), "memory_mb": got.memory_size(), "environment": environment,
        }),
        on_failure,
        permission: permission(&policy, rule),
        ready: got.state().is_none_or(|state| *state == State::Active)
            && got
                .last_update_status()
                .is_none_or(|status| *status == LastUpdateStatus::Successful),
    })
}

/// Returns the rule that this tool's statement lets invoke the function. A stack chooses the name of its statement itself, so
/// without one of this tool any for the rule will do.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-permission.html>
fn permission(policy: &Value, rule: &str) -> Option<String> {
    let statements = || policy["Statement"].as_array().into_iter().flatten();
    let own = statements()
        .filter(|statement| statement["Sid"] == STATEMENT)
        .find_map(permitted);
    let end = format!(":rule/{rule}");
    own.or_else(|| {
        statements()
            .filter_map(permitted)
            .find(|source| source.ends_with(&end))
    })
}

fn permitted(statement: &Value) -> Option<String> {
    let allows = statement["Effect"] == "Allow"
        && statement["Principal"]["Service"] == "events.amazonaws.com"
        && statement["Action"] == "lambda:InvokeFunction";
    let source = statement["Condition"]["ArnLike"]["AWS:SourceArn"].as_str();
    source.filter(|_| allows).map(str::to_owned)
}
