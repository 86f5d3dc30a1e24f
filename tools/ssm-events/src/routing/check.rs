//! Reads routes, and says what is wrong with those of the right shape.

use std::path::Path;

use super::hours::Hours;
use super::routes::{Routes, Rule};

impl Routes {
    /// Reads a file of routes.
    ///
    /// # Errors
    /// It cannot be read, has another shape, or names a destination that it does not have; with line and column.
    pub(crate) fn read(path: &Path) -> anyhow::Result<Routes> {
        cli::read_checked(path, "routes", mistake)
    }
}

/// Returns the path of the first mistake, and how to correct it.
fn mistake(routes: &Routes) -> Option<(String, String)> {
    let named = |name: &&String| !is_name(name);
    if let Some(name) = routes.destinations.keys().find(named) {
        let message = format!("'{name}' is not a name: use 1 to 64 of A-Z a-z 0-9 - _");
        return Some(("$.destinations".to_owned(), message));
    }
    if let Some(found) = unknown(routes, "$.default", &routes.default) {
        return Some(found);
    }
    if let Some(break_glass) = &routes.break_glass {
        if break_glass.principals.is_empty() {
            let message = "it is empty: name at least one principal, or leave `break_glass` out";
            return Some(("$.break_glass.principals".to_owned(), message.to_owned()));
        }
        if let Some(found) = unknown(routes, "$.break_glass.to", &break_glass.to) {
            return Some(found);
        }
    }
    let rules = routes.rules.iter().enumerate();
    rules
        .map(|(index, rule)| of_rule(routes, index, rule))
        .find_map(|found| found)
}

fn of_rule(routes: &Routes, index: usize, rule: &Rule) -> Option<(String, String)> {
    let at = |field: &str| format!("$.rules[{index}]{field}");
    let found = |field: &str, message: &str| Some((at(field), message.to_owned()));
    if rule.name.trim().is_empty() {
        return found(".name", "it is empty: give the rule a name");
    }
    if routes.rules[..index]
        .iter()
        .any(|other| other.name == rule.name)
    {
        return found(
            ".name",
            "another rule has this name: give it one of its own",
        );
    }
    for (field, is_empty) in [
        (
            ".accounts",
            rule.accounts.as_ref().is_some_and(Vec::is_empty),
        ),
        (
            ".principals",
            rule.principals.as_ref().is_some_and(Vec::is_empty),
        ),
        (
            ".severities",
            rule.severities.as_ref().is_some_and(Vec::is_empty),
        ),
        (
            ".hours.days",
            rule.hours.as_ref().is_some_and(Hours::is_never),
        ),
    ] {
        if is_empty {
            return found(
                field,
                "it is empty, so that the rule fits nothing: leave it out to match all",
            );
        }
    }
    match (&rule.to, &rule.mute) {
        (Some(to), None) => unknown(routes, &at(".to"), to),
        (None, Some(mute)) if mute.reason.trim().is_empty() => found(
            ".mute.reason",
            "it is empty: say why these records are not sent",
        ),
        (None, Some(_)) => None,
        (Some(_), Some(_)) => found("", "it has `to` and `mute`: keep one of them"),
        (None, None) => found("", "it has neither `to` nor `mute`: add one of them"),
    }
}

/// Returns the mistake of a list of destinations.
fn unknown(routes: &Routes, path: &str, names: &[String]) -> Option<(String, String)> {
    let known: Vec<&str> = routes.destinations.keys().map(String::as_str).collect();
    let known = known.join(", ");
    if names.is_empty() {
        let message = format!("it is empty: name at least one of {known}");
        return Some((path.to_owned(), message));
    }
    let mut places = names.iter().enumerate();
    let wrong = places.find(|(index, name)| {
        !routes.destinations.contains_key(*name) || names[..*index].contains(name)
    });
    wrong.map(|(index, name)| {
        let message = match routes.destinations.contains_key(name) {
            true => format!("'{name}' is here twice: remove one of them"),
            false => format!(
                "there is no destination '{name}': name one of {known}, or add it to `destinations`"
            ),
        };
        (format!("{path}[{index}]"), message)
    })
}

fn is_name(name: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
    (1..=64).contains(&name.len()) && name.bytes().all(is_good)
}
