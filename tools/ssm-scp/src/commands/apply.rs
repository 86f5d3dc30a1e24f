//! `apply`: carries out the plans on stdin, each after the lock-out guard has looked at it.

use std::path::PathBuf;

use anyhow::bail;
use aws_sdk_organizations::Client;
use awsconf::{Interrupt, Session};
use cli::{Outcome, Output, Plan};

use super::GlobalArgs;
use crate::TOOL;
use crate::apply::{Resources, preconditions};
use crate::lockout::Risk;
use crate::model::Action;
use crate::observe::Through;

/// Apply the plans on stdin and print what was done, with its undo
///
/// Refuses plans that would lock users out. {account} in --assume-role is replaced for each account.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-scp apply --assume-role 'arn:{partition}:iam::{account}:role/audit' <plan.json"
)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    how: cli::ApplyArgs,

    /// Refuse when one of these CloudTrail records would have been denied
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,

    /// Accept the risk with this ID; repeat for several
    #[arg(long = "accept", value_name = "ID")]
    accepted: Vec<String>,
}

pub(crate) async fn run(
    args: &ApplyArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let plans = cli::read_plans::<Action>(&global.io, TOOL)?;
    if let Some(record) = plans.unreachable.first() {
        bail!("the plan is incomplete: {}", record.error);
    }
    out.refuse_closed()?;
    let (first, through) = (global.aws.split_account_roles().0, Through::of(&global.aws));
    let interrupt = Interrupt::listen();
    // What several plans do together is judged before the first of them writes; there is one organization behind credentials.
    let mut opened: Option<Session> = None;
    if let (Some(plan), false) = (plans.plans.first(), args.how.recover) {
        let session = first.session_for(&plan.target).await?;
        let session = opened.insert(session);
        let client = Client::new(&session.config);
        let _working = out.working("judging every account");
        let all: Vec<&Plan<Action>> = plans.plans.iter().collect();
        let history = args.history.as_deref();
        let risks = preconditions::risks(history, &through, session, &client, &all).await?;
        let refused: Vec<Risk> = risks
            .into_iter()
            .filter(|risk| !args.accepted.contains(&risk.id))
            .collect();
        if !refused.is_empty() {
            for risk in &refused {
                out.write(&risk.finding(&plan.target))
                    .map_err(|error| cli::lost(&error, "nothing was written to AWS"))?;
            }
            bail!(
                "nothing was written, because of these risks: {}; do what the findings say, or accept a risk with --accept ID",
                refused
                    .iter()
                    .map(|risk| risk.id.as_str())
                    .collect::<Vec<_>>()
                    .join(", ")
            );
        }
    }
    let mut outcome = Outcome::Fine;
    for plan in plans.plans {
        let known = opened.take_if(|session| session.target == plan.target);
        let session = match known {
            Some(session) => session,
            None => first.session_for(&plan.target).await?,
        };
        let client = Client::new(&session.config);
        let resources = Resources { client };
        let (result, came_to) = ::apply::apply(&resources, &plan, args.how, &interrupt, out).await;
        out.write(&result)
            .map_err(|error| cli::lost(&error, cli::TO_RECOVER))?;
        outcome = outcome.and(came_to);
        if outcome != Outcome::Fine && !args.how.recover {
            break;
        }
    }
    Ok(outcome)
}
