//! `plan`: the changes that bring outdated agents up to date.

use std::path::PathBuf;

use awsconf::Session;
use cli::{Layers, Outcome, Output};

use super::GlobalArgs;
use super::nodes::{saved_nodes, trouble};
use crate::model::Desired;
use crate::{observe, plan};

/// Print the changes that a desired state needs
#[derive(clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-agentcheck plan -f agent.json >plan.json")]
pub(crate) struct PlanArgs {
    /// Look only at the nodes whose records are in FILE
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,
    /// Exit with 1 when something needs to change
    #[arg(long)]
    exit_code: bool,
    /// Accept a risk that otherwise prevents the plan; repeat for several
    #[arg(long = "accept", value_name = "RISK")]
    accepted: Vec<Risk>,
}

/// A risk that a person may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Risk {
    /// The association updates nodes that the desired state excludes
    ExcludedNodes,
}

pub(crate) async fn run(
    args: &PlanArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let layers = Layers::read(&global.io, "desired agents")?.checked(Desired::mistake)?;
    let (narrowed, unreachable) = match &args.nodes {
        Some(path) => {
            let (nodes, unreachable) = saved_nodes(std::slice::from_ref(path), None)?;
            (Some(nodes), unreachable)
        }
        None => (None, Vec::new()),
    };
    let work = async |session: &Session, _: &()| {
        let ids = narrowed.as_ref().map(|nodes| {
            let here = nodes.iter().filter(|node| node.target == session.target);
            here.map(|node| node.instance_id.clone()).collect()
        });
        let desired = layers.at(&session.target, session.units.as_deref())?;
        let observed = observe::for_plan(session, &desired, ids).await?;
        let is_accepted = args.accepted.contains(&Risk::ExcludedNodes);
        Ok(plan::plan(
            &desired,
            &session.target,
            &observed,
            is_accepted,
        )?)
    };
    let fleet = global.fleet(out).await?;
    let outcome = fleet.visit(out, work, |session, planned| {
        out.write(&planned.plan)?;
        if !planned.offline.is_empty() {
            out.note(&format!(
                "{}: outdated, but not online, so no command reaches them: {}",
                session.target,
                planned.offline.join(", ")
            ));
        }
        if !planned.excluded.is_empty() {
            out.note(&format!(
                "{}: outdated, but excluded, so they are not updated: {}",
                session.target,
                planned.excluded.join(", ")
            ));
        }
        for note in &planned.notes {
            out.note(&format!("{}: {note}", session.target));
        }
        Ok(match args.exit_code && !planned.plan.changes.is_empty() {
            true => Outcome::Found,
            false => Outcome::Fine,
        })
    });
    Ok(outcome.await?.and(trouble(out, &unreachable)?))
}
