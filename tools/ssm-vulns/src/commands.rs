//! The verbs: each file has the flags of one verb and what it does. None calls AWS.

pub(crate) mod r#match;
pub(crate) mod patches;
pub(crate) mod sbom;

/// The flags of every verb.
#[derive(clap::Args)]
pub(crate) struct GlobalArgs {
    #[command(flatten)]
    pub(crate) io: cli::IoArgs,
}
