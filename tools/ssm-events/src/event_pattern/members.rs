//! What an event has of the fields that a pattern asks for. Only that is taken out of it, the rest is skipped unread.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::Object;
use super::test::Scalar;

/// Arrays within arrays; as deep as serde_json goes.
pub(super) const DEEPEST: usize = 128;
const TOO_DEEP: &str = "recursion limit exceeded";

/// What one object of an event has of the names that an object of a pattern asks for, by their place in `Object::fields`.
pub(super) struct Members<'e>(pub(super) Vec<Member<'e>>);

#[derive(Clone, Default)]
pub(super) struct Member<'e> {
    pub(super) value: Option<&'e RawValue>,
    /// What stands under names that begin with this one and a dot, by the rest of the name: to the service `detail.eventName` is
    /// `eventName` inside of `detail`.
    pub(super) dotted: Vec<(String, &'e RawValue)>,
}

/// By the number of each array, the element.
pub(super) type Place = Vec<(usize, usize)>;

/// Returns the objects of a value with their places: an array has those of the arrays in it as well. Anything else is one without
/// members.
/// <https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/Event.java> `traverseArray`
pub(super) fn elements<'e>(
    text: &'e str,
    n_arrays: &mut usize,
) -> Result<Vec<(&'e str, Place)>, serde_json::Error> {
    let mut all = Vec::new();
    add_elements(text, DEEPEST, &Place::new(), n_arrays, &mut all)?;
    if all.is_empty() {
        all.push((text, Place::new()));
    }
    Ok(all)
}

fn add_elements<'e>(
    text: &'e str,
    depth: usize,
    place: &Place,
    n_arrays: &mut usize,
    all: &mut Vec<(&'e str, Place)>,
) -> Result<(), serde_json::Error> {
    if !text.starts_with('[') {
        all.push((text, place.clone()));
        return Ok(());
    }
    if depth == 0 {
        return Err(serde::de::Error::custom(TOO_DEEP));
    }
    let array = *n_arrays;
    *n_arrays += 1;
    for (at, element) in serde_json::from_str::<Vec<&RawValue>>(text)?
        .into_iter()
        .enumerate()
    {
        let mut inner = place.clone();
        inner.push((array, at));
        add_elements(element.get(), depth - 1, &inner, n_arrays, all)?;
    }
    Ok(())
}

/// Returns those of two texts that are objects: what is not an object has no members.
pub(super) fn objects<'e>(text: &'e str, dotted: &'e str) -> impl Iterator<Item = &'e str> {
    let both = [text, dotted].into_iter();
    both.filter(|text| text.starts_with('{'))
}

/// Returns the text of an object with these members; none when there are none, which is nearly always.
pub(super) fn joined(members: &[(String, &RawValue)]) -> Result<String, serde_json::Error> {
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
pub(super) fn leaves(
    text: &str,
    depth: usize,
    values: &mut Vec<Scalar>,
) -> Result<(), serde_json::Error> {
    match text.as_bytes().first() {
        Some(b'[') if depth == 0 => {
            return Err(serde::de::Error::custom(TOO_DEEP));
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
