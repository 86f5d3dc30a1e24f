//! `history`: past records, of log files, of a bucket, or of CloudTrail's event history.

mod verify;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use awsconf::{AwsArgs, Session};
use cli::{Next, Outcome, Output};
use tokio::sync::mpsc;

use super::GlobalArgs;
use crate::records::history::{EventFilter, Undecided, Wanted};
use crate::records::observe::athena::{self, AthenaArgs};
use crate::records::observe::bodies;
use crate::records::observe::files::{self, Hand, Read};
use crate::records::observe::lookup::{self, RegionEvents};
use crate::records::observe::objects::{self, S3Location};
use crate::records::record::Event;
use crate::records::source;

/// Print past records: of log files, of a bucket, or of CloudTrail's event history
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events history --since 7d\n  ssm-events history --since 7d | ssm-events report --html >report.html\n  ssm-events history --s3 s3://audit --since 2026-11-01 --until 2026-12-01 --verify"
)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    wanted: Wanted,

    /// Log files or directories of them, compressed or not; - is stdin [default: CloudTrail's event history, 90 days]
    #[arg(group = "log_files")]
    paths: Vec<PathBuf>,

    /// Read the bucket of a trail; the prefix is the part before AWSLogs/
    #[arg(
        long,
        value_name = "s3://BUCKET/PREFIX",
        conflicts_with = "paths",
        group = "log_files"
    )]
    s3: Option<S3Location>,

    /// Read the files of these accounts only [default: all that the bucket has]
    #[arg(
        id = "accounts_of_bucket",
        long = "account",
        value_name = "ID",
        value_delimiter = ',',
        requires = "s3"
    )]
    accounts: Vec<String>,

    /// How to locate log files in the bucket
    #[arg(long, value_enum, default_value_t = Engine::Direct, requires = "s3")]
    engine: Engine,

    #[command(flatten)]
    athena: AthenaArgs,

    #[command(flatten)]
    verify: verify::VerifyArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// Reads all files of the requested days
    Direct,
    /// Asks Athena which files have such records, then reads those: for buckets too large for one machine
    Athena,
}

impl HistoryArgs {
    /// Returns where records are looked for.
    fn place(&self) -> String {
        match &self.s3 {
            Some(place) => place.root(),
            None if self.paths.is_empty() => "event history".to_owned(),
            None => {
                let paths = self.paths.iter().map(|path| path.display().to_string());
                paths.collect::<Vec<_>>().join(", ")
            }
        }
    }
}

pub(crate) async fn run(
    args: &HistoryArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let ended = find(args, global, out).await;
    source::or_unread(out, "history", ended)
}

async fn find(args: &HistoryArgs, global: &GlobalArgs, out: &Output) -> anyhow::Result<Outcome> {
    let filter = EventFilter::new(&args.wanted, jiff::Timestamp::now())?;
    let mut outcome = Outcome::Fine;
    let n_records = AtomicUsize::new(0);
    let of_node = filter.of_node().map(Mutex::new);
    let hand = |lines: &str| {
        let of_node = of_node.as_ref();
        let of_node = of_node.map(|stage| stage.lock().unwrap_or_else(PoisonError::into_inner));
        let taken = of_node.map(|mut stage| stage.take(lines));
        let lines = taken.as_deref().unwrap_or(lines);
        let n_new = lines.bytes().filter(|byte| *byte == b'\n').count();
        let n_records = n_records.fetch_add(n_new, Ordering::Relaxed) + n_new;
        out.say(|| cli::count(n_records, "record"));
        match out.is_text() {
            true => lines
                .lines()
                .try_for_each(|line| match serde_json::from_str(line) {
                    Ok(record) => out.write(&Event::of(&record).row()),
                    // What is only handed on need not be taken apart.
                    Err(_) => out.write_text(line),
                }),
            false => out.write_json_lines(lines),
        }
    };
    let progress = out.progress();
    if args.s3.is_some() || !args.paths.is_empty() {
        progress.begin(0, "");
    }
    let mut read = match &args.s3 {
        _ if args.verify.is_asked() => {
            let (read, is_proved) = verify::run(args, &global.aws, &filter, &hand, out).await?;
            if !is_proved {
                outcome = Outcome::Trouble;
            }
            read
        }
        Some(place) => bucket(&global.aws, &hand, &filter, args, place).await?,
        None if !args.paths.is_empty() => {
            let mut read = Read::default();
            let files = files::files(&args.paths, &mut read)?;
            note_passed_over(out, read.n_passed_over);
            files::read(&files, &filter, &hand, &mut read)?;
            read
        }
        None => {
            let mut read = Read::default();
            let fleet = global.fleet(out).await?;
            let work = async |session: &Session, _: &(), pages: mpsc::Sender<RegionEvents>| {
                let ended = lookup::read(session, &filter, &pages).await;
                let _ = pages.send(RegionEvents::Ended(ended)).await;
                Ok(())
            };
            let streamed = fleet.stream(out, work, |session, events| {
                match events {
                    RegionEvents::Lines(lines) => hand(&lines)?,
                    RegionEvents::Ended(Ok(counts)) => read.counts.add(counts),
                    RegionEvents::Ended(Err(error)) => read
                        .unread
                        .push((session.target.to_string(), format!("{error:#}"))),
                }
                Ok(Outcome::Fine)
            });
            outcome = streamed.await?;
            read
        }
    };
    progress.end();
    if let Some(stage) = of_node {
        let stage = stage.into_inner().unwrap_or_else(PoisonError::into_inner);
        undecided(stage.undecided(), args, &mut read, out);
    }
    if let Some(reason) = read.counts.reason().filter(|_| read.is_whole()) {
        read.unread.push((args.place(), reason));
    }
    for (resource, reason) in &read.unread {
        let message = format!("could not be read to its end: {reason}");
        out.write(&source::finding(resource, message))?;
        out.note(&format!("{resource}: {reason}"));
    }
    for gap in read.gaps.kept() {
        out.write(&source::finding(&gap.resource, gap.reason.clone()))?;
        out.note(&gap.to_string());
    }
    if read.gaps.n_more() > 0 {
        out.write(&source::more(&args.place(), read.gaps.n_more()))?;
    }
    source::note_others(out, read.counts.n_others);
    match n_records.into_inner() {
        0 if out.is_text() => out.note("0 records"),
        0 => {}
        _ => out.suggest(Next::Pipe("report")),
    }
    Ok(match read.is_whole() {
        true => outcome,
        false => Outcome::Trouble,
    })
}

/// Says how many files of a copied bucket are not read.
fn note_passed_over(out: &Output, n_files: usize) {
    if n_files > 0 {
        let files = cli::count(n_files, "file");
        out.note(&format!("passed over {files} beside those of CloudTrail"));
    }
}

/// Says of which calls it is not known whether they are on the node.
fn undecided(undecided: Undecided, args: &HistoryArgs, read: &mut Read, out: &Output) {
    let calls = |n| format!("{} about sessions or commands", cli::count(n, "call"));
    if undecided.n_without_beginning > 0 {
        let calls = calls(undecided.n_without_beginning);
        out.note(&format!(
            "left out {calls} whose beginning is not in these records: on which node is not known"
        ));
    }
    if undecided.n_lost > 0 {
        let calls = calls(undecided.n_lost);
        let why =
            format!("{calls} that came before their beginning are too many: ask for less time");
        read.unread.push((args.place(), why));
    }
}

async fn bucket(
    aws: &AwsArgs,
    hand: &Hand<'_>,
    filter: &EventFilter,
    args: &HistoryArgs,
    place: &S3Location,
) -> anyhow::Result<Read> {
    let session = aws.session().await?;
    let client = objects::client(&session, &place.bucket).await;
    let (regions, mut read) = (aws.named_regions(), Read::default());
    let prefixes = objects::prefixes(&client, place, &args.accounts, regions, &mut read).await;
    if args.engine == Engine::Direct || prefixes.is_empty() {
        objects::read(&client, &place.bucket, &prefixes, filter, hand, &mut read).await?;
        return Ok(read);
    }
    match athena::keys(&session, &args.athena, place, &prefixes, filter).await {
        Err(error) => read.unread.push((place.root(), format!("{error:#}"))),
        Ok(keys) => {
            let filter = Arc::new(filter.clone());
            bodies::read_keys(&client, &place.bucket, keys, &filter, hand, &mut read).await?;
        }
    }
    Ok(read)
}
