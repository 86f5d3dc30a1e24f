//! What an error of SendCommand says about whether the command was taken: sending it again could run it twice.

use aws_sdk_ssm::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ssm::operation::send_command::SendCommandError;
use awsconf::describe;

use crate::observe::commands::is_throttled;

/// What became of a command that was answered with an error.
pub(super) enum SendError {
    /// It was surely not taken, and may be the next time.
    NotNow(anyhow::Error),
    /// It may have been taken.
    Unclear(anyhow::Error),
    /// A node is not there, says AWS in this message.
    NoSuchNode(String),
    /// It was refused for good.
    Final(anyhow::Error),
}

pub(super) fn send_error(call: String, error: SdkError<SendCommandError>) -> SendError {
    match &error {
        SdkError::ServiceError(service) => {
            let code = service.err().code();
            if is_throttled(code) {
                return SendError::NotNow(describe(call, error));
            }
            if let SendCommandError::InvalidInstanceId(refused) = service.err() {
                return SendError::NoSuchNode(refused.message.clone().unwrap_or_default());
            }
            // AWS's own errors say nothing of how far the request has come.
            let is_server = service.raw().status().is_server_error();
            match is_server || matches!(code, None | Some("InternalServerError" | "RequestTimeout"))
            {
                true => SendError::Unclear(describe(call, error)),
                false => SendError::Final(describe(call, error)),
            }
        }
        SdkError::DispatchFailure(_) if awsconf::is_unsent(&error) => {
            SendError::NotNow(describe(call, error))
        }
        // A connection that is closed before the answer is neither an I/O error nor a time-out to the SDK, but `other`.
        SdkError::DispatchFailure(failure) if !failure.is_user() => {
            SendError::Unclear(describe(call, error))
        }
        SdkError::TimeoutError(_) | SdkError::ResponseError(_) => {
            SendError::Unclear(describe(call, error))
        }
        // It was never built or never signed.
        _ => SendError::Final(describe(call, error)),
    }
}
