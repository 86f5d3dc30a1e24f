//! Whether a statement can apply to a request without a certain condition key at all. Where it cannot, nothing is to be
//! said about what the statement does without the key.

use crate::operator::Family;
use crate::{Condition, Effect, Policy, SetOperator, Statement};

/// Keys that a request has whenever it has one whose name begins with the second.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-tagkeys>,
/// <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-encryption-context-keys>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/tagging-and-policies.html>
const IMPLIED: [(&str, &str); 3] = [
    ("aws:tagkeys", "aws:requesttag/"),
    ("kms:encryptioncontextkeys", "kms:encryptioncontext:"),
    ("s3:requestobjecttagkeys", "s3:requestobjecttag/"),
];

/// Deletes all tags when it is given none.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html>
const DELETES_ALL_TAGS: &str = "ec2:deletetags";
/// How names of actions begin whose only work is tags that they demand: without one there is no request.
const TAGGING: [&str; 7] = [
    "tag",
    "untag",
    "addtags",
    "removetags",
    "createtags",
    "createorupdatetags",
    "deletetags",
];

/// Keys of a parameter that an action demands.
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateGrant.html>
const DEMANDED: [(&str, &str); 1] = [("kms:grantoperations", "kms:creategrant")];

/// Returns whether the statement does nothing for requests without a key, given in lower case, for another reason than
/// this condition.
pub(super) fn needs(
    policy: &Policy,
    statement: &Statement,
    condition: &Condition,
    key: &str,
) -> bool {
    let others = statement
        .conditions
        .iter()
        .filter(|one| !std::ptr::eq(*one, condition));
    let mut others = others.filter(|one| fails_without_its_key(one));
    others.any(|one| implies(one, key) || takes(policy, one, key))
        || names(policy, statement, key)
        || (statement.effect == Effect::Allow && demand(statement, key))
}

/// Returns whether a condition is false when its key is missing.
fn fails_without_its_key(condition: &Condition) -> bool {
    let operator = condition.operator;
    if operator.test.family == Family::Null {
        return condition
            .values
            .iter()
            .all(|value| value.value.eq_ignore_ascii_case("false"));
    }
    !operator.if_exists
        && match operator.set {
            None => !operator.test.negated,
            Some(SetOperator::ForAnyValue) => true,
            Some(SetOperator::ForAllValues) => false,
        }
}

fn implies(condition: &Condition, key: &str) -> bool {
    let other = condition.key.value.to_ascii_lowercase();
    let of_set = |(all, one): &(&str, &str)| *all == key && other.starts_with(one);
    other == key || IMPLIED.iter().any(of_set)
}

/// Returns whether each value of a comparison takes the key as a variable: one without a value matches nothing.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
fn takes(policy: &Policy, condition: &Condition, key: &str) -> bool {
    !condition.operator.test.negated
        && !condition.values.is_empty()
        && condition
            .values
            .iter()
            .all(|value| has_variable(policy, &value.value, key))
}

fn names(policy: &Policy, statement: &Statement, key: &str) -> bool {
    statement.resources.as_ref().is_some_and(|resources| {
        !resources.negated
            && !resources.values.is_empty()
            && resources
                .values
                .iter()
                .all(|resource| has_variable(policy, &resource.value, key))
    })
}

/// A variable with a default value matches without its key too.
fn has_variable(policy: &Policy, text: &str, key: &str) -> bool {
    policy.language() == crate::Version::Of2012
        && text.to_ascii_lowercase().contains(&format!("${{{key}}}"))
}

/// Returns whether no action of the statement can be called without the key.
fn demand(statement: &Statement, key: &str) -> bool {
    let mut actions = statement.actions.values.iter();
    !statement.actions.negated
        && actions.all(|action| {
            let action = action.value.to_ascii_lowercase();
            let name = action.split_once(':').map_or("", |(_, name)| name);
            let tags = TAGGING.iter().any(|start| name.starts_with(start));
            DEMANDED.contains(&(key, action.as_str()))
                || (key == "aws:tagkeys" && tags && action != DELETES_ALL_TAGS)
        })
}
