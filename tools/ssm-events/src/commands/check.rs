//! `check`: what keeps events from being sent, and uses and sessions that somebody should look at.

mod uses;

use std::time::Duration;

use awsconf::Session;
use cli::{Next, Outcome, Output, Reading};

use super::GlobalArgs;
use super::desired;
use super::sessions::GRACE_MINUTES;
use crate::alerts::observe::{self, Clients, Names, RoleCache};
use crate::alerts::{apply, check};
use crate::records::observe::sessions::{self, Ask};
use crate::records::sessions::{Book, Facts, Rules, findings as transcripts};

/// Check the alerts; exit with 1 on findings
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events check -f events.json\n  ssm-events check -f events.json --transcripts\n  ssm-events check -f events.json --routes routes.json --acknowledged acknowledged.json\n  ssm-events check -f events.json --routes routes.json --records history.jsonl\n\nEnvironment:\n  SLACK_WEBHOOK_URL  The webhook, where env:SLACK_WEBHOOK_URL names it"
)]
pub(crate) struct CheckArgs {
    /// Put a marked event on the bus and report whether it is delivered
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
    /// Also find sessions of the last 30 days without a transcript that should have one
    #[arg(long)]
    transcripts: bool,
    /// Call a transcript missing this many minutes after the end of its session
    #[arg(long, value_name = "MINUTES", default_value_t = GRACE_MINUTES, requires = "transcripts")]
    grace: u32,

    #[command(flatten)]
    uses: uses::UsesArgs,
}

pub(crate) async fn run(
    args: &CheckArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(Next::Plan);
    let test_for = args.send_test.then(|| Duration::from_secs(args.patience));
    let asked = args.uses.read(out)?;
    let layers = desired::read(&global.io)?;
    let work = async |session: &Session, (known, once): &(RoleCache, uses::Once)| {
        let (target, units) = (&session.target, session.units.as_deref());
        let desired = layers.at(target, units)?;
        let expired = layers.expired(check::OVERRIDE_EXPIRED, target, units)?;
        // Behind what may end this Region, which would leave the sign-ins of the account unread, and before the first call.
        let is_first = once.begin();
        let hashes = desired::hashes(&desired, Some(session)).await;
        if let Reading::Unknown(why) = &hashes.endpoint {
            let why = why.trim_start_matches("read the webhook: ");
            out.suggest_before_next(format!("before a plan: {why}"));
        }
        let clients = Clients::new(session);
        let observed = observe::observe(&clients, known, &Names::of(&desired, session)).await;
        let partition = &session.partition;
        let mut findings = check::check(&desired, &hashes, &observed, target, partition);
        // A trail of its own is looked at by itself.
        if desired.trail.is_none() {
            findings.extend(check::coverage(&observe::coverage(&clients).await, target));
        }
        findings.extend(expired);
        if let Some(patience) = test_for {
            findings.push(apply::test_event::send(&clients, session, &desired, patience).await);
        }
        if args.transcripts {
            let (mut book, mut facts) = (Book::default(), Facts::default());
            sessions::read(session, &Ask::default(), &mut book, &mut facts).await;
            book.sort();
            let rules = Rules {
                now: awsconf::now().seconds(),
                grace: i64::from(args.grace) * 60,
            };
            findings.extend(transcripts(&book, target, &facts, &rules));
        }
        if let Some(asked) = &asked {
            findings.extend(uses::find(session, asked, once, is_first, out).await);
        }
        Ok(findings)
    };
    // First of all: no call that fails takes away what the files say.
    let recorded = match &asked {
        Some(asked) => out.write_findings(asked.recorded())?,
        None => Outcome::Fine,
    };
    let fleet = global.fleet(out).await?;
    let outcome = fleet
        .visit(out, work, |_, findings| out.write_findings(&findings))
        .await?;
    Ok(outcome.and(recorded))
}
