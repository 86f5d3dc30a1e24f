//! Events against patterns, and which fields decide.

use serde_json::value::RawValue;

use super::members::{DEEPEST, Member, Members, elements, joined, leaves, members, objects};
use super::test::Scalar;
use super::{Field, Object, Pattern, absent};

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

pub(super) fn matches(pattern: &Pattern, event: &str) -> Result<bool, serde_json::Error> {
    for rule in &pattern.rules {
        let fits = fits(rule, &members(rule, [event])?, &mut Silent)?;
        if fits && (!rule.asks_for_absence() || absent::fits(rule, event)?) {
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
        let mut fits = fits(rule, &members(rule, [event])?, &mut trace)?;
        if fits && rule.asks_for_absence() && !absent::fits(rule, event)? {
            // Absent from one element of an array, and in another.
            fits = false;
            let absent = trace
                .fields
                .iter_mut()
                .filter(|field| field.found.is_empty());
            absent.for_each(|field| field.matched = false);
        }
        matched |= fits;
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
            let dotted = joined(&member.dotted)?;
            let mut one = false;
            // An array of objects fits if one element has everything.
            for (text, _) in elements(text, &mut 0)? {
                one |= fits(inner, &members(inner, objects(text, &dotted))?, witness)?;
            }
            Ok(one)
        }
    }
}
