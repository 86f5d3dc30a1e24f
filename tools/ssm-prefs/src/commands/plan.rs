//! `plan`: the changes that a desired state needs, and a warning of sessions that would be refused after them.

use anyhow::Context;
use awsconf::Session;
use cli::{Finding, Outcome, Output, Plan, Severity};

use super::role_records::RoleArgs;
use super::{GlobalArgs, desired};
use crate::model::{Action, Desired, Observed};
use crate::preflight;
use crate::roles::Roles;
use crate::{TOOL, observe, owners, plan};

/// Print the changes that a desired state needs
#[derive(clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-role show >roles.jsonl; ssm-prefs plan -f prefs.json --roles roles.jsonl >plan.json"
)]
pub(crate) struct PlanArgs {
    /// Exit with 1 when something needs to change
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    roles: RoleArgs,
}

pub(crate) async fn run(
    args: &PlanArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let (layers, roles) = (desired::read(&global.io)?, args.roles.read()?);
    let work = async |session: &Session, _: &()| {
        let clients = observe::Clients::new(session);
        let desired = layers.at(&session.target, session.units.as_deref())?;
        let mut by_name = observe::ByName::default();
        let observed = observe::observe(&clients, session, &desired, &mut by_name).await;
        let observed = observe::other_keys(&clients, observed, &mut by_name).await;
        decide(&desired, &observed, &roles, session)
    };
    let fleet = global.fleet(out).await?;
    fleet
        .visit(out, work, |_, (plan, findings)| {
            // What refuses nobody is said in the plan itself, and by check.
            let shown = findings.iter().filter(|one| one.severity != Severity::Info);
            for finding in shown {
                out.note(&format!(
                    "warning: after this plan: {} {}: {}",
                    finding.id, finding.resource, finding.message
                ));
            }
            out.write(&plan)?;
            Ok(match args.exit_code && !plan.changes.is_empty() {
                true => Outcome::Found,
                false => Outcome::Fine,
            })
        })
        .await
}

/// Makes a plan, and finds sessions that would be refused once it is carried out.
fn decide(
    desired: &Desired,
    observed: &Observed,
    roles: &Roles,
    session: &Session,
) -> anyhow::Result<(Plan<Action>, Vec<Finding>)> {
    let changes = plan::plan(desired, observed, &session.target, &session.partition)
        .with_context(|| format!("plan for {}", session.target))?;
    let after = plan::after(observed, &changes, &session.target, &session.partition);
    let findings = after.document.present().map(|document| {
        let content = &document.latest.content;
        preflight::preflight(content, &after, roles, &session.target)
    });
    let mut plan = Plan::new(TOOL, session.target.clone(), changes);
    plan.for_owners = owners::statements(desired, &session.target, &session.partition);
    Ok((plan, findings.unwrap_or_default()))
}
