//! `check`: where the organization differs from the desired state.

use aws_sdk_organizations::Client;
use cli::{Next, Outcome, Output, Reading};

use super::quota::QuotaArgs;
use super::{GlobalArgs, desired};
use crate::gaps::LeftOpen;
use crate::{check, guard, observe};

/// Check the guard in the organization; exit with 1 on findings
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-scp check -f scp.json")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    limits: QuotaArgs,
}

pub(crate) async fn run(
    args: &CheckArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(Next::Plan);
    let desired = desired::read(&global.io, args.limits.quota.max_characters)?;
    let parts = guard::render(&desired, args.limits.quota.max_characters)?;
    let session = global.session().await?;
    let _working = out.working("reading the organization");
    let observed =
        observe::observe(&Client::new(&session.config), &session, &desired, &parts).await;
    let tree = match observe::live_organization(&session).await {
        Ok(tree) => Reading::Present(tree),
        Err(error) => Reading::Unknown(format!("{error:#}")),
    };
    let left_open = LeftOpen::of(&desired, &parts)?;
    let findings = check::check(&desired, &parts, (&observed, &tree), left_open);
    out.judged(&session.target);
    out.write_findings(&findings)
}
