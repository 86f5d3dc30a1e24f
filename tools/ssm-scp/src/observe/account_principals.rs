//! Reads who is in other accounts, several accounts at once. Never writes.

use anyhow::bail;
use awsconf::{AwsArgs, Session};
use cli::Reading;
use futures_util::stream::{self, Stream, StreamExt};

use super::principals;
use crate::model::{AccountPrincipals, Documents};

/// How other accounts are read: through roles, several at once.
pub(crate) struct Through {
    roles: Vec<String>,
    max_concurrency: usize,
    documents: Documents,
}

impl Through {
    pub(crate) fn of(aws: &AwsArgs) -> Through {
        Through {
            roles: aws.split_account_roles().1,
            max_concurrency: aws.max_concurrency.get(),
            documents: Documents::default(),
        }
    }

    /// Reads the principals of accounts, and yields them in the order of these.
    pub(crate) fn each<'a>(
        &'a self,
        session: &'a Session,
        accounts: impl IntoIterator<Item = &'a String> + 'a,
    ) -> impl Stream<Item = AccountPrincipals> + 'a {
        stream::iter(accounts)
            .map(async |account| self.account_principals(session, account).await)
            .buffered(self.max_concurrency)
    }

    /// Reads the principals of an account, through the roles where it is not the session's own.
    async fn account_principals(&self, session: &Session, account: &str) -> AccountPrincipals {
        let read = async {
            let Some(session) = session.in_account(&self.roles, account).await? else {
                bail!(
                    "other accounts need --assume-role arn:{}:iam::{{account}}:role/NAME",
                    session.partition
                );
            };
            principals(&session, &self.documents).await
        };
        AccountPrincipals {
            account: account.to_owned(),
            principals: match read.await {
                Ok(principals) => Reading::Present(principals),
                Err(error) => Reading::Unknown(format!("{error:#}")),
            },
        }
    }
}
