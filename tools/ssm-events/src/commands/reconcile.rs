//! `reconcile`: which records never reached all of their destinations: EventBridge delivers best effort, CloudTrail keeps everything.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cli::{Next, Outcome, Output};
use serde_json::Value;

use super::GlobalArgs;
use crate::records::source;

/// Print the records that have not reached all of their destinations, without calling AWS
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events history --since 7d | ssm-events reconcile --delivered delivered.jsonl"
)]
pub(crate) struct ReconcileArgs {
    /// Delivery log of a spool, or a list of event IDs; repeat for several
    #[arg(long, value_name = "FILE", required = true)]
    delivered: Vec<PathBuf>,
    /// Exit with 1 when a record is missing
    #[arg(long)]
    exit_code: bool,
}

pub(crate) async fn run(
    args: &ReconcileArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let ended = compare(args, global, out).await;
    source::or_unread(out, "reconcile", ended)
}

async fn compare(
    args: &ReconcileArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let _reading = out.reading("the records");
    let mut delivered = Delivered::default();
    args.delivered
        .iter()
        .try_for_each(|list| delivered.read(list))?;
    out.suggest(Next::Again("| ssm-events report"));
    let mut missing = false;
    let left_out = source::records(&global.io, |record, event| {
        if delivered.is_missing(&event.event_id) {
            missing = true;
            match out.is_text() {
                true => out.write(&event.row())?,
                false => out.write(record)?,
            }
        }
        Ok(())
    })?;
    let outcome = match missing && args.exit_code {
        true => Outcome::Found,
        false => Outcome::Fine,
    };
    let outcome = left_out.end(out, outcome);
    left_out.print_gaps(out)?;
    Ok(outcome)
}

/// Returns whether a message has not arrived at a URL of its destination. What a list without URLs says is about any of them.
fn is_missing_at(mut at: Arrived) -> bool {
    let anywhere = at.remove(&None).filter(|_| at.is_empty());
    anywhere
        .into_iter()
        .chain(at.into_values())
        .any(|arrived| !arrived)
}

/// Returns whether a line that cannot be read is only the beginning of one.
fn is_cut(error: &anyhow::Error) -> bool {
    let json = error.downcast_ref::<serde_json::Error>();
    let utf8 = error.downcast_ref::<std::str::Utf8Error>();
    json.is_some_and(serde_json::Error::is_eof)
        || utf8.is_some_and(|error| error.error_len().is_none())
}

/// The IDs of what was sent, and whether each message arrived at each destination; the name of one is empty for the webhook of flags.
#[derive(Debug, Default)]
struct Delivered(HashMap<String, HashMap<(String, String), Arrived>>);

/// Whether a message arrived, by the URL of its destination. Not every list has those.
type Arrived = HashMap<Option<String>, bool>;

impl Delivered {
    /// Adds a list: IDs one a line, or objects with `event_id`, such as the delivery log of a spool. Of these only what
    /// arrived counts. An object without its end in the last line was being written when `send` was killed: nobody was promised that
    /// it had arrived.
    ///
    /// # Errors
    /// The file cannot be read, or has a line that is neither.
    fn read(&mut self, path: &Path) -> anyhow::Result<()> {
        let action = || format!("read delivered events from {}", path.display());
        let bytes = std::fs::read(path).with_context(action)?;
        for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let is_torn = line.starts_with(b"{") && !line.ends_with(b"\n");
            match self.line(line) {
                Err(error) if is_torn && is_cut(&error) => {}
                read => read
                    .with_context(|| format!("line {}", index + 1))
                    .with_context(action)?,
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) -> anyhow::Result<()> {
        let line = std::str::from_utf8(line)?.trim();
        if !line.starts_with('{') {
            let plain = line.bytes().all(|b| b.is_ascii_graphic());
            anyhow::ensure!(plain, "expected an event ID, or an object with event_id");
            if !line.is_empty() {
                self.add(line.trim_matches('"'), ("", ""), None, true);
            }
            return Ok(());
        }
        let value: Value = serde_json::from_str(line)?;
        let names = ["event_id", "eventID", "EventId"];
        let id = names
            .iter()
            .find_map(|name| value[*name].as_str())
            .context("an object without event_id")?;
        // What a rule mutes is not meant to arrive; what was only queued, being sent, rejected, held or not made did not. A duplicate may
        // have been rejected before, or wait.
        let arrived = value["status"]
            .as_str()
            .is_none_or(|status| ["delivered", "muted"].contains(&status));
        let destination = value["destination"].as_str().unwrap_or_default();
        let address = value["address"].as_str();
        // Of an event that a filter makes several messages of, those behind the first have a number.
        let (id, part) = id.split_once('/').unwrap_or((id, ""));
        self.add(id, (destination, part), address, arrived);
        Ok(())
    }

    fn add(
        &mut self,
        id: &str,
        (destination, part): (&str, &str),
        address: Option<&str>,
        arrived: bool,
    ) {
        let destinations = self.0.entry(id.to_owned()).or_default();
        let key = (destination.to_owned(), part.to_owned());
        let at = destinations.entry(key).or_default();
        *at.entry(address.map(str::to_owned)).or_default() |= arrived;
    }

    /// Returns whether a record is missing, once: the same record again is not.
    fn is_missing(&mut self, event_id: &str) -> bool {
        // A record without an ID cannot be found in any list.
        if event_id.is_empty() {
            return true;
        }
        let seen = HashMap::from([(None, true)]);
        let seen = HashMap::from([((String::new(), String::new()), seen)]);
        let before = self.0.insert(event_id.to_owned(), seen);
        before.is_none_or(|destinations| destinations.into_values().any(is_missing_at))
    }
}
