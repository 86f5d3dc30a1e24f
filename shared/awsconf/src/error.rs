//! One line for every SDK error. The SDK's own chain says a modelled service error twice.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use toolio::Reading;

/// Returns the error of one call as `call: Code: message`; `call` is the operation with its object.
pub fn describe<E, R>(call: impl std::fmt::Display, error: SdkError<E, R>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let reason = match &error {
        SdkError::ServiceError(service) if service.err().code().is_some() => {
            let code = service.err().code().unwrap_or_default();
            let hint = if code.starts_with("ExpiredToken") {
                " (get fresh credentials and run again)"
            } else {
                ""
            };
            match service
                .err()
                .message()
                .filter(|message| !message.is_empty())
            {
                Some(message) => format!("{code}: {message}{hint}"),
                None => format!("{code}{hint}"),
            }
        }
        _ => chain(&error),
    };
    anyhow::anyhow!("{call}: {reason}")
}

/// Returns an answer as a reading: `absent` lists the error codes that mean "is not there"; all others mean unknown.
pub fn reading<T, E, R>(
    call: impl std::fmt::Display,
    absent: &[&str],
    result: Result<T, SdkError<E, R>>,
) -> Reading<T>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    match result {
        Ok(answer) => Reading::Present(answer),
        Err(SdkError::ServiceError(service))
            if service
                .err()
                .code()
                .is_some_and(|code| absent.contains(&code)) =>
        {
            Reading::Absent
        }
        Err(error) => Reading::Unknown(format!("{:#}", describe(call, error))),
    }
}

/// Returns whether AWS said that the caller may not do this, whatever the service calls it.
pub fn is_access_denied<E: ProvideErrorMetadata, R>(error: &SdkError<E, R>) -> bool {
    let code = match error {
        SdkError::ServiceError(service) => service.err().code(),
        _ => None,
    };
    // IAM-style services say AccessDenied, JSON services AccessDeniedException, EC2 UnauthorizedOperation;
    // a HEAD answer has no body and so no code but Forbidden.
    code.is_some_and(|code| {
        code.starts_with("AccessDenied")
            || code.ends_with("UnauthorizedOperation")
            || code == "Forbidden"
    })
}

/// Joins the causes without repeating one that its parent already tells.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(current) = cause {
        let words = current.to_string();
        if !text.contains(&words) {
            text = format!("{text}: {words}");
        }
        cause = current.source();
    }
    if text.is_empty() {
        DisplayErrorContext(error).to_string()
    } else {
        text
    }
}
