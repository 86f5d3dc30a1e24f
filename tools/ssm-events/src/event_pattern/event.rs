//! Events against patterns. Only what a pattern names is taken out of an event, the rest is skipped unread.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::test::Scalar;
use super::{Field, Object, Pattern};

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

/// What one object of an event has of the names that an object of a pattern asks for, by their place in `Object::fields`.
pub(super) struct Members<'e>(pub(super) Vec<Member<'e>>);

#[derive(Clone, Default)]
pub(super) struct Member<'e> {
    pub(super) value: Option<&'e RawValue>,
    /// What stands under names that begin with this one and a dot, by the rest of the name: to the service `detail.eventName` is
    /// `eventName` inside of `detail`.
    pub(super) dotted: Vec<(String, &'e RawValue)>,
}

pub(super) fn matches(pattern: &Pattern, event: &str) -> Result<bool, serde_json::Error> {
    for rule in &pattern.rules {
        if fits(rule, &members(rule, [event])?, &mut Silent)? {
            return Ok(true);
        }
    }
    Ok(false)
}

pub(super) fn explain(
    pattern: &Pattern,
    event: &str,
) -> Result<(bool, Vec<Explanation>), serde_json::Error> {
    let mut matched = false;
    let mut decided: Vec<Explanation> = Vec::new();
    for rule in &pattern.rules {
        let mut trace = FieldTrace {
            path: vec!["$".to_owned()],
            fields: Vec::new(),
        };
        matched |= fits(rule, &members(rule, [event])?, &mut trace)?;
        // What is outside of `$or` is in each rule.
        trace.fields.retain(|field| !decided.contains(field));
        decided.append(&mut trace.fields);
    }
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
    object: &Object,
    members: &Members<'_>,
    witness: &mut impl Trace,
) -> Result<bool, serde_json::Error> {
    let mut all = true;
    for ((name, field), member) in object.fields.iter().zip(&members.0) {
        witness.enter(name);
        all &= field_fits(field, member, witness)?;
        witness.leave();
        if !all && !witness.thorough() {
            return Ok(false);
        }
    }
    Ok(all)
}

fn field_fits(
    field: &Field,
    member: &Member<'_>,
    witness: &mut impl Trace,
) -> Result<bool, serde_json::Error> {
    match field {
        Field::Leaf(tests) => {
            let mut values = Vec::new();
            if let Some(value) = member.value {
                leaves(value.get(), DEEPEST, &mut values)?;
            }
            let matched = tests.iter().any(|test| test.passes(&values));
            witness.field(matched, &values);
            Ok(matched)
        }
        Field::Object(inner) => {
            let text = member.value.map_or("", RawValue::get);
            // An array of objects fits if one element has everything; anything else is an object without members.
            let elements = match text.starts_with('[') {
                true => serde_json::from_str::<Vec<&RawValue>>(text)?,
                false => Vec::new(),
            };
            let texts = match elements.is_empty() {
                true => vec![text],
                false => elements.into_iter().map(RawValue::get).collect(),
            };
            let dotted = joined(&member.dotted)?;
            let mut one = false;
            for text in texts {
                // What is not an object has no members.
                let objects = [text, &dotted].into_iter();
                let objects = objects.filter(|text| text.starts_with('{'));
                one |= fits(inner, &members(inner, objects)?, witness)?;
            }
            Ok(one)
        }
    }
}

/// Returns the text of an object with these members; none when there are none, which is nearly always.
fn joined(members: &[(String, &RawValue)]) -> Result<String, serde_json::Error> {
    if members.is_empty() {
        return Ok(String::new());
    }
    let mut text = String::new();
    for (name, value) in members {
        text.push(if text.is_empty() { '{' } else { ',' });
        text.push_str(&serde_json::to_string(name)?);
        text.push(':');
        text.push_str(value.get());
    }
    text.push('}');
    Ok(text)
}

/// Appends the scalars of a value; arrays are sets, whatever their depth, and objects are not values.
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

/// Takes from the texts of objects what an object of a pattern asks for.
pub(super) fn members<'e>(
    object: &Object,
    texts: impl IntoIterator<Item = &'e str>,
) -> Result<Members<'e>, serde_json::Error> {
    let mut members = Members(vec![Member::default(); object.fields.len()]);
    for text in texts {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        Names(object, &mut members).deserialize(&mut deserializer)?;
        deserializer.end()?;
    }
    Ok(members)
}

struct Names<'p, 'm, 'e>(&'p Object, &'m mut Members<'e>);

impl<'e> DeserializeSeed<'e> for Names<'_, '_, 'e> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'e>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'e> Visitor<'e> for Names<'_, '_, 'e> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("an event, a JSON object")
    }

    fn visit_map<A: MapAccess<'e>>(self, mut map: A) -> Result<(), A::Error> {
        let Names(object, Members(members)) = self;
        while let Some(Key(name)) = map.next_key()? {
            let (first, rest) = match name.split_once('.') {
                Some((first, rest)) => (first, Some(rest)),
                None => (&*name, None),
            };
            if !object.fields.iter().any(|(wanted, _)| wanted == first) {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = map.next_value()?;
            for ((wanted, _), member) in object.fields.iter().zip(members.iter_mut()) {
                match rest {
                    _ if wanted != first => {}
                    Some(rest) => member.dotted.push((rest.to_owned(), value)),
                    None => member.value = Some(value),
                }
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'e>>(self, _: A) -> Result<(), A::Error> {
        Err(serde::de::Error::invalid_type(
            serde::de::Unexpected::Seq,
            &self,
        ))
    }
}

/// A name, borrowed unless it has escapes.
#[derive(Deserialize)]
struct Key<'e>(#[serde(borrow)] Cow<'e, str>);
