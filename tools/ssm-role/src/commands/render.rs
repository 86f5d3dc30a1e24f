//! `render`: a CloudFormation template of a desired state, without AWS.

use std::path::PathBuf;

use anyhow::Context;
use cli::{IoArgs, Layers, Outcome, Output};

use super::GlobalArgs;
use crate::model::Desired;
use crate::preferences::of_document;
use crate::{TOOL, template};

/// Print a CloudFormation template of a desired state, without calling AWS
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  jq 'del(.instance_profiles, .hybrid_activations)' role.json >stack.json\n  ssm-role render --cloudformation -f stack.json >role.template.json"
)]
pub(crate) struct RenderArgs {
    /// Print a CloudFormation template that makes what apply makes in a new account and region
    #[arg(long, required = true)]
    cloudformation: bool,
    /// Grant what logs and encryption need, from FILE as ssm-prefs render prints it
    #[arg(long, value_name = "FILE")]
    prefs: Option<PathBuf>,
}

pub(crate) async fn run(
    args: &RenderArgs,
    global: &GlobalArgs,
    _: &Output,
) -> anyhow::Result<Outcome> {
    let layers = Layers::<Desired>::read(&global.io, "desired roles")?;
    let desired = layers.only()?;
    layers.checked(template::mistake)?;
    let preferences = match &args.prefs {
        Some(path) => {
            let document = cli::read(&IoArgs::of_file(path), "preferences")?;
            let action = || format!("read preferences from {}", path.display());
            Some(of_document(&document, &cloudformation::target()).with_context(action)?)
        }
        None => None,
    };
    let template = template::template(&desired, preferences.as_ref())?;
    Output::of_document(TOOL, &global.io)?.write(&template)?;
    Ok(Outcome::Fine)
}
