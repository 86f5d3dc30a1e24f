//! The profile that a run uses, read before the SDK reads it, because the SDK passes over one that does not exist, and over
//! some of what is in it, without a word.

use anyhow::{Context, bail};
use aws_runtime::env_config::file::EnvConfigFiles;
use aws_runtime::env_config::property::PropertiesKey;
use aws_runtime::env_config::section::{EnvConfigSections, Profile as Section};
use aws_runtime::env_config::source;
use aws_types::os_shim_internal::{Env, Fs};

/// The profile of a run, among the others of its files.
#[derive(Debug)]
pub(crate) struct Profile {
    name: String,
    sections: EnvConfigSections,
}

impl Profile {
    /// Returns the named profile, else the one in `AWS_PROFILE`, else `default`, which may be empty.
    ///
    /// # Errors
    /// A profile is named, and the config files cannot be read or do not have it.
    pub(crate) async fn load(named: Option<&str>) -> anyhow::Result<Profile> {
        let from_environment = std::env::var("AWS_PROFILE")
            .ok()
            .filter(|name| !name.is_empty());
        let name = named.map(str::to_owned).or(from_environment);
        let sections = match (read().await, &name) {
            (Ok(sections), _) => sections,
            (Err(error), Some(_)) => return Err(error),
            // The SDK passes over files that it cannot read, and keys in the environment do not need them.
            (Err(_), None) => EnvConfigSections::default(),
        };
        if let Some(name) = &name
            && sections.get_profile(name).is_none()
        {
            bail!(
                "profile '{name}' is not in the AWS config files: see `aws configure list-profiles`"
            );
        }
        let name = name.unwrap_or_else(|| "default".to_owned());
        Ok(Profile { name, sections })
    }

    /// Returns its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Returns one of its values.
    pub(crate) fn get(&self, key: &str) -> Option<&str> {
        self.section(&self.name)?.get(key)
    }

    /// Returns a profile of the same files.
    pub(crate) fn section(&self, name: &str) -> Option<&Section> {
        self.sections.get_profile(name)
    }

    /// Returns the endpoint that its `services` section has for a service, such as `ssm`.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
    pub(crate) fn endpoint_of(&self, service: &str) -> Option<&str> {
        let key = PropertiesKey::builder()
            .section_key("services")
            .section_name(self.get("services")?)
            .property_name(service)
            .sub_property_name("endpoint_url");
        let value = self.sections.other_sections().get(&key.build().ok()?);
        value.map(String::as_str)
    }
}

async fn read() -> anyhow::Result<EnvConfigSections> {
    let files = source::load(&Env::real(), &Fs::real(), &EnvConfigFiles::default()).await;
    let source = files.context("read the AWS config files")?;
    EnvConfigSections::parse(source).context("parse the AWS config files")
}
