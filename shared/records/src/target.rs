//! Where: the account and region that a record speaks of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::id::AccountId;

/// The account and region that a record speaks of. `region` is `global` for services that have none.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// 12-digit account ID.
    pub account: String,
    /// Region code such as `eu-central-1`, or `global`.
    pub region: String,
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.account, self.region)
    }
}

impl std::str::FromStr for Target {
    type Err = &'static str;

    /// Reads what [`Display`](std::fmt::Display) writes: `ACCOUNT/REGION`.
    fn from_str(text: &str) -> Result<Target, &'static str> {
        match text.split_once('/') {
            Some((account, region))
                if account.parse::<AccountId>().is_ok() && region.contains('-') =>
            {
                Ok(Target {
                    account: account.to_owned(),
                    region: region.to_owned(),
                })
            }
            _ => Err("expected ACCOUNT/REGION such as 111122223333/eu-central-1"),
        }
    }
}
