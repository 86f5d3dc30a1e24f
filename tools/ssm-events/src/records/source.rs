//! The input of the verbs as objects and records, and what of it could not be read.

use std::collections::HashSet;

use cli::{Finding, FindingKind, IoArgs, Outcome, Output, Severity};
use cloudtrail::{Damage, Found, Gap, Verdict};
use serde_json::Value;

use crate::records::gaps::Gaps;
use crate::records::record::{self, Event};
use crate::records::redact;

/// The finding of `history` about what it could not read.
pub(crate) const UNREAD: &str = "events.history.unread";
/// What a gap in a file of sessions means to whoever reads records.
pub(crate) const UNREAD_SESSIONS: &str = "sessions were not all read";

/// Hands the text of every JSON object of stdin, or of the file given by `-f`, to `each`, which says why one cannot be read. It is
/// counted, and the next one is read.
///
/// # Errors
/// A terminal as stdin, a file that cannot be opened, or an error that `each` keeps in [`Trouble::Stop`].
pub(crate) fn objects(
    io: &IoArgs,
    left_out: &mut LeftOut,
    mut each: impl FnMut(&str, &mut LeftOut) -> Result<(), Trouble>,
) -> anyhow::Result<()> {
    let path = io.path();
    let cure = "pipe in what `ssm-events history` prints, or pass records with -f FILE";
    cli::expect_input(path, "records", cure)?;
    left_out.file = path
        .map(|path| path.display().to_string())
        .unwrap_or_default();
    let ended = cloudtrail::objects_of(path, |found| {
        left_out.n_objects += 1;
        left_out.is_json = matches!(found, Found::Json(_));
        let read = match found {
            Found::Damaged(spoilt) => Err(Trouble::Damaged(spoilt.to_string())),
            Found::Object(object) | Found::Json(object) => cloudtrail::text(object)
                .map_err(Trouble::damaged)
                .and_then(|text| each(text, left_out)),
        };
        match read {
            Ok(()) => Ok(Verdict::Whole),
            Err(Trouble::Damaged(why)) => {
                left_out.damaged(&why);
                Ok(Verdict::Damaged)
            }
            Err(Trouble::Stop(error)) => Err(error),
        }
    });
    match ended {
        Ok(()) => {}
        Err(Damage::Each(error)) => return Err(error),
        // A file that is not there is a wrong argument; one that ends early is a gap.
        Err(Damage::Read(error)) if left_out.n_objects == 0 && error.raw_os_error().is_some() => {
            return Err(anyhow::Error::new(error).context(format!("read {}", left_out.file)));
        }
        Err(damage) => left_out.gap_here(damage.to_string()),
    }
    left_out.close();
    Ok(())
}

/// Why an object is not taken.
pub(crate) enum Trouble {
    /// It cannot be read. The next one is.
    Damaged(String),
    /// Nothing more is to be read.
    Stop(anyhow::Error),
}

impl Trouble {
    pub(crate) fn damaged(error: impl Into<anyhow::Error>) -> Trouble {
        Trouble::Damaged(format!("{:#}", error.into()))
    }
}

impl From<anyhow::Error> for Trouble {
    fn from(error: anyhow::Error) -> Trouble {
        Trouble::Stop(error)
    }
}

/// Hands every record of stdin, or of the file given by `-f`, to `each`, with what is known of it; whatever wraps it is taken off
/// and its secrets are gone. One that cannot be read is counted, and the next one is read.
///
/// # Errors
/// As [`objects`].
pub(crate) fn records(
    io: &IoArgs,
    mut each: impl FnMut(&Value, &Event) -> anyhow::Result<()>,
) -> anyhow::Result<LeftOut> {
    let mut left_out = LeftOut::default();
    objects(io, &mut left_out, |object, left_out| {
        let Some(value) = left_out.value(object)? else {
            return Ok(());
        };
        for record in left_out.unwrapped(value) {
            each(&record, &Event::of(&record))?;
        }
        Ok(())
    })?;
    Ok(left_out)
}

/// What an input has beside the records that were handed over.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    /// Where the input comes from; empty for stdin.
    file: String,
    n_objects: u64,
    /// Whether the object at hand is known to be JSON.
    is_json: bool,
    /// Records, and events that are none of CloudTrail's.
    pub(crate) n_records: u64,
    /// Objects that are not a record of a call.
    n_others: u64,
    /// Objects of which nobody knows what they are.
    pub(crate) n_unknown: u64,
    /// What could not be read here, and what `history` says that it could not read.
    pub(crate) unread: Gaps,
}

/// As many gaps are in the words of a report; a damaged archive has any number.
const MOST_IN_WORDS: usize = 100;

impl LeftOut {
    /// Parses one object; `None` when it says that something else could not be read, or that all of it is proved.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn value(&mut self, object: &str) -> Result<Option<Value>, Trouble> {
        let value = cloudtrail::parse(object).map_err(Trouble::damaged)?;
        Ok(match cloudtrail::gap(&value) {
            Some(gap) => {
                self.gap(gap);
                None
            }
            None if cloudtrail::is_proof(&value) => None,
            None => Some(value),
        })
    }

    /// Takes the records out of a value, without their secrets, and keeps what in it is not one.
    pub(crate) fn unwrapped(&mut self, value: Value) -> Vec<Value> {
        let mut unwrapped = record::unwrap(value);
        // What wraps a record may hide its secrets from whoever looks at the whole.
        unwrapped.events.iter_mut().for_each(redact::strip);
        self.n_records += unwrapped.events.len() as u64;
        self.n_others += unwrapped.n_others as u64;
        self.n_unknown += unwrapped.n_others as u64;
        unwrapped.unread.iter().for_each(|why| self.damaged(why));
        unwrapped.events
    }

    /// Returns the gaps in words, with how many more there are.
    pub(crate) fn gaps(&self) -> Vec<String> {
        self.unread.in_words(MOST_IN_WORDS)
    }

    /// Prints a finding of each gap, so that the other end of the pipe knows of it as well.
    ///
    /// # Errors
    /// Nobody reads any more.
    pub(crate) fn print_gaps(&self, out: &Output) -> anyhow::Result<()> {
        self.findings().try_for_each(|finding| out.write(&finding))
    }

    /// Returns a finding of each gap.
    pub(crate) fn findings(&self) -> impl Iterator<Item = Finding> {
        let here = match self.file.as_str() {
            "" => "stdin",
            file => file,
        };
        let gaps = self.unread.kept().iter().map(move |gap| {
            let resource = match gap.resource.as_str() {
                "" => here,
                resource => resource,
            };
            finding(resource, gap.reason.clone())
        });
        let n_more = self.unread.n_more();
        gaps.chain((n_more > 0).then(|| more(here, n_more)))
    }

    /// Looks at an object that nobody wants: what is damaged may have been wanted.
    ///
    /// # Errors
    /// It is not JSON.
    pub(crate) fn check(&self, object: &str) -> anyhow::Result<()> {
        match self.is_json {
            true => Ok(()),
            false => cloudtrail::check(object),
        }
    }

    /// Counts what was missing of a file of sessions, once: `sessions` has printed what was missing of the records that it read, and they
    /// may be the same.
    pub(crate) fn sessions_unread(&mut self, gaps: &Gaps) {
        let known: HashSet<Gap> = self.unread.kept().iter().cloned().collect();
        let new = gaps.kept().iter().filter(|gap| !known.contains(gap));
        let mut all = Gaps::default();
        new.for_each(|gap| {
            all.push(Gap {
                resource: gap.resource.clone(),
                reason: format!("{UNREAD_SESSIONS}: {}", gap.reason),
            });
        });
        if gaps.n_more() > 0 {
            let reason = format!("{UNREAD_SESSIONS}: {} more gaps", gaps.n_more());
            all.push(Gap {
                resource: String::new(),
                reason,
            });
        }
        self.unread.extend(all);
    }

    pub(crate) fn damaged(&mut self, why: &str) {
        self.gap_here(format!("record {} cannot be read: {why}", self.n_objects));
    }

    fn gap_here(&mut self, reason: String) {
        let resource = self.file.clone();
        self.gap(Gap { resource, reason });
    }

    /// Takes an input that has objects and not one record for the wrong one: what is asked about it has no answer.
    fn close(&mut self) {
        if self.n_records == 0 && self.n_unknown > 0 && self.unread.is_empty() {
            self.gap_here(none_among(self.n_unknown));
        }
    }

    fn gap(&mut self, gap: Gap) {
        self.unread.push(gap);
    }

    /// Says what was left out. Returns trouble where something could not be read: what is not there may have been in it.
    pub(crate) fn end(&self, out: &Output, outcome: Outcome) -> Outcome {
        note_others(out, self.n_others);
        let Some(first) = self.unread.kept().first() else {
            return outcome;
        };
        let more = match self.unread.n() {
            1 => String::new(),
            n => format!("; {n} gaps"),
        };
        // Not for `-q` to hide: the status says that something is wrong, and only this says what.
        cli::print_error(crate::TOOL, &format!("not all was read: {first}{more}"));
        Outcome::Trouble
    }
}

/// Returns what is wrong with an input that has objects and not one record.
pub(crate) fn none_among(n_objects: u64) -> String {
    let n_objects = usize::try_from(n_objects).unwrap_or(usize::MAX);
    let objects = cli::count(n_objects, "object");
    format!("no CloudTrail record, EventBridge event or log file among {objects}")
}

/// Returns what could not be read as a record, so that the other end of a pipe knows of the gap.
pub(crate) fn finding(resource: &str, message: String) -> Finding {
    let fix = match message.contains("NoSuchBucket") {
        true => "correct the name of the bucket",
        false => "fetch it again, or read it from the trail's bucket",
    };
    Finding {
        kind: FindingKind::Finding,
        id: UNREAD.to_owned(),
        severity: Severity::Error,
        target: None,
        resource: resource.to_owned(),
        message,
        fix: fix.to_owned(),
        is_unread: true,
    }
}

/// Returns how a verb ended whose records go on. Where it ended with an error, possibly before its first record, a record says so:
/// whoever reads the other end of the pipe sees no exit status, and would take nothing for nothing found.
pub(crate) fn or_unread(
    out: &Output,
    verb: &str,
    ended: anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let is_read_on = !out.is_text() && out.report_format().is_none();
    if let Err(error) = &ended
        && is_read_on
    {
        let finding = Finding {
            fix: "correct what the message names, and run it again".to_owned(),
            ..finding(
                &format!("{} {verb}", crate::TOOL),
                format!("it ended with an error: {error:#}"),
            )
        };
        // The error may be that of stdout, or of the jq filter.
        let _ = out.write(&finding);
    }
    ended
}

/// Returns how many gaps there are beside those that are printed.
pub(crate) fn more(resource: &str, n_more: u64) -> Finding {
    finding(resource, format!("it has {n_more} more gaps"))
}

/// Says how many objects were not a record of a call, if there were any.
pub(crate) fn note_others(out: &Output, n_others: u64) {
    match n_others {
        0 => {}
        1 => out.note("passed over 1 object that is not a record of a call"),
        n => out.note(&format!(
            "passed over {n} objects that are not records of a call"
        )),
    }
}

/// Returns an object on one line, its numbers as they were written.
pub(crate) fn on_one_line(object: &str) -> std::borrow::Cow<'_, str> {
    if !object.contains('\n') {
        return object.into();
    }
    let mut line = String::with_capacity(object.len());
    let (mut in_string, mut escaped) = (false, false);
    for c in object.chars() {
        if in_string || !c.is_ascii_whitespace() {
            line.push(c);
        }
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_string = !in_string,
            _ => {}
        }
    }
    line.into()
}
