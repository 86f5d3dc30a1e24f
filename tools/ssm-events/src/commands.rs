//! The verbs: each file has the flags of one verb and what it does. Only `apply` writes to AWS.

pub(crate) mod apply;
pub(crate) mod check;
pub(crate) mod format;
pub(crate) mod history;
pub(crate) mod lint;
pub(crate) mod r#match;
pub(crate) mod pattern;
pub(crate) mod plan;
pub(crate) mod reconcile;
pub(crate) mod render;
pub(crate) mod report;
pub(crate) mod send;
pub(crate) mod sessions;
pub(crate) mod show;

pub(crate) mod lambda;

mod desired;
mod node_names;
mod style;

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
