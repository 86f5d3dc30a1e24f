//! Condition keys that no request has, that the actions of the statement never have, or whose values are of another type
//! than the operator compares.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access-analyzer-reference-policy-checks.html>

use super::Problems;
use crate::operator::Family;
use crate::reference::{self, Action, Key, KeyKind};
use crate::{Condition, Effect, Policy, Rule, SetOperator, Severity, Statement, spelling};

/// The services whose part of the reference was compared with AWS's pages by hand, and is believed.
const OF_SYSTEMS_MANAGER: [&str; 5] = [
    "ssm",
    "ssmmessages",
    "ec2messages",
    "ssm-guiconnect",
    "ssm-quicksetup",
];

pub(super) fn keys(policy: &Policy, found: &mut Problems) {
    for statement in &policy.statements {
        twice(statement, found);
        for condition in &statement.conditions {
            let name = condition.key.value.as_str();
            // An empty key is refused by the parser, and a template's text is reported as such.
            if name.is_empty() || name.contains(['$', '{', '<']) {
                continue;
            }
            match reference::key(name) {
                Some(key) => {
                    compared(key, condition, found);
                    absent(key, statement, condition, found);
                }
                None => unknown(name, statement, condition, found),
            }
        }
    }
}

/// The case of a key means nothing, so that two spellings are one key; AWS says not which values it takes.
fn twice(statement: &Statement, found: &mut Problems) {
    for (index, condition) in statement.conditions.iter().enumerate() {
        let same = |other: &&Condition| {
            let (one, other_key) = (&condition.key.value, &other.key.value);
            // The same spelling is a mistake of the JSON, reported there.
            other.operator == condition.operator
                && one != other_key
                && one.eq_ignore_ascii_case(other_key)
        };
        if let Some(first) = statement.conditions[..index].iter().find(same) {
            found.add(
                Rule::DuplicateKey,
                Severity::Error,
                &condition.key.position,
                format!(
                    "{} and {} are the same condition key, twice below {}",
                    first.key.value, condition.key.value, condition.operator
                ),
                "put all values into one list",
            );
        }
    }
}

fn unknown(name: &str, statement: &Statement, condition: &Condition, found: &mut Problems) {
    let date = reference::date();
    let (severity, message, meant) = match name.split_once(':') {
        None => (
            Severity::Error,
            format!("{name} is not a condition key: it has no service before a colon"),
            without_prefix(name, statement),
        ),
        // The keys of an identity provider are its claims: token.actions.githubusercontent.com:sub.
        Some((prefix, _)) if prefix.contains(['.', '/']) => return,
        Some((prefix, _)) => {
            let believed = prefix.eq_ignore_ascii_case("aws") || is_of_systems_manager(prefix);
            // Elsewhere the reference lacks some.
            let severity = if believed {
                Severity::Error
            } else {
                Severity::Warning
            };
            let message = format!("AWS's service reference of {date} has no condition key {name}");
            let own = prefixes_of_actions(statement);
            let own = spelling::closest(prefix, own).and_then(|own| closest(name, own));
            (severity, message, own.or_else(|| closest(name, prefix)))
        }
    };
    let effect = effect(statement, condition);
    let fix = match meant {
        Some(meant) => format!("write {meant}"),
        None => "correct the key".to_owned(),
    };
    found.add(
        Rule::UnknownKey,
        severity,
        &condition.key.position,
        format!("{message}: {effect}"),
        &fix,
    );
}

fn is_of_systems_manager(prefix: &str) -> bool {
    OF_SYSTEMS_MANAGER
        .iter()
        .any(|service| service.eq_ignore_ascii_case(prefix))
}

/// Returns what a condition does whose key no request has.
fn effect(statement: &Statement, condition: &Condition) -> &'static str {
    match (statement.effect, holds_without(condition)) {
        _ if condition.operator.test.family == Family::Null => {
            "whether it is there is always the same"
        }
        (Effect::Deny, true) => "the condition always holds and exempts nobody",
        (Effect::Deny, false) => "the condition never holds and nothing is denied",
        (Effect::Allow, true) => "the condition always holds and limits nothing",
        (Effect::Allow, false) => "the condition never holds and nothing is allowed",
    }
}

/// Returns whether a condition holds for requests without its key.
fn holds_without(condition: &Condition) -> bool {
    let operator = condition.operator;
    operator.if_exists || operator.test.negated || operator.set == Some(SetOperator::ForAllValues)
}

/// Returns the key that was probably meant by a name without a service.
fn without_prefix(name: &str, statement: &Statement) -> Option<String> {
    std::iter::once("aws")
        .chain(prefixes_of_actions(statement))
        .find_map(|prefix| closest(&format!("{prefix}:{name}"), prefix))
}

fn prefixes_of_actions(statement: &Statement) -> impl Iterator<Item = &str> {
    let actions = statement.actions.values.iter();
    actions.filter_map(|action| Some(action.value.split_once(':')?.0))
}

/// Returns the key of a prefix that was probably meant, or of the prefix that was probably meant.
fn closest(name: &str, prefix: &str) -> Option<String> {
    let (stem, filled) = match name.split_once('/') {
        Some((stem, filled)) => (stem, filled),
        None => (name, "KEY"),
    };
    let is_stem = |key: &&Key| key.name.strip_suffix("/*");
    let mut keys: Vec<&str> = Vec::new();
    let prefixes = [
        Some(prefix),
        spelling::closest(prefix, reference::services()),
    ];
    for key in prefixes.into_iter().flatten().flat_map(reference::keys_of) {
        keys.push(is_stem(&key).unwrap_or(key.name));
    }
    let known = spelling::closest(stem, keys)?;
    let is_open = reference::key(&format!("{known}/x")).is_some();
    Some(match is_open {
        true => format!("{known}/{filled}"),
        false => known.to_owned(),
    })
}

fn compared(key: &Key, condition: &Condition, found: &mut Problems) {
    let family = condition.operator.test.family;
    let is_epoch = key.name == "aws:EpochTime";
    let fits = match (family, key.kind) {
        (Family::Null | Family::Binary, _) => true,
        // Texts are compared with every value as it is written; a block of addresses is none.
        (Family::String, KeyKind::IpAddress) => !condition
            .values
            .iter()
            .any(|value| value.value.contains('/')),
        (Family::String, _) => true,
        // The reference calls many ARNs strings.
        (Family::Arn, kind) => matches!(kind, KeyKind::Arn | KeyKind::String),
        (Family::Numeric, kind) => kind == KeyKind::Numeric || is_epoch,
        (Family::Date, kind) => kind == KeyKind::Date || is_epoch,
        (Family::Bool, kind) => kind == KeyKind::Bool,
        (Family::Ip, kind) => kind == KeyKind::IpAddress,
    };
    if fits {
        return;
    }
    let (what, operators) = match key.kind {
        KeyKind::String => ("a text", "StringEquals or StringLike"),
        KeyKind::Arn => ("an ARN", "ArnLike"),
        KeyKind::Bool => ("true or false", "Bool"),
        KeyKind::Numeric => ("a number", "NumericEquals, NumericLessThan, .."),
        KeyKind::Date => ("a point in time", "DateLessThan, DateGreaterThan, .."),
        KeyKind::IpAddress => ("an IP address", "IpAddress or NotIpAddress"),
    };
    let is_global = key.name.starts_with("aws:");
    found.add(
        Rule::KeyType,
        // Of services' keys some have the wrong type in the reference.
        if is_global {
            Severity::Error
        } else {
            Severity::Warning
        },
        &condition.key.position,
        format!(
            "{} is {what}, which {} does not compare",
            condition.key.value, condition.operator
        ),
        &format!("write {operators}"),
    );
}

fn absent(key: &Key, statement: &Statement, condition: &Condition, found: &mut Problems) {
    let name = condition.key.value.as_str();
    if is_global(key) || statement.actions.negated || condition.operator.test.family == Family::Null
    {
        return;
    }
    let Some(actions) = of_statement(statement) else {
        return;
    };
    let has_key = |action: &Action| action.keys().any(|key| key.is(name));
    if actions.iter().any(|action| has_key(action)) {
        let named = statement.actions.values.iter();
        let named = named.filter_map(|action| reference::action(&action.value));
        let believed = named.filter(|action| is_of_systems_manager(action.service));
        let lacking = believed.filter(|action| !has_key(action)).collect();
        partly_absent(lacking, statement, condition, found);
        return;
    }
    let [first, others @ ..] = actions.as_slice() else {
        return;
    };
    let more = match others.len() {
        0 => String::new(),
        1 => " and 1 more action".to_owned(),
        n_actions => format!(" and {n_actions} more actions"),
    };
    let is_believed = actions
        .iter()
        .all(|action| is_of_systems_manager(action.service));
    let fix = instead(name, first);
    // Elsewhere the reference lacks keys of the service itself for some actions: states:HTTPEndpoint, which AWS's samples
    // compare for states:InvokeHTTPEndpoint.
    let prefix = name.split(':').next().unwrap_or_default();
    let is_own = |action: &&'static Action| action.service.eq_ignore_ascii_case(prefix);
    if !is_believed && actions.iter().any(is_own) {
        return;
    }
    found.add(
        Rule::AbsentKey,
        if is_believed {
            Severity::Error
        } else {
            Severity::Warning
        },
        &condition.key.position,
        format!(
            "AWS's service reference of {} has no {name} in requests for {}{more}: {}",
            reference::date(),
            first.full_name(),
            effect(statement, condition)
        ),
        &fix,
    );
}

/// Some actions have the key: for the others a condition that needs it never holds.
fn partly_absent(
    lacking: Vec<&Action>,
    statement: &Statement,
    condition: &Condition,
    found: &mut Problems,
) {
    if lacking.is_empty() || holds_without(condition) {
        return;
    }
    let names: Vec<String> = lacking.into_iter().map(Action::full_name).collect();
    let verb = match statement.effect {
        Effect::Allow => "allows",
        Effect::Deny => "denies",
    };
    found.add(
        Rule::AbsentKey,
        Severity::Warning,
        &condition.key.position,
        format!(
            "AWS's service reference of {} has no {} in requests for {}: the statement never {verb} that",
            reference::date(),
            condition.key.value,
            names.join(", "),
        ),
        "give these actions a statement without the condition",
    );
}

/// Returns what to write instead of a key that the action does not have.
fn instead(name: &str, action: &Action) -> String {
    let after = |name: &str| {
        name.split_once(':')
            .map(|(_, after)| after.to_ascii_lowercase())
    };
    let keys = action.keys().filter(|key| !key.name.starts_with("aws:"));
    let mut names: Vec<&str> = keys.map(|key| key.name).collect();
    names.sort_unstable();
    names.dedup();
    let stem = |name: &str| after(name).map(|after| after.trim_end_matches('*').to_owned());
    for own in &names {
        let same = match own.strip_suffix('*') {
            Some(_) => stem(own)
                .zip(after(name))
                .is_some_and(|(stem, name)| name.starts_with(&stem)),
            None => after(own) == after(name),
        };
        if same {
            let filled = name.split_once('/').map_or("KEY", |(_, filled)| filled);
            return format!("write {}", own.replace('*', filled));
        }
    }
    let action = action.full_name();
    let shown: Vec<String> = names
        .iter()
        .take(8)
        .map(|name| name.replace('*', "KEY"))
        .collect();
    match (names.len(), shown.join(", ")) {
        (0, _) => format!("{action} has no key of its own: remove the condition"),
        (n_keys, shown) if n_keys > 8 => {
            format!("the keys of {action} are {shown} and {} more", n_keys - 8)
        }
        (_, shown) => format!("the keys of {action} are {shown}"),
    }
}

/// Returns whether requests of any action may have the key.
fn is_global(key: &Key) -> bool {
    reference::global_keys()
        .iter()
        .any(|global| global.is(key.name))
}

/// Returns the actions of a statement; `None` if one of them is not known, or all of AWS's are meant.
pub(super) fn of_statement(statement: &Statement) -> Option<Vec<&'static Action>> {
    let mut actions = Vec::new();
    for pattern in &statement.actions.values {
        if !pattern.value.contains(':') {
            return None;
        }
        let before = actions.len();
        actions.extend(reference::actions(&pattern.value));
        if actions.len() == before {
            return None;
        }
    }
    Some(actions)
}
