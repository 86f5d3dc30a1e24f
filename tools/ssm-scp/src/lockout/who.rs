//! Somebody whom the lock-out guard asks about: an ARN, and what else is known of them. What policies compare beside names, such as
//! tags, parts people into classes as names do. Pure.

use std::collections::{BTreeMap, BTreeSet};

use iam_policy::{Condition, Context, Family, takes_session_tags};
use organization::CompiledOrganization;

use super::actions::{Caller, filled};
use super::through::{self, Through};
use super::user_id;
use crate::model::PrincipalPolicies;
use crate::principal_arn::{self, context};

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
    /// Returns somebody of whom no more is known than an ARN, and who calls AWS themselves.
    pub(crate) fn by_arn(arn: &str, traits: &Traits) -> Who {
        let mut context = context(arn);
        for (key, value) in traits.membership(arn) {
            context.set(key, vec![value.clone()]);
        }
        if traits.services.is_some() {
            Through::Itself.set(&mut context);
        }
        Who {
            context,
            arn: arn.to_owned(),
        }
    }

    /// Returns somebody who was read. A tag that a role does not have may be passed where its trust policy allows that.
    pub(crate) fn found(principal: &PrincipalPolicies, traits: &Traits) -> Who {
        let mut who = Who::by_arn(&principal.arn, traits);
        if !principal.trust.as_deref().is_some_and(takes_session_tags) {
            for key in &traits.tags {
                who.context.set(key, Vec::new());
            }
        }
        for (key, value) in &principal.tags {
            who.context.set(&format!("{TAG}{key}"), vec![value.clone()]);
        }
        who
    }

    fn with_combination(mut self, combination: &Combination<'_>) -> Who {
        for (key, choice) in &combination.0 {
            let value = match choice {
                Choice::Without => None,
                Choice::Value(value) => Some(filled(value)),
                Choice::Other => Some(filled("*")),
            };
            self.context.set(key, value.into_iter().collect());
        }
        self
    }

    fn with_user_id(mut self, id: &str) -> Who {
        self.context.set(user_id::KEY, vec![id.to_owned()]);
        self
    }

    fn through(mut self, through: Option<Through<'_>>) -> Who {
        if let Some(through) = through {
            through.set(&mut self.context);
        }
        self
    }
}

/// Somebody in one of the ways in which policies distinguish requests by the same ARN.
#[derive(Clone, Debug)]
pub(super) struct Variant {
    pub(super) who: Who,
    /// What sets it apart, as what follows a name.
    pub(super) in_words: String,
    pub(super) caller: Caller,
}

impl Variant {
    fn new(who: Who, through: Option<Through<'_>>, mut in_words: String) -> Variant {
        in_words.extend(through.map(Through::in_words));
        Variant {
            who: who.through(through),
            in_words,
            caller: through.map_or(Caller::Themselves, Through::caller),
        }
    }
}

/// What policies compare of somebody beside the ARN, and what the organization says of everybody in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Traits {
    /// Keys in lower case, each with the values that are compared with it.
    values: BTreeMap<String, BTreeSet<String>>,
    /// Keys of tags in lower case that any policy compares, also one that no plan changes.
    tags: BTreeSet<String>,
    /// Values that are compared with `aws:userid`.
    user_ids: BTreeSet<String>,
    /// Services that are compared with `aws:CalledVia`; `None` where no policy asks who calls.
    services: Option<BTreeSet<String>>,
    /// By account: keys of the organization with their values.
    members: BTreeMap<String, Vec<(&'static str, String)>>,
}

impl Traits {
    /// Returns the traits that some conditions compare, of people of an organization before and after.
    pub(super) fn of<'p>(
        conditions: impl Iterator<Item = &'p Condition> + Clone,
        before: &CompiledOrganization,
        organization: &CompiledOrganization,
    ) -> Traits {
        let keys = before.condition_keys().chain(organization.condition_keys());
        let tags = keys.filter(|key| key.starts_with(TAG));
        let mut traits = Traits {
            tags: tags.map(str::to_owned).collect(),
            services: through::services(conditions.clone()),
            members: organization.members().collect(),
            ..Traits::default()
        };
        for condition in conditions {
            let key = condition.key.value.to_ascii_lowercase();
            let values = match key.as_str() {
                user_id::KEY => &mut traits.user_ids,
                _ if key.starts_with(TAG) || OF_SESSIONS.contains(&key.as_str()) => {
                    traits.values.entry(key).or_default()
                }
                _ => continue,
            };
            if condition.operator.test.family != Family::Null {
                let compared = condition.values.iter().map(|value| value.value.clone());
                values.extend(compared.filter(|value| !value.contains("${")));
            }
        }
        traits
    }

    /// Returns what requests by a principal have of the organization; nothing where it is none of its members.
    pub(super) fn membership(&self, arn: &str) -> &[(&'static str, String)] {
        let account = principal_arn::account(arn).unwrap_or_default();
        self.members.get(account).map_or(&[], Vec::as_slice)
    }

    /// Returns whether it is known who is a member of the organization.
    pub(super) fn knows_members(&self) -> bool {
        self.members.values().any(|keys| !keys.is_empty())
    }

    /// Returns somebody who was read and calls AWS themselves, in each way: a role by the names of its sessions that policies
    /// distinguish.
    pub(crate) fn of_themselves(&self, principal: &PrincipalPolicies) -> Vec<Who> {
        let variants = self.found(principal).into_iter();
        let own = variants.filter(|variant| variant.caller == Caller::Themselves);
        own.map(|variant| variant.who).collect()
    }

    /// Returns somebody who was read, in each way.
    pub(super) fn found(&self, principal: &PrincipalPolicies) -> Vec<Variant> {
        let who = Who::found(principal, self);
        let ids = match &principal.unique_id {
            Some(id) if !self.user_ids.is_empty() => {
                user_id::of_found(&principal.arn, id, &self.user_ids)
            }
            _ => Vec::new(),
        };
        let mut sessions: Vec<(Who, String)> = ids
            .iter()
            .enumerate()
            .map(|(index, id)| {
                let words = match index {
                    0 => String::new(),
                    _ => format!(" with {} {id}", user_id::KEY),
                };
                (who.clone().with_user_id(id), words)
            })
            .collect();
        if sessions.is_empty() {
            sessions.push((who, String::new()));
        }
        let callers = through::callers(self.services.as_ref());
        let each = sessions.iter().flat_map(|(who, words)| {
            let callers = callers.iter();
            callers.map(|caller| Variant::new(who.clone(), *caller, words.clone()))
        });
        each.collect()
    }

    /// Returns somebody who may come, in each way, first without anything that policies compare.
    pub(super) fn coming(&self, arn: &str) -> Vec<Variant> {
        let combinations = self.combinations();
        let ids = match self.user_ids.is_empty() {
            true => vec![None],
            false => {
                let ids = user_id::of_coming(arn, &self.user_ids).into_iter();
                ids.map(Some).collect()
            }
        };
        let callers = through::callers(self.services.as_ref());
        let is_small = combinations.len() * ids.len() * callers.len() <= MAX_COMBINATIONS;
        let mut variants = Vec::new();
        for (first, combination) in combinations.iter().enumerate() {
            for (second, id) in ids.iter().enumerate() {
                for (third, caller) in callers.iter().enumerate() {
                    // Where they are too many, each is asked about by itself.
                    let n_set = [first, second, third]
                        .iter()
                        .filter(|one| **one > 0)
                        .count();
                    if !is_small && n_set > 1 {
                        continue;
                    }
                    let mut who = Who::by_arn(arn, self).with_combination(combination);
                    let mut words = combination.in_words();
                    if let Some((id, compared)) = id {
                        who = who.with_user_id(id);
                        words.extend(
                            compared.map(|value| format!(", with {} {value}", user_id::KEY)),
                        );
                    }
                    variants.push(Variant::new(who, *caller, words));
                }
            }
        }
        variants
    }

    /// Returns the combinations in which somebody who may come has them, that without any first.
    fn combinations(&self) -> Vec<Combination<'_>> {
        let without = || -> Vec<(&str, Choice<'_>)> {
            let keys = self.values.keys();
            keys.map(|key| (key.as_str(), Choice::Without)).collect()
        };
        let n_combinations = self.values.values().try_fold(1_usize, |product, values| {
            product.checked_mul(values.len() + 2)
        });
        let mut combinations = vec![without()];
        for (index, values) in self.values.values().enumerate() {
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
struct Combination<'t>(Vec<(&'t str, Choice<'t>)>);

#[derive(Clone, Copy, Debug)]
enum Choice<'t> {
    Without,
    Value(&'t str),
    /// A value that no policy compares.
    Other,
}

impl Combination<'_> {
    /// Returns it as what follows the name of a class: nothing where there are no traits.
    fn in_words(&self) -> String {
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
    use organization::Organization;
    use serde_json::json;

    use super::Traits;

    fn traits(conditions: serde_json::Value) -> Traits {
        let document = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": conditions}]});
        let policy = Policy::parse(&document.to_string()).policy().unwrap();
        let conditions = policy.statements.iter().flat_map(|one| &one.conditions);
        let nobody = Organization::default().judge();
        Traits::of(conditions, &nobody, &nobody)
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
