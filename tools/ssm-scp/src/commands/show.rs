//! `show`: the tree of the organization and its policies.

use cli::{Next, Outcome, Output};

use super::GlobalArgs;
use crate::text;

/// Print the tree of the organization, its service control policies and its resource control policies
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-scp show >organization.jsonl")]
pub(crate) struct ShowArgs {}

pub(crate) async fn run(
    _: &ShowArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.list_of("entity");
    out.suggest(Next::Verb("check"));
    let organization = global.organization(out).await?;
    for entity in &organization.entities {
        text::write(out, entity)?;
    }
    for policy in organization
        .policies
        .iter()
        .chain(&organization.resource_control)
    {
        out.write(policy)?;
    }
    Ok(Outcome::Fine)
}
