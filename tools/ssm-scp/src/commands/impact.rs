//! `impact`: what becomes of every principal of the organization.

use std::path::PathBuf;

use cli::{Outcome, Output, Reading, Target, Unreachable};
use futures_util::StreamExt;
use organization::Organization;

use super::GlobalArgs;
use super::guard::Guard;
use super::quota::QuotaArgs;
use crate::TOOL;
use crate::impact::{Candidate, Gathered};
use crate::lockout::Shift;
use crate::model::Desired;
use crate::observe::{self, Through};
use crate::text;

/// Show for every role and user what a desired state changes; {account} in --assume-role is replaced for each account
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-scp impact -f scp.json --assume-role 'arn:{partition}:iam::{account}:role/audit'"
)]
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
    out.suggest("plan");
    let desired: Desired = cli::read_desired(&global.io, "desired policy")?;
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
    let shift = Shift::of(&before, &after);
    let classes = guard.action_classes(&shift);
    let candidate = Candidate {
        shift: &shift,
        guard: &guard.compiled,
        classes: &classes,
        governed: &governed,
    };
    let ids: Vec<String> = before
        .accounts()
        .map(|account| account.id.clone())
        .collect();
    let progress = out.progress();
    progress.begin(ids.len(), "account");
    let (mut impacts, mut unreachable) = (Gathered::default(), Vec::new());
    let mut reading = std::pin::pin!(through.each(&session, &ids));
    while let Some(read) = reading.next().await {
        progress.step();
        match &read.principals {
            Reading::Present(principals) => {
                impacts.add(candidate.impacts(&read.account, principals));
            }
            Reading::Absent => {}
            Reading::Unknown(why) => {
                let target = Target {
                    account: read.account.clone(),
                    region: session.target.region.clone(),
                };
                let error = anyhow::anyhow!("{why}");
                unreachable.push(Unreachable::new(TOOL, &target, &error));
            }
        }
    }
    let counts = impacts.counts(unreachable.len());
    text::write(out, &counts)?;
    for impact in impacts.in_order() {
        out.write(&impact)?;
    }
    for record in &unreachable {
        out.write(record)?;
    }
    Ok(match counts.n_unknown + counts.n_accounts_unread {
        0 => Outcome::Fine,
        _ => Outcome::Trouble,
    })
}
