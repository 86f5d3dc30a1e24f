//! An event without what no rule of a pattern asks for, so that an event is read once and not once for each branch of `$or`.

use serde_json::value::RawValue;

use super::members::{Member, members};
use super::{Field, Object};

impl Object {
    /// Adds the fields of another rule.
    pub(super) fn unite(&mut self, other: &Object) {
        for (name, field) in &other.fields {
            let known = self.fields.iter_mut().find(|(known, with)| {
                known == name && matches!((with, field), (Field::Object(_), Field::Object(_)))
            });
            match (known, field) {
                (Some((_, Field::Object(known))), Field::Object(inner)) => known.unite(inner),
                // The tests of a value are not needed: it is kept, or it is not.
                (_, Field::Leaf(_)) => self.keep(name, Field::Leaf(Vec::new())),
                (_, Field::Object(inner)) => {
                    let mut all = Object::default();
                    all.unite(inner);
                    self.keep(name, Field::Object(all));
                }
            }
        }
    }

    fn keep(&mut self, name: &str, field: Field) {
        if !self
            .fields
            .iter()
            .any(|(known, with)| known == name && *with == field)
        {
            self.fields.push((name.to_owned(), field));
        }
    }
}

/// Returns the text of an event with the fields of an object alone.
pub(super) fn pruned(object: &Object, event: &str) -> Result<String, serde_json::Error> {
    let mut text = String::from("{");
    let members = members(object, [event])?;
    let mut done: Vec<&str> = Vec::new();
    for ((name, _), member) in object.fields.iter().zip(&members.0) {
        // One name may be asked for as a value and as an object: then the value stays whole.
        if done.contains(&name.as_str()) {
            continue;
        }
        done.push(name);
        let mut asked = object.fields.iter().filter(|(other, _)| other == name);
        let inner = match (asked.next(), asked.next()) {
            (Some((_, Field::Object(inner))), None) => Some(inner),
            _ => None,
        };
        add(&mut text, name, inner, member)?;
    }
    text.push('}');
    Ok(text)
}

fn add(
    text: &mut String,
    name: &str,
    inner: Option<&Object>,
    member: &Member<'_>,
) -> Result<(), serde_json::Error> {
    let mut push = |name: &str, value: &str| -> Result<(), serde_json::Error> {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&serde_json::to_string(name)?);
        text.push(':');
        text.push_str(value);
        Ok(())
    };
    if let Some(value) = member.value.map(RawValue::get) {
        match inner.filter(|_| value.starts_with('{')) {
            Some(inner) => push(name, &pruned(inner, value)?)?,
            None => push(name, value)?,
        }
    }
    for (rest, value) in &member.dotted {
        push(&format!("{name}.{rest}"), value.get())?;
    }
    Ok(())
}
