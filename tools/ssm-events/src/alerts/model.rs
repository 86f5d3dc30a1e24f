//! The alerts as desired, what is observed, and the actions between them. Plain data, no AWS types.

mod action;
mod desired;
mod observed;
mod source;

use cli::{Reading, Target};
use schemars::JsonSchema;
use serde::Serialize;

pub(crate) use self::action::Action;
pub(crate) use self::desired::{Desired, DesiredFunction, DesiredTrail};
pub(crate) use self::observed::{
    Connection, Destination, Function, Observed, Queue, Role, Rule, RuleTarget, Trail, TrailBucket,
};
pub(crate) use self::source::Webhook;

/// The fix of what a plan mends. Reports do not say whose finding they show.
pub(crate) const PLAN: &str = "let ssm-events plan and apply it";

/// Hashes of what a plan must not hold: the webhook's URL, the function's package.
#[derive(Clone, Debug, Default)]
pub(crate) struct Hashes {
    /// SHA-256 of the URL in hexadecimal digits.
    pub(crate) endpoint: Reading<String>,
    /// SHA-256 of the package in Base64, as Lambda gives it.
    pub(crate) code: Reading<String>,
}

impl Hashes {
    /// Returns the hashes when what they are of could be read.
    ///
    /// # Errors
    /// It could not; the text says why.
    pub(crate) fn known(self) -> anyhow::Result<Hashes> {
        for hash in [&self.endpoint, &self.code] {
            hash.known().map_err(|why| anyhow::anyhow!("{why}"))?;
        }
        Ok(self)
    }
}

/// What `show` prints: one account and region, each part present, absent or unknown.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Alerts {
    kind: AlertsKind,
    target: Target,
    observed: Observed,
}

/// The `kind` of what `show` prints.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AlertsKind {
    /// The only value.
    Alerts,
}

impl Alerts {
    pub(crate) fn new(target: Target, observed: Observed) -> Alerts {
        Alerts {
            kind: AlertsKind::Alerts,
            target,
            observed,
        }
    }
}
