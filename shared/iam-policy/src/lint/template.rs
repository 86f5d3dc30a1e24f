//! Templates that were not rendered: one finding for each token, and nothing about what follows from it.

use super::Problems;
use crate::json::{self, Node, Value};
use crate::template::{begins_like_token, token};
use crate::{Position, Rule, Severity};

/// A token, and the texts that hold it first.
struct Unrendered {
    token: String,
    places: Vec<Position>,
}

/// Reports each token of the text at its first place, and takes back what was reported of the texts that hold one.
pub(super) fn template(text: &str, found: &mut Problems) {
    let mut unrendered = Vec::new();
    if let (Some(root), _) = json::parse(text) {
        walk(&root, &mut unrendered);
    }
    let holds = |position: &Position| {
        unrendered
            .iter()
            .flat_map(|one| &one.places)
            .any(|place| (place.line, place.column) == (position.line, position.column))
    };
    found
        .problems
        .retain(|problem| outlives_rendering(problem.rule) || !holds(&problem.position));
    if let Some(position) = outside_of_strings(text, found) {
        // What comes behind the token was read as something else than it is.
        found.problems.retain(|problem| problem.rule != Rule::Json);
        found.add(
            Rule::Placeholder,
            Severity::Error,
            &position,
            "a template token was not replaced, outside of strings: the text is not JSON yet"
                .to_owned(),
            "render it first",
        );
    }
    for one in &unrendered {
        let more = match one.places.len() - 1 {
            0 => String::new(),
            1 => ", here and in 1 more place".to_owned(),
            n_places => format!(", here and in {n_places} more places"),
        };
        found.add(
            Rule::Placeholder,
            Severity::Error,
            &one.places[0],
            format!("a template token was not replaced: {}{more}", one.token),
            "render it first, or write the real value: as it stands, the text matches nothing real",
        );
    }
}

/// Returns whether a rule says the same of the text that the token will become.
fn outlives_rendering(rule: Rule) -> bool {
    matches!(
        rule,
        Rule::Json
            | Rule::DuplicateKey
            | Rule::Placeholder
            | Rule::PrincipalArn
            | Rule::LiteralWildcard
    )
}

fn walk(node: &Node, unrendered: &mut Vec<Unrendered>) {
    match &node.value {
        Value::Text(text) => note(text, &node.position, unrendered),
        Value::List(nodes) => nodes.iter().for_each(|node| walk(node, unrendered)),
        Value::Object(members) => {
            for member in members {
                // What a policy calls itself is nobody's name.
                if member.position.path == "$.Id" {
                    continue;
                }
                note(&member.key, &member.position, unrendered);
                walk(&member.node, unrendered);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn note(text: &str, position: &Position, unrendered: &mut Vec<Unrendered>) {
    let Some(token) = token(text) else { return };
    match unrendered.iter_mut().find(|one| one.token == token) {
        Some(known) => known.places.push(position.clone()),
        None => unrendered.push(Unrendered {
            token: token.to_owned(),
            places: vec![position.clone()],
        }),
    }
}

/// Returns where a token stands between the strings, as Jinja and Terraform put lists and conditions there. Braces are read
/// as the beginning of an object, so that the mistake is found behind the first of two.
fn outside_of_strings(text: &str, found: &Problems) -> Option<Position> {
    let syntax = found
        .problems
        .iter()
        .filter(|problem| problem.rule == Rule::Json);
    syntax
        .map(|problem| &problem.position)
        .find_map(|position| {
            let line = text.split('\n').nth(position.line - 1)?;
            let columns = [position.column.checked_sub(1), Some(position.column)];
            let column = columns.into_iter().flatten().find(|column| {
                let start = line.char_indices().nth(column.wrapping_sub(1));
                start.is_some_and(|(at, _)| begins_like_token(&line[at..]))
            });
            column.map(|column| Position {
                column,
                ..position.clone()
            })
        })
}
