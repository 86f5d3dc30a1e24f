//! `show`: Default Host Management, and the roles of nodes with what their policies allow.

use awsconf::Session;
use cli::{Outcome, Output};

use super::GlobalArgs;
use super::inputs::InputArgs;
use crate::host_management;
use crate::observe::{self, AccountCache};

/// Print Default Host Management, and the roles of nodes with their policies and what those allow
#[derive(clap::Args)]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    inputs: InputArgs,
}

pub(crate) async fn run(
    args: &ShowArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let inputs = args.inputs.read()?;
    let work = async |session: &Session, known: &AccountCache| {
        let preferences = inputs.preferences(&session.target)?;
        let only = inputs.nodes(&session.target)?;
        let observed = observe::observe(session, known, None, only).await;
        host_management::record(&observed, preferences)
    };
    let fleet = global.fleet(out).await?;
    fleet
        .visit(out, work, |_, record| {
            out.write(&record)?;
            Ok(Outcome::Fine)
        })
        .await
}
