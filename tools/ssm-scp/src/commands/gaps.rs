//! `gaps`: what stays open below the policies of an organization, or under a desired state.

use std::collections::BTreeSet;
use std::path::PathBuf;

use cli::{Next, Outcome, Output, Target, Unreachable};
use iam_policy::{Compiled, Policy};
use organization::{FULL_ACCESS, Organization, compile};

use super::guard::Guard;
use super::quota::QuotaArgs;
use super::{GlobalArgs, desired};
use crate::TOOL;
use crate::gaps::{Place, gaps, management_account};
use crate::guard::OUTSIDE;
use crate::model::Desired;
use crate::principal_arn::partition;
use crate::text;

/// Print the ways onto nodes that stay open and what closes them: in the organization, or with -f under a desired state
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-scp gaps -f scp.json")]
pub(crate) struct GapsArgs {
    /// Read the organization from what `show` printed
    #[arg(long, value_name = "FILE")]
    organization: Option<PathBuf>,

    #[command(flatten)]
    limits: QuotaArgs,
}

/// With a desired state AWS is not called: it is judged by itself, or joined to a saved organization.
pub(crate) async fn run(
    args: &GapsArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(Next::VerbOf("check", global.io.file.clone()));
    let desired: Option<Desired> = match &global.io.file {
        Some(_) => Some(desired::read(&global.io, args.limits.quota.max_characters)?),
        None => None,
    };
    let guard = match &desired {
        Some(desired) => Some(Guard::of(desired, args.limits.quota.max_characters)?),
        None => None,
    };
    let organization = match (&args.organization, &guard) {
        (Some(path), _) => Some(Organization::read(path)?),
        (None, None) => Some(global.organization(out).await?),
        (None, Some(_)) => None,
    };
    out.note(OUTSIDE);
    let full = compile("FullAWSAccess", FULL_ACCESS)?;
    let policies = guard.iter().flat_map(|guard| &guard.compiled);
    let policies: Vec<&Compiled> = std::iter::once(&full).chain(policies).collect();
    let alone = desired
        .as_ref()
        .map(|desired| Place::of_desired(desired, policies));
    let Some(mut organization) = organization else {
        text::write_gaps(out, &gaps(alone.as_slice(), None))?;
        return Ok(Outcome::Fine);
    };
    if let Some(guard) = &guard {
        guard.join(&mut organization);
    }
    let governed = guard
        .as_ref()
        .map(|guard| guard.governed(&organization))
        .unwrap_or_default();
    let judged = organization.judge();
    let (mut places, mut unbound) = (Vec::new(), Vec::new());
    let mut outcome = Outcome::Fine;
    for account in organization.accounts() {
        let levels = match judged.levels(&account.id) {
            Ok(Some(levels)) => levels,
            // No policy binds the management account.
            Ok(None) => {
                unbound.push(management_account(&account.id));
                continue;
            }
            Err(error) => {
                let target = Target {
                    account: account.id.clone(),
                    region: "global".to_owned(),
                };
                out.write(&Unreachable::new(TOOL, &target, &error))?;
                outcome = Outcome::Trouble;
                continue;
            }
        };
        let policies = policies_above(&organization, &account.id);
        let exempt = sorted(policies.iter().flat_map(Policy::exempt_principals));
        let named = sorted(policies.iter().flat_map(named_principals));
        let mut place = Place {
            account: &account.id,
            partition: partition(exempt.iter().chain(&named).map(String::as_str)).to_owned(),
            levels,
            exempt,
            exempt_accounts: Vec::new(),
            named,
            records: Vec::new(),
            below_target: governed.contains(&account.id),
            membership: judged.membership(&account.id),
        };
        if let Some(desired) = &desired {
            place.name_records(desired);
        }
        places.push(place);
    }
    let mut gaps = gaps(&places, alone.as_ref());
    gaps.extend(unbound);
    text::write_gaps(out, &gaps)?;
    Ok(outcome)
}

/// Returns the policies above an account that can be read.
fn policies_above(organization: &Organization, account: &str) -> Vec<Policy> {
    let line = organization.lineage(account);
    let names = line.iter().flat_map(|entity| &entity.policies);
    let documents = names.filter_map(|name| organization.policy(name));
    let drafts = documents.map(|policy| Policy::parse(&policy.document.to_string()).draft);
    drafts.flatten().collect()
}

/// Returns all values that a policy compares `aws:PrincipalArn` with.
fn named_principals(policy: &Policy) -> impl Iterator<Item = &str> {
    let conditions = policy.statements.iter().flat_map(|one| &one.conditions);
    conditions
        .filter(|one| one.key.value.eq_ignore_ascii_case("aws:PrincipalArn"))
        .flat_map(|condition| &condition.values)
        .map(|value| value.value.as_str())
}

fn sorted<'a>(patterns: impl Iterator<Item = &'a str>) -> Vec<String> {
    let patterns: BTreeSet<&str> = patterns.collect();
    patterns.into_iter().map(str::to_owned).collect()
}
