//! From flags to sessions: an SDK configuration together with the account and region it really acts in.

use std::time::Duration;

use anyhow::{Context, bail};
use aws_config::identity::IdentityCache;
use aws_config::meta::region::ProvideRegion;
use aws_config::provider_config::ProviderConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use cli::Target;
use records::Arn;

use crate::arguments::{ALL, in_account, is_per_account};
use crate::assuming::{AssumeRoleOptions, assume};
use crate::error::{NO_HOST, bucket_region, describe_as};
use crate::guard::guarded;
use crate::profile::Profile;
use crate::{AwsArgs, GLOBAL, http, mfa, settings};

/// For all that it takes to get credentials: programs, several roles, each of them a call that may be throttled. Each call
/// has its own, shorter limit; the SDK's own limit is 5 seconds for everything.
const CREDENTIALS: Duration = Duration::from_secs(240);

/// A configuration and the identity that STS says it has.
#[derive(Clone, Debug)]
pub struct Session {
    /// For `aws_sdk_x::Client::new`.
    pub config: SdkConfig,
    /// The account of the credentials and the region of the requests.
    pub target: Target,
    /// `aws`, `aws-cn`, `aws-us-gov`, ..: the second part of every ARN in this account.
    pub partition: String,
    /// The caller's ARN as STS gives it.
    pub caller: String,
    /// The IDs of the organizational units above the account, the root first; `None` when nothing says.
    pub units: Option<Vec<String>>,
    /// What goes with every role that is assumed.
    pub(crate) assuming: AssumeRoleOptions,
    /// What the user has said about retries.
    pub(crate) given: settings::GivenRetries,
}

impl AwsArgs {
    /// Returns the session of the first region asked for, for a verb that works in one place; calls STS once.
    ///
    /// # Errors
    /// No region, an unknown profile, no or refused credentials.
    pub async fn session(&self) -> anyhow::Result<Session> {
        let regions = self.resolve_regions().await?;
        let Some(first) = regions.first() else {
            bail!("no region: pass --region or set AWS_REGION")
        };
        if first == ALL {
            bail!("--region all: this verb works in one region: name it");
        }
        self.open(first).await
    }

    /// Returns the one session for a service without regions; its target's region is [`GLOBAL`].
    ///
    /// The first region still decides the partition, which is why there must be one.
    ///
    /// # Errors
    /// As [`AwsArgs::session`].
    pub async fn global_session(&self) -> anyhow::Result<Session> {
        let session = self.session().await?;
        let target = Target {
            region: GLOBAL.to_owned(),
            ..session.target.clone()
        };
        Ok(Session { target, ..session })
    }

    /// Returns the session that a plan for `target` must be applied with.
    ///
    /// # Errors
    /// As [`AwsArgs::session`]; the credentials belong to another account; `--region` names only other regions.
    pub async fn session_for(&self, target: &Target) -> anyhow::Result<Session> {
        self.allows(target, "plan is for")?;
        let (first, roles) = self.split_account_roles();
        let session = if target.region == GLOBAL {
            first.global_session().await?
        } else {
            first.open(&target.region).await?
        };
        if !roles.is_empty() && session.target.account != target.account {
            let session = session.in_account(&roles, &target.account).await?;
            return session.context("no role for this account");
        }
        if session.target.account != target.account {
            bail!(
                "plan is for account {}, but the credentials belong to account {} ({})",
                target.account,
                session.target.account,
                session.caller
            );
        }
        Ok(session)
    }

    /// Refuses what is in a region that the flags do not name, when they name any; `what` says to people what it is, as in
    /// `plan is for`.
    ///
    /// # Errors
    /// As it says.
    pub fn allows(&self, target: &Target, what: &str) -> anyhow::Result<()> {
        let is_named = |region: &String| *region == target.region || region == ALL;
        if target.region == GLOBAL || self.regions.is_empty() || self.regions.iter().any(is_named) {
            return Ok(());
        }
        bail!(
            "{what} region {}, but --region is {}",
            target.region,
            self.regions.join(",")
        )
    }

    /// Returns the regions asked for, else the one of the environment or of the profile; none where nothing names one.
    ///
    /// # Errors
    /// An unknown profile.
    pub async fn resolve_regions(&self) -> anyhow::Result<Vec<String>> {
        Profile::load(self.profile.as_deref()).await?;
        let mut regions: Vec<String> = Vec::new();
        for region in &self.regions {
            if !regions.contains(region) {
                regions.push(region.clone());
            }
        }
        if regions.is_empty() {
            regions.extend(self.default_region().await);
        }
        Ok(regions)
    }

    /// Returns the region of the environment, else of the profile. A variable that is set to nothing names none, as for the AWS CLI.
    pub(crate) async fn default_region(&self) -> Option<String> {
        let of_environment = ["AWS_REGION", "AWS_DEFAULT_REGION"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|region| !region.is_empty()));
        if of_environment.is_some() {
            return of_environment;
        }
        // The instance metadata service would name a region too; the host one happens to run on is a guess.
        let mut profile = aws_config::profile::region::ProfileFileRegionProvider::builder();
        if let Some(name) = &self.profile {
            profile = profile.profile_name(name);
        }
        let region = profile.build().region().await?.to_string();
        (!region.is_empty()).then_some(region)
    }

    pub(crate) async fn open(&self, region: &str) -> anyhow::Result<Session> {
        let profile = Profile::load(self.profile.as_deref()).await?;
        settings::check(&profile, self.profile.is_none())?;
        if let Some(url) = &self.endpoint_url {
            settings::check_endpoint("--endpoint-url", url)?;
        }
        guarded(self.open_with(&profile, region)).await
    }

    async fn open_with(&self, profile: &Profile, region: &str) -> anyhow::Result<Session> {
        let region = Region::new(region.to_owned());
        let given = settings::given_retries(profile);
        let http = http::client_for(profile, !(given.mode || given.attempts))?;
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(region.clone())
            .retry_config(settings::retries(profile)?)
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(http::CONNECT)
                    .build(),
            )
            .identity_cache(IdentityCache::lazy().load_timeout(CREDENTIALS).build())
            .http_client(http.clone());
        if let Some(url) = &self.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        let provider_config = ProviderConfig::without_region()
            .with_region(Some(region.clone()))
            .with_http_client(http);
        if let Some(name) = &self.profile {
            // `profile_name` alone would still prefer keys in the environment: writes to the wrong account.
            loader = loader.profile_name(name);
            let provider = aws_config::profile::ProfileFileCredentialsProvider::builder()
                .profile_name(name)
                .configure(&provider_config)
                .build();
            loader = loader.credentials_provider(provider);
        }
        let external_id = self.external_id.as_ref();
        let assuming = AssumeRoleOptions {
            external_id: external_id
                .map(|source| source.read("the external ID"))
                .transpose()?,
            tags: self.session_tags.clone(),
        };
        let mut config = loader.load().await;
        if self.profile.is_some() || !settings::has_keys() {
            let with_code = mfa::with_code(profile, &config, &provider_config).await?;
            config = with_code.unwrap_or(config);
        }
        for role in &self.assume_roles {
            if is_per_account(role) {
                bail!("--assume-role {role}: this verb works in one account only: write its ID");
            }
            config = assume(&config, role, &assuming).await;
        }
        let profile = self.profile.as_deref();
        identify(profile, config, region.as_ref(), assuming, given).await
    }
}

/// Returns a session in the region of a bucket, as its HeadBucket names one: also to who may not look into it. Without one, it is the
/// same session, and the first read shows why.
pub fn at_bucket<E>(
    session: &Session,
    head: Result<Option<&str>, &SdkError<E, HttpResponse>>,
) -> Session {
    let region = head.unwrap_or_else(bucket_region);
    match region.filter(|region| *region != session.target.region) {
        Some(region) => session.in_region(region),
        None => session.clone(),
    }
}

impl Session {
    /// Returns the same session for another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Session {
        let config = self
            .config
            .to_builder()
            .region(Region::new(region.to_owned()));
        Session {
            config: config.build(),
            target: Target {
                account: self.target.account.clone(),
                region: region.to_owned(),
            },
            ..self.clone()
        }
    }

    /// Returns a session in another account, through roles whose ARNs have `{account}` for its ID. Without roles it is
    /// this session when the account is its own, and `None` otherwise.
    ///
    /// # Errors
    /// A role cannot be assumed, or is not in that account.
    pub async fn in_account(
        &self,
        roles: &[String],
        account: &str,
    ) -> anyhow::Result<Option<Session>> {
        if self.target.account == account {
            return Ok(Some(self.clone()));
        }
        if roles.is_empty() {
            return Ok(None);
        }
        let session = guarded(async {
            let mut config = self.config.clone();
            for role in roles {
                let role = in_account(role, &self.partition, account);
                config = assume(&config, &role, &self.assuming).await;
            }
            let region = config.region().map(ToString::to_string).unwrap_or_default();
            identify(None, config, &region, self.assuming.clone(), self.given).await
        });
        let session = session.await?;
        if session.target.account != account {
            bail!(
                "the role for account {account} is in account {}",
                session.target.account
            );
        }
        let target = Target {
            region: self.target.region.clone(),
            ..session.target.clone()
        };
        Ok(Some(Session { target, ..session }))
    }
}

/// Adds which regions may be meant to the error of a host that there is not: any code of the right shape makes a name of a host.
fn hinted(error: anyhow::Error, region: &str) -> anyhow::Error {
    let meant = records::regions_like(region);
    if meant.is_empty() || !format!("{error:#}").contains(NO_HOST) {
        return error;
    }
    let meant = meant.join(" or ");
    error.context(format!(
        "'{region}' is not a region that is known here: did you mean {meant}?"
    ))
}

async fn identify(
    profile: Option<&str>,
    config: SdkConfig,
    region: &str,
    assuming: AssumeRoleOptions,
    given: settings::GivenRetries,
) -> anyhow::Result<Session> {
    let identity = aws_sdk_sts::Client::new(&config)
        .get_caller_identity()
        .send()
        .await;
    let identity = identity
        .map_err(|error| hinted(describe_as(profile, "GetCallerIdentity", error), region))?;
    let caller = identity
        .arn()
        .context("GetCallerIdentity: answer without ARN")?
        .to_owned();
    let account = identity
        .account()
        .context("GetCallerIdentity: answer without account")?
        .to_owned();
    let partition = Arn::parse(&caller)
        .context("GetCallerIdentity: malformed ARN")?
        .partition
        .to_owned();
    Ok(Session {
        config,
        target: Target {
            account,
            region: region.to_owned(),
        },
        partition,
        caller,
        units: None,
        assuming,
        given,
    })
}

#[cfg(test)]
mod tests {
    use aws_config::SdkConfig;
    use aws_sdk_sts::config::{Credentials, Region, SharedCredentialsProvider};
    use cli::Target;

    use super::{AssumeRoleOptions, Session, assume};

    /// A panic prints what it is about as `{:?}` does.
    #[tokio::test]
    async fn no_panic_can_print_a_secret() {
        let keys = Credentials::new(
            "AKIA111122223333",
            "canary-key",
            Some("canary-token".to_owned()),
            None,
            "test",
        );
        let assuming = AssumeRoleOptions {
            external_id: Some("canary-id".to_owned()),
            tags: vec![("Team".to_owned(), "ops".to_owned())],
        };
        let config = SdkConfig::builder()
            .region(Region::new("eu-central-1"))
            .behavior_version(aws_config::BehaviorVersion::latest())
            .credentials_provider(SharedCredentialsProvider::new(keys))
            .http_client(crate::http::client().unwrap())
            .time_source(aws_smithy_async::time::SystemTimeSource::new())
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .build();
        let config = assume(&config, "arn:aws:iam::111122223333:role/ops", &assuming).await;
        let session = Session {
            config,
            target: Target {
                account: "111122223333".to_owned(),
                region: "eu-central-1".to_owned(),
            },
            partition: "aws".to_owned(),
            caller: "arn:aws:iam::111122223333:user/me".to_owned(),
            units: None,
            assuming,
            given: crate::settings::GivenRetries::default(),
        };
        for text in [format!("{session:?}"), format!("{session:#?}")] {
            assert!(text.contains("Team") && !text.contains("canary"), "{text}");
        }
    }
}
