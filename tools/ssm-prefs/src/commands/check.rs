//! `check`: what is wrong with the preferences in force, and with the resources that they name.

use awsconf::Session;
use cli::{Next, Outcome, Output};

use super::role_records::RoleArgs;
use super::{GlobalArgs, desired};
use crate::{check, finding, observe};

/// Check the preferences and the key, bucket and log group they use; exit with 1 on findings
#[derive(clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-role show >roles.jsonl; ssm-prefs check -f prefs.json --roles roles.jsonl"
)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    roles: RoleArgs,
}

pub(crate) async fn run(
    args: &CheckArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(Next::Plan);
    let (layers, roles) = (desired::read(&global.io)?, args.roles.read()?);
    let work = async |session: &Session, _: &()| {
        let clients = observe::Clients::new(session);
        let (target, units) = (&session.target, session.units.as_deref());
        let desired = layers.at(target, units)?;
        let mut by_name = observe::ByName::default();
        let observed = observe::observe(&clients, session, &desired, &mut by_name).await;
        let observed = observe::other_keys(&clients, observed, &mut by_name).await;
        let observed = observe::surroundings(&clients, observed, &mut by_name).await;
        let findings = check::check(&desired, &observed, &roles, target, &session.partition);
        let mut findings = finding::at(target, findings);
        findings.extend(layers.expired(check::OVERRIDE_EXPIRED, target, units)?);
        Ok(findings)
    };
    let fleet = global.fleet(out).await?;
    fleet
        .visit(out, work, |_, findings| out.write_findings(&findings))
        .await
}
