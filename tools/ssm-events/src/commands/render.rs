//! `render`: a CloudFormation template of a desired state, without AWS.

use cli::{Outcome, Output};

use super::{GlobalArgs, desired};
use crate::TOOL;
use crate::alerts::template;

/// Print a CloudFormation template of a desired state, without calling AWS
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events render --cloudformation -f events.json >events.template.json"
)]
pub(crate) struct RenderArgs {
    /// Print a CloudFormation template that makes what apply makes in a new account and region
    #[arg(long, required = true)]
    cloudformation: bool,
}

pub(crate) async fn run(
    _: &RenderArgs,
    global: &GlobalArgs,
    _: &Output,
) -> anyhow::Result<Outcome> {
    let template = template::template(&desired::read(&global.io)?.only()?)?;
    Output::of_document(TOOL, &global.io)?.write(&template)?;
    Ok(Outcome::Fine)
}
