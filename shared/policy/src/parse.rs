//! From JSON to a policy. Every mistake is reported; only a text without an error becomes a [`Policy`] to be evaluated.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use crate::json::{self, Member, Node, Value};
use crate::model::{
    Condition, Effect, Patterns, Policy, PrincipalType, Principals, Statement, Version,
};
use crate::value::Comparand;
use crate::{Located, Operator, Position, Problem, Rule, Severity};

/// What came of reading a policy.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// As much of the policy as was understood; `None` when the text is no object at all. With an error among the
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
    fn problem(
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

    fn error(&mut self, rule: Rule, position: &Position, message: String, fix: &str) {
        self.problem(rule, Severity::Error, position, message, fix);
    }

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
                let message = format!("{other:?} is no effect, and case matters");
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

    fn action(&mut self, action: &Located<String>) {
        let text = action.value.as_str();
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"*?-_.".contains(&byte);
        let sound = match text.split_once(':') {
            None => text.bytes().all(|byte| byte == b'*') && !text.is_empty(),
            Some((service, name)) => {
                !service.is_empty()
                    && !name.is_empty()
                    && service.bytes().all(allowed)
                    && name.bytes().all(allowed)
            }
        };
        if !sound {
            let message = format!("{text:?} is no action");
            self.error(
                Rule::Action,
                &action.position,
                message,
                "write service:Action, such as ssm:StartSession",
            );
        }
    }

    /// A resource is `*`, an ARN or its beginning; wildcards may stand anywhere, so that little can be said.
    fn resources(&mut self, node: &Node, element: &str) -> Vec<Located<String>> {
        let resources = self.texts(node, element);
        for resource in &resources {
            let text = resource.value.as_str();
            let first = text.split(':').next().unwrap_or_default();
            let sound = first.contains('$') || crate::glob(first, "arn");
            if !sound {
                let message =
                    format!("{text:?} is neither * nor an ARN, and no resource matches it");
                self.error(
                    Rule::Resource,
                    &resource.position,
                    message,
                    "write the whole ARN, arn:aws:SERVICE:REGION:ACCOUNT:NAME, or *",
                );
            }
            self.variables(resource);
        }
        resources
    }

    fn conditions(&mut self, node: &Node) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for member in self.object(node, "Condition").unwrap_or_default() {
            let Some(operator) = Operator::parse(&member.key) else {
                let message = format!("there is no condition operator {:?}", member.key);
                let fix = "write one of AWS's operators, such as ArnNotLike";
                self.error(Rule::Operator, &member.position, message, fix);
                continue;
            };
            for key in self
                .object(&member.node, "a condition operator")
                .unwrap_or_default()
            {
                let values = self.condition_values(&key.node, &operator);
                if key.key.is_empty() {
                    let message = "a condition needs a key such as aws:PrincipalArn".to_owned();
                    self.error(Rule::Operator, &key.position, message, "name the key");
                }
                conditions.push(Condition {
                    operator,
                    key: Located::new(key.key.clone(), &key.position),
                    values,
                });
            }
        }
        conditions
    }

    fn condition_values(&mut self, node: &Node, operator: &Operator) -> Vec<Located<String>> {
        let nodes = match &node.value {
            Value::List(nodes) => {
                if nodes.is_empty() {
                    self.empty(&node.position, "a condition");
                }
                nodes.as_slice()
            }
            _ => std::slice::from_ref(node),
        };
        let mut values = Vec::with_capacity(nodes.len());
        for node in nodes {
            let text = match &node.value {
                Value::Text(text) | Value::Number(text) => text.clone(),
                Value::Bool(value) => value.to_string(),
                Value::Null | Value::List(_) | Value::Object(_) => {
                    let message = format!(
                        "a condition compares with strings, numbers and booleans, not with {}",
                        node.kind()
                    );
                    self.error(Rule::WrongType, &node.position, message, "write a string");
                    continue;
                }
            };
            let value = Located::new(text, &node.position);
            match Comparand::compile(&value.value, &operator.test, self.version) {
                Err(why) => {
                    let message = format!("{:?} never matches with {operator}: {why}", value.value);
                    let fix = "correct the value or the operator";
                    self.error(Rule::OperatorValue, &value.position, message, fix);
                }
                // AWS takes it, and it matches nothing.
                Ok(Comparand::NoArn) => self.problem(
                    Rule::OperatorValue,
                    Severity::Warning,
                    &value.position,
                    format!(
                        "{:?} is no ARN, and never matches with {operator}",
                        value.value
                    ),
                    "write an ARN of six parts, wildcards allowed",
                ),
                Ok(_) => {}
            }
            values.push(value);
        }
        values
    }

    fn variables(&mut self, text: &Located<String>) {
        if let Err(why) = crate::pattern::Template::parse(&text.value, self.version, true) {
            self.error(
                Rule::Variable,
                &text.position,
                format!("{why} in {:?}", text.value),
                "write ${key}, ${key, 'default'}, or ${$} for a dollar sign",
            );
        }
    }

    fn object<'n>(&mut self, node: &'n Node, what: &str) -> Option<&'n [Member]> {
        match &node.value {
            Value::Object(members) => Some(members),
            _ => {
                let message = format!("{what} is an object, found {}", node.kind());
                self.error(Rule::WrongType, &node.position, message, "write an object");
                None
            }
        }
    }

    fn text(&mut self, node: &Node, what: &str) -> Option<Located<String>> {
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
    fn texts(&mut self, node: &Node, what: &str) -> Vec<Located<String>> {
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

    fn either<'m>(
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

    fn elements(&mut self, members: &[Member], known: &[&str], what: &str) {
        for member in members {
            if known.contains(&member.key.as_str()) {
                continue;
            }
            let similar = known
                .iter()
                .find(|name| name.eq_ignore_ascii_case(&member.key));
            let fix = match similar {
                Some(name) => format!("write {name:?}: case matters"),
                None => format!("remove it; {what} has {}", known.join(", ")),
            };
            let message = format!("{what} has no element {:?}", member.key);
            self.error(Rule::UnknownElement, &member.position, message, &fix);
        }
    }

    fn missing(&mut self, position: &Position, element: &str, what: &str) {
        let message = format!("{what} needs {element}");
        self.error(
            Rule::MissingElement,
            position,
            message,
            &format!("add {element}"),
        );
    }

    fn empty(&mut self, position: &Position, what: &str) {
        let message = format!("{what} has an empty list, which matches nothing");
        self.error(Rule::EmptyList, position, message, "name at least one");
    }
}

/// Returns the last member of this name, as readers of JSON do that keep one of several. One in another case is reported
/// as unknown and taken for what was meant.
fn find<'m>(members: &'m [Member], name: &str) -> Option<&'m Member> {
    let exact = members.iter().rfind(|member| member.key == name);
    exact.or_else(|| {
        members
            .iter()
            .rfind(|member| member.key.eq_ignore_ascii_case(name))
    })
}
