//! Judges what is installed on nodes by the advisories of their distributions. Calls nothing, neither AWS nor anybody.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod commands;

mod model;
mod observe;
mod schema;

mod coverage;
mod cyclonedx;
mod differences;
mod foreign;
mod kernel;
mod purl;
mod version;

mod matching;
mod report;

use std::process::ExitCode;

const TOOL: &str = "ssm-vulns";

/// Match the packages installed on nodes with the advisories of their distributions, without network access
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None)]
struct Args {
    #[command(flatten)]
    global: commands::GlobalArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    Sbom(commands::sbom::SbomArgs),
    Match(commands::r#match::MatchArgs),
    Patches(commands::patches::PatchesArgs),
}

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> ExitCode {
    match cli::arguments::<Args>(schema::SCHEMAS, cli::Permissions::NONE) {
        Ok(args) => cli::finish(TOOL, run(args).await),
        Err(status) => status,
    }
}

async fn run(args: Args) -> anyhow::Result<cli::Outcome> {
    let (global, out) = (&args.global, &cli::Output::new(TOOL, &args.global.io)?);
    out.end(match &args.verb {
        Verb::Sbom(args) => commands::sbom::run(args, global, out).await,
        Verb::Match(args) => commands::r#match::run(args, global, out).await,
        Verb::Patches(args) => commands::patches::run(args, global, out).await,
    })
}
