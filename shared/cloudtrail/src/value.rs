//! Objects as values. A name that is there twice makes an object mean one thing to this reader and another to the next.

use std::fmt;

use anyhow::{Context, bail};
use serde::de::{Deserialize, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

/// Returns the text of an object.
///
/// # Errors
/// It is not UTF-8.
pub fn text(object: &[u8]) -> anyhow::Result<&str> {
    std::str::from_utf8(object).context("not UTF-8")
}

/// Parses an object, each name of which is there once.
///
/// # Errors
/// It is not JSON, or has a name twice.
pub fn parse(text: &str) -> anyhow::Result<Value> {
    let Once(value) = serde_json::from_str(text)?;
    if value.is_null() {
        bail!("null is not a record");
    }
    Ok(value)
}

/// Keys of records, of digests and of what wraps records, that nothing else has. Messages and bodies are everywhere: what they hold
/// is for [`crate::unwrap`] to say.
const KNOWN: [&[u8]; 8] = [
    b"eventName",
    b"eventname",
    b"detail-type",
    b"digestStartTime",
    b"CloudTrailEvent",
    b"s3ObjectKey",
    b"QueryResultRows",
    b"ResultSet",
];

/// Checks an object that nobody looks into: what is damaged may have been what is searched for.
///
/// # Errors
/// It is not JSON.
pub fn check(object: &str) -> anyhow::Result<()> {
    checked(object, |_| {})
}

/// Returns whether an object that nobody looks into is a record, a digest or wraps records.
///
/// # Errors
/// It is not JSON.
pub fn is_known(object: &str) -> anyhow::Result<bool> {
    let mut is_known = false;
    checked(object, |key| is_known |= KNOWN.contains(&key))?;
    Ok(is_known)
}

fn checked(object: &str, mut each: impl FnMut(&[u8])) -> anyhow::Result<()> {
    let is_json = json_splitter::is_json(object.as_bytes(), |key, _| each(key.unwrap_or_default()));
    if is_json != Some(true) {
        // A parser says what is wrong, and looks deeper.
        let IgnoredAny = serde_json::from_str(object)?;
    }
    Ok(())
}

/// Returns how long the JSON is that a text begins with.
pub(crate) fn prefix(text: &str) -> Option<usize> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<Once>();
    values.next()?.ok()?;
    Some(values.byte_offset())
}

struct Once(Value);

impl<'de> Deserialize<'de> for Once {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Once, D::Error> {
        deserializer.deserialize_any(Values).map(Once)
    }
}

struct Values;

impl<'de> Visitor<'de> for Values {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| Error::custom("number out of range"))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut all = Vec::new();
        while let Some(Once(item)) = items.next_element()? {
            all.push(item);
        }
        Ok(Value::Array(all))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut all = Map::new();
        while let Some((name, Once(member))) = members.next_entry::<String, Once>()? {
            if all.contains_key(&name) {
                return Err(Error::custom(format!("`{name}` is here twice")));
            }
            all.insert(name, member);
        }
        Ok(Value::Object(all))
    }
}
