//! `show`: Default Host Management, and the roles of nodes with what their policies allow; or the roles of operators.

use std::collections::BTreeMap;

use anyhow::anyhow;
use awsconf::Session;
use cli::{Next, Outcome, Output};

use super::GlobalArgs;
use super::inputs::InputArgs;
use crate::host_management;
use crate::observe::{self, AccountCache};
use crate::operators;

/// Print Default Host Management, and the roles of nodes with their policies and what those allow
#[derive(clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-role show >roles.jsonl")]
pub(crate) struct ShowArgs {
    #[command(flatten)]
    inputs: InputArgs,
    /// Print the roles of people who start sessions instead, for ssm-prefs --operators: those named, or all that may
    #[arg(long, value_name = "ROLE", num_args = 0.., conflicts_with_all = ["prefs", "nodes"])]
    operators: Option<Vec<String>>,
}

pub(crate) async fn run(
    args: &ShowArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(match args.operators {
        Some(_) => Next::SavedFor("operators", "ssm-prefs check --operators"),
        None => Next::Verb("check"),
    });
    out.list_of("host_management");
    let inputs = args.inputs.read()?;
    let work = async |session: &Session, known: &AccountCache| {
        if let Some(names) = &args.operators {
            let roles = observe::operators::operators(session, known).await;
            let roles = roles.known().map_err(|reason| anyhow!("{reason}"))?;
            let none = BTreeMap::new();
            return operators::record(&session.target, roles.unwrap_or(&none), names);
        }
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
