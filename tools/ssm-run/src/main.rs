//! Runs one command on many nodes by Run Command, and prints what became of it on each as it is done. Writes only
//! commands, and cancels its own.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod commands;

mod answers;
mod arguments;
mod batch;
mod in_flight;
mod invocation_status;
mod job;
mod nodes;
mod observe;
mod output_files;
mod permissions;
mod plugin_output;
mod rate_control;
mod reason;
mod run_id;
mod run_spec;
mod schema;
mod script;
mod secrets;
mod targets;
mod terminal_status;
mod text;

mod apply;

use std::process::ExitCode;

const TOOL: &str = "ssm-run";

const EXAMPLES: &str = "Examples:\n  echo i-0123456789abcdef0 | ssm-run -- uname -r\n  ssm-agentcheck show | ssm-run -- uname -r\n\n\
    Exit status:\n  0  The command succeeded on every node\n  1  It failed or timed out on a node\n  \
    2  A node was not reached or not sent to, something could not be read, or the usage is wrong";

/// Run one command on many nodes; print the result of each node as soon as it is known
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None, after_long_help = EXAMPLES)]
struct Args {
    #[command(flatten)]
    run: commands::run::RunArgs,
    #[command(flatten)]
    global: commands::GlobalArgs,
}

#[tokio::main(flavor = "current_thread")]
pub async fn main() -> ExitCode {
    match cli::arguments::<Args>(schema::SCHEMAS, permissions::PERMISSIONS) {
        Ok(args) => cli::finish(TOOL, run(args).await),
        Err(status) => status,
    }
}

async fn run(args: Args) -> anyhow::Result<cli::Outcome> {
    let (global, out) = (&args.global, &cli::Output::new(TOOL, &args.global.io)?);
    out.end(commands::run::run(&args.run, global, out).await)
}
