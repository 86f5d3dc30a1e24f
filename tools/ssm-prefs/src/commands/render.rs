//! `render`: the documents of a desired state, or a template that makes them, without AWS.

use cli::{Outcome, Output};

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
    out: &Output,
) -> anyhow::Result<Outcome> {
    let layers = desired::read(&global.io)?;
    if args.cloudformation {
        let template = template::template(&layers.only()?)?;
        Output::of_document(TOOL, &global.io)?.write(&template)?;
        return Ok(Outcome::Fine);
    }
    for desired in layers.all()? {
        out.write(&session_document::render(&desired, None, None))?;
    }
    Ok(Outcome::Fine)
}
