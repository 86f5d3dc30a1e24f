//! Events against patterns. Only what a pattern names is taken out of an event, the rest is skipped unread.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::test::Scalar;
use super::{Field, Pattern};

/// Arrays within arrays; as deep as serde_json goes.
const DEEPEST: usize = 128;

/// What was found of one field that decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Explanation {
    /// `$.detail.eventName`
    pub(crate) field: String,
    /// Whether the field fits.
    pub(crate) matched: bool,
    /// The values found, as JSON; none when the field is absent.
    pub(crate) found: Vec<String>,
}

/// The part of an event that a pattern speaks of: one object's members by their place in `Pattern::names`.
#[derive(Debug)]
struct Members<'e>(Vec<Option<&'e RawValue>>);

pub(super) fn matches(pattern: &Pattern, event: &str) -> Result<bool, serde_json::Error> {
    fits(pattern, &members(pattern, event)?, &mut Silent)
}

pub(super) fn explain(
    pattern: &Pattern,
    event: &str,
) -> Result<(bool, Vec<Explanation>), serde_json::Error> {
    let mut told = FieldTrace {
        path: vec!["$".to_owned()],
        fields: Vec::new(),
    };
    let matched = fits(pattern, &members(pattern, event)?, &mut told)?;
    let mut decided = told.fields;
    // Who asks why something does not fit wants to know what stood in the way, not what was fine.
    if !matched {
        decided.retain(|field| !field.matched);
    }
    Ok((matched, decided))
}

/// Hears of every field that was looked at.
trait Trace {
    fn enter(&mut self, _name: &str) {}
    fn leave(&mut self) {}
    fn field(&mut self, _matched: bool, _found: &[Scalar]) {}
    /// Whether to look at all fields though one has decided already.
    fn thorough(&self) -> bool {
        false
    }
}

struct Silent;

impl Trace for Silent {}

struct FieldTrace {
    path: Vec<String>,
    fields: Vec<Explanation>,
}

impl Trace for FieldTrace {
    fn enter(&mut self, name: &str) {
        self.path.push(name.to_owned());
    }

    fn leave(&mut self) {
        self.path.pop();
    }

    fn field(&mut self, matched: bool, found: &[Scalar]) {
        let found = found.iter().map(Scalar::json).collect();
        self.fields.push(Explanation {
            field: self.path.join("."),
            matched,
            found,
        });
    }

    fn thorough(&self) -> bool {
        true
    }
}

fn fits(
    pattern: &Pattern,
    members: &Members<'_>,
    witness: &mut impl Trace,
) -> Result<bool, serde_json::Error> {
    let mut all = true;
    for (name, field) in &pattern.fields {
        witness.enter(name);
        all &= field_fits(field, members.get(pattern, name), witness)?;
        witness.leave();
        if !all && !witness.thorough() {
            return Ok(false);
        }
    }
    for branches in &pattern.alternatives {
        let mut one = false;
        for branch in branches {
            // A branch speaks of the same object, but has names of its own.
            let own = branch
                .names
                .iter()
                .map(|name| members.get(pattern, name))
                .collect();
            one |= fits(branch, &Members(own), witness)?;
            if one && !witness.thorough() {
                break;
            }
        }
        all &= one;
    }
    Ok(all)
}

fn field_fits(
    field: &Field,
    value: Option<&RawValue>,
    witness: &mut impl Trace,
) -> Result<bool, serde_json::Error> {
    match field {
        Field::Leaf(tests) => {
            let mut values = Vec::new();
            if let Some(value) = value {
                leaves(value.get(), DEEPEST, &mut values)?;
            }
            let matched = tests.iter().any(|test| test.passes(&values));
            witness.field(matched, &values);
            Ok(matched)
        }
        Field::Object(inner) => {
            // An array of objects fits if one element has everything; anything else is an object without members.
            let elements = match value.map(RawValue::get) {
                Some(text) if text.starts_with('[') => {
                    serde_json::from_str::<Vec<&RawValue>>(text)?
                }
                _ => Vec::new(),
            };
            let texts: Vec<&str> = match (elements.is_empty(), value) {
                (true, Some(value)) => vec![value.get()],
                (true, None) => vec![""],
                _ => elements.into_iter().map(RawValue::get).collect(),
            };
            let mut one = false;
            for text in texts {
                one |= fits(inner, &members_or_none(inner, text)?, witness)?;
            }
            Ok(one)
        }
    }
}

/// Appends the scalars of a value; arrays are sets, whatever their depth, and objects are no values.
fn leaves(text: &str, depth: usize, values: &mut Vec<Scalar>) -> Result<(), serde_json::Error> {
    match text.as_bytes().first() {
        Some(b'[') if depth == 0 => {
            return Err(serde::de::Error::custom("recursion limit exceeded"));
        }
        Some(b'[') => {
            for element in serde_json::from_str::<Vec<&RawValue>>(text)? {
                leaves(element.get(), depth - 1, values)?;
            }
        }
        Some(b'{') => {}
        Some(b'"') => values.push(Scalar::String(serde_json::from_str(text)?)),
        _ => values.push(Scalar::Other(text.to_owned())),
    }
    Ok(())
}

fn members_or_none<'e>(pattern: &Pattern, text: &'e str) -> Result<Members<'e>, serde_json::Error> {
    if text.starts_with('{') {
        members(pattern, text)
    } else {
        Ok(Members(vec![None; pattern.names.len()]))
    }
}

fn members<'e>(pattern: &Pattern, text: &'e str) -> Result<Members<'e>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let members = Names(&pattern.names).deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(members)
}

impl<'e> Members<'e> {
    fn get(&self, pattern: &Pattern, name: &str) -> Option<&'e RawValue> {
        let at = pattern.names.iter().position(|other| other == name)?;
        self.0.get(at).copied().flatten()
    }
}

struct Names<'p>(&'p [String]);

impl<'e> DeserializeSeed<'e> for Names<'_> {
    type Value = Members<'e>;

    fn deserialize<D: serde::Deserializer<'e>>(
        self,
        deserializer: D,
    ) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'e> Visitor<'e> for Names<'_> {
    type Value = Members<'e>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an event, a JSON object")
    }

    fn visit_map<A: MapAccess<'e>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = vec![None; self.0.len()];
        while let Some(Key(name)) = map.next_key()? {
            match self.0.iter().position(|wanted| *wanted == name) {
                Some(at) => members[at] = Some(map.next_value()?),
                None => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(Members(members))
    }

    fn visit_seq<A: SeqAccess<'e>>(self, _: A) -> Result<Self::Value, A::Error> {
        Err(serde::de::Error::invalid_type(
            serde::de::Unexpected::Seq,
            &self,
        ))
    }
}

/// A name, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Key<'e>(#[serde(borrow)] Cow<'e, str>);
