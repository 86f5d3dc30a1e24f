//! `pattern`: the event pattern of a desired state, without AWS.

use cli::{Next, Outcome, Output};

use super::{GlobalArgs, desired};
use crate::TOOL;
use crate::alerts::rule;

/// Print the event pattern of a desired state, without calling AWS
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-events pattern -f events.json")]
pub(crate) struct PatternArgs {}

pub(crate) async fn run(
    _: &PatternArgs,
    global: &GlobalArgs,
    of_run: &Output,
) -> anyhow::Result<Outcome> {
    let out = Output::of_document(TOOL, &global.io)?;
    for desired in desired::read(&global.io)?.all()? {
        out.write(&rule::pattern(&desired))?;
    }
    of_run.suggest_for_good(Next::Verb("plan"));
    Ok(Outcome::Fine)
}
