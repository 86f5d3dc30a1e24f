//! One condition of a statement, and whether it holds in a context.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html>

use super::Truth;
use crate::model::Condition;
use crate::operator::{Family, SetOperator};
use crate::request::{Context, Known};
use crate::value::{Comparand, Given};
use crate::{Operator, Problem, Rule, Severity, Version};

/// A condition that can be asked.
#[derive(Clone, Debug)]
pub(super) struct CompiledCondition {
    pub(super) operator: Operator,
    /// In lower case.
    pub(super) key: Box<str>,
    pub(super) comparands: Vec<Comparand>,
    /// The keys, in lower case, whose values the comparands need.
    needed: Vec<Box<str>>,
}

impl CompiledCondition {
    /// Compiles a condition.
    ///
    /// # Errors
    /// A value does not suit the operator.
    pub(super) fn new(
        condition: &Condition,
        version: Version,
    ) -> Result<CompiledCondition, Problem> {
        let operator = condition.operator;
        let mut comparands = Vec::with_capacity(condition.values.len());
        for value in &condition.values {
            let comparand = Comparand::compile(&value.value, &operator.test, version);
            comparands.push(comparand.map_err(|message| Problem {
                rule: Rule::OperatorValue,
                severity: Severity::Error,
                position: value.position.clone(),
                message,
                fix: "correct the value".to_owned(),
            })?);
        }
        let needed = comparands.iter().flat_map(Comparand::keys);
        Ok(CompiledCondition {
            operator,
            key: condition.key.value.to_ascii_lowercase().into(),
            needed: needed.map(Into::into).collect(),
            comparands,
        })
    }

    /// Returns the key, and those whose values it is compared with.
    pub(super) fn keys(&self) -> impl Iterator<Item = &str> {
        let keys = std::iter::once(&self.key).chain(&self.needed);
        keys.map(AsRef::as_ref)
    }

    /// Returns whether the condition holds.
    pub(super) fn holds<'p>(&'p self, context: &Context) -> Truth<'p> {
        let Known::Values(values) = context.get(&self.key) else {
            return Truth::Unknown(&self.key);
        };
        let Operator {
            set,
            test,
            if_exists,
        } = self.operator;
        if test.family == Family::Null {
            let expected = |comparand: &Comparand| matches!(comparand, Comparand::Bool(missing) if *missing == values.is_empty());
            return Truth::of(self.comparands.iter().any(expected));
        }
        // "If the key is not present, evaluate the condition element as true", whatever the qualifier.
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html#Conditions_IfExists
        if if_exists && values.is_empty() {
            return Truth::Yes;
        }
        // A set that holds nothing but an empty text counts as no set at all.
        let empty = values.is_empty() || (set.is_some() && values.iter().all(String::is_empty));
        match set {
            None if empty => return Truth::of(test.negated),
            Some(SetOperator::ForAllValues) if empty => return Truth::Yes,
            Some(SetOperator::ForAnyValue) if empty => return Truth::No,
            _ => {}
        }
        if let Some(key) = unknown_key(self.needed.iter().map(AsRef::as_ref), context) {
            return Truth::Unknown(key);
        }
        let passes = |value: &String| {
            let given = Given::new(value, test.family);
            let mut comparands = self.comparands.iter();
            comparands.any(|comparand| comparand.matches(&given, test.comparison, context))
                != test.negated
        };
        let mut values = values.iter();
        Truth::of(match (set, test.negated) {
            // Without a qualifier AWS compares single values; several are taken as alternatives, their negation as none.
            (None, true) | (Some(SetOperator::ForAllValues), _) => values.all(passes),
            (None, false) | (Some(SetOperator::ForAnyValue), _) => values.any(passes),
        })
    }
}

/// Returns the first of these keys of which nothing is known.
pub(super) fn unknown_key<'p>(
    keys: impl Iterator<Item = &'p str>,
    context: &Context,
) -> Option<&'p str> {
    let mut keys = keys;
    keys.find(|key| matches!(context.get(key), Known::Nothing))
}
