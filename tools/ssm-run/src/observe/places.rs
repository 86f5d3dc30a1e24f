//! Sessions for the accounts and regions that nodes are in, one identity an account.

use awsconf::{AwsArgs, Session};
use futures_util::StreamExt;
use futures_util::stream;
use toolio::Target;

/// Returns a session for each target, in their order, or why there is none.
pub(crate) async fn open(
    aws: &AwsArgs,
    targets: &[Target],
) -> Vec<(Target, anyhow::Result<Session>)> {
    let mut accounts: Vec<Vec<(usize, &Target)>> = Vec::new();
    for (number, target) in targets.iter().enumerate() {
        let same = accounts.iter_mut().find(|group| {
            group
                .first()
                .is_some_and(|(_, first)| first.account == target.account)
        });
        match same {
            Some(group) => group.push((number, target)),
            None => accounts.push(vec![(number, target)]),
        }
    }
    let opening = stream::iter(accounts).map(async |group| open_account(aws, group).await);
    let opened = opening.buffer_unordered(aws.max_concurrency.get());
    let mut opened: Vec<_> = opened.flat_map(stream::iter).collect().await;
    opened.sort_by_key(|(number, _, _)| *number);
    let opened = opened.into_iter();
    opened
        .map(|(_, target, session)| (target, session))
        .collect()
}

async fn open_account(
    aws: &AwsArgs,
    group: Vec<(usize, &Target)>,
) -> Vec<(usize, Target, anyhow::Result<Session>)> {
    let mut of_account: Option<Session> = None;
    let mut opened = Vec::new();
    for (number, target) in group {
        let session = match &of_account {
            Some(session) => aws
                .allows(target, "a node is in")
                .map(|()| session.in_region(&target.region)),
            None => aws.session_in(target, "a node is in").await,
        };
        if let Ok(session) = &session {
            of_account = Some(session.clone());
        }
        opened.push((number, target.clone(), session));
    }
    opened
}
