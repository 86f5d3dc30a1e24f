//! Answers that are not the last of their query. The list of an answer is taken apart as it is read, so that what stands around it,
//! that more follows, is seen only here.
//!
//! The pages of a query follow each other in a stream. No page says of which query it is: that another one of the same shape is not
//! the next is known only where its events are later, as those of a query come the latest first.
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

use std::io::{Error, ErrorKind, Read};

use json_splitter::{LONGEST_AROUND, Part};
use serde_json::{Map, Value};

use crate::value::parse;
use crate::wrapping::has_more;
use crate::{Damage, Found, Verdict};

/// What the events of an answer of LookupEvents have, and records have not.
const OF_LOOKUP: &[u8] = b"\"CloudTrailEvent\"";

/// Hands every object of a text to `each`, and says whether another answer should follow one of those in it.
///
/// # Errors
/// As `json_splitter::objects`; more was to be read.
pub(crate) fn objects(
    mut text: impl Read,
    mut each: impl FnMut(Found<'_>) -> anyhow::Result<Verdict>,
) -> Result<(), Damage> {
    let mut answers = Answers::default();
    json_splitter::parts(&mut text, |part| match part {
        Part::Alone(found) => {
            answers.other(&found);
            each(found)
        }
        Part::Item(found) => {
            answers.item(&found);
            each(found)
        }
        Part::Around(around) => {
            answers.ends(around);
            Ok(Verdict::Whole)
        }
    })?;
    match answers.unfinished() {
        Some(why) => Err(Damage::Read(Error::new(ErrorKind::InvalidData, why))),
        None => Ok(()),
    }
}

/// The answers of a stream, as far as it must be known whether one follows another.
#[derive(Debug, Default)]
struct Answers {
    /// The last one, if another should follow it.
    open: Option<Open>,
    n_unfinished: usize,
    why: Option<String>,
    n_items: usize,
    /// The time of the first event of the answer that is being read.
    first: Option<String>,
    /// Its last event, if it is an answer of LookupEvents.
    last: Option<Vec<u8>>,
}

/// An answer that says that more follows.
#[derive(Debug)]
struct Open {
    why: String,
    lists: Vec<String>,
    last: Option<String>,
}

impl Answers {
    fn other(&mut self, found: &Found<'_>) {
        // What is damaged is a gap by itself.
        if matches!(found, Found::Object(_) | Found::Json(_)) {
            self.is_not_followed();
        }
    }

    fn item(&mut self, found: &Found<'_>) {
        self.n_items += 1;
        let (Found::Object(item) | Found::Json(item)) = found else {
            return;
        };
        if self.n_items == 1 && memchr::memmem::find(item, OF_LOOKUP).is_some() {
            self.first = time_of(item);
            self.last = Some(Vec::new());
        }
        if let Some(last) = &mut self.last {
            last.clear();
            last.extend_from_slice(item);
        }
    }

    fn ends(&mut self, around: &[u8]) {
        self.n_items = 0;
        let (first, last) = (self.first.take(), self.last.take());
        let members = match members(around) {
            Ok(members) => members,
            Err(why) => {
                self.is_not_followed();
                return self.unread(why.to_owned());
            }
        };
        let is_list = |name: &&str| members.get(*name).is_some_and(Value::is_array);
        let lists = json_splitter::LISTS.into_iter().filter(is_list);
        let lists: Vec<String> = lists.map(str::to_owned).collect();
        let mut last = last.and_then(|item| time_of(&item));
        if let Some(open) = &self.open {
            // Texts compare as times do. A page may have no event.
            let is_later = open.last.is_some() && first > open.last;
            match open.lists == lists && !is_later {
                true => {
                    last = last.or_else(|| open.last.clone());
                    self.open = None;
                }
                false => self.is_not_followed(),
            }
        }
        if let Some(why) = has_more(&members) {
            self.open = Some(Open { why, lists, last });
        }
    }

    fn is_not_followed(&mut self) {
        if let Some(open) = self.open.take() {
            self.unread(open.why);
        }
    }

    fn unread(&mut self, why: String) {
        self.n_unfinished += 1;
        self.why.get_or_insert(why);
    }

    /// Returns what is missing, in words.
    fn unfinished(mut self) -> Option<String> {
        self.is_not_followed();
        let why = self.why?;
        Some(match self.n_unfinished {
            1 => why,
            n => format!("{n} answers are not followed by their next: {why}"),
        })
    }
}

/// Returns the members of an object, the lists of which are empty.
fn members(around: &[u8]) -> Result<Map<String, Value>, &'static str> {
    if around.len() > LONGEST_AROUND {
        return Err(
            "what stands around its list is too long to be read: whether more follows is not known",
        );
    }
    serde_json::from_slice(around).map_err(|_| "what stands around its list is not JSON")
}

/// Returns when an event of LookupEvents happened, as its record says: in UTC, up to the second.
fn time_of(item: &[u8]) -> Option<String> {
    let item = parse(std::str::from_utf8(item).ok()?).ok()?;
    let record = parse(item["CloudTrailEvent"].as_str()?).ok()?;
    let time = record["eventTime"].as_str()?;
    (time.len() == "2026-11-01T00:00:00Z".len() && time.ends_with('Z')).then(|| time.to_owned())
}
