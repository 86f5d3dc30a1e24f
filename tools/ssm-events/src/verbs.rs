//! The verbs about records: their flags and where records come from.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use awsconf::{AccountArgs, AwsArgs, Fleet, Session};
use tokio::sync::mpsc;
use toolio::{Finding, FindingKind, IoArgs, Outcome, Output, Severity};

use crate::arguments::{SendArgs, names};
use crate::history::{Filter, Wanted};
use crate::observe::athena::{self, AthenaArgs};
use crate::observe::files::{self, Hand, Read};
use crate::observe::lookup::{self, Told};
use crate::observe::objects::{self, Place};
use crate::reconcile::Delivered;
use crate::report::Report;
use crate::telling::Telling;
use crate::webhook::Url;
use crate::{send, source};

/// Where past records come from.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// Log files or directories of them, packed or not; - is stdin [default: CloudTrail's event history, 90 days]
    paths: Vec<PathBuf>,

    /// Read the bucket of a trail; the prefix is what stands before AWSLogs/
    #[arg(long, value_name = "s3://BUCKET/PREFIX", conflicts_with = "paths")]
    s3: Option<Place>,

    /// Read the files of these accounts only [default: all that the bucket has]
    #[arg(
        id = "accounts_of_bucket",
        long = "account",
        value_name = "ID",
        value_delimiter = ',',
        requires = "s3"
    )]
    accounts: Vec<String>,

    /// What finds the files of a bucket
    #[arg(long, value_enum, default_value_t = Engine::Direct, requires = "s3")]
    engine: Engine,

    #[command(flatten)]
    athena: AthenaArgs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Engine {
    /// Reads all files of the days asked for
    Direct,
    /// Asks Athena which files have such records, then reads those: for more than one machine can read
    Athena,
}

/// Prints past records.
pub(crate) async fn history(
    aws: &AwsArgs,
    accounts: &AccountArgs,
    out: &Output,
    wanted: &Wanted,
    from: &HistoryArgs,
) -> anyhow::Result<Outcome> {
    let filter = Filter::new(wanted, jiff::Timestamp::now())?;
    let mut outcome = Outcome::Fine;
    let hand = |lines: &str| out.write_json_lines(lines);
    let read = match &from.s3 {
        Some(place) => bucket(aws, &hand, &filter, from, place).await?,
        None if !from.paths.is_empty() => files::read(&files::files(&from.paths)?, &filter, &hand)?,
        None => {
            let mut read = Read::default();
            let fleet = Fleet::open(crate::TOOL, aws, accounts, out).await?;
            let work = async |session: &Session, _: &(), pages: mpsc::Sender<Told>| {
                let ended = lookup::read(session, &filter, &pages).await;
                let _ = pages.send(Told::Ended(ended)).await;
                Ok(())
            };
            let told = fleet.stream(out, work, |session, told| {
                match told {
                    Told::Lines(lines) => out.write_json_lines(&lines)?,
                    Told::Ended(Ok(counts)) => read.counts.add(counts),
                    Told::Ended(Err(error)) => read
                        .unread
                        .push((session.target.to_string(), format!("{error:#}"))),
                }
                Ok(Outcome::Fine)
            });
            outcome = told.await?;
            read
        }
    };
    for (resource, reason) in &read.unread {
        out.write(&unread(resource, reason))?;
        out.note(&format!("{resource}: {reason}"));
    }
    source::note_others(out, read.counts.n_others);
    Ok(match read.unread.is_empty() {
        true => outcome,
        false => Outcome::Trouble,
    })
}

async fn bucket(
    aws: &AwsArgs,
    hand: &Hand<'_>,
    filter: &Filter,
    from: &HistoryArgs,
    place: &Place,
) -> anyhow::Result<Read> {
    let session = aws.session().await?;
    let client = objects::client(&session, &place.bucket).await;
    let shelves = objects::shelves(&client, place, &from.accounts, &aws.regions).await?;
    if from.engine == Engine::Direct {
        return objects::read(&client, &place.bucket, &shelves, filter, hand).await;
    }
    let keys = athena::keys(&session, &from.athena, place, &shelves, filter).await?;
    let mut read = Read::default();
    objects::read_keys(
        &client,
        &place.bucket,
        keys,
        &Arc::new(filter.clone()),
        hand,
        &mut read,
    )
    .await?;
    Ok(read)
}

/// What could not be read is a record, so that the other end of the pipe knows of the gap.
fn unread(resource: &str, reason: &str) -> Finding {
    Finding {
        kind: FindingKind::Finding,
        id: "events.history.unread".to_owned(),
        severity: Severity::Error,
        target: None,
        resource: resource.to_owned(),
        message: format!("could not be read to its end: {reason}"),
        fix: "fetch it again, or read it from the trail's bucket".to_owned(),
    }
}

/// Sends messages.
pub(crate) async fn send(
    aws: &AwsArgs,
    io: &IoArgs,
    out: &Output,
    args: &SendArgs,
    telling: Telling,
) -> anyhow::Result<Outcome> {
    let webhook = args.webhook.named()?;
    let url = match Url::read_here(webhook).await? {
        Some(url) => url,
        None => {
            let session = aws.session().await?;
            Url::read(webhook, Some(&session.config)).await?
        }
    };
    send::run(io, out, args, url, telling).await
}

/// Prints the records that are in no list.
pub(crate) fn reconcile(
    io: &IoArgs,
    out: &Output,
    lists: &[PathBuf],
    exit_code: bool,
) -> anyhow::Result<Outcome> {
    let mut delivered = Delivered::default();
    lists.iter().try_for_each(|list| delivered.read(list))?;
    let mut missing = false;
    let n_others = source::records(io, "records", |record, event| {
        if delivered.is_missing(&event.event_id) {
            missing = true;
            out.write(record)?;
        }
        Ok(())
    })?;
    source::note_others(out, n_others);
    Ok(if missing && exit_code {
        Outcome::Found
    } else {
        Outcome::Fine
    })
}

/// Prints sessions, commands and refused calls.
pub(crate) fn report(
    io: &IoArgs,
    out: &Output,
    html: bool,
    nodes: Option<&Path>,
) -> anyhow::Result<Outcome> {
    let names = nodes.map(names).transpose()?.unwrap_or_default();
    let mut report = Report::default();
    let n_others = source::records(io, "records", |_, event| {
        report.add(event, &names);
        Ok(())
    })?;
    source::note_others(out, n_others);
    report.sort();
    if html {
        out.write_text(&report.html(&names))?;
        return Ok(Outcome::Fine);
    }
    for refused in &report.refused {
        out.write_row(refused, || refused.row())?;
    }
    for session in report.sessions() {
        out.write_row(session, || session.row())?;
    }
    for command in &report.commands {
        out.write_row(command, || command.row())?;
    }
    Ok(Outcome::Fine)
}
