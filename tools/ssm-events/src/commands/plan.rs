//! `plan`: the changes that a desired state needs.

use anyhow::Context;
use awsconf::Session;
use cli::{Outcome, Output, Plan};

use super::GlobalArgs;
use super::desired;
use crate::TOOL;
use crate::alerts::observe::{self, Clients, Names, RoleCache};
use crate::alerts::{plan, rule};

/// Print the changes that a desired state needs
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events plan -f events.json >plan.json\n\nEnvironment:\n  SLACK_WEBHOOK_URL  The webhook, where env:SLACK_WEBHOOK_URL names it"
)]
pub(crate) struct PlanArgs {
    /// Exit with 1 when something needs to change
    #[arg(long)]
    exit_code: bool,
}

pub(crate) async fn run(
    args: &PlanArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let layers = desired::read_with_files(&global.io).await?;
    let work = async |session: &Session, known: &RoleCache| {
        let desired = layers.at(&session.target, session.units.as_deref())?;
        let hashes = desired::hashes(&desired, Some(session)).await.known()?;
        let names = Names::of(&desired, session);
        let observed = observe::observe(&Clients::new(session), known, &names).await;
        let (target, partition) = (&session.target, &session.partition);
        let changes = plan::plan(&desired, &hashes, &observed, target, partition)
            .with_context(|| format!("plan for {target}"))?;
        let too_long = rule::too_long(&rule::pattern(&desired)).transpose();
        let note = too_long.map_err(|why| anyhow::anyhow!("plan for {target}: {why}"))?;
        Ok((Plan::new(TOOL, target.clone(), changes), note))
    };
    let fleet = global.fleet(out).await?;
    fleet
        .visit(out, work, |_, (plan, note)| {
            if let Some(note) = note {
                out.note(&format!("warning: {}: {note}", plan.target));
            }
            out.write(&plan)?;
            Ok(match args.exit_code && !plan.changes.is_empty() {
                true => Outcome::Found,
                false => Outcome::Fine,
            })
        })
        .await
}
