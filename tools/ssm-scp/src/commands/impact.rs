//! `impact`: what becomes of every principal of the organization.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cli::{Outcome, Output, Reading, Target, Unreachable};
use futures_util::StreamExt;
use iam_policy::Compiled;
use organization::Organization;

use super::GlobalArgs;
use super::guard::Guard;
use super::quota::QuotaArgs;
use crate::TOOL;
use crate::impact::{AccountPrincipals, Candidate, anybody, denied_actions, partition};
use crate::model::Desired;
use crate::observe::{self, Through};
use crate::table::write_row;

/// Print for every role and user what a desired state changes; {account} in --assume-role stands for each account
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ImpactArgs {
    /// Read the organization from what `show` printed
    #[arg(long, value_name = "FILE")]
    organization: Option<PathBuf>,

    #[command(flatten)]
    limits: QuotaArgs,
}

pub(crate) async fn run(
    args: &ImpactArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let desired: Desired = cli::read(&global.io, "desired policy")?;
    let guard = Guard::of(&desired, args.limits.quota.max_characters)?;
    let through = Through::of(&global.aws);
    let session = global.aws.split_account_roles().0.global_session().await?;
    let before = match &args.organization {
        Some(path) => Organization::read(path)?,
        None => observe::live_organization(&session).await?,
    };
    let mut after = before.clone();
    guard.join(&mut after);
    let governed = guard.governed(&before);
    let (judged_before, judged_after) = (before.judge(), after.judge());
    let mut outcome = Outcome::Fine;
    let ids: Vec<String> = before
        .accounts()
        .map(|account| account.id.clone())
        .collect();
    let progress = out.progress(false);
    progress.begin(ids.len());
    let mut reading = std::pin::pin!(through.each(&session, &ids));
    while let Some(read) = reading.next().await {
        progress.step();
        match &read.principals {
            Reading::Present(principals) => {
                let actions = actions(&guard.compiled, &governed, &read);
                let candidate = Candidate {
                    before: &judged_before,
                    after: &judged_after,
                    guard: &guard.compiled,
                    actions: &actions,
                    governed: &governed,
                };
                for principal in principals {
                    write_row(out, &candidate.impact(&read.account, principal)?)?;
                }
            }
            Reading::Absent => {}
            Reading::Unknown(why) => {
                let target = Target {
                    account: read.account.clone(),
                    region: session.target.region.clone(),
                };
                let error = anyhow::anyhow!("{why}");
                out.write(&Unreachable::new(TOOL, &target, &error))?;
                outcome = Outcome::Trouble;
            }
        }
    }
    Ok(outcome)
}

/// Returns the actions that a guard denies to anybody of the accounts that it binds, or to somebody who was found in this one.
pub(crate) fn actions(
    guard: &[Compiled],
    governed: &BTreeSet<String>,
    account: &AccountPrincipals,
) -> Vec<String> {
    let found = account.principals.present().into_iter().flatten();
    let found = found.map(|principal| principal.arn.as_str());
    let partition = partition(found.clone());
    let anybodies: Vec<String> = governed.iter().map(|id| anybody(partition, id)).collect();
    // Of whoever is bound by nothing it does not matter what the guard would say.
    let found = found.filter(|_| governed.contains(&account.account));
    denied_actions(guard, anybodies.iter().map(String::as_str).chain(found))
}
