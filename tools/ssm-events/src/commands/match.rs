//! The verb `match`: the events of a stream that fit a pattern.

use std::collections::HashSet;

use anyhow::Context;
use cli::{IoArgs, Outcome, Output};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use super::GlobalArgs;
use crate::event_pattern::Pattern;
use crate::records::needles::Needles;
use crate::records::record;
use crate::records::redact;
use crate::records::source::{self, LeftOut, Trouble};

/// Output is gathered up to this many bytes.
const BATCH: usize = 64 * 1024;

/// Print the events that match an event pattern of EventBridge, without calling AWS; exit with 1 when one does
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events pattern -f events.json >p.json; ssm-events history | ssm-events match p.json"
)]
pub(crate) struct MatchArgs {
    /// The pattern, or a file that holds it
    pattern: String,
    /// Print for every event which fields decided, instead of the event
    #[arg(long)]
    explain: bool,
}

pub(crate) async fn run(
    args: &MatchArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let ended = judge(args, global, out).await;
    source::or_unread(out, "match", ended)
}

async fn judge(args: &MatchArgs, global: &GlobalArgs, out: &Output) -> anyhow::Result<Outcome> {
    let pattern = pattern(&args.pattern)?;
    let _reading = out.reading("the records");
    match args.explain {
        true => explain(&global.io, out, &pattern),
        false => matching(&global.io, out, &pattern),
    }
}

/// Why an event fits or does not.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Explained {
    kind: ExplainedKind,
    /// `id` of the envelope, or the number of the event in the input.
    event: String,
    matched: bool,
    /// What decided: of an event that fits every field of the pattern, else those that do not fit.
    fields: Vec<ExplainedField>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ExplainedKind {
    Explanation,
}

/// One field of a pattern against the values of an event.
#[derive(Debug, Serialize, JsonSchema)]
struct ExplainedField {
    /// Path such as `$.detail.eventName`.
    field: String,
    matched: bool,
    /// The values as JSON; none when the field is absent.
    found: Vec<String>,
}

/// Reads a pattern: JSON as it is, or the file of that name.
///
/// # Errors
/// The file cannot be read, or EventBridge would refuse the pattern.
fn pattern(argument: &str) -> anyhow::Result<Pattern> {
    if argument.trim_start().starts_with('{') {
        return Pattern::parse(argument).context("pattern");
    }
    let text = std::fs::read_to_string(argument)
        .with_context(|| format!("read the pattern from {argument}"))?;
    Pattern::parse(&text).with_context(|| argument.to_owned())
}

/// Prints the events that fit, as they came; of what wraps records, those that fit.
fn matching(io: &IoArgs, out: &Output, pattern: &Pattern) -> anyhow::Result<Outcome> {
    let (finder, secrets) = (Finder::of(pattern)?, redact::Finder::new()?);
    let (mut lines, mut outcome) = (String::new(), Outcome::Fine);
    let mut left_out = LeftOut::default();
    let read = source::objects(io, &mut left_out, |object, left_out| {
        if !finder.may_fit(object) && !cloudtrail::may_be_nameless(object) {
            return passed_over(object, left_out).map_err(Trouble::damaged);
        }
        finder.events(object, left_out, |event, left_out| {
            let fits = pattern.matches(event).map_err(Trouble::damaged)?;
            if !fits {
                if left_out.n_records > 0 || finder.is_asked_about(pattern, event) {
                    left_out.n_records += 1;
                } else {
                    count(event, left_out).map_err(Trouble::damaged)?;
                }
                return Ok(false);
            }
            left_out.n_records += 1;
            match secrets.may_hold(event.as_bytes()) {
                true => lines.push_str(&stripped(event).map_err(Trouble::damaged)?),
                false => lines.push_str(&source::on_one_line(event)),
            }
            lines.push('\n');
            outcome = Outcome::Found;
            Ok(true)
        })?;
        if lines.len() >= BATCH {
            out.write_json_lines(&std::mem::take(&mut lines))?;
        }
        Ok(())
    });
    out.write_json_lines(&lines)?;
    read?;
    let outcome = left_out.end(out, outcome);
    left_out.print_gaps(out)?;
    Ok(outcome)
}

/// Counts an object that cannot fit, if it is whole: what is damaged may have fitted.
fn passed_over(object: &str, left_out: &mut LeftOut) -> anyhow::Result<()> {
    match left_out.n_records {
        0 => count(object, left_out),
        _ => left_out.check(object),
    }
}

/// Counts an object that does not fit as an event, or as something else: an input of other things has no answer.
fn count(object: &str, left_out: &mut LeftOut) -> anyhow::Result<()> {
    if left_out.n_records > 0 || record::is_known(object)? {
        left_out.n_records += 1;
    } else {
        left_out.n_unknown += 1;
    }
    Ok(())
}

/// Returns an event on one line without its secrets.
fn stripped(event: &str) -> anyhow::Result<String> {
    let mut event: Value = serde_json::from_str(event).context("an event")?;
    redact::strip(&mut event);
    Ok(event.to_string())
}

/// Says of every event which fields decided.
fn explain(io: &IoArgs, out: &Output, pattern: &Pattern) -> anyhow::Result<Outcome> {
    let finder = Finder::of(pattern)?;
    let (mut number, mut outcome) = (0, Outcome::Fine);
    let mut left_out = LeftOut::default();
    source::objects(io, &mut left_out, |object, left_out| {
        finder.events(object, left_out, |event, left_out| {
            number += 1;
            let (matched, fields) = pattern.explain(event).map_err(Trouble::damaged)?;
            left_out.n_records += 1;
            if matched {
                outcome = Outcome::Found;
            }
            let mut event: Value = serde_json::from_str(event).map_err(Trouble::damaged)?;
            let id = event["id"].as_str().map(str::to_owned);
            // What names a secret may stand beside it, in a field that is not asked for.
            let mut secrets = HashSet::new();
            redact::strip_each(&mut event, &mut |secret| add_values(secret, &mut secrets));
            let shown = |field: &str, text: String| match secrets.contains(&text) {
                true => redact::stripped(),
                false => redact::at(field, text),
            };
            let fields = fields.into_iter().map(|field| {
                let found = field.found.into_iter();
                ExplainedField {
                    found: found.map(|text| shown(&field.field, text)).collect(),
                    field: field.field,
                    matched: field.matched,
                }
            });
            out.write(&Explained {
                kind: ExplainedKind::Explanation,
                event: id.unwrap_or_else(|| number.to_string()),
                matched,
                fields: fields.collect(),
            })?;
            Ok(matched)
        })
    })?;
    let outcome = left_out.end(out, outcome);
    left_out.print_gaps(out)?;
    Ok(outcome)
}

/// Adds what an explanation may show of a value.
fn add_values(value: &Value, values: &mut HashSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| add_values(item, values)),
        Value::Object(members) => members.values().for_each(|item| add_values(item, values)),
        value => {
            values.insert(value.to_string());
        }
    }
}

/// Finds the objects that are worth a look, so that the others are never parsed.
struct Finder {
    /// Texts of the pattern: all must find something.
    literals: Vec<Needles>,
    /// What may hide them.
    hiding: Needles,
    wrappers: Needles,
}

impl Finder {
    fn of(pattern: &Pattern) -> anyhow::Result<Finder> {
        let wrappers = || cloudtrail::WRAPPERS.into_iter().chain(cloudtrail::MARKS);
        // A text may be spelled with escapes, and rows of tables hold times in other words: such events are looked at.
        let literals = pattern.literals().into_iter().map(Needles::new);
        Ok(Finder {
            literals: literals.collect::<Result<_, _>>()?,
            hiding: Needles::new(wrappers().chain(["\\u00"]))?,
            wrappers: Needles::new(wrappers())?,
        })
    }

    fn may_fit(&self, object: &str) -> bool {
        let has_all = self.literals.iter().all(|texts| texts.is_match(object));
        object.starts_with('[') || has_all || self.hiding.is_match(object)
    }

    /// Returns whether an event has something of all that the pattern asks for: it does not fit, and is not something else. Where the
    /// pattern has no texts, a field that it asks about must be there.
    fn is_asked_about(&self, pattern: &Pattern, event: &str) -> bool {
        if self.literals.is_empty() {
            let explained = pattern.explain(event);
            return explained
                .is_ok_and(|(_, fields)| fields.iter().any(|field| !field.found.is_empty()));
        }
        self.literals.iter().all(|texts| texts.is_match(event))
    }

    /// Hands every event of an object to `each`, which says whether it fits: itself as it came, or those that it wraps; an envelope of
    /// EventBridge wraps nothing. A record that cannot be taken is counted as damaged, and so is one that does not say what was
    /// called and does not fit.
    fn events(
        &self,
        object: &str,
        left_out: &mut LeftOut,
        mut each: impl FnMut(&str, &mut LeftOut) -> Result<bool, Trouble>,
    ) -> Result<(), Trouble> {
        let mut each_whole = |value: &Value, event: &str, left_out: &mut LeftOut| {
            // Who tries a pattern writes no more of an event than that asks for, and may ask for a detail that is a text.
            let is_part = value.get("detail-type").is_some()
                && value.get("detail").is_none_or(Value::is_string);
            match record::damage(value).filter(|_| !is_part) {
                Some(why) => Err(Trouble::Damaged(why)),
                None => each(event, left_out),
            }
        };
        let is_wrapped = object.starts_with('[') || self.wrappers.is_match(object);
        let is_one = !is_wrapped && !cloudtrail::may_be_nameless(object);
        // A pattern sees one of two members of a name, and the next reader the other: whatever is looked at is whole.
        let Some(value) = left_out.value(object)? else {
            return Ok(());
        };
        if is_one && (each_whole(&value, object, left_out)? || cloudtrail::is_record(object)) {
            return Ok(());
        }
        let unwrapped = cloudtrail::unwrap(value.clone());
        let is_as_it_came = match unwrapped.objects.as_slice() {
            [] => !is_wrapped,
            [one] => *one == value,
            _ => false,
        };
        if is_as_it_came && !is_one && each_whole(&value, object, left_out)? {
            return Ok(());
        }
        unwrapped
            .unread
            .iter()
            .for_each(|why| left_out.damaged(why));
        if !is_as_it_came && !is_one {
            for event in &unwrapped.objects {
                // One that is damaged stops no other that the same object wraps.
                match each_whole(event, &event.to_string(), left_out) {
                    Err(Trouble::Damaged(why)) => left_out.damaged(&why),
                    ended => {
                        ended?;
                    }
                }
            }
        }
        Ok(())
    }
}
