//! A policy as the language defines it. Whatever is in here was understood; what was not is a [`crate::Problem`].
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>

use serde_json::{Map, Value, json};

use crate::{Located, Operator, Position};

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The version of the language; AWS takes 2008-10-17 when there is none.
    pub version: Option<Version>,
    /// `Id`, which means nothing to the evaluation.
    pub id: Option<String>,
    /// The statements; their order means nothing.
    pub statements: Vec<Statement>,
}

/// Version of the language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 2008-10-17: `${` is plain text.
    Of2008,
    /// 2012-10-17: `${` begins a policy variable.
    Of2012,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Where it begins.
    pub place: Located<()>,
    /// `Sid`.
    pub sid: Option<Located<String>>,
    /// `Effect`.
    pub effect: Effect,
    /// `Principal` or `NotPrincipal`; only resource-based policies have one.
    pub principal: Option<Principals>,
    /// `Action` or `NotAction`.
    pub actions: Patterns,
    /// `Resource` or `NotResource`; trust policies have none.
    pub resources: Option<Patterns>,
    /// `Condition`: all of them must hold.
    pub conditions: Vec<Condition>,
}

/// What a statement does when it applies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// It allows.
    Allow,
    /// It denies, whatever else allows.
    Deny,
}

/// Patterns, or all but these patterns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patterns {
    /// `NotAction` or `NotResource`.
    pub negated: bool,
    /// The patterns, `*` and `?` standing for any text and any character.
    pub values: Vec<Located<String>>,
}

/// Principals, or all but these principals.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principals {
    /// `NotPrincipal`.
    pub negated: bool,
    /// `"*"` as such, and not in a map.
    pub everyone: bool,
    /// The entries of the map.
    pub entries: Vec<(PrincipalType, Located<String>)>,
}

/// The key of a map of principals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PrincipalType {
    /// `AWS`: accounts, users, roles, sessions or `*`.
    Aws,
    /// `Service`: `ssm.amazonaws.com`.
    Service,
    /// `Federated`: an identity provider.
    Federated,
    /// `CanonicalUser`: an ID of S3.
    CanonicalUser,
}

/// One key of one operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// The operator.
    pub operator: Operator,
    /// The context key, in the case in which it was written.
    pub key: Located<String>,
    /// The values; booleans and numbers are text here, which means the same.
    pub values: Vec<Located<String>>,
}

impl Version {
    /// Returns the spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Version::Of2008 => "2008-10-17",
            Version::Of2012 => "2012-10-17",
        }
    }
}

impl Effect {
    /// Returns the spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        }
    }
}

impl PrincipalType {
    /// The types and their spellings.
    pub(crate) const ALL: [(&'static str, PrincipalType); 4] = [
        ("AWS", PrincipalType::Aws),
        ("Service", PrincipalType::Service),
        ("Federated", PrincipalType::Federated),
        ("CanonicalUser", PrincipalType::CanonicalUser),
    ];

    /// Returns the spelling.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            PrincipalType::Aws => "AWS",
            PrincipalType::Service => "Service",
            PrincipalType::Federated => "Federated",
            PrincipalType::CanonicalUser => "CanonicalUser",
        }
    }
}

impl Statement {
    /// Returns where the statement begins.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.place.position
    }

    /// Returns the Sid, or an empty text.
    #[must_use]
    pub fn sid(&self) -> &str {
        self.sid.as_ref().map_or("", |sid| &sid.value)
    }
}

impl Policy {
    /// Returns the version in force.
    #[must_use]
    pub fn language(&self) -> Version {
        self.version.unwrap_or(Version::Of2008)
    }

    /// Returns the patterns of principals that denials spare: values of a negated comparison with `aws:PrincipalArn`.
    pub fn exempt_principals(&self) -> impl Iterator<Item = &str> {
        let denials = self
            .statements
            .iter()
            .filter(|statement| statement.effect == Effect::Deny);
        let sparing = denials
            .flat_map(|statement| &statement.conditions)
            .filter(|condition| {
                condition.operator.test.negated
                    && condition.key.value.eq_ignore_ascii_case("aws:PrincipalArn")
            });
        sparing
            .flat_map(|condition| &condition.values)
            .map(|value| value.value.as_str())
    }

    /// Returns the policy as a JSON document in the order of AWS's documentation, lists written as lists.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut document = Map::new();
        if let Some(version) = self.version {
            document.insert("Version".to_owned(), json!(version.as_str()));
        }
        if let Some(id) = &self.id {
            document.insert("Id".to_owned(), json!(id));
        }
        let statements: Vec<Value> = self.statements.iter().map(statement).collect();
        document.insert("Statement".to_owned(), Value::Array(statements));
        Value::Object(document)
    }
}

fn statement(statement: &Statement) -> Value {
    let mut fields = Map::new();
    if let Some(sid) = &statement.sid {
        fields.insert("Sid".to_owned(), json!(sid.value));
    }
    fields.insert("Effect".to_owned(), json!(statement.effect.as_str()));
    if let Some(principals) = &statement.principal {
        let name = named("Principal", principals.negated);
        fields.insert(name, principal(principals));
    }
    let name = named("Action", statement.actions.negated);
    fields.insert(name, texts(&statement.actions.values));
    if let Some(resources) = &statement.resources {
        let name = named("Resource", resources.negated);
        fields.insert(name, texts(&resources.values));
    }
    if !statement.conditions.is_empty() {
        let mut operators = Map::new();
        for condition in &statement.conditions {
            let keys = operators
                .entry(condition.operator.to_string())
                .or_insert_with(|| json!({}));
            keys[&condition.key.value] = texts(&condition.values);
        }
        fields.insert("Condition".to_owned(), Value::Object(operators));
    }
    Value::Object(fields)
}

fn named(element: &str, negated: bool) -> String {
    format!("{}{element}", if negated { "Not" } else { "" })
}

fn principal(principals: &Principals) -> Value {
    if principals.everyone {
        return json!("*");
    }
    let mut map = Map::new();
    for (kind, name) in &principals.entries {
        let names = map.entry(kind.as_str()).or_insert_with(|| json!([]));
        if let Value::Array(names) = names {
            names.push(json!(name.value));
        }
    }
    Value::Object(map)
}

fn texts(values: &[Located<String>]) -> Value {
    let texts = values.iter().map(|value| json!(value.value));
    Value::Array(texts.collect())
}

/// Returns the values of an element: a list of one may be written without brackets, and what is not there has none.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html>
#[must_use]
pub fn one_or_many(element: &Value) -> &[Value] {
    match element {
        Value::Null => &[],
        Value::Array(items) => items,
        one => std::slice::from_ref(one),
    }
}
