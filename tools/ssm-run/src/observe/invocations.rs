//! ListCommandInvocations: the nodes of one command, page by page.

use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::SdkError;
use aws_sdk_ssm::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ssm::types::{CommandInvocation, CommandPlugin};

use super::commands::Failure;
use crate::invocation_status::{InvocationStatus, Plugin};

/// The largest page.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommandInvocations.html>
const MAX_RESULTS: i32 = 50;

/// Returns what SSM reports of all nodes of a command now, ended or not. One that SSM does not list yet has none.
pub(crate) async fn of(
    client: &Client,
    command_id: &str,
) -> Result<Vec<InvocationStatus>, Failure> {
    let mut seen = Vec::new();
    let mut token = None;
    loop {
        let call = client
            .list_command_invocations()
            .command_id(command_id)
            .details(true)
            .max_results(MAX_RESULTS);
        let page = match call.set_next_token(token).send().await {
            Ok(page) => page,
            // The lists lag behind SendCommand for a moment.
            Err(SdkError::ServiceError(service)) if service.err().is_invalid_command_id() => {
                return Ok(seen);
            }
            Err(error) => {
                let call = format!("ListCommandInvocations {command_id}");
                return Err(Failure::of(call, error));
            }
        };
        let invocations = page.command_invocations.unwrap_or_default();
        seen.extend(invocations.into_iter().map(from_sdk));
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(seen);
        }
    }
}

fn from_sdk(invocation: CommandInvocation) -> InvocationStatus {
    let status = invocation.status.as_ref();
    let plugins = invocation.command_plugins.unwrap_or_default();
    InvocationStatus {
        command_id: invocation.command_id.unwrap_or_default(),
        instance_id: invocation.instance_id.unwrap_or_default(),
        name: invocation.instance_name.filter(|name| !name.is_empty()),
        document: invocation.document_name,
        status: status.map_or_else(String::new, |status| status.as_str().to_owned()),
        details: invocation.status_details.unwrap_or_default(),
        plugins: plugins.into_iter().map(plugin).collect(),
    }
}

fn plugin(plugin: CommandPlugin) -> Plugin {
    let url = |url: Option<String>| url.filter(|url| !url.is_empty());
    let status = plugin.status.as_ref();
    Plugin {
        name: plugin.name.unwrap_or_default(),
        status: status.map_or_else(String::new, |status| status.as_str().to_owned()),
        code: plugin.response_code,
        started: plugin.response_start_date_time.as_ref().and_then(text),
        ended: plugin.response_finish_date_time.as_ref().and_then(text),
        joined: plugin.output.unwrap_or_default(),
        stdout_url: url(plugin.standard_output_url),
        stderr_url: url(plugin.standard_error_url),
    }
}

fn text(moment: &DateTime) -> Option<String> {
    moment.fmt(DateTimeFormat::DateTime).ok()
}
