//! `show`: the tree of the organization and its policies.

use cli::{Outcome, Output};

use super::GlobalArgs;
use crate::observe;
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
    out.suggest("check");
    let session = global.aws.global_session().await?;
    let working = out.working("reading the organization");
    let organization = observe::live_organization(&session).await?;
    drop(working);
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
