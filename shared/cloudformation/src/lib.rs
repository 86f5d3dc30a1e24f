//! CloudFormation templates, made of the values that a plan writes. Knows no service, and never touches the world.
//!
//! A plan is made for a place whose account, region and partition are [references](reference); what comes out has them in
//! its texts, and [`value`] makes intrinsic functions of them. So a template says what a plan for an empty account says.

mod template;

use cli::Target;
use serde_json::{Value, json};

pub use template::{Mistakable, Resource, Template};

/// Stands around the names of references. Private-use characters, which no name, policy or document of AWS may hold, so
/// that nothing a user wrote is taken for one.
const OPEN: char = '\u{e000}';
const CLOSE: char = '\u{e001}';

/// How a dynamic reference begins within its braces.
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>
const RESOLVE: &str = "resolve:";

/// Returns the text for what `Ref` or, with a dot, `Fn::GetAtt` of this name gives.
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

/// Returns the text for a secret of Secrets Manager, which may be in any property; no template holds it.
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
    let pieces = pieces(text);
    match pieces.as_slice() {
        [] => json!(""),
        [Piece::Literal(literal)] => json!(literal),
        [Piece::Reference(name)] => referred(name),
        pieces if pieces.iter().all(Piece::can_be_escaped) => {
            json!({ "Fn::Sub": pieces.iter().map(Piece::substituted).collect::<String>() })
        }
        pieces => {
            let parts: Vec<Value> = pieces.iter().map(Piece::joined).collect();
            json!({ "Fn::Join": ["", parts] })
        }
    }
}

/// Returns what gives the value of a reference.
fn referred(name: &str) -> Value {
    if name.starts_with(RESOLVE) {
        return json!(format!("{{{{{name}}}}}"));
    }
    match name.split_once('.') {
        Some((resource, attribute)) => json!({ "Fn::GetAtt": [resource, attribute] }),
        None => json!({ "Ref": name }),
    }
}

/// A part of a text.
#[derive(Debug)]
enum Piece<'t> {
    Literal(&'t str),
    Reference(&'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(OPEN) {
        let (name, behind) = after.split_once(CLOSE).unwrap_or((after, ""));
        pieces.extend([Piece::Literal(before), Piece::Reference(name)]);
        rest = behind;
    }
    pieces.push(Piece::Literal(rest));
    pieces.retain(|piece| !matches!(piece, Piece::Literal("")));
    pieces
}

impl Piece<'_> {
    /// Returns whether Fn::Sub takes it as it stands once it is escaped: each `${`, such as of a shell or a policy, must be
    /// closed before the next one begins.
    fn can_be_escaped(&self) -> bool {
        match self {
            Piece::Literal(literal) => literal.split("${").skip(1).all(|open| open.contains('}')),
            Piece::Reference(name) => !name.starts_with(RESOLVE),
        }
    }

    fn substituted(&self) -> String {
        match self {
            Piece::Literal(literal) => literal.replace("${", "${!"),
            Piece::Reference(name) => format!("${{{name}}}"),
        }
    }

    fn joined(&self) -> Value {
        match self {
            Piece::Literal(literal) => json!(literal),
            Piece::Reference(name) => referred(name),
        }
    }
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

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

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
    /// What Fn::Sub and Fn::Join give where `Ref` gives `X`, as their pages say.
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-join.html>
    fn evaluated(function: &Value) -> String {
        if let Value::String(text) = function {
            return text.clone();
        }
        if function.get("Ref").is_some() {
            return "X".to_owned();
        }
        if let Some(parts) = function["Fn::Join"][1].as_array() {
            return parts.iter().map(evaluated).collect();
        }
        let mut rest = function["Fn::Sub"].as_str().unwrap();
        let mut given = String::new();
        while let Some((before, after)) = rest.split_once("${") {
            let (name, behind) = after.split_once('}').expect("closed");
            given.push_str(before);
            match name.strip_prefix('!') {
                Some(literal) => given.push_str(&format!("${{{literal}}}")),
                None => given.push('X'),
            }
            rest = behind;
        }
        given + rest
    }

    #[test]
    fn no_literal_is_taken_for_a_reference() {
        let literals = [
            "",
            "a",
            "$",
            "{",
            "}",
            "${",
            "${}",
            "${a}",
            "${!a}",
            "${!",
            "$${a}",
            "${a",
            "${${a}",
            "${a:-${b}}",
            "{{",
            "\u{fc}${a.b}",
        ];
        for before in literals {
            for after in literals {
                let name = reference("Name");
                let text = format!("{before}{name}{after}{name}");
                let function = value(&json!(text));
                assert_eq!(evaluated(&function), text.replace(&name, "X"), "{function}");
            }
        }
    }
}
