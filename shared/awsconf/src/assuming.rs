//! Roles that flags name, and what is said when they are assumed.

use aws_config::SdkConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::provider::{ProvideCredentials, future};

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

/// The credentials of a role. Nothing can print them: the SDK's own provider would quote the external ID.
struct Assumed(AssumeRoleProvider);

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
        self.0.provide_credentials()
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
    let provider = Assumed(builder.build().await);
    let credentials = aws_sdk_sts::config::SharedCredentialsProvider::new(provider);
    config
        .to_builder()
        .credentials_provider(credentials)
        .build()
}
