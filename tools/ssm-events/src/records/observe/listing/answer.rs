//! The answers in a file, one after another: long lists are handed over item by item, the rest of an answer at its end.

use std::fmt;
use std::io::Read;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The lists that are handed over item by item, as answers call them.
pub(super) const OBJECTS: &str = "Contents";
pub(super) const STREAMS: &str = "logStreams";
pub(super) const SESSIONS: &str = "Sessions";

/// <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Object {
    pub(super) key: String,
    #[serde(default)]
    pub(super) size: u64,
    pub(super) last_modified: Option<Value>,
}

/// <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogStream.html>
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Stream {
    pub(super) log_stream_name: String,
    #[serde(default)]
    pub(super) arn: String,
    pub(super) first_event_timestamp: Option<i64>,
    pub(super) last_event_timestamp: Option<i64>,
    pub(super) last_ingestion_time: Option<i64>,
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Session.html>
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub(super) struct Session {
    pub(super) session_id: String,
    pub(super) target: String,
    pub(super) status: String,
    pub(super) start_date: Option<Value>,
    pub(super) end_date: Option<Value>,
    pub(super) document_name: String,
    pub(super) owner: String,
    pub(super) reason: String,
    pub(super) max_session_duration: String,
}

/// An item of a list.
pub(super) enum Found {
    Object(Object),
    Stream(Stream),
    Session(Box<Session>),
}

/// Takes answers.
pub(super) trait Answers {
    fn begins(&mut self, list: &'static str);
    fn found(&mut self, found: Found);
    /// Takes what else the answer has.
    fn ends(&mut self, rest: Map<String, Value>) -> anyhow::Result<()>;
}

/// Hands over all answers of a file: values one after another, or arrays of them.
///
/// # Errors
/// The file is not JSON, or an error of `answers`.
pub(super) fn read(file: impl Read, answers: &mut impl Answers) -> anyhow::Result<()> {
    let mut values = serde_json::Deserializer::from_reader(file);
    // The end is an error while something follows.
    while values.end().is_err() {
        One(answers).deserialize(&mut values)?;
    }
    Ok(())
}

struct One<'a, A>(&'a mut A);

impl<'de, A: Answers> DeserializeSeed<'de> for One<'_, A> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, A: Answers> Visitor<'de> for One<'_, A> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an answer of AWS")
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<(), S::Error> {
        while items.next_element_seed(One(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<(), M::Error> {
        let mut rest = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let lists = [OBJECTS, STREAMS, SESSIONS];
            if let Some(list) = lists.into_iter().find(|list| *list == name) {
                self.0.begins(list);
                members.next_value_seed(Items(&mut *self.0, list))?;
            } else {
                rest.insert(name, members.next_value()?);
            }
        }
        self.0.ends(rest).map_err(M::Error::custom)
    }
}

struct Items<'a, A>(&'a mut A, &'a str);

impl<'de, A: Answers> DeserializeSeed<'de> for Items<'_, A> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, A: Answers> Visitor<'de> for Items<'_, A> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "the list of {}", self.1)
    }

    /// The AWS CLI prints null for no objects.
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut items: S) -> Result<(), S::Error> {
        loop {
            let found = match self.1 {
                OBJECTS => items.next_element()?.map(Found::Object),
                STREAMS => items.next_element()?.map(Found::Stream),
                _ => items.next_element()?.map(Found::Session),
            };
            match found {
                Some(found) => self.0.found(found),
                None => return Ok(()),
            }
        }
    }
}
