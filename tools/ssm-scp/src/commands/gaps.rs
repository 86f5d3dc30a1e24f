//! `gaps`: what stays open below the policies of an organization, or under a desired state.

use std::path::PathBuf;

use cli::{Outcome, Output, Target, Unreachable};
use iam_policy::Policy;
use organization::{FULL_ACCESS, Organization, compile};

use super::GlobalArgs;
use super::guard::Guard;
use super::quota::QuotaArgs;
use crate::gaps::{NOWHERE, Place, gaps};
use crate::guard::{OUTSIDE, exempt_patterns};
use crate::model::Desired;
use crate::principal_arn::partition;
use crate::table::write_row;
use crate::{TOOL, observe};

/// Print the ways onto nodes that stay open and what closes them: in the organization, or with -f under a desired state
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GapsArgs {
    /// Read the organization from what `show` printed
    #[arg(long, value_name = "FILE")]
    organization: Option<PathBuf>,

    #[command(flatten)]
    limits: QuotaArgs,
}

/// With a desired state nothing is asked of AWS: it is judged by itself, or joined to a saved organization.
pub(crate) async fn run(
    args: &GapsArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let desired: Option<Desired> = match &global.io.file {
        Some(_) => Some(cli::read(&global.io, "desired policy")?),
        None => None,
    };
    let guard = match &desired {
        Some(desired) => Some(Guard::of(desired, args.limits.quota.max_characters)?),
        None => None,
    };
    let organization = match (&args.organization, &guard) {
        (Some(path), _) => Some(Organization::read(path)?),
        (None, None) => {
            Some(observe::live_organization(&global.aws.global_session().await?).await?)
        }
        (None, Some(_)) => None,
    };
    out.note(OUTSIDE);
    let Some(mut organization) = organization else {
        let full = compile("FullAWSAccess", FULL_ACCESS)?;
        let policies = guard.iter().flat_map(|guard| &guard.compiled);
        let place = Place {
            account: NOWHERE,
            partition: desired
                .as_ref()
                .map_or_else(|| "aws".to_owned(), |desired| desired.partition.0.clone()),
            levels: vec![std::iter::once(&full).chain(policies).collect()],
            exempt: desired.iter().flat_map(exempt_patterns).collect(),
        };
        for gap in gaps(&[place]) {
            write_row(out, &gap)?;
        }
        return Ok(Outcome::Fine);
    };
    if let Some(guard) = &guard {
        guard.join(&mut organization);
    }
    let judged = organization.judge();
    let (mut places, mut outcome) = (Vec::new(), Outcome::Fine);
    for account in organization.accounts() {
        let levels = match judged.levels(&account.id) {
            Ok(Some(levels)) => levels,
            // No policy binds the management account.
            Ok(None) => continue,
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
        let exempt = exempt(&organization, &account.id);
        places.push(Place {
            account: &account.id,
            partition: partition(exempt.iter().map(String::as_str)).to_owned(),
            levels,
            exempt,
        });
    }
    for gap in gaps(&places) {
        write_row(out, &gap)?;
    }
    Ok(outcome)
}

/// Returns the patterns of the principals that the policies above an account spare.
fn exempt(organization: &Organization, account: &str) -> Vec<String> {
    let line = organization.lineage(account);
    let names = line.iter().flat_map(|entity| &entity.policies);
    let documents = names.filter_map(|name| organization.policy(name));
    let drafts = documents.filter_map(|policy| Policy::parse(&policy.document.to_string()).draft);
    let mut patterns: Vec<String> = drafts
        .flat_map(|policy| {
            let exempt: Vec<String> = policy.exempt_principals().map(str::to_owned).collect();
            exempt
        })
        .collect();
    patterns.sort();
    patterns.dedup();
    patterns
}
