//! One line for every SDK error. The SDK's own chain says a modelled service error twice.

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use cli::Reading;

use crate::assuming::RefusedRole;
use crate::http::{Trouble, Unconnected};

/// A call that did not succeed: the one line for people, and what code decides by.
#[derive(Debug)]
pub struct CallError {
    text: String,
    operation: String,
    code: Option<String>,
    message: String,
    is_refusal: bool,
}

impl CallError {
    /// Returns the operation, such as `CreateRole`.
    #[must_use]
    pub fn operation(&self) -> &str {
        &self.operation
    }

    /// Returns AWS's error code; `None` when the answer had none, or there was no answer.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns AWS's message, empty when there was none.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns whether AWS has said no, so that it has not carried the call out. Without an answer, with a server error,
    /// or with an answer that cannot be read, it may have done.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        self.is_refusal
    }
}

impl std::fmt::Display for CallError {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.text)
    }
}

impl std::error::Error for CallError {}

/// Returns the call that an error is about; `None` when it is not about a call.
#[must_use]
pub fn call_error(error: &anyhow::Error) -> Option<&CallError> {
    error.chain().find_map(|cause| cause.downcast_ref())
}

/// Returns the error of one call as `call: Code: message`; `call` is the operation with its object. The error is a
/// [`CallError`].
pub fn describe<E, R>(call: impl std::fmt::Display, error: SdkError<E, R>) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    describe_as(None, call, error)
}

/// As [`describe`], of a call with the credentials of the profile that `--profile` names.
pub(crate) fn describe_as<E, R>(
    profile: Option<&str>,
    call: impl std::fmt::Display,
    error: SdkError<E, R>,
) -> anyhow::Error
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    R: std::fmt::Debug + Send + Sync + 'static,
{
    let (code, message) = match &error {
        SdkError::ServiceError(service) => (
            service.err().code().map(str::to_owned),
            service.err().message().unwrap_or_default().to_owned(),
        ),
        _ => (None, String::new()),
    };
    let reason = match code.as_deref() {
        Some(code) => {
            let hint = if code.starts_with("ExpiredToken") {
                " (get fresh credentials and run again)"
            } else if message == OF_MANAGEMENT {
                " (use credentials of the management account, or of a delegated administrator)"
            } else if code == "AWSOrganizationsNotInUseException" {
                " (leave out what asks for the organization, or use credentials of its management account, or of a delegated administrator)"
            } else {
                ""
            };
            match message.as_str() {
                "" => format!("{code}{hint}"),
                message => format!("{code}: {message}{hint}"),
            }
        }
        None => match chain(&error) {
            // The SDK lists everything that it has asked.
            chain if NO_CREDENTIALS.iter().any(|words| chain.contains(words)) => {
                no_credentials(profile)
            }
            // Any region of the right shape has a host name.
            chain if chain.contains(NO_HOST) => {
                format!("{chain} (check the network, and that the region is one of AWS's)")
            }
            chain => chain,
        },
    };
    let call = call.to_string();
    // The call was never made: what matters is the role that it was to be made with.
    let role = RefusedRole::within(&error);
    let is_refusal = match &error {
        // Never sent.
        SdkError::ConstructionFailure(_) => true,
        SdkError::ServiceError(_) => code.as_deref().is_some_and(|code| !is_server_error(code)),
        _ => false,
    };
    anyhow::Error::new(CallError {
        text: role.unwrap_or_else(|| format!("{call}: {reason}")),
        operation: call.split(' ').next().unwrap_or_default().to_owned(),
        code,
        message,
        is_refusal,
    })
}

fn no_credentials(profile: Option<&str>) -> String {
    match profile {
        None => "no credentials: run `aws sso login --profile NAME` and pass --profile NAME, or set AWS_PROFILE".to_owned(),
        Some(name) => format!(
            "no credentials: run `aws sso login --profile {name}`, or give profile '{name}' keys or a role"
        ),
    }
}

/// What the SDK says when a name of a host has no address.
pub(crate) const NO_HOST: &str = "dns error";

/// What the SDK's chain of providers says when none of them has any, and when the last of them is refused: the metadata service
/// answers 403 where it is disabled. Tests hold both.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html#instance-metadata-returns>
const NO_CREDENTIALS: [&str; 2] = [
    "no credentials found in chain",
    "failed to load IMDS session token: service error: request forbidden",
];

/// What Organizations says to a member account, and no other service.
/// <https://docs.aws.amazon.com/organizations/latest/APIReference/CommonErrors.html>
const OF_MANAGEMENT: &str = "You don't have permissions to access this resource.";

/// The codes that services give when they do not know themselves whether they have done it.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/CommonErrors.html>
fn is_server_error(code: &str) -> bool {
    /// Some services end them in `Exception`.
    const CODES: [&str; 8] = [
        "Internal",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "InternalServiceError",
        "RequestTimeout",
        "Service",
        "ServiceUnavailable",
    ];
    CODES.contains(&code.strip_suffix("Exception").unwrap_or(code))
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

/// Returns the Region of a bucket as a refused answer about it names it: that of HeadBucket does "regardless of the permissions on
/// the bucket", in any Region of the partition, with 301, 400 and 403 alike. GetBucketLocation is refused to other accounts in
/// other Regions, whatever the policy of the bucket says.
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html>
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html>
pub fn bucket_region<E>(error: &SdkError<E, HttpResponse>) -> Option<&str> {
    error.raw_response()?.headers().get("x-amz-bucket-region")
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

/// Joins the causes without repeating one that its parent already gives. What is wrong with an answer says it all, and of a connection
/// the host comes first.
fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = || std::iter::successors(Some(error), |error| error.source());
    if let Some(trouble) = causes().find_map(|cause| cause.downcast_ref::<Trouble>()) {
        return trouble.to_string();
    }
    let mut text = String::new();
    let begin = causes().position(|cause| cause.is::<Unconnected>());
    for cause in causes().skip(begin.unwrap_or_default()) {
        let words = cause.to_string();
        let is_known = begin.is_some() && Unconnected::is_said_by(&words);
        if text.is_empty() {
            text = words;
        } else if !is_known && !text.contains(&words) {
            text = format!("{text}: {words}");
        }
    }
    if text.is_empty() {
        DisplayErrorContext(error).to_string()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::operation::assume_role::AssumeRoleError;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::client::result::{ConnectorError, SdkError};
    use aws_smithy_types::error::metadata::ErrorMetadata;

    use super::{RefusedRole, Unconnected, describe};

    /// What an HTTP client says of a connection, and the SDK of credentials.
    #[derive(Debug)]
    struct Cause {
        words: &'static str,
        source: Option<AnyError>,
    }

    type AnyError = Box<dyn std::error::Error + Send + Sync>;

    impl std::fmt::Display for Cause {
        fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            formatter.write_str(self.words)
        }
    }

    impl std::error::Error for Cause {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            let source = self.source.as_deref()?;
            Some(source)
        }
    }

    fn cause(words: &'static str, source: Option<AnyError>) -> AnyError {
        Box::new(Cause { words, source })
    }

    fn described(error: ConnectorError) -> String {
        let error: SdkError<AssumeRoleError, HttpResponse> = SdkError::dispatch_failure(error);
        describe("GetRole r", error).to_string()
    }

    #[test]
    fn the_host_without_a_connection_is_named() {
        let refused = cause("tcp connect error", Some(cause("Connection refused", None)));
        let client = cause("client error (Connect)", Some(refused));
        let error = Unconnected {
            host: "127.0.0.1:1".to_owned(),
            error: ConnectorError::io(client),
        };
        assert_eq!(
            described(ConnectorError::io(Box::new(error))),
            "GetRole r: no connection to 127.0.0.1:1: tcp connect error: Connection refused"
        );
    }

    #[test]
    fn a_role_that_is_refused_is_one_sentence() {
        let metadata = ErrorMetadata::builder()
            .code("AccessDenied")
            .message("User: me is not authorized")
            .build();
        let refused = AssumeRoleError::generic(metadata);
        let answer = HttpResponse::new(403.try_into().unwrap(), "".into());
        let refused: SdkError<AssumeRoleError, HttpResponse> =
            SdkError::service_error(refused, answer);
        let expected = "AccessDenied: User: me is not authorized; check the role's name, and that its trust policy names you";
        let named = RefusedRole::of(&refused, Some("arn:aws:iam::111122223333:role/Nope")).unwrap();
        let loading = "an error occurred while loading credentials";
        for (inner, begin) in [
            (
                Box::new(named) as AnyError,
                "AssumeRole arn:aws:iam::111122223333:role/Nope: ",
            ),
            // The roles of a profile are the SDK's own affair.
            (Box::new(refused), "AssumeRole: "),
        ] {
            let error = ConnectorError::other(cause(loading, Some(inner)), None);
            assert_eq!(described(error), format!("{begin}{expected}"));
        }
    }
}
