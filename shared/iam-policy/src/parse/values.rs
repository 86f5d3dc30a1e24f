//! The values of elements: actions, resources, conditions and the variables in them.

use super::Reader;
use crate::json::{Node, Value};
use crate::model::Condition;
use crate::value::Comparand;
use crate::{Located, Operator, Rule, Severity};

impl Reader {
    pub(super) fn action(&mut self, action: &Located<String>) {
        let text = action.value.as_str();
        if !is_action(text) {
            let message = format!("{text:?} is not an action");
            let fix = match text.trim() {
                without if is_action(without) => format!("write {without}, without blanks"),
                _ => "write service:Action, such as ssm:StartSession".to_owned(),
            };
            self.error(Rule::Action, &action.position, message, &fix);
        }
    }

    /// A resource is `*`, an ARN or its beginning; wildcards may stand anywhere, so that little can be said.
    pub(super) fn resources(&mut self, node: &Node, element: &str) -> Vec<Located<String>> {
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

    pub(super) fn conditions(&mut self, node: &Node) -> Vec<Condition> {
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

    pub(super) fn condition_values(
        &mut self,
        node: &Node,
        operator: &Operator,
    ) -> Vec<Located<String>> {
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
                        "{:?} is not an ARN, and never matches with {operator}",
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

    pub(super) fn variables(&mut self, text: &Located<String>) {
        if let Err(why) = crate::pattern::Template::parse(&text.value, self.version, true) {
            self.error(
                Rule::Variable,
                &text.position,
                format!("{why} in {:?}", text.value),
                "write ${key}, ${key, 'default'}, or ${$} for a dollar sign",
            );
        }
    }
}

/// Returns whether a text is `*`, or `service:Action` with wildcards anywhere.
fn is_action(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"*?-_.".contains(&byte);
    let is_sound = |part: &str| !part.is_empty() && part.bytes().all(allowed);
    match text.split_once(':') {
        None => text.bytes().all(|byte| byte == b'*') && !text.is_empty(),
        Some((service, name)) => is_sound(service) && is_sound(name),
    }
}
