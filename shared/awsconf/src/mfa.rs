//! Roles of profiles that take a code of an MFA device. The SDK assumes them without one, and without a word.
//! <https://github.com/awslabs/aws-sdk-rust/issues/527>

use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use anyhow::{Context, bail};
use aws_config::SdkConfig;
use aws_config::ecs::EcsCredentialsProvider;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::imds::credentials::ImdsCredentialsProvider;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::section::Profile as Section;

use crate::assuming::SESSION;
use crate::profile::Profile;
use crate::{Interrupt, describe};

/// What the roles of a profile are assumed from.
enum Base<'p> {
    /// The keys in a profile.
    Keys(&'p Section),
    /// Whatever a profile has that is not a role.
    Profile(&'p Section),
    /// `credential_source`.
    Source(&'p str),
}

/// Returns the configuration with the credentials of a profile one of whose roles takes a code, which is asked for; `None`
/// when none does, or when the profile is wrong, which the SDK says.
///
/// # Errors
/// There is no terminal to ask on, or AWS refuses the code.
pub(crate) async fn with_code(
    profile: &Profile,
    config: &SdkConfig,
    provider_config: &ProviderConfig,
) -> anyhow::Result<Option<SdkConfig>> {
    let Some((base, roles)) = chain(profile) else {
        return Ok(None);
    };
    let mut config = with(config, credentials(base, provider_config)?);
    for role in roles {
        let provider = match role.get("mfa_serial") {
            None => SharedCredentialsProvider::new(assumed(role, &config).await),
            Some(serial) => {
                SharedCredentialsProvider::new(WithCode::ask(role, serial, &config).await?)
            }
        };
        config = with(&config, provider);
    }
    Ok(Some(config))
}

fn with(config: &SdkConfig, provider: SharedCredentialsProvider) -> SdkConfig {
    let builder = config.to_builder();
    builder.credentials_provider(provider).build()
}

/// Returns the roles of a profile, in the order in which they are assumed, if one of them takes a code.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-assume-role-credentials.html>
fn chain(profile: &Profile) -> Option<(Base<'_>, Vec<&Section>)> {
    let mut section = profile.section(profile.name())?;
    let mut roles: Vec<&Section> = Vec::new();
    let base = loop {
        if !roles.is_empty() && section.get("aws_access_key_id").is_some() {
            break Base::Keys(section);
        }
        let is_role =
            section.get("role_arn").is_some() && section.get("web_identity_token_file").is_none();
        if !is_role {
            break Base::Profile(section);
        }
        if roles.iter().any(|role| role.name() == section.name()) {
            return None;
        }
        roles.push(section);
        match (
            section.get("source_profile"),
            section.get("credential_source"),
        ) {
            (Some(source), None) if source == section.name() => break Base::Keys(section),
            (Some(source), None) => section = profile.section(source)?,
            (None, Some(source)) => break Base::Source(source),
            _ => return None,
        }
    };
    let takes_code = roles.iter().any(|role| role.get("mfa_serial").is_some());
    roles.reverse();
    takes_code.then_some((base, roles))
}

fn credentials(
    base: Base<'_>,
    provider_config: &ProviderConfig,
) -> anyhow::Result<SharedCredentialsProvider> {
    Ok(match base {
        Base::Keys(section) => {
            let value = |key: &str| {
                let missing = || format!("profile '{}' has no {key}", section.name());
                section.get(key).map(str::to_owned).with_context(missing)
            };
            SharedCredentialsProvider::new(Credentials::new(
                value("aws_access_key_id")?,
                value("aws_secret_access_key")?,
                section.get("aws_session_token").map(str::to_owned),
                None,
                "profile",
            ))
        }
        Base::Profile(section) => SharedCredentialsProvider::new(
            ProfileFileCredentialsProvider::builder()
                .profile_name(section.name())
                .configure(provider_config)
                .build(),
        ),
        Base::Source("Environment") => {
            SharedCredentialsProvider::new(EnvironmentVariableCredentialsProvider::new())
        }
        Base::Source("Ec2InstanceMetadata") => SharedCredentialsProvider::new(
            ImdsCredentialsProvider::builder()
                .configure(provider_config)
                .build(),
        ),
        Base::Source("EcsContainer") => SharedCredentialsProvider::new(
            EcsCredentialsProvider::builder()
                .configure(provider_config)
                .build(),
        ),
        Base::Source(other) => bail!(
            "credential_source is '{other}': expected Environment, Ec2InstanceMetadata or EcsContainer"
        ),
    })
}

/// Returns the credentials of a role that takes no code.
async fn assumed(role: &Section, config: &SdkConfig) -> AssumeRoleProvider {
    let mut builder = AssumeRoleProvider::builder(role.get("role_arn").unwrap_or_default())
        .session_name(role.get("role_session_name").unwrap_or(SESSION))
        .configure(config);
    if let Some(external_id) = role.get("external_id") {
        builder = builder.external_id(external_id);
    }
    if let Some(seconds) = seconds(role) {
        builder = builder.session_length(Duration::from_secs(seconds));
    }
    builder.build().await
}

fn seconds(role: &Section) -> Option<u64> {
    role.get("duration_seconds")?.trim().parse().ok()
}

/// The credentials of a role that takes a code. When they end, a code is asked for again.
struct WithCode {
    client: aws_sdk_sts::Client,
    profile: String,
    serial: String,
    role: String,
    session: String,
    external_id: Option<String>,
    seconds: Option<i32>,
    /// Those of the first code, until they are taken.
    first: Mutex<Option<Credentials>>,
}

/// Nothing can print the external ID.
impl std::fmt::Debug for WithCode {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "the credentials of profile '{}'", self.profile)
    }
}

impl WithCode {
    /// Asks for the first code at once: what goes wrong is an error of this role, not of some later call.
    async fn ask(role: &Section, serial: &str, config: &SdkConfig) -> anyhow::Result<WithCode> {
        let provider = WithCode {
            client: aws_sdk_sts::Client::new(config),
            profile: role.name().to_owned(),
            serial: serial.to_owned(),
            role: role.get("role_arn").unwrap_or_default().to_owned(),
            session: role.get("role_session_name").unwrap_or(SESSION).to_owned(),
            external_id: role.get("external_id").map(str::to_owned),
            seconds: seconds(role).and_then(|seconds| seconds.try_into().ok()),
            first: Mutex::new(None),
        };
        let first = provider.assume().await?;
        Ok(WithCode {
            first: Mutex::new(Some(first)),
            ..provider
        })
    }

    /// <https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html>
    async fn assume(&self) -> anyhow::Result<Credentials> {
        let (profile, serial) = (self.profile.clone(), self.serial.clone());
        // A thread of its own: the runtime would wait at the end for one of its own that still waits for Enter.
        let (sender, receiver) = tokio::sync::oneshot::channel();
        std::thread::spawn(move || sender.send(code(&profile, &serial)));
        let code = Interrupt::unless_asked_to_stop(receiver).await;
        let code = code.context("stopped before an MFA code was typed")???;
        let answer = self
            .client
            .assume_role()
            .role_arn(&self.role)
            .role_session_name(&self.session)
            .set_external_id(self.external_id.clone())
            .set_duration_seconds(self.seconds)
            .serial_number(&self.serial)
            .token_code(code)
            .send()
            .await;
        let call = || format!("AssumeRole {} with the code of {}", self.role, self.serial);
        let answer = answer.map_err(|error| describe(call(), error))?;
        let keys = answer.credentials.with_context(call)?;
        let ends = SystemTime::try_from(keys.expiration).with_context(call)?;
        Ok(Credentials::new(
            keys.access_key_id,
            keys.secret_access_key,
            Some(keys.session_token),
            Some(ends),
            "profile with MFA",
        ))
    }
}

impl ProvideCredentials for WithCode {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let first = self
                .first
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take();
            match first {
                Some(first) => Ok(first),
                None => {
                    let again = self.assume().await;
                    again.map_err(|error| CredentialsError::provider_error(format!("{error:#}")))
                }
            }
        })
    }
}

/// Asks for a code on the terminal; stdin may be a plan.
fn code(profile: &str, serial: &str) -> anyhow::Result<String> {
    // https://docs.aws.amazon.com/cli/latest/reference/configure/export-credentials.html
    let no_terminal = || {
        format!(
            "profile '{profile}' takes a code of the MFA device {serial}, and there is no terminal to ask on: \
            run `eval \"$(aws configure export-credentials --profile {profile} --format env)\"`, then this without --profile"
        )
    };
    let mut stderr = std::io::stderr();
    if !stderr.is_terminal() {
        bail!(no_terminal());
    }
    let terminal = std::fs::File::open("/dev/tty").with_context(no_terminal)?;
    let prompt = format!("MFA code of {serial} for profile '{profile}': ");
    let mut line = String::new();
    cli::asking(|| {
        stderr.write_all(prompt.as_bytes())?;
        stderr.flush()?;
        BufReader::new(terminal).read_line(&mut line)
    })
    .context("read the MFA code from the terminal")?;
    let code = line.trim();
    if code.len() != 6 || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        bail!("profile '{profile}': an MFA code has 6 digits");
    }
    Ok(code.to_owned())
}
