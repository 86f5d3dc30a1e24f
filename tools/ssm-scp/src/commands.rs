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

pub(crate) mod guard;
mod quota;

/// The flags of every verb.
#[derive(clap::Args)]
pub(crate) struct GlobalArgs {
    #[command(flatten)]
    pub(crate) aws: awsconf::AwsArgs,
    #[command(flatten)]
    pub(crate) io: cli::IoArgs,
}
