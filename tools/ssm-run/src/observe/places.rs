//! Sessions for the accounts and regions that nodes are in: one identity an account.

use anyhow::Context;
use awsconf::{AwsArgs, Session};
use cli::Target;
use futures_util::StreamExt;
use futures_util::stream;

/// Returns a session for each target, in their order, or why there is none.
///
/// # Errors
/// The credentials are none: no target can be reached.
pub(crate) async fn open(
    aws: &AwsArgs,
    targets: &[Target],
) -> anyhow::Result<Vec<(Target, anyhow::Result<Session>)>> {
    let Some(first) = targets.first() else {
        return Ok(Vec::new());
    };
    let (home, roles) = aws.split_account_roles();
    let regions = vec![first.region.clone()];
    let home = AwsArgs { regions, ..home }
        .session()
        .await?
        .with_adaptive_retry();
    let mut accounts: Vec<&str> = targets.iter().map(|one| one.account.as_str()).collect();
    accounts.sort_unstable();
    accounts.dedup();
    let opening = stream::iter(&accounts).map(async |account| {
        let session = home.in_account(&roles, account).await;
        session.and_then(|session| {
            session.with_context(|| {
                let (own, caller) = (&home.target.account, &home.caller);
                format!("it is in account {account}, but the credentials belong to account {own} ({caller})")
            })
        })
    });
    let opening = opening.buffered(aws.max_concurrency.get());
    let opened: Vec<anyhow::Result<Session>> = opening.collect().await;
    let of_target = |target: &Target| {
        aws.allows(target, "it is in")?;
        let number = accounts.iter().position(|one| *one == target.account);
        let account = number.and_then(|number| opened.get(number));
        match account.context("no session for its account")? {
            Ok(session) => Ok(session.in_region(&target.region)),
            Err(error) => Err(anyhow::anyhow!("{error:#}")),
        }
    };
    let targets = targets.iter();
    Ok(targets
        .map(|target| (target.clone(), of_target(target)))
        .collect())
}
