//! The verbs: each file has the flags of one verb and what it does. Only `apply` writes to AWS.

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod host;
pub(crate) mod lint;
pub(crate) mod plan;
pub(crate) mod show;

mod nodes;

use awsconf::Fleet;
use cli::Output;

use crate::TOOL;

/// The flags of every verb.
#[derive(clap::Args)]
pub(crate) struct GlobalArgs {
    #[command(flatten)]
    pub(crate) aws: awsconf::AwsArgs,
    #[command(flatten)]
    pub(crate) accounts: awsconf::AccountArgs,
    #[command(flatten)]
    pub(crate) io: cli::IoArgs,
}

impl GlobalArgs {
    /// Opens a session for every account and region that the flags name.
    pub(crate) async fn fleet(&self, out: &Output) -> anyhow::Result<Fleet> {
        Fleet::open(TOOL, &self.aws, &self.accounts, out).await
    }
}
