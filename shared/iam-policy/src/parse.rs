//! From JSON to a policy. Every mistake is reported; only a text without an error becomes a [`Policy`] to be evaluated.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

mod shapes;
mod values;

use self::shapes::find;
use crate::json::{self, Node, Value};
use crate::model::{Effect, Patterns, Policy, PrincipalType, Principals, Statement, Version};
use crate::{Located, Position, Problem, Rule, Severity};

/// What came of reading a policy.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// As much of the policy as was understood; `None` when the text is not an object at all. With an error among the
    /// problems it is good for further linting only.
    pub draft: Option<Policy>,
    /// Every mistake, in the order of the text.
    pub problems: Vec<Problem>,
}

impl Parsed {
    /// Returns the policy, to be evaluated.
    ///
    /// # Errors
    /// The first problem that makes the policy invalid.
    pub fn policy(self) -> Result<Policy, Problem> {
        let error = self
            .problems
            .into_iter()
            .find(|problem| problem.severity == Severity::Error);
        match (error, self.draft) {
            (None, Some(policy)) => Ok(policy),
            (Some(problem), _) => Err(problem),
            (None, None) => Err(Problem {
                rule: Rule::Json,
                severity: Severity::Error,
                position: Position::default(),
                message: "there is no policy".to_owned(),
                fix: "write a policy".to_owned(),
            }),
        }
    }
}

impl Policy {
    /// Reads a policy and everything that is wrong with its grammar.
    #[must_use]
    pub fn parse(text: &str) -> Parsed {
        let (root, problems) = json::parse(text);
        let mut reader = Reader {
            problems,
            version: Version::Of2008,
        };
        let draft = root.and_then(|root| reader.policy(&root));
        let mut problems = reader.problems;
        problems.sort_by_key(|problem| (problem.position.line, problem.position.column));
        Parsed { draft, problems }
    }
}

struct Reader {
    problems: Vec<Problem>,
    version: Version,
}

impl Reader {
    fn policy(&mut self, root: &Node) -> Option<Policy> {
        let members = self.object(root, "a policy")?;
        self.elements(members, &["Version", "Id", "Statement"], "a policy");
        let version = find(members, "Version").and_then(|member| self.version(&member.node));
        self.version = version.unwrap_or(Version::Of2008);
        if version.is_none() && find(members, "Version").is_none() {
            let message = "Version is missing, and AWS then takes 2008-10-17, which knows no policy variables";
            self.problem(
                Rule::Version,
                Severity::Warning,
                &root.position,
                message.to_owned(),
                "add \"Version\": \"2012-10-17\"",
            );
        }
        let id = find(members, "Id").and_then(|member| self.text(&member.node, "Id"));
        let statements = match find(members, "Statement") {
            None => {
                self.missing(&root.position, "Statement", "a policy");
                Vec::new()
            }
            Some(member) => self.statements(&member.node),
        };
        Some(Policy {
            version,
            id: id.map(|id| id.value),
            statements,
        })
    }

    fn version(&mut self, node: &Node) -> Option<Version> {
        let text = self.text(node, "Version")?;
        match text.value.as_str() {
            "2012-10-17" => Some(Version::Of2012),
            "2008-10-17" => {
                let message =
                    "version 2008-10-17 knows no policy variables: ${...} is plain text".to_owned();
                let fix = "write \"2012-10-17\"";
                self.problem(
                    Rule::Version,
                    Severity::Warning,
                    &node.position,
                    message,
                    fix,
                );
                Some(Version::Of2008)
            }
            other => {
                let message = format!("there is no version {other:?} of the policy language");
                self.error(
                    Rule::Version,
                    &node.position,
                    message,
                    "write \"2012-10-17\"",
                );
                None
            }
        }
    }

    fn statements(&mut self, node: &Node) -> Vec<Statement> {
        match &node.value {
            Value::List(nodes) if nodes.is_empty() => {
                self.empty(&node.position, "Statement");
                Vec::new()
            }
            Value::List(nodes) => nodes
                .iter()
                .filter_map(|node| self.statement(node))
                .collect(),
            _ => self.statement(node).into_iter().collect(),
        }
    }

    fn statement(&mut self, node: &Node) -> Option<Statement> {
        let members = self.object(node, "a statement")?;
        let known = [
            "Sid",
            "Effect",
            "Principal",
            "NotPrincipal",
            "Action",
            "NotAction",
            "Resource",
            "NotResource",
            "Condition",
        ];
        self.elements(members, &known, "a statement");
        let sid = find(members, "Sid").and_then(|member| self.text(&member.node, "Sid"));
        let effect = match find(members, "Effect") {
            None => {
                self.missing(&node.position, "Effect", "a statement");
                None
            }
            Some(member) => self.effect(&member.node),
        };
        let principal = self
            .either(members, "Principal", "NotPrincipal")
            .and_then(|(negated, member)| self.principals(&member.node, negated));
        let actions = match self.either(members, "Action", "NotAction") {
            None => {
                self.missing(&node.position, "Action", "a statement");
                None
            }
            Some((negated, member)) => Some(Patterns {
                negated,
                values: self.texts(&member.node, &member.key),
            }),
        };
        let resources = self
            .either(members, "Resource", "NotResource")
            .map(|(negated, member)| Patterns {
                negated,
                values: self.resources(&member.node, &member.key),
            });
        let conditions = find(members, "Condition").map(|member| self.conditions(&member.node));
        for action in actions.iter().flat_map(|actions| &actions.values) {
            self.action(action);
        }
        Some(Statement {
            place: Located::new((), &node.position),
            sid,
            effect: effect?,
            principal,
            actions: actions?,
            resources,
            conditions: conditions.unwrap_or_default(),
        })
    }

    fn effect(&mut self, node: &Node) -> Option<Effect> {
        let text = self.text(node, "Effect")?;
        match text.value.as_str() {
            "Allow" => Some(Effect::Allow),
            "Deny" => Some(Effect::Deny),
            other => {
                let message = format!("{other:?} is not an effect, and case matters");
                self.error(
                    Rule::Effect,
                    &node.position,
                    message,
                    "write \"Allow\" or \"Deny\"",
                );
                None
            }
        }
    }

    fn principals(&mut self, node: &Node, negated: bool) -> Option<Principals> {
        let mut principals = Principals {
            negated,
            everyone: false,
            entries: Vec::new(),
        };
        let members = match &node.value {
            Value::Text(text) if text == "*" => {
                principals.everyone = true;
                return Some(principals);
            }
            Value::Object(members) => members,
            _ => {
                let message = format!(
                    "expected \"*\" or a map such as {{\"AWS\": \"...\"}}, found {}",
                    node.kind()
                );
                self.error(
                    Rule::WrongType,
                    &node.position,
                    message,
                    "name the type of the principal",
                );
                return None;
            }
        };
        for member in members {
            let known = PrincipalType::ALL
                .iter()
                .find(|(name, _)| *name == member.key);
            let Some((_, kind)) = known else {
                let message = format!("there is no type of principal {:?}", member.key);
                let fix = "write AWS, Service, Federated or CanonicalUser";
                self.error(Rule::UnknownElement, &member.position, message, fix);
                continue;
            };
            let names = self.texts(&member.node, &member.key);
            principals
                .entries
                .extend(names.into_iter().map(|name| (*kind, name)));
        }
        Some(principals)
    }
}
