//! `impact`: what a guard risks, and what becomes of every principal of the organization.

use std::path::PathBuf;

use cli::{Finding, Next, Outcome, Output, Reading, Target, Unreachable};
use futures_util::StreamExt;
use organization::Organization;

use super::guard::{Guard, impact};
use super::quota::QuotaArgs;
use super::{GlobalArgs, desired};
use crate::TOOL;
use crate::impact::{Candidate, Gathered, folded};
use crate::lockout::{Evidence, Known, Risk, Shift, risks};
use crate::model::AccountPrincipals;
use crate::observe::{self, Through};
use crate::text;

/// Show the risks of a desired state, and what it changes for every role and user; exit with 1 on risks
///
/// The risks are those for which apply would refuse it, except those from the order of changes and from past calls. {account} in
/// --assume-role is replaced for each account.
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
    let desired = desired::read(&global.io, args.limits.quota.max_characters)?;
    let guard = Guard::of(&desired, args.limits.quota.max_characters)?;
    let through = Through::of(&global.aws);
    let session = global.session().await?;
    let before = match &args.organization {
        Some(path) => Organization::read(path)?,
        None => {
            let _working = out.working("reading the organization");
            observe::live_organization(&session).await?
        }
    };
    let mut after = before.clone();
    guard.join(&mut after);
    let shift = Shift::of(&before, &after);
    let candidate = Candidate {
        shift: &shift,
        guard: &guard.compiled,
        classes: &guard.action_classes(&shift),
        governed: &guard.governed(&after),
    };
    let ids: Vec<String> = before
        .accounts()
        .map(|account| account.id.clone())
        .collect();
    let progress = out.progress();
    progress.begin(ids.len(), "account");
    let (mut impacts, mut unreachable) = (Gathered::default(), Vec::new());
    let (mut places, mut bound): (Vec<usize>, Vec<AccountPrincipals>) = Default::default();
    let mut reading = std::pin::pin!(through.each(&session, &ids).enumerate());
    while let Some((place, read)) = reading.next().await {
        progress.step();
        if let Reading::Unknown(why) = &read.principals {
            let target = Target {
                account: read.account.clone(),
                region: session.target.region.clone(),
            };
            let error = anyhow::anyhow!("{why}");
            unreachable.push(Unreachable::new(TOOL, &target, &error));
        }
        if shift.binds(&read.account) {
            // Whoever may assume its roles may be in an account that is read later.
            places.push(place);
            bound.push(read);
        } else {
            let known = Known::of(std::slice::from_ref(&read));
            impacts.add(place, candidate.impacts(&read, &known));
        }
    }
    let mut of_caller = bound.iter();
    let of_caller = of_caller.find(|read| read.account == session.target.account);
    let caller = of_caller.map(|read| {
        let principals = read.principals.present().map(Vec::as_slice);
        observe::caller_among(&session, principals.unwrap_or_default())
    });
    let known = Known::of(&bound);
    for (place, read) in places.iter().zip(&bound) {
        impacts.add(*place, candidate.impacts(read, &known));
    }
    let risks = risks(&Evidence {
        shift: &shift,
        midway: &[],
        accounts: &bound,
        caller: caller.as_deref(),
        unread_path: None,
        history: &[],
        unread_history: None,
    });
    let finding = |risk: &Risk| risk.finding(&session.target);
    let findings: Vec<Finding> = risks.iter().map(finding).collect();
    let counts = impacts.counts(findings.len(), unreachable.len());
    match out.is_text() {
        true => out.sum_up(text::counted(&counts)),
        false => out.write(&counts)?,
    }
    // Where an account could not be read, apply would refuse the plan.
    let has_roles = !global.aws.split_account_roles().1.is_empty();
    let file = global.io.file.clone();
    match (counts.n_accounts_unread, has_roles) {
        (0, _) if findings.is_empty() => out.suggest_for_good(Next::VerbOf("plan", file)),
        (0, _) | (_, true) => {}
        (_, false) => out.suggest_for_good(impact(&global.aws, file)),
    }
    let outcome = match findings.as_slice() {
        [] => Outcome::Fine,
        findings => out.write_findings(findings)?,
    };
    match out.is_text() {
        true => folded(impacts.in_order())
            .into_iter()
            .try_for_each(|row| out.tabulate(|| row))?,
        false => impacts
            .in_order()
            .try_for_each(|impact| out.write(&impact))?,
    }
    for record in &unreachable {
        out.write(record)?;
    }
    Ok(
        outcome.and(match counts.n_unknown + counts.n_accounts_unread {
            0 => Outcome::Fine,
            _ => Outcome::Trouble,
        }),
    )
}
