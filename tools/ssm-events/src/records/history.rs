//! Which records of the past are asked for, and where in CloudTrail's buckets they lie.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>

mod damaged;
mod of_node;

use std::borrow::Cow;

use cloudtrail::Gap;
use jiff::Timestamp;
use records::{EcsTarget, InstanceId};
use serde::Deserialize;
use serde_json::Value;

pub(crate) use damaged::{Counts, Damaged};
use of_node::Node;
pub(crate) use of_node::{OfNode, Undecided};

use crate::records::events::{EVENTS, service};
use crate::records::needles::Needles;
use crate::records::record::{self, Event};
use crate::records::redact;
use crate::records::source::on_one_line;

/// What `--event` means by every call.
const ALL: &str = "all";
/// A name may be spelled with escapes: records that escape a character of ASCII are looked at. Names of people often have others.
const ESCAPES: [&str; 6] = ["\\u002", "\\u003", "\\u004", "\\u005", "\\u006", "\\u007"];
/// What says that records are elsewhere, as a value and in a text. Keys have `aws:s3:arn` in every second record of KMS.
const ELSEWHERE: [&str; 5] = [
    "aws:s3\"",
    "aws:s3\\",
    "\"aws.s3\"",
    "aws.s3\\",
    "s3ObjectKey",
];
pub(crate) const SYSTEMS_MANAGER: &str = "ssm.amazonaws.com";

/// Which records to print.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Wanted {
    /// Only calls at or after this time, such as 2026-11-01T00:00:00Z or 7d (ago)
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,

    /// Only calls before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,

    /// Only these calls, such as StartSession or ssm:StartSession, or all [default: what `pattern` watches by default]
    #[arg(long = "event", value_name = "NAME", value_delimiter = ',')]
    pub(crate) events: Vec<String>,

    /// Only calls by principals whose ARN, name or session name is this; * matches anything
    #[arg(long, value_name = "PRINCIPAL")]
    pub(crate) principal: Option<String>,

    /// Only calls on this node
    #[arg(long = "instance-id", alias = "node", value_name = "ID", value_parser = node)]
    pub(crate) node: Option<String>,

    /// Only calls that were denied
    #[arg(long)]
    pub(crate) denied: bool,
}

/// Reads what a session is started on: with a typing error in it no record would be found, which looks as if there were none.
fn node(text: &str) -> Result<String, String> {
    if EcsTarget::parse(text).is_none() {
        InstanceId::try_from(text.to_owned())?;
    }
    Ok(text.to_owned())
}

/// What the flags ask for.
#[derive(Clone, Debug)]
pub(crate) struct EventFilter {
    pub(crate) since: Option<Timestamp>,
    pub(crate) until: Option<Timestamp>,
    /// Source and name; an empty source is any. No entry at all is every call.
    pub(crate) events: Vec<(String, String)>,
    /// How many of them, the first ones, are read for what they say of the others.
    n_unasked: usize,
    principal: Option<Vec<String>>,
    node: Option<Node>,
    denied: bool,
    needles: Option<Needles>,
    secrets: redact::Finder,
}

/// As much of a record as most filters need.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head<'r> {
    #[serde(borrow)]
    event_name: Option<Cow<'r, str>>,
    #[serde(borrow)]
    event_source: Option<Cow<'r, str>>,
    #[serde(borrow)]
    event_time: Option<Cow<'r, str>>,
    #[serde(borrow)]
    event_type: Option<Cow<'r, str>>,
}

impl Head<'_> {
    /// Returns whether it is the record of a call by itself; insights, and what notifies functions, have names and sources, too.
    fn is_call(&self) -> bool {
        let says = |text: Option<&str>| text.is_some_and(|text| !text.trim().is_empty());
        let source = self.event_source.as_deref();
        says(self.event_name.as_deref())
            && says(source)
            && source.is_some_and(|source| !source.starts_with("aws:"))
            && self.event_type.as_deref() != Some("AwsCloudTrailInsight")
    }
}

impl EventFilter {
    /// Reads the flags; `now` is what `7d` is counted from.
    ///
    /// # Errors
    /// No time, or a beginning after the end.
    pub(crate) fn new(wanted: &Wanted, now: Timestamp) -> anyhow::Result<EventFilter> {
        let (since, until) = (
            time("--since", &wanted.since, now)?,
            time("--until", &wanted.until, now)?,
        );
        if since.is_some() && until.is_some() && since >= until {
            anyhow::bail!("--since is not before --until");
        }
        let mut events: Vec<(String, String)> = match wanted.events.as_slice() {
            [] => EVENTS
                .iter()
                .map(|name| {
                    (
                        format!("{}.amazonaws.com", service(name)),
                        (*name).to_owned(),
                    )
                })
                .collect(),
            names if names.iter().any(|name| name == ALL) => Vec::new(),
            names => names.iter().map(|name| qualified(name)).collect(),
        };
        let node = wanted.node.as_deref();
        let (node, n_unasked) = node.map(|id| Node::new(id, &mut events)).unzip();
        let mut words: Vec<&str> = events.iter().map(|(_, name)| name.as_str()).collect();
        if words.is_empty() {
            words.extend(node.iter().flat_map(Node::words));
        }
        let needles = if words.is_empty() {
            None
        } else {
            let others = ESCAPES
                .into_iter()
                .chain(ELSEWHERE)
                .chain(cloudtrail::MARKS);
            Some(Needles::new(words.into_iter().chain(others))?)
        };
        Ok(EventFilter {
            since,
            until,
            events,
            n_unasked: n_unasked.unwrap_or_default(),
            principal: wanted
                .principal
                .as_deref()
                .map(|text| text.split('*').map(str::to_owned).collect()),
            node,
            denied: wanted.denied,
            needles,
            secrets: redact::Finder::new()?,
        })
    }

    /// Adds the records of an object that are asked for to `lines`, one a line and without secrets. Returns what of it could not be read,
    /// and what it says that another verb could not read.
    ///
    /// # Errors
    /// The object cannot be read.
    pub(crate) fn lines(
        &self,
        object: &str,
        counts: &mut Counts,
        lines: &mut String,
    ) -> anyhow::Result<Vec<Gap>> {
        counts.n_objects += 1;
        let needles = self.needles.as_ref();
        let is_needless = needles.is_some_and(|needles| !needles.is_match(object));
        if is_needless && !cloudtrail::may_be_nameless(object) {
            // Not asked for, if it is whole: what is damaged may have been.
            counts.passed_over(object)?;
            return Ok(Vec::new());
        }
        // A list, such as a row of CloudTrail Lake, has no head.
        let head = object
            .starts_with('{')
            .then(|| serde_json::from_str(object));
        if let Some(head) = head.transpose()?.filter(Head::is_call) {
            counts.n_known += 1;
            self.line(object, &head, counts, lines)?;
            return Ok(Vec::new());
        }
        let value = cloudtrail::parse(object)?;
        if let Some(gap) = cloudtrail::gap(&value) {
            return Ok(vec![gap]);
        }
        if cloudtrail::is_proof(&value) {
            counts.n_known += 1;
            return Ok(Vec::new());
        }
        let is_known_other =
            value["digestStartTime"].is_string() || cloudtrail::is_beside_records(&value);
        let unwrapped = record::unwrap(value);
        counts.n_known += unwrapped.events.len() as u64 + u64::from(is_known_other);
        counts.n_others += unwrapped.n_others as u64;
        counts.n_unknown += unwrapped.n_others as u64;
        let mut unread = unwrapped.unread;
        for record in unwrapped.events {
            let text = record.to_string();
            let read = serde_json::from_str::<Head<'_>>(&text).map_err(anyhow::Error::new);
            let read = read.and_then(|head| self.line(&text, &head, counts, lines));
            unread.extend(read.err().map(|error| format!("{error:#}")));
        }
        let here = |reason| Gap {
            resource: String::new(),
            reason,
        };
        Ok(unread.into_iter().map(here).collect())
    }

    fn line(
        &self,
        record: &str,
        head: &Head<'_>,
        counts: &mut Counts,
        lines: &mut String,
    ) -> anyhow::Result<()> {
        let name = head.event_name.as_deref().unwrap_or_default();
        let source = head.event_source.as_deref().unwrap_or_default();
        let is_wanted =
            |(of, called): &(String, String)| called == name && (of.is_empty() || of == source);
        let is_event =
            self.events.is_empty() || self.events[self.n_unasked..].iter().any(is_wanted);
        let is_asked = is_event && self.in_time(head.event_time.as_deref().unwrap_or_default());
        let node = self.node.as_ref();
        if !is_asked && !node.is_some_and(|node| node.is_beginning(source, name)) {
            return Ok(());
        }
        // The other end of the pipe must be able to read what is printed.
        let mut value = cloudtrail::parse(record)?;
        if let Some(why) = record::mistyped(&value) {
            anyhow::ensure!(!is_asked, why);
            return Ok(());
        }
        let Some((mark, is_printed)) = self.mark(&value, is_asked) else {
            return Ok(());
        };
        lines.push_str(&mark);
        if !is_printed {
            lines.push('\n');
            return Ok(());
        }
        counts.n_found += 1;
        if self.secrets.may_hold(record.as_bytes()) {
            redact::strip(&mut value);
            lines.push_str(&value.to_string());
        } else {
            lines.push_str(&on_one_line(record));
        }
        lines.push('\n');
        Ok(())
    }

    /// A record without a time is printed rather than lost.
    fn in_time(&self, text: &str) -> bool {
        if self.since.is_none() && self.until.is_none() {
            return true;
        }
        let Ok(time) = text.parse::<Timestamp>() else {
            return true;
        };
        self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
    }

    /// Returns what reads the lines, where they have marks.
    pub(crate) fn of_node(&self) -> Option<OfNode> {
        let node = self.node.as_ref().filter(|node| node.marks_lines());
        node.map(|_| OfNode::default())
    }

    /// Returns how the line of a record begins, and whether the record follows; `None` for what is not needed.
    fn mark(&self, record: &Value, is_asked: bool) -> Option<(String, bool)> {
        if self.principal.is_none() && self.node.is_none() && !self.denied {
            return Some((String::new(), true));
        }
        let event = Event::of(record);
        let arn = record::text(&record["userIdentity"]["arn"]);
        let who = &event.who;
        let short = who.principal.rsplit('/').next().unwrap_or_default();
        let by = self.principal.as_ref().is_none_or(|parts| {
            [
                who.principal.as_str(),
                short,
                who.session_name.as_str(),
                arn.as_str(),
            ]
            .iter()
            .any(|name| !name.is_empty() && crate::event_pattern::wildcard(parts, name))
        });
        let is_wanted =
            is_asked && by && (!self.denied || event.outcome == record::Outcome::Denied);
        match &self.node {
            Some(node) => node.mark(&event, is_wanted),
            None => is_wanted.then(|| (String::new(), true)),
        }
    }
}

fn qualified(name: &str) -> (String, String) {
    match name.split_once(':') {
        Some((service, name)) => (
            format!(
                "{}.amazonaws.com",
                service.trim_end_matches(".amazonaws.com")
            ),
            name.to_owned(),
        ),
        None => (String::new(), name.to_owned()),
    }
}

/// Reads the time of a flag.
///
/// # Errors
/// It is not a time.
pub(crate) fn time(
    flag: &str,
    text: &Option<String>,
    now: Timestamp,
) -> anyhow::Result<Option<Timestamp>> {
    let parsed = text.as_deref().map(|text| moment(text, now));
    parsed.transpose().map_err(|text| {
        anyhow::anyhow!(
            "{flag} {text}: expected a time such as 2026-11-01T00:00:00Z, 2026-11-01 or 7d"
        )
    })
}

/// Reads a time: ISO 8601 with a zone, a day in UTC, or how long ago.
fn moment(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    if let Ok(day) = text.parse::<jiff::civil::Date>() {
        return day
            .to_zoned_datetime(jiff::tz::TimeZone::UTC)
            .map(|day| day.timestamp())
            .map_err(|_| text.to_owned());
    }
    let split = text.len().saturating_sub(1);
    let (Some(number), Some(unit)) = (text.get(..split), text.get(split..)) else {
        return Err(text.to_owned());
    };
    let hours = match (number.parse::<i64>(), unit) {
        (Ok(days), "d") => days.checked_mul(24),
        (Ok(hours), "h") => Some(hours),
        _ => None,
    };
    let span = hours
        .filter(|hours| (0..1_000_000).contains(hours))
        .map(jiff::SignedDuration::from_hours);
    span.and_then(|span| now.checked_sub(span).ok())
        .ok_or_else(|| text.to_owned())
}
