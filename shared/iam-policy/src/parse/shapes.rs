//! What a value has to be - an object, a string, one or several - and the problems when it is something else.

use super::Reader;
use crate::json::{Member, Node, Value};
use crate::{Located, Position, Problem, Rule, Severity};

impl Reader {
    pub(super) fn problem(
        &mut self,
        rule: Rule,
        severity: Severity,
        position: &Position,
        message: String,
        fix: &str,
    ) {
        self.problems.push(Problem {
            rule,
            severity,
            position: position.clone(),
            message,
            fix: fix.to_owned(),
        });
    }

    pub(super) fn error(&mut self, rule: Rule, position: &Position, message: String, fix: &str) {
        self.problem(rule, Severity::Error, position, message, fix);
    }

    pub(super) fn object<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Member]> {
        match &node.value {
            Value::Object(members) => Some(members),
            _ => {
                let message = format!("{what} is an object, found {}", node.kind());
                self.error(Rule::WrongType, &node.position, message, "write an object");
                None
            }
        }
    }

    pub(super) fn text(&mut self, node: &Node, what: &str) -> Option<Located<String>> {
        match &node.value {
            Value::Text(text) => Some(Located::new(text.clone(), &node.position)),
            _ => {
                let message = format!("{what} is a string, found {}", node.kind());
                self.error(Rule::WrongType, &node.position, message, "write a string");
                None
            }
        }
    }

    /// Returns one string or the strings of a list.
    pub(super) fn texts(&mut self, node: &Node, what: &str) -> Vec<Located<String>> {
        match &node.value {
            Value::List(nodes) => {
                if nodes.is_empty() {
                    self.empty(&node.position, what);
                }
                let what = format!("each value of {what}");
                nodes
                    .iter()
                    .filter_map(|node| self.text(node, &what))
                    .collect()
            }
            Value::Text(_) => self.text(node, what).into_iter().collect(),
            _ => {
                let message = format!(
                    "{what} is a string or a list of strings, found {}",
                    node.kind()
                );
                self.error(Rule::WrongType, &node.position, message, "write a string");
                Vec::new()
            }
        }
    }

    pub(super) fn either<'m>(
        &mut self,
        members: &'m [Member],
        plain: &str,
        negated: &str,
    ) -> Option<(bool, &'m Member)> {
        match (find(members, plain), find(members, negated)) {
            (Some(_), Some(member)) => {
                let message = format!("a statement has {plain} or {negated}, not both");
                self.error(
                    Rule::ConflictingElements,
                    &member.position,
                    message,
                    "make two statements of it",
                );
                // The other one says less, so that less is reported that was not meant.
                find(members, plain).map(|member| (false, member))
            }
            (Some(member), None) => Some((false, member)),
            (None, Some(member)) => Some((true, member)),
            (None, None) => None,
        }
    }

    pub(super) fn elements(&mut self, members: &[Member], known: &[&str], what: &str) {
        for member in members {
            if known.contains(&member.key.as_str()) {
                continue;
            }
            let similar = known
                .iter()
                .find(|name| name.eq_ignore_ascii_case(&member.key));
            let fix = match similar {
                // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_declarative_syntax.html
                None if member.key == "ec2_attributes" => {
                    "nothing here: this is a declarative policy, which is not judged".to_owned()
                }
                Some(name) => format!("write {name:?}: case matters"),
                None => format!("remove it; {what} has {}", known.join(", ")),
            };
            let message = format!("{what} has no element {:?}", member.key);
            self.error(Rule::UnknownElement, &member.position, message, &fix);
        }
    }

    pub(super) fn missing(&mut self, position: &Position, element: &str, what: &str) {
        let message = format!("{what} needs {element}");
        self.error(
            Rule::MissingElement,
            position,
            message,
            &format!("add {element}"),
        );
    }

    pub(super) fn empty(&mut self, position: &Position, what: &str) {
        let message = format!("{what} has an empty list, which matches nothing");
        self.error(Rule::EmptyList, position, message, "name at least one");
    }
}

/// Returns the last member of this name, as readers of JSON do that keep one of several. One in another case is reported
/// as unknown and taken for what was meant.
pub(super) fn find<'m>(members: &'m [Member], name: &str) -> Option<&'m Member> {
    let exact = members.iter().rfind(|member| member.key == name);
    exact.or_else(|| {
        members
            .iter()
            .rfind(|member| member.key.eq_ignore_ascii_case(name))
    })
}
