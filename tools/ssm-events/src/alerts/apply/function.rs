//! The writes about the function.

use anyhow::{Context, bail};
use aws_sdk_lambda::primitives::Blob;
use aws_sdk_lambda::types::{
    Architecture, DestinationConfig, Environment, FunctionCode, OnFailure, Runtime,
};
use awsconf::describe;
use cli::Change;
use serde_json::Value;

use crate::alerts::function::{DESCRIPTION, HANDLER, RUNTIME};
use crate::alerts::model::{Action, Observed};
use crate::alerts::observe::Clients;
use crate::alerts::observe::function::STATEMENT;
use crate::alerts::package;

/// Makes one change.
pub(super) async fn write(
    clients: &Clients,
    change: &Change<Action>,
    before: &Observed,
) -> anyhow::Result<()> {
    let (client, name, to) = (&clients.lambda, change.resource.as_str(), &change.to);
    match change.action {
        Action::CreateFunction => create(clients, change).await,
        Action::UpdateFunctionCode => {
            let sent = client
                .update_function_code()
                .function_name(name)
                .zip_file(package_of(to)?)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("UpdateFunctionCode {name}"), error))
        }
        Action::UpdateFunctionConfiguration => {
            let wanted = Configuration::of(&to["configuration"])?;
            let sent = client
                .update_function_configuration()
                .function_name(name)
                .role(wanted.role)
                .timeout(wanted.timeout)
                .memory_size(wanted.memory)
                .environment(wanted.environment)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("UpdateFunctionConfiguration {name}"), error))
        }
        Action::PutFunctionEventInvokeConfig if to["on_failure"].is_null() => {
            let sent = client
                .delete_function_event_invoke_config()
                .function_name(name)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("DeleteFunctionEventInvokeConfig {name}"), error))
        }
        Action::PutFunctionEventInvokeConfig => {
            let on_failure = OnFailure::builder()
                .set_destination(to["on_failure"].as_str().map(str::to_owned))
                .build();
            let sent = client
                .put_function_event_invoke_config()
                .function_name(name)
                .destination_config(DestinationConfig::builder().on_failure(on_failure).build())
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("PutFunctionEventInvokeConfig {name}"), error))
        }
        Action::AddPermission => permit(clients, change, before).await,
        _ => {
            let sent = client.delete_function().function_name(name).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("DeleteFunction {name}"), error))
        }
    }
}

/// Replaces this tool's statement: a statement cannot be changed, only removed and added.
async fn permit(
    clients: &Clients,
    change: &Change<Action>,
    before: &Observed,
) -> anyhow::Result<()> {
    let (client, name) = (&clients.lambda, change.resource.as_str());
    let function = before.function.present();
    if function.is_some_and(|function| function.permission.is_some()) {
        let sent = client
            .remove_permission()
            .function_name(name)
            .statement_id(STATEMENT)
            .send()
            .await;
        sent.map_err(|error| describe(format!("RemovePermission {name}"), error))?;
    }
    let Some(source) = change.to["permission"].as_str() else {
        return Ok(());
    };
    let sent = client
        .add_permission()
        .function_name(name)
        .statement_id(STATEMENT)
        .action("lambda:InvokeFunction")
        .principal("events.amazonaws.com")
        .source_arn(source)
        .send()
        .await;
    sent.map(drop)
        .map_err(|error| describe(format!("AddPermission {name}"), error))
}

async fn create(clients: &Clients, change: &Change<Action>) -> anyhow::Result<()> {
    let name = change.resource.as_str();
    let wanted = Configuration::of(&change.to["configuration"])?;
    let package = package_of(&change.to)?;
    let sent = clients
        .lambda
        .create_function()
        .function_name(name)
        .description(DESCRIPTION)
        .runtime(Runtime::from(RUNTIME))
        .handler(HANDLER)
        .role(&wanted.role)
        .architectures(wanted.architecture)
        .timeout(wanted.timeout)
        .memory_size(wanted.memory)
        .environment(wanted.environment)
        .code(FunctionCode::builder().zip_file(package).build())
        .send()
        .await;
    sent.map(drop)
        .map_err(|error| describe(format!("CreateFunction {name}"), error))
}

/// Reads the package again: it must be the one that the plan was made with.
fn package_of(to: &Value) -> anyhow::Result<Blob> {
    let path = to["zip"].as_str().context("`to.zip` of the plan")?;
    let package = package::read(path)?;
    if to["code_sha256"].as_str() != Some(package.sha256.as_str()) {
        bail!("{path} is not the package that the plan was made with: make a new plan");
    }
    Ok(Blob::new(package.bytes))
}

struct Configuration {
    role: String,
    architecture: Architecture,
    timeout: i32,
    memory: i32,
    environment: Environment,
}

impl Configuration {
    fn of(value: &Value) -> anyhow::Result<Configuration> {
        let number = |name: &str| {
            value[name]
                .as_i64()
                .and_then(|number| i32::try_from(number).ok())
        };
        let variables: std::collections::HashMap<String, String> =
            serde_json::from_value(value["environment"].clone())
                .context("`to.configuration.environment`")?;
        Ok(Configuration {
            role: value["role"]
                .as_str()
                .context("`to.configuration.role`")?
                .to_owned(),
            architecture: Architecture::from(value["architecture"].as_str().unwrap_or("x86_64")),
            timeout: number("timeout_seconds").context("`to.configuration.timeout_seconds`")?,
            memory: number("memory_mb").context("`to.configuration.memory_mb`")?,
            environment: Environment::builder()
                .set_variables(Some(variables))
                .build(),
        })
    }
}
