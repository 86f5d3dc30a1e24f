//! `check`: what keeps events from reaching Slack.

use std::time::Duration;

use anyhow::Context;
use awsconf::Session;
use cli::{Outcome, Output};

use super::GlobalArgs;
use super::desired::{self, Hashing};
use crate::alerts::observe::{self, Clients, Names, RoleCache};
use crate::alerts::{apply, check};

/// Check the alerts; exit with 1 on findings
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-events check -f events.json")]
pub(crate) struct CheckArgs {
    /// Put a marked event on the bus and say what came of it
    #[arg(long)]
    send_test: bool,
    /// Wait this many seconds for the marked event to come back undelivered
    #[arg(
        long,
        value_name = "SECONDS",
        default_value_t = 15,
        requires = "send_test"
    )]
    patience: u64,
}

pub(crate) async fn run(
    args: &CheckArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest("plan");
    let test_for = args.send_test.then(|| Duration::from_secs(args.patience));
    let layers = desired::read_with_files(&global.io).await?;
    let work = async |session: &Session, known: &RoleCache| {
        let (target, units) = (&session.target, session.units.as_deref());
        let desired = layers.at(target, units)?;
        let hashes = Hashing::new(&desired).await?.of(session).await?;
        let clients = Clients::new(session);
        let observed = observe::observe(&clients, known, &Names::of(&desired, session)).await;
        let partition = &session.partition;
        let mut findings = check::check(&desired, &hashes, &observed, target, partition);
        // A trail of its own is looked at by itself.
        if desired.trail.is_none() {
            findings.extend(check::coverage(&observe::coverage(&clients).await, target));
        }
        findings.extend(layers.expired(check::OVERRIDE_EXPIRED, target, units)?);
        if let Some(patience) = test_for {
            let tested = apply::test_event::send(&clients, session, &desired, patience).await;
            findings.push(tested.context("send a test event")?);
        }
        Ok(findings)
    };
    let fleet = global.fleet(out).await?;
    fleet
        .visit(out, work, |_, findings| out.write_findings(&findings))
        .await
}
