//! What `{"exists": false}` asks for where an event has arrays of objects: a field may be absent from one element and be in
//! another.
//!
//! The service takes the fields of a rule by their names, and a value that fits keeps to its element of each array. A field is
//! absent if no element has it that the fields before it have left: of all elements, where none has been chosen yet.
//! <https://github.com/aws/event-ruler/blob/main/src/main/software/amazon/event/ruler/NameState.java> `getNameTransitions`

use std::collections::HashSet;

use serde_json::value::RawValue;

use super::members::{DEEPEST, Member, Place, elements, joined, leaves, members, objects};
use super::test::{Scalar, Test};
use super::{Field, Object};

impl Object {
    /// Returns whether a field of an inner object must be absent: no others can be in an array of objects.
    pub(super) fn asks_for_absence(&self) -> bool {
        let is_absence = |test: &Test| *test == Test::Exists(false);
        self.fields.iter().any(|(_, field)| match field {
            Field::Object(inner) => inner.asks_for_absence() || inner.leaves().any(is_absence),
            Field::Leaf(_) => false,
        })
    }

    fn leaves(&self) -> impl Iterator<Item = &Test> {
        let leaves = self.fields.iter().filter_map(|(_, field)| match field {
            Field::Leaf(tests) => Some(tests),
            Field::Object(_) => None,
        });
        leaves.flatten()
    }
}

/// Returns whether the fields of an event fit those of a rule, in the order and with the arrays of the service.
pub(super) fn fits(rule: &Object, event: &str) -> Result<bool, serde_json::Error> {
    let mut found = Found::default();
    found.add(rule, [event], "", &Place::new())?;
    let mut fields = found.fields;
    // As Java compares texts.
    fields.sort_by(|one, other| one.path.encode_utf16().cmp(other.path.encode_utf16()));
    let mut places: HashSet<Place> = HashSet::from([Place::new()]);
    for (at, field) in fields.iter().enumerate() {
        let rest = &fields[at + 1..];
        // Arrays that no later field is in are forgotten, so that there are as many places as elements at most.
        let is_needed = |(array, _): &(usize, usize)| {
            let mut later = rest.iter().flat_map(|field| &field.values);
            later.any(|(_, place)| place.iter().any(|(other, _)| other == array))
        };
        let mut next = HashSet::new();
        for place in &places {
            let both = field.values.iter().map(|(_, of)| both(place, of));
            let both: Vec<Option<Place>> = both.collect();
            if both.iter().all(Option::is_none) && field.tests.contains(&Test::Exists(false)) {
                next.insert(place.clone());
            }
            for ((value, _), both) in field.values.iter().zip(both) {
                next.extend(both.filter(|_| field.is_passed_by(value)));
            }
        }
        places = next
            .into_iter()
            .map(|place| place.into_iter().filter(is_needed).collect())
            .collect();
    }
    Ok(!places.is_empty())
}

/// Returns the place in the arrays of both; `None` where they are in different elements of one.
fn both(place: &Place, other: &Place) -> Option<Place> {
    let mut all = place.clone();
    for (array, element) in other {
        match place.iter().find(|(known, _)| known == array) {
            Some((_, known)) if known != element => return None,
            Some(_) => {}
            None => all.push((*array, *element)),
        }
    }
    all.sort_unstable();
    Some(all)
}

/// One field of a rule with its values in an event.
struct Asked<'p> {
    path: String,
    tests: &'p [Test],
    values: Vec<(Scalar, Place)>,
}

impl Asked<'_> {
    fn is_passed_by(&self, value: &Scalar) -> bool {
        let mut tests = self.tests.iter();
        tests.any(|test| *test != Test::Exists(false) && test.passes(std::slice::from_ref(value)))
    }
}

#[derive(Default)]
struct Found<'p> {
    fields: Vec<Asked<'p>>,
    n_arrays: usize,
}

impl<'p> Found<'p> {
    /// Adds what the texts of one object have of the fields of a rule.
    fn add<'e>(
        &mut self,
        object: &'p Object,
        texts: impl IntoIterator<Item = &'e str>,
        above: &str,
        place: &Place,
    ) -> Result<(), serde_json::Error> {
        let members = members(object, texts)?;
        for ((name, field), member) in object.fields.iter().zip(&members.0) {
            let path = format!("{above}{name}");
            match field {
                Field::Leaf(tests) => self.add_leaf(path, tests, member, place)?,
                Field::Object(inner) => {
                    self.add_object(inner, &format!("{path}."), member, place)?;
                }
            }
        }
        Ok(())
    }

    fn add_leaf(
        &mut self,
        path: String,
        tests: &'p [Test],
        member: &Member<'_>,
        place: &Place,
    ) -> Result<(), serde_json::Error> {
        let mut values = Vec::new();
        if let Some(value) = member.value {
            leaves(value.get(), DEEPEST, &mut values)?;
        }
        let values = values.into_iter().map(|value| (value, place.clone()));
        match self.fields.iter_mut().find(|field| field.path == path) {
            Some(known) => known.values.extend(values),
            None => self.fields.push(Asked {
                path,
                tests,
                values: values.collect(),
            }),
        }
        Ok(())
    }

    fn add_object(
        &mut self,
        object: &'p Object,
        above: &str,
        member: &Member<'_>,
        place: &Place,
    ) -> Result<(), serde_json::Error> {
        let text = member.value.map_or("", RawValue::get);
        let dotted = joined(&member.dotted)?;
        for (element, inner) in elements(text, &mut self.n_arrays)? {
            let all = [place.as_slice(), &inner].concat();
            self.add(object, objects(element, &dotted), above, &all)?;
        }
        Ok(())
    }
}
