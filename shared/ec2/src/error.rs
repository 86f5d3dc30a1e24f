//! An error answer of EC2, in the shape that the SDK's retry classifiers and `awsconf::describe` understand.

use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_smithy_types::retry::{ErrorKind, ProvideErrorKind};

/// EC2's code and message.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html>
#[derive(Debug)]
pub struct Ec2Error(pub(crate) ErrorMetadata);

impl std::fmt::Display for Ec2Error {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let code = self.0.code().unwrap_or("unknown error");
        match self.0.message() {
            Some(message) => write!(formatter, "{code}: {message}"),
            None => formatter.write_str(code),
        }
    }
}

impl std::error::Error for Ec2Error {}

impl ProvideErrorMetadata for Ec2Error {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

impl ProvideErrorKind for Ec2Error {
    fn retryable_error_kind(&self) -> Option<ErrorKind> {
        // EC2 models no error; its codes and the HTTP status decide about a retry.
        None
    }

    fn code(&self) -> Option<&str> {
        self.0.code()
    }
}
