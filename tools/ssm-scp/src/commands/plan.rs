//! `plan`: the changes that a desired state needs in the organization.

use aws_sdk_organizations::Client;
use cli::{Change, Outcome, Output, Plan};

use super::guard::ACCOUNT_ROLE;
use super::quota::QuotaArgs;
use super::{GlobalArgs, desired};
use crate::gaps::LeftOpen;
use crate::model::{Action, TargetId};
use crate::{TOOL, guard, observe, plan};

/// Print the changes that a desired state needs
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-scp plan -f scp.json >plan.json")]
pub(crate) struct PlanArgs {
    /// Exit with 1 when something needs to change
    #[arg(long)]
    exit_code: bool,

    /// Attach to the targets up to and including this one
    #[arg(long, value_name = "TARGET", value_parser = target)]
    until: Option<TargetId>,

    #[command(flatten)]
    limits: QuotaArgs,
}

pub(crate) async fn run(
    args: &PlanArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let desired = desired::read(&global.io, args.limits.quota.max_characters)?;
    let parts = guard::render(&desired, args.limits.quota.max_characters)?;
    let session = global.session().await?;
    let _working = out.working("reading the organization");
    let observed =
        observe::observe(&Client::new(&session.config), &session, &desired, &parts).await;
    let planned = plan::plan(
        &desired,
        &parts,
        args.until.as_ref(),
        args.limits.quota.max_policies,
        &observed,
    )?;
    let left_open = LeftOpen::of(&desired, &parts)?;
    for note in plan::notes(&desired, &parts, &observed, left_open) {
        out.note(&note);
    }
    let outcome = if args.exit_code && !planned.is_empty() {
        Outcome::Found
    } else {
        Outcome::Fine
    };
    // Whom a denial would lock out is in accounts that apply has to read.
    if global.aws.split_account_roles().1.is_empty() && planned.iter().any(denies) {
        out.suggest_for_apply(&["--assume-role", ACCOUNT_ROLE]);
    }
    out.write(&Plan::new(TOOL, session.target, planned))?;
    Ok(outcome)
}

/// Returns whether a change may deny something: for one that only takes denials back no account is read.
fn denies(change: &Change<Action>) -> bool {
    !matches!(change.action, Action::DetachPolicy | Action::DeletePolicy)
}

fn target(text: &str) -> Result<TargetId, String> {
    TargetId::try_from(text.to_owned())
}
