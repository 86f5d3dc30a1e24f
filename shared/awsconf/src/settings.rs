//! What the environment and the profile set, checked before the SDK uses it: each mistake on which the SDK panics, or which it
//! passes over, is an error that names the setting.

use anyhow::bail;
use aws_config::retry::{RetryConfig, RetryMode};
use aws_smithy_types::retry::RetrySpec;

use crate::profile::Profile;
use crate::scaled;

/// The services that the tools call, as `AWS_ENDPOINT_URL_` variables and `services` sections write them.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/ss-endpoints-table.html>
const SERVICES: [&str; 15] = [
    "athena",
    "cloudtrail",
    "cloudwatch_logs",
    "ec2",
    "eventbridge",
    "iam",
    "kms",
    "lambda",
    "organizations",
    "s3",
    "secrets_manager",
    "sqs",
    "ssm",
    "sso",
    "sts",
];

/// "A default value of 4 for maximum retry attempts, making a total of 5 call attempts."
/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-retries.html#cli-usage-retries-legacy>
const LEGACY_ATTEMPTS: u32 = 5;

/// A value and where it is from, for messages.
struct Setting {
    place: String,
    value: String,
}

/// Returns the value of a variable, else that of a key of the profile.
fn setting(profile: &Profile, variable: &str, key: &str) -> Option<Setting> {
    let from_environment = std::env::var(variable).ok().map(|value| Setting {
        place: variable.to_owned(),
        value,
    });
    let from_profile = || {
        Some(Setting {
            place: format!("{key} of profile '{}'", profile.name()),
            value: profile.get(key)?.to_owned(),
        })
    };
    from_environment.or_else(from_profile)
}

/// Checks everything that the SDK would panic on; `has_keys` says that keys in the environment are used.
///
/// # Errors
/// The first mistake, without the value of a secret.
pub(crate) fn check(profile: &Profile, has_keys: bool) -> anyhow::Result<()> {
    check_endpoints(profile)?;
    check_keys(profile, has_keys)
}

/// Returns how to try again: by the environment, else by the profile, else in standard mode.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
///
/// # Errors
/// A mode that does not exist, or a number of attempts that is not one.
pub(crate) fn retries(profile: &Profile) -> anyhow::Result<RetryConfig> {
    let attempts = setting(profile, "AWS_MAX_ATTEMPTS", "max_attempts");
    let mode = setting(profile, "AWS_RETRY_MODE", "retry_mode");
    let standard = RetryConfig::standard();
    let mut config = standard
        .clone()
        .with_initial_backoff(scaled(standard.initial_backoff()))
        .with_max_backoff(scaled(standard.max_backoff()));
    if let Some(Setting { place, value }) = mode {
        config = match value.parse::<RetryMode>() {
            Ok(mode) => config.with_retry_mode(mode),
            // The handler of older tools, which the SDK does not have. For the calls made here it differs in the number
            // of attempts.
            Err(_) if value.trim().eq_ignore_ascii_case("legacy") => {
                config.with_max_attempts(LEGACY_ATTEMPTS)
            }
            Err(_) => bail!("{place} is '{value}': expected standard, adaptive or legacy"),
        };
    }
    if let Some(Setting { place, value }) = attempts {
        config = match value.trim().parse() {
            Ok(number) if number > 0 => config.with_max_attempts(number),
            _ => bail!("{place} is '{value}': expected a number of attempts, 1 or more"),
        };
    }
    // The SDK's own switch for the rules of 2026.
    let is_new =
        std::env::var("AWS_NEW_RETRIES_2026").is_ok_and(|value| value.eq_ignore_ascii_case("true"));
    if is_new {
        config = config.with_retry_spec(RetrySpec::v2_1());
    }
    Ok(config)
}

/// What the user has said about retries.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct GivenRetries {
    pub(crate) mode: bool,
    pub(crate) attempts: bool,
}

/// Returns what the environment or the profile says about retries.
pub(crate) fn given_retries(profile: &Profile) -> GivenRetries {
    GivenRetries {
        mode: setting(profile, "AWS_RETRY_MODE", "retry_mode").is_some(),
        attempts: setting(profile, "AWS_MAX_ATTEMPTS", "max_attempts").is_some(),
    }
}

/// Returns whether there are keys in the environment, which win over a profile that no flag names.
pub(crate) fn has_keys() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    is_set("AWS_ACCESS_KEY_ID") && is_set("AWS_SECRET_ACCESS_KEY")
}

fn check_endpoints(profile: &Profile) -> anyhow::Result<()> {
    let ignore = setting(
        profile,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
        "ignore_configured_endpoint_urls",
    );
    if ignore.is_some_and(|ignore| ignore.value.eq_ignore_ascii_case("true")) {
        return Ok(());
    }
    let global = setting(profile, "AWS_ENDPOINT_URL", "endpoint_url");
    let special = SERVICES.iter().filter_map(|service| {
        let variable = format!("AWS_ENDPOINT_URL_{}", service.to_uppercase());
        let from_environment = std::env::var(&variable).ok();
        let from_environment = from_environment.map(|value| Setting {
            place: variable,
            value,
        });
        from_environment.or_else(|| {
            let name = service.replace('_', "-");
            let value = profile.endpoint_of(&name)?.to_owned();
            let place = format!(
                "endpoint_url of {name} in the services of profile '{}'",
                profile.name()
            );
            Some(Setting { place, value })
        })
    });
    for Setting { place, value } in global.into_iter().chain(special) {
        check_endpoint(&place, &value)?;
    }
    Ok(())
}

/// Checks the URL of an endpoint. It may have a password in it, so that it is not quoted.
///
/// # Errors
/// It is not the URL of a server.
pub(crate) fn check_endpoint(place: &str, url: &str) -> anyhow::Result<()> {
    if url.trim().is_empty() {
        bail!("{place} is empty: remove it, or give it a URL");
    }
    let after_scheme = ["https://", "http://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let has_host = after_scheme.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('/'));
    let request = aws_smithy_runtime_api::client::orchestrator::HttpRequest::get(url);
    if !has_host || request.is_err() {
        bail!(
            "{place} is not a URL: expected one such as https://vpce-0a1b2c3d.ssm.eu-central-1.vpce.amazonaws.com"
        );
    }
    Ok(())
}

/// What goes into headers has no line break. Files from Windows and shell substitutions leave one at the end of a key.
fn check_keys(profile: &Profile, has_keys: bool) -> anyhow::Result<()> {
    const KEYS: [&str; 3] = [
        "aws_access_key_id",
        "aws_secret_access_key",
        "aws_session_token",
    ];
    for key in KEYS {
        let variable = key.to_uppercase();
        let from_environment = match has_keys {
            true => std::env::var(&variable).ok(),
            false => None,
        };
        let (place, value) = match (from_environment, profile.get(key)) {
            (Some(value), _) => (variable, value),
            (None, Some(value)) => (
                format!("{key} of profile '{}'", profile.name()),
                value.to_owned(),
            ),
            (None, None) => continue,
        };
        if value.contains(char::is_control) {
            bail!("{place} has a line break or another control character in it: remove it");
        }
    }
    Ok(())
}
