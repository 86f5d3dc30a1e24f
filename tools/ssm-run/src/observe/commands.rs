//! ListCommands: how far commands are, and which commands a run has sent.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::primitives::{DateTime, DateTimeFormat};
use aws_sdk_ssm::types::{Command, CommandFilter, CommandFilterKey};
use awsconf::{describe, is_access_denied};

use crate::in_flight::{InFlightCommand, Waiting};

/// The largest page.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ListCommands.html>
const MAX_RESULTS: i32 = 50;

/// A call that failed after the SDK's own retries.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) kind: FailureKind,
    pub(crate) error: anyhow::Error,
}

/// What to do about a failed call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// Wait longer, however often.
    Throttled,
    /// Never ask again.
    Denied,
    /// Wait and ask again some times.
    Other,
}

impl Failure {
    pub(crate) fn of<E, R>(call: String, error: SdkError<E, R>) -> Failure
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: std::fmt::Debug + Send + Sync + 'static,
    {
        let kind = match &error {
            error if is_access_denied(error) => FailureKind::Denied,
            SdkError::ServiceError(service) if is_throttled(service.err().code()) => {
                FailureKind::Throttled
            }
            _ => FailureKind::Other,
        };
        Failure {
            kind,
            error: describe(call, error),
        }
    }
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/CommonErrors.html>
pub(crate) fn is_throttled(code: Option<&str>) -> bool {
    code.is_some_and(|code| {
        code.starts_with("Throttling")
            || [
                "TooManyRequestsException",
                "RequestLimitExceeded",
                "RequestThrottled",
            ]
            .contains(&code)
    })
}

/// Returns the commands sent since a moment, of one document when it is named, until `has_enough` of them are there.
pub(crate) async fn since(
    client: &Client,
    moment: DateTime,
    document: Option<&str>,
    mut has_enough: impl FnMut(&[Command]) -> bool,
) -> Result<Vec<Command>, Failure> {
    let mut found = Vec::new();
    let mut token = None;
    loop {
        let call = client
            .list_commands()
            .max_results(MAX_RESULTS)
            .set_filters(Some(filters(moment, document)?));
        let page = call.set_next_token(token).send().await;
        let page = page.map_err(|error| Failure::of("ListCommands".to_owned(), error))?;
        found.extend(page.commands.unwrap_or_default());
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() || has_enough(&found) {
            return Ok(found);
        }
    }
}

/// Returns one command; none when there is no such command here.
pub(crate) async fn one(client: &Client, command_id: &str) -> Result<Option<Command>, Failure> {
    let answer = client.list_commands().command_id(command_id).send().await;
    match answer {
        Ok(page) => Ok(page.commands.unwrap_or_default().into_iter().next()),
        Err(SdkError::ServiceError(service)) if service.err().is_invalid_command_id() => Ok(None),
        Err(error) => Err(Failure::of(format!("ListCommands {command_id}"), error)),
    }
}

fn filters(moment: DateTime, document: Option<&str>) -> Result<Vec<CommandFilter>, Failure> {
    let unexpected = |error: anyhow::Error| Failure {
        kind: FailureKind::Other,
        error,
    };
    // Fractions of a second are not in the format that the page gives.
    let moment = DateTime::from_secs(moment.secs()).fmt(DateTimeFormat::DateTime);
    let moment = moment.map_err(|error| unexpected(error.into()))?;
    let filter = |key: CommandFilterKey, value: &str| {
        let filter = CommandFilter::builder().key(key).value(value).build();
        filter.map_err(|error| unexpected(error.into()))
    };
    let mut filters = vec![filter(CommandFilterKey::InvokedAfter, &moment)?];
    if let Some(document) = document {
        filters.push(filter(CommandFilterKey::DocumentName, document)?);
    }
    Ok(filters)
}

/// Returns a command as it is followed.
pub(crate) fn flown(
    now: Duration,
    command: &Command,
    waiting: BTreeMap<String, Waiting>,
) -> InFlightCommand {
    let lasts = match (command.requested_date_time(), command.expires_after()) {
        (Some(from), Some(to)) => u64::try_from(to.secs() - from.secs()).ok(),
        _ => None,
    };
    let is_open = !command.targets().is_empty();
    let mut flown = InFlightCommand::new(
        command.command_id().unwrap_or_default().to_owned(),
        command.document_name().unwrap_or_default().to_owned(),
        waiting,
        is_open,
        now,
        lasts.map(Duration::from_secs),
    );
    flown.requested = command.requested_date_time().map(|time| time.secs());
    flown
}
