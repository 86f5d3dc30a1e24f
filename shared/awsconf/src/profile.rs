//! Looks a profile up before it is used, because the SDK passes over one that does not exist without a word.

use anyhow::{Context, bail};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::section::EnvConfigSections;
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};

/// Fails when the named profile, or else the one in `AWS_PROFILE`, is in none of the config files.
pub(crate) async fn require(named: Option<&str>) -> anyhow::Result<()> {
    let from_environment = std::env::var("AWS_PROFILE")
        .ok()
        .filter(|name| !name.is_empty());
    let Some(name) = named.map(str::to_owned).or(from_environment) else {
        return Ok(());
    };
    let files = source::load(&Env::real(), &Fs::real(), &EnvConfigFiles::default()).await;
    let source = files.context("read the AWS config files")?;
    let sections = EnvConfigSections::parse(source).context("parse the AWS config files")?;
    if sections.get_profile(&name).is_none() {
        bail!("profile '{name}' is not in the AWS config files: see `aws configure list-profiles`");
    }
    Ok(())
}
