//! Roles that flags name, and what is said when they are assumed.

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, future};
use aws_sdk_sts::operation::assume_role::AssumeRoleError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// The name of sessions of roles.
pub(crate) const SESSION: &str = "ssm-tools";

/// What is said when a role is assumed. Its external ID is a secret, which nothing can print.
#[derive(Clone, Default)]
pub(crate) struct AssumeRoleOptions {
    pub(crate) external_id: Option<String>,
    pub(crate) tags: Vec<(String, String)>,
}

impl std::fmt::Debug for AssumeRoleOptions {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            formatter,
            "AssumeRoleOptions {{ tags: {:?}, .. }}",
            self.tags
        )
    }
}

/// A role that AWS does not hand out, in one line: the SDK has the answer as it prints it for programmers, and not the name.
#[derive(Debug)]
pub(crate) struct RefusedRole(String);

impl std::fmt::Display for RefusedRole {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for RefusedRole {}

impl RefusedRole {
    /// Returns what AWS has answered, if it has, of the role that flags name.
    pub(crate) fn of(
        error: &SdkError<AssumeRoleError, HttpResponse>,
        role: Option<&str>,
    ) -> Option<RefusedRole> {
        let SdkError::ServiceError(answer) = error else {
            return None;
        };
        let code = answer.err().code()?;
        let message = answer.err().message().unwrap_or("no more is said");
        let call = role.map_or("AssumeRole".to_owned(), |role| format!("AssumeRole {role}"));
        let fix = match code.starts_with("AccessDenied") {
            true => "; check the role's name, and that its trust policy names you",
            false => "",
        };
        Some(RefusedRole(format!("{call}: {code}: {message}{fix}")))
    }

    /// Returns the line of the role for want of which a call was not made, if that is why.
    pub(crate) fn within(error: &(dyn std::error::Error + 'static)) -> Option<String> {
        // What the call itself has answered is its own.
        let causes = std::iter::successors(error.source(), |error| error.source());
        let mut lines = causes.filter_map(|cause| {
            let named = cause.downcast_ref::<RefusedRole>().map(|one| one.0.clone());
            named.or_else(|| Some(RefusedRole::of(cause.downcast_ref()?, None)?.0))
        });
        lines.next()
    }
}

/// The credentials of a role. Nothing can print them: the SDK's own provider would quote the external ID.
struct Assumed {
    provider: AssumeRoleProvider,
    role: String,
}

impl std::fmt::Debug for Assumed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("the credentials of a role")
    }
}

impl ProvideCredentials for Assumed {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async move {
            let provided = self.provider.provide_credentials().await;
            provided.map_err(|error| {
                let answer = std::error::Error::source(&error).and_then(|one| one.downcast_ref());
                match answer.and_then(|answer| RefusedRole::of(answer, Some(&self.role))) {
                    Some(refused) => CredentialsError::provider_error(refused),
                    None => error,
                }
            })
        })
    }
}

/// The provider renews the credentials before they end, however long a run takes.
pub(crate) async fn assume(
    config: &SdkConfig,
    role: &str,
    assuming: &AssumeRoleOptions,
) -> SdkConfig {
    let mut builder = AssumeRoleProvider::builder(role)
        .session_name(SESSION)
        .configure(config);
    if let Some(external_id) = &assuming.external_id {
        builder = builder.external_id(external_id);
    }
    if !assuming.tags.is_empty() {
        builder = builder.tags(assuming.tags.clone());
    }
    let provider = Assumed {
        provider: builder.build().await,
        role: role.to_owned(),
    };
    let credentials = aws_sdk_sts::config::SharedCredentialsProvider::new(provider);
    config
        .to_builder()
        .credentials_provider(credentials)
        .build()
}
