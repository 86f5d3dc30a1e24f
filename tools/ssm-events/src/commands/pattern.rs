//! `pattern`: the event pattern of a desired state, without AWS.

use cli::{Outcome, Output};

use super::{GlobalArgs, desired};
use crate::alerts::rule;

/// Print the event pattern of a desired state, without calling AWS
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-events pattern -f events.json")]
pub(crate) struct PatternArgs {}

pub(crate) async fn run(
    _: &PatternArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    for desired in desired::read(&global.io)?.all()? {
        out.write(&rule::pattern(&desired))?;
    }
    Ok(Outcome::Fine)
}
