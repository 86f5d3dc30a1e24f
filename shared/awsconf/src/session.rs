//! From flags to sessions: an SDK configuration together with the account and region it really acts in.

use anyhow::{Context, bail};
use aws_config::sts::AssumeRoleProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use toolio::Target;

use crate::arguments::{in_account, is_per_account};
use crate::{AwsArgs, GLOBAL, describe, http, profile};

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
}

impl AwsArgs {
    /// Returns a session for every region asked for; calls STS once.
    ///
    /// # Errors
    /// No region, an unknown profile, no or refused credentials.
    pub async fn sessions(&self) -> anyhow::Result<Vec<Session>> {
        let regions = self.resolve_regions().await?;
        let Some(first) = regions.first() else {
            bail!("no region: pass --region or set AWS_REGION")
        };
        let session = self.open(first).await?;
        let mut sessions = Vec::with_capacity(regions.len());
        for region in &regions {
            let config = session
                .config
                .to_builder()
                .region(Region::new(region.clone()))
                .build();
            let target = Target {
                account: session.target.account.clone(),
                region: region.clone(),
            };
            sessions.push(Session {
                config,
                target,
                ..session.clone()
            });
        }
        Ok(sessions)
    }

    /// Returns the one session for a service without regions; its target's region is [`GLOBAL`].
    ///
    /// The first region still decides the partition, which is why there must be one.
    ///
    /// # Errors
    /// As [`AwsArgs::sessions`].
    pub async fn global_session(&self) -> anyhow::Result<Session> {
        let Some(session) = self.sessions().await?.into_iter().next() else {
            bail!("no region")
        };
        let target = Target {
            region: GLOBAL.to_owned(),
            ..session.target.clone()
        };
        Ok(Session { target, ..session })
    }

    /// Returns the session that a plan for `target` must be applied with.
    ///
    /// # Errors
    /// As [`AwsArgs::sessions`]; the credentials belong to another account; `--region` names only other regions.
    pub async fn session_for(&self, target: &Target) -> anyhow::Result<Session> {
        let session = if target.region == GLOBAL {
            self.global_session().await?
        } else {
            if !self.regions.is_empty() && !self.regions.contains(&target.region) {
                bail!(
                    "plan is for region {}, but --region is {}",
                    target.region,
                    self.regions.join(",")
                );
            }
            self.open(&target.region).await?
        };
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

    async fn resolve_regions(&self) -> anyhow::Result<Vec<String>> {
        profile::require(self.profile.as_deref()).await?;
        let mut regions: Vec<String> = Vec::new();
        for region in &self.regions {
            if !regions.contains(region) {
                regions.push(region.clone());
            }
        }
        if regions.is_empty() {
            // The instance metadata service would name a region too; the host one happens to run on is a guess.
            let mut profile_region =
                aws_config::profile::region::ProfileFileRegionProvider::builder();
            if let Some(name) = &self.profile {
                profile_region = profile_region.profile_name(name);
            }
            let chain = aws_config::meta::region::RegionProviderChain::first_try(
                aws_config::environment::region::EnvironmentVariableRegionProvider::new(),
            )
            .or_else(profile_region.build());
            regions.extend(chain.region().await.map(|region| region.to_string()));
        }
        Ok(regions)
    }

    async fn open(&self, region: &str) -> anyhow::Result<Session> {
        profile::require(self.profile.as_deref()).await?;
        let region = Region::new(region.to_owned());
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(region.clone())
            .http_client(http::client()?);
        // The SDK panics on an empty one.
        let from_environment = std::env::var("AWS_ENDPOINT_URL").ok();
        if self.endpoint_url.as_deref() == Some("") || from_environment.as_deref() == Some("") {
            bail!(
                "the endpoint URL is empty: unset AWS_ENDPOINT_URL, or pass --endpoint-url with a value"
            );
        }
        if let Some(url) = &self.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(name) = &self.profile {
            // `profile_name` alone would still prefer keys in the environment: writes to the wrong account.
            loader = loader.profile_name(name);
            let provider_config = aws_config::provider_config::ProviderConfig::without_region()
                .with_region(Some(region.clone()))
                .with_http_client(http::client()?);
            let provider = aws_config::profile::ProfileFileCredentialsProvider::builder()
                .profile_name(name)
                .configure(&provider_config)
                .build();
            loader = loader.credentials_provider(provider);
        }
        let mut config = loader.load().await;
        for role in &self.assume_roles {
            if is_per_account(role) {
                bail!("--assume-role {role}: this verb works in one account only: write its id");
            }
            config = assume(&config, role).await;
        }
        identify(config, region.as_ref()).await
    }
}

impl Session {
    /// Returns a session in another account, through roles whose ARNs have `{account}` for its id. Without roles it is
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
        let mut config = self.config.clone();
        for role in roles {
            config = assume(&config, &in_account(role, account)).await;
        }
        if roles.is_empty() {
            return Ok(None);
        }
        let region = config.region().map(ToString::to_string).unwrap_or_default();
        let session = identify(config, &region).await?;
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

async fn assume(config: &SdkConfig, role: &str) -> SdkConfig {
    let provider = AssumeRoleProvider::builder(role)
        .session_name("ssm-tools")
        .configure(config)
        .build()
        .await;
    let credentials = aws_sdk_sts::config::SharedCredentialsProvider::new(provider);
    config
        .to_builder()
        .credentials_provider(credentials)
        .build()
}

async fn identify(config: SdkConfig, region: &str) -> anyhow::Result<Session> {
    let identity = aws_sdk_sts::Client::new(&config)
        .get_caller_identity()
        .send()
        .await;
    let identity = identity.map_err(|error| describe("GetCallerIdentity", error))?;
    let caller = identity
        .arn()
        .context("GetCallerIdentity: answer without ARN")?
        .to_owned();
    let account = identity
        .account()
        .context("GetCallerIdentity: answer without account")?
        .to_owned();
    let partition = caller
        .split(':')
        .nth(1)
        .context("GetCallerIdentity: malformed ARN")?
        .to_owned();
    Ok(Session {
        config,
        target: Target {
            account,
            region: region.to_owned(),
        },
        partition,
        caller,
    })
}
