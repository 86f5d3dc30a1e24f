//! Runs one command on many nodes by Run Command, and prints what became of it on each as it is done. Writes only
//! commands, and cancels its own.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod arguments;
mod ending;
mod job;
mod model;
mod order;
mod secrets;
mod share;

mod schema;

mod batch;
mod flight;
mod nodes;
mod printed;
mod reason;
mod seen;
mod targets;
mod text;
mod token;

mod observe;

mod apply;

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::process::ExitCode;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use futures_util::stream::{self, StreamExt, TryStreamExt};
use reach::Timestamp;
use toolio::{Outcome, Output};

use crate::apply::Run;
use crate::arguments::{How, What, Where};
use crate::order::Order;

const TOOL: &str = "ssm-run";

/// Run one command on many nodes; print what became of it on each as soon as it is done
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None)]
struct Args {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    r#where: Where,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    aws: awsconf::AwsArgs,
    #[command(flatten)]
    accounts: awsconf::AccountArgs,
    #[command(flatten)]
    io: toolio::IoArgs,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match toolio::arguments::<Args>(schema::SCHEMAS) {
        Ok(args) => toolio::finish(TOOL, run(args).await),
        Err(status) => status,
    }
}

async fn run(args: Args) -> anyhow::Result<Outcome> {
    let out = Output::new(TOOL, &args.io)?;
    out.refuse_closed()?;
    let order = Order::of(&args.what, &args.how, observe::script)?;
    if args.r#where.resource_group.is_some() && order.waves.is_some() {
        anyhow::bail!(
            "--waves: only SSM knows the nodes of a resource group: use --node-concurrency"
        );
    }
    let asked = observe::asked::read(&args.io, &args.r#where, &order)?;
    let time = now();
    let mut found = observe::asked::find(&args, &order, asked, time, &out).await?;
    if let Some(warning) = order.warning() {
        out.note(&warning);
    }
    let token = token::Run::new(time.seconds(), RandomState::new().build_hasher().finish());
    let (token, number) = match &order.resume {
        Some(command_id) => observe::past::take_up(&mut found, &order, command_id).await?,
        None => (token, 1),
    };
    let interrupt = awsconf::Interrupt::listen();
    let progress = out.progress(false);
    let run = Run {
        order: &order,
        out: &out,
        progress: &progress,
        interrupt: &interrupt,
        token,
        number: Cell::new(number),
        outcome: Cell::new(Outcome::Fine),
        lost: RefCell::default(),
        first_command: RefCell::default(),
        began: Instant::now(),
        time,
        max_concurrency: args.aws.max_concurrency.get(),
    };
    run.count(found.outcome.unwrap_or(Outcome::Fine));
    progress.begin(found.n_nodes());
    for record in &found.unreachable {
        run.count(Outcome::Trouble);
        run.printed(out.write(record));
    }
    for record in &found.absent {
        run.tell(record, Outcome::Trouble)?;
    }
    run.on(&found.places, found.targets).await?;
    progress.end();
    if order.patch_scan {
        let patches = async |place| apply::tell_patches(&run, place).await;
        stream::iter(&found.places)
            .map(patches)
            .buffer_unordered(run.max_concurrency)
            .try_collect::<()>()
            .await?;
    }
    run.came_to()
}

/// The only clock; what decides gets it handed in.
fn now() -> Timestamp {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_seconds(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
}
