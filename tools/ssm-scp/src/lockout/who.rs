//! Somebody whom the lock-out guard asks about: an ARN, and what else is known of them. What policies compare beside names, such as
//! tags, parts people into classes as names do. Pure.

use std::collections::{BTreeMap, BTreeSet};

use iam_policy::{Condition, Context, Family, takes_session_tags};

use super::actions::filled;
use crate::model::PrincipalPolicies;
use crate::principal_arn::context;

/// Beginning of the keys of tags. A session has the tags of its role or user, and those that were passed when it began.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principaltag>
const TAG: &str = "aws:principaltag/";

/// Other keys that say who somebody is, and not from where or how a request comes.
const OF_SESSIONS: [&str; 2] = ["aws:federatedprovider", "aws:sourceidentity"];

/// How many combinations of values are asked about at most. Beyond that each value is asked about by itself.
const MAX_COMBINATIONS: usize = 64;

/// An ARN with what is known of whoever has it.
#[derive(Clone, Debug)]
pub(crate) struct Who {
    pub(crate) arn: String,
    pub(crate) context: Context,
}

impl Who {
    /// Returns somebody of whom no more is known than an ARN.
    pub(crate) fn by_arn(arn: &str) -> Who {
        Who {
            context: context(arn),
            arn: arn.to_owned(),
        }
    }

    /// Returns somebody who was read. A tag that a role does not have may be passed where its trust policy allows that.
    pub(crate) fn found(principal: &PrincipalPolicies, traits: &Traits) -> Who {
        let mut who = Who::by_arn(&principal.arn);
        if !principal.trust.as_ref().is_some_and(takes_session_tags) {
            for key in traits.0.keys().filter(|key| key.starts_with(TAG)) {
                who.context.set(key, Vec::new());
            }
        }
        for (key, value) in &principal.tags {
            who.context.set(&format!("{TAG}{key}"), vec![value.clone()]);
        }
        who
    }

    /// Returns somebody who may come.
    pub(super) fn coming(arn: &str, combination: &Combination<'_>) -> Who {
        let mut who = Who::by_arn(arn);
        for (key, choice) in &combination.0 {
            let value = match choice {
                Choice::Without => None,
                Choice::Value(value) => Some(filled(value)),
                Choice::Other => Some(filled("*")),
            };
            who.context.set(key, value.into_iter().collect());
        }
        who
    }
}

/// What policies compare of somebody beside the ARN: keys in lower case, each with the values that are compared with it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traits(BTreeMap<String, BTreeSet<String>>);

impl Traits {
    /// Returns the traits that some conditions compare.
    pub(super) fn of<'p>(conditions: impl Iterator<Item = &'p Condition>) -> Traits {
        let mut traits: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for condition in conditions {
            let key = condition.key.value.to_ascii_lowercase();
            if !key.starts_with(TAG) && !OF_SESSIONS.contains(&key.as_str()) {
                continue;
            }
            let values = traits.entry(key).or_default();
            if condition.operator.test.family != Family::Null {
                let compared = condition.values.iter().map(|value| value.value.clone());
                values.extend(compared.filter(|value| !value.contains("${")));
            }
        }
        Traits(traits)
    }

    /// Returns the combinations in which somebody who may come has them, that without any first.
    pub(super) fn combinations(&self) -> Vec<Combination<'_>> {
        let without = || -> Vec<(&str, Choice<'_>)> {
            let keys = self.0.keys();
            keys.map(|key| (key.as_str(), Choice::Without)).collect()
        };
        let n_combinations = self.0.values().try_fold(1_usize, |product, values| {
            product.checked_mul(values.len() + 2)
        });
        let mut combinations = vec![without()];
        for (index, values) in self.0.values().enumerate() {
            let values = values.iter().map(|value| Choice::Value(value));
            let choices: Vec<Choice<'_>> = values.chain([Choice::Other]).collect();
            // Each choice beside all that came before, or beside nothing else where those are too many.
            let beside = match n_combinations {
                Some(..=MAX_COMBINATIONS) => combinations.clone(),
                _ => vec![without()],
            };
            for combination in beside {
                combinations.extend(choices.iter().map(|choice| {
                    let mut combination = combination.clone();
                    combination[index].1 = *choice;
                    combination
                }));
            }
        }
        combinations.into_iter().map(Combination).collect()
    }
}

/// For each trait whether somebody has it.
#[derive(Clone, Debug)]
pub(super) struct Combination<'t>(Vec<(&'t str, Choice<'t>)>);

#[derive(Clone, Copy, Debug)]
enum Choice<'t> {
    Without,
    Value(&'t str),
    /// A value that no policy compares.
    Other,
}

impl Combination<'_> {
    /// Returns it as what follows the name of a class: nothing where there are no traits.
    pub(super) fn in_words(&self) -> String {
        let words = self.0.iter().map(|(key, choice)| {
            let name = match key.strip_prefix(TAG) {
                Some(tag) => format!("the tag {tag}"),
                None => (*key).to_owned(),
            };
            match choice {
                Choice::Without => format!("without {name}"),
                Choice::Value(value) => format!("with {name} = {value}"),
                Choice::Other => format!("with another value of {name}"),
            }
        });
        let words: Vec<String> = words.collect();
        match words.is_empty() {
            true => String::new(),
            false => format!(", {}", words.join(" and ")),
        }
    }
}

#[cfg(test)]
mod tests {
    use iam_policy::Policy;
    use serde_json::json;

    use super::Traits;

    fn traits(conditions: serde_json::Value) -> Traits {
        let document = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": conditions}]});
        let policy = Policy::parse(&document.to_string()).policy().unwrap();
        Traits::of(policy.statements.iter().flat_map(|one| &one.conditions))
    }

    fn words(traits: &Traits) -> Vec<String> {
        let combinations = traits.combinations();
        combinations.iter().map(|one| one.in_words()).collect()
    }

    #[test]
    fn each_value_that_is_compared_is_a_class_beside_none_and_others() {
        let one = traits(json!({"StringNotEquals": {"aws:PrincipalTag/Team": "ops"},
            "StringEquals": {"aws:SourceIp": "x", "aws:PrincipalAccount": "1"}}));
        assert_eq!(
            words(&one),
            [
                ", without the tag team",
                ", with the tag team = ops",
                ", with another value of the tag team",
            ]
        );
        let two = traits(
            json!({"StringEquals": {"aws:PrincipalTag/a": "x"}, "Null": {"aws:SourceIdentity": "true"}}),
        );
        let words = words(&two);
        assert_eq!(words.len(), 6, "{words:?}");
        assert!(words.contains(
            &", with the tag a = x and with another value of aws:sourceidentity".to_owned()
        ));
    }

    #[test]
    fn without_traits_there_is_one_class_without_words() {
        assert_eq!(words(&traits(json!({}))), [""]);
    }

    #[test]
    fn many_values_are_not_multiplied() {
        let values = |key: &str| {
            (0..30)
                .map(|number| format!("{key}{number}"))
                .collect::<Vec<_>>()
        };
        let many = traits(
            json!({"StringEquals": {"aws:PrincipalTag/a": values("a"), "aws:PrincipalTag/b": values("b")}}),
        );
        assert_eq!(many.combinations().len(), 1 + 31 + 31);
    }
}
