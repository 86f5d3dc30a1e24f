//! CloudFormation templates, made of the values that a plan writes. Knows no service, and never touches the world.
//!
//! A plan is made for a place whose account, region and partition are [references](reference); what comes out has them in
//! its texts, and [`value`] makes intrinsic functions of them. So a template says what a plan for an empty account says.

mod template;

use serde_json::{Value, json};
use toolio::Target;

pub use template::{Mistakable, Resource, Template};

/// Stands around the names of references. Private-use characters, which no name, policy or document of AWS may hold, so
/// that nothing a user wrote is taken for one.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// How a dynamic reference begins within its braces.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>
const RESOLVE: &str = "resolve:";

/// Returns the text that stands for what `Ref` or, with a dot, `Fn::GetAtt` of this name gives.
#[must_use]
pub fn reference(name: &str) -> String {
    format!("{OPEN}{name}{CLOSE}")
}

/// Returns whichever account and region a stack is in.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>
#[must_use]
pub fn target() -> Target {
    Target {
        account: reference("AWS::AccountId"),
        region: reference("AWS::Region"),
    }
}

/// Returns whichever partition a stack is in.
#[must_use]
pub fn partition() -> String {
    reference("AWS::Partition")
}

/// Returns the end of the names of services in whichever partition a stack is in, such as `amazonaws.com`.
#[must_use]
pub fn url_suffix() -> String {
    reference("AWS::URLSuffix")
}

/// Returns the text that stands for a secret of Secrets Manager, which may be in any property; no template holds it.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html>
#[must_use]
pub fn secret(id: &str) -> String {
    reference(&format!("{RESOLVE}secretsmanager:{id}"))
}

/// Returns the value with an intrinsic function in place of every text that holds references.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-sub.html>
#[must_use]
pub fn value(plain: &Value) -> Value {
    match plain {
        Value::String(text) => self::text(text),
        Value::Array(items) => items.iter().map(value).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, field)| (key.clone(), value(field)))
            .collect(),
        other => other.clone(),
    }
}

fn text(text: &str) -> Value {
    let Some((before, after)) = text.split_once(OPEN) else {
        return json!(text);
    };
    if let ("", Some((name, ""))) = (before, after.split_once(CLOSE)) {
        if name.starts_with(RESOLVE) {
            return json!(format!("{{{{{name}}}}}"));
        }
        return match name.split_once('.') {
            Some((resource, attribute)) => json!({ "Fn::GetAtt": [resource, attribute] }),
            None => json!({ "Ref": name }),
        };
    }
    let mut template = literal(before);
    for part in after.split(OPEN) {
        let (name, rest) = part.split_once(CLOSE).unwrap_or((part, ""));
        template.push_str(&format!("${{{name}}}{}", literal(rest)));
    }
    json!({ "Fn::Sub": template })
}

/// Returns whether a text of a value would be taken for a dynamic reference, for which there is no escape.
fn is_mistakable(plain: &Value) -> bool {
    match plain {
        Value::String(text) => text.contains("{{resolve:"),
        Value::Array(items) => items.iter().any(is_mistakable),
        Value::Object(fields) => fields.values().any(is_mistakable),
        _ => false,
    }
}

/// Keeps Fn::Sub from taking what is meant as it stands for a reference, such as a shell's or a policy's variable.
fn literal(text: &str) -> String {
    text.replace("${", "${!")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{partition, reference, secret, target, value};

    #[test]
    fn texts_with_references_become_functions_and_others_stay() {
        let place = target();
        let arn = format!(
            "arn:{}:kms:{}:{}:alias/x",
            partition(),
            place.region,
            place.account
        );
        let cases = [
            (json!("plain ${HOME}"), json!("plain ${HOME}")),
            (json!(reference("Key")), json!({ "Ref": "Key" })),
            (
                json!(reference("Key.Arn")),
                json!({ "Fn::GetAtt": ["Key", "Arn"] }),
            ),
            (
                json!([arn, 1, true, null]),
                json!([
                    { "Fn::Sub": "arn:${AWS::Partition}:kms:${AWS::Region}:${AWS::AccountId}:alias/x" },
                    1,
                    true,
                    null
                ]),
            ),
            (
                json!({ "a": format!("{}:${{aws:userid}}-*", reference("AWS::Region")) }),
                json!({ "a": { "Fn::Sub": "${AWS::Region}:${!aws:userid}-*" } }),
            ),
            (
                json!(secret("slack")),
                json!("{{resolve:secretsmanager:slack}}"),
            ),
            (
                json!(format!(
                    "{}{}",
                    reference("AWS::Region"),
                    reference("AWS::Region")
                )),
                json!({ "Fn::Sub": "${AWS::Region}${AWS::Region}" }),
            ),
        ];
        for (plain, expected) in cases {
            assert_eq!(value(&plain), expected);
        }
    }
}
