//! The one verb, which has no name: runs a command on many nodes and prints what became of it on each.

use std::cell::{Cell, RefCell};
use std::hash::{BuildHasher, Hasher, RandomState};

use awsconf::{Interrupt, Stopwatch};
use cli::{Outcome, Output};
use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::GlobalArgs;
use crate::apply::{self, Run};
use crate::arguments::{How, What, Where};
use crate::batch::MAX_NODES;
use crate::observe::targets::Resolved;
use crate::output_files::OutputFiles;
use crate::run_id::RunId;
use crate::run_spec::RunSpec;
use crate::text::Folded;
use crate::{observe, run_id};

/// So many nodes are printed one by one as they are done; of more, people want to know which are like each other.
const MAX_UNFOLDED: usize = 10;

#[derive(clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    r#where: Where,
    #[command(flatten)]
    how: How,
}

pub(crate) async fn run(
    args: &RunArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.refuse_closed()?;
    let order = RunSpec::of(&args.what, &args.how, observe::script)?;
    if args.r#where.resource_group.is_some() && order.waves.is_some() {
        anyhow::bail!(
            "--waves: only SSM knows the nodes of a resource group: use --node-concurrency"
        );
    }
    let asked = observe::targets::read(&global.io, &args.r#where, &order)?;
    let time = awsconf::now();
    let mut found = observe::targets::find(&args.r#where, global, &order, asked, time, out).await?;
    let files = args.how.out.as_deref().map(OutputFiles::open).transpose()?;
    order.notes().for_each(|note| out.note(&note));
    let token = run_id::RunId::new(time.seconds(), RandomState::new().build_hasher().finish());
    let (token, number) = match &order.resume {
        Some(command_id) => observe::resume::take_up(&mut found, &order, command_id).await?,
        None => (token, 1),
    };
    if let Some(note) = cut_comment(&found, &token, number, order.why.as_deref()) {
        out.note(&note);
    }
    let interrupt = Interrupt::listen();
    let progress = out.progress();
    let run = Run {
        order: &order,
        out,
        progress: &progress,
        interrupt: &interrupt,
        token,
        number: Cell::new(number),
        outcome: Cell::new(Outcome::Fine),
        lost: RefCell::default(),
        folded: RefCell::new(
            (out.is_text() && found.n_nodes() > MAX_UNFOLDED).then(Folded::default),
        ),
        files: RefCell::new(files),
        statuses: RefCell::default(),
        first_command: RefCell::default(),
        began: Stopwatch::start(),
        time,
        max_concurrency: global.aws.max_concurrency.get(),
    };
    run.count(found.outcome.unwrap_or(Outcome::Fine));
    progress.begin(found.n_nodes(), "node");
    for record in &found.unreachable {
        run.count(Outcome::Trouble);
        run.printed(out.write(record));
    }
    for record in found.absent {
        run.report_without_command(record)?;
    }
    let ended = run.on(&found.places, found.targets).await;
    progress.end();
    run.sum_up();
    ended?;
    if order.patch_scan {
        let patches = async |place| apply::report_patches(&run, place).await;
        stream::iter(&found.places)
            .map(patches)
            .buffer_unordered(run.max_concurrency)
            .try_collect::<()>()
            .await?;
    }
    run.came_to()
}

/// Says what is left of the reason in the comments, where it is not all.
fn cut_comment(found: &Resolved, token: &RunId, number: u32, why: Option<&str>) -> Option<String> {
    let why = why?;
    // That of the last command is the shortest.
    let n_commands = u32::try_from(found.n_nodes() / MAX_NODES + found.places.len()).ok()?;
    let last = number.saturating_add(n_commands);
    let callers = found.places.iter().map(|place| &place.caller);
    let kept = callers.filter_map(|caller| token.cut(last, caller, why));
    let shortest = kept.min_by_key(String::len)?;
    Some(format!(
        "warning: --comment is cut to '{shortest}': the comment of a command has 100 characters, and begins with the run and the caller"
    ))
}
