//! The verbs: each file has the flags of one verb and what it does. Only `apply` writes to AWS.

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod gaps;
pub(crate) mod impact;
pub(crate) mod lint;
pub(crate) mod plan;
pub(crate) mod render;
pub(crate) mod replay;
pub(crate) mod show;
pub(crate) mod simulate;

mod desired;
pub(crate) mod guard;
mod quota;

use awsconf::Session;
use cli::Output;
use organization::Organization;

use crate::observe;

/// The flags of every verb.
#[derive(clap::Args)]
pub(crate) struct GlobalArgs {
    #[command(flatten)]
    pub(crate) aws: awsconf::AwsArgs,
    #[command(flatten)]
    pub(crate) io: cli::IoArgs,
}

impl GlobalArgs {
    /// Returns the session in the organization itself. Roles for each account are of no use there, and every verb takes them: one
    /// that does not read the accounts comes between two that do.
    ///
    /// # Errors
    /// As [`awsconf::AwsArgs::global_session`].
    async fn session(&self) -> anyhow::Result<Session> {
        self.aws.split_account_roles().0.global_session().await
    }

    /// Reads the organization that the credentials are of.
    ///
    /// # Errors
    /// There are no credentials, a call fails, or the account is in no organization.
    async fn organization(&self, out: &Output) -> anyhow::Result<Organization> {
        let session = self.session().await?;
        let _working = out.working("reading the organization");
        observe::live_organization(&session).await
    }
}
