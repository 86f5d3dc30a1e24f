//! `render`: the documents of a desired state, or a template that makes them, without AWS.

use cli::{Next, Outcome, Output};

use super::{GlobalArgs, desired};
use crate::{TOOL, session_document, template};

/// Print the document of a desired state and of each of its overrides, without calling AWS
#[derive(clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-prefs render -f prefs.json\n  ssm-prefs render --cloudformation -f prefs.json >prefs.template.json"
)]
pub(crate) struct RenderArgs {
    /// Print a CloudFormation template that makes what apply makes in a new account and region
    #[arg(long)]
    cloudformation: bool,
}

pub(crate) async fn run(
    args: &RenderArgs,
    global: &GlobalArgs,
    of_run: &Output,
) -> anyhow::Result<Outcome> {
    let layers = desired::read(&global.io)?;
    let out = Output::of_document(TOOL, &global.io)?;
    if args.cloudformation {
        out.write(&template::template(&layers.only()?)?)?;
        return Ok(Outcome::Fine);
    }
    for desired in layers.all()? {
        out.write(&session_document::render(&desired, None, None))?;
    }
    if global.io.is_of_file() {
        of_run.suggest_for_good(Next::Pipe("lint"));
    }
    Ok(Outcome::Fine)
}
