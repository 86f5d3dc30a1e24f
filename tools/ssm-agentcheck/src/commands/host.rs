//! `host`: what is wrong with the agent of this machine, without AWS.

use std::path::PathBuf;

use anyhow::ensure;
use cli::{Outcome, Output};

use super::GlobalArgs;
use crate::model::Desired;
use crate::observe::host::Redirect;
use crate::{host, observe};

/// Check the agent of this machine, without calling AWS; exit with 1 on findings
#[derive(clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-agentcheck host")]
pub(crate) struct HostArgs {
    /// Look at the files of the system in DIR
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Ask the metadata service at this URL
    #[arg(
        long,
        value_name = "URL",
        env = "AWS_EC2_METADATA_SERVICE_ENDPOINT",
        hide_env_values = true
    )]
    metadata_endpoint: Option<String>,
}

pub(crate) async fn run(
    args: &HostArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    ensure!(
        global.accounts.accounts.is_none() && global.aws.profile.is_none(),
        "host checks the machine that it runs on: leave --accounts and --profile out"
    );
    let desired: Desired = cli::read_desired_or_default(&global.io, "desired agents")?;
    let redirect = Redirect {
        root: args.root.clone(),
        metadata_endpoint: args.metadata_endpoint.clone(),
        endpoint_url: global.aws.endpoint_url.clone(),
    };
    let working = out.working("looking at this machine");
    let host = observe::host::observe(&redirect, awsconf::now()).await?;
    working.end();
    out.judged(&host.name);
    out.write_findings(&host::check(&desired, &host))
}
