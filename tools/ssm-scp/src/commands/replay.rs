//! `replay`: which recorded calls a guard would have denied, without AWS.

use anyhow::{Context, ensure};
use cli::{Outcome, Output};
use organization::Organization;

use super::GlobalArgs;
use super::guard::GuardArgs;
use crate::TOOL;
use crate::replay::{Counts, Replaying, never_recorded};

/// Print the calls in CloudTrail records on stdin that a guard would have denied, without calling AWS
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events history --since 7d | ssm-scp replay --guard scp.json"
)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    source: GuardArgs,

    /// Exit with 1 when a call would have been denied
    #[arg(long)]
    exit_code: bool,
}

pub(crate) async fn run(
    args: &ReplayArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(args.source.next(&global.aws));
    let guard = args.source.read()?;
    ensure!(
        !guard.compiled.is_empty(),
        "no guard: pass --guard FILE or --policy FILE"
    );
    let governed = match &args.source.organization {
        None => None,
        Some(path) => {
            let mut organization = Organization::read(path)?;
            guard.join(&mut organization);
            Some(guard.governed(&organization))
        }
    };
    let is_governed = |account: &str| {
        governed
            .as_ref()
            .is_none_or(|accounts| accounts.contains(account))
    };
    let mut replaying = Replaying::by(&guard.compiled, is_governed);
    let working = out.working("judging the records");
    replaying
        .file(global.io.path())
        .context("read CloudTrail records")?;
    drop(working);
    let replay = replaying.end();
    out.note(&in_words(&replay.counts));
    if let Some(damage) = &replay.damage {
        // Not for `-q` to hide: the status says that something is wrong, and only this says what.
        cli::print_error(TOOL, &damage_in_words(replay.counts.n_damaged, damage));
    }
    let unseen = never_recorded(&guard.compiled);
    if !unseen.is_empty() {
        out.note(&format!(
            "CloudTrail never records {}, which the guard denies: who needs it is not seen here",
            unseen.join(", ")
        ));
    }
    // An input of other things says nothing of what was called.
    let is_other =
        replay.counts.n_records > 0 && replay.counts.n_records == replay.counts.n_no_call;
    if is_other {
        let objects = cli::count(in_usize(replay.counts.n_no_call), "object");
        cli::print_error(TOOL, &format!("no record of a call among {objects}"));
    }
    // A call that could not be judged is not one that is allowed.
    let mut outcome = match (replay.counts.n_without_principal, replay.counts.n_damaged) {
        (0, 0) if !is_other => Outcome::Fine,
        _ => Outcome::Trouble,
    };
    for call in replay.into_denied() {
        out.write(&call)?;
        outcome = outcome.and(match call.n_unknown {
            0 if args.exit_code => Outcome::Found,
            0 => Outcome::Fine,
            _ => Outcome::Trouble,
        });
    }
    Ok(outcome)
}

fn damage_in_words(n_damaged: u64, first: &str) -> String {
    match n_damaged {
        1 => format!("1 record is damaged: {first}"),
        n => format!("{n} records are damaged; the first is {first}"),
    }
}

fn in_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

fn in_words(counts: &Counts) -> String {
    let Counts {
        n_records,
        n_not_concerned,
        n_not_governed,
        n_denied_before,
        n_without_principal,
        n_no_call,
        n_damaged: _,
    } = counts;
    let records = cli::count(in_usize(*n_records), "record");
    format!(
        "{records}: {n_not_concerned} of actions that the guard does not deny, {n_not_governed} by AWS or in accounts outside the guard, \
         {n_denied_before} already denied when called, {n_without_principal} without a caller, {n_no_call} that are not calls"
    )
}
