//! The quotas of policies, for organizations that have others than AWS's defaults.

use iam_policy::{MAX_SCP_CHARACTERS, MAX_SCPS_PER_TARGET};

/// The quotas, for organizations that have others.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct QuotaArgs {
    /// Allow this many characters in a policy, and this many policies on a target, such as 5120,5
    #[arg(long, value_name = "CHARACTERS[,POLICIES]", value_parser = quota, default_value_t)]
    pub(crate) quota: Quota,
}

/// How long a policy may be, and how many a target may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    pub(crate) max_characters: usize,
    pub(crate) max_policies: usize,
}

impl Default for Quota {
    fn default() -> Quota {
        Quota {
            max_characters: MAX_SCP_CHARACTERS,
            max_policies: MAX_SCPS_PER_TARGET,
        }
    }
}

impl std::fmt::Display for Quota {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{},{}", self.max_characters, self.max_policies)
    }
}

fn quota(text: &str) -> Result<Quota, String> {
    let (characters, policies) = match text.split_once(',') {
        Some((characters, policies)) => (characters, Some(policies)),
        None => (text, None),
    };
    let number = |text: &str| match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a number of characters, such as 5120, or 5120,5".to_owned()),
    };
    Ok(Quota {
        max_characters: number(characters)?,
        max_policies: policies.map_or(Ok(MAX_SCPS_PER_TARGET), number)?,
    })
}
