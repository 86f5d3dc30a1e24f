//! Where a version of a Session document has transcripts written, with parameters in place of values where it has them.

use std::borrow::Cow;
use std::rc::Rc;

use records::Reading;
use serde_json::{Map, Value};

use super::store::Store;

/// What of a document matters here. Other inputs may have parameters, too.
const KEYS: [&str; 5] = [
    "s3BucketName",
    "s3KeyPrefix",
    "cloudWatchLogGroupName",
    "cloudWatchEncryptionEnabled",
    "s3EncryptionEnabled",
];

/// Where transcripts go.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Logging {
    /// There were no preferences.
    pub(crate) is_absent: bool,
    pub(crate) is_port: bool,
    pub(crate) stores: Vec<Store>,
    pub(crate) group_must_be_encrypted: bool,
    pub(crate) object_must_be_encrypted: bool,
}

/// The inputs of one version.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Inputs {
    /// The same for every session.
    Fixed(Rc<Logging>),
    /// Some are `{{ name }}`: whoever starts a session gives the value.
    /// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html>
    Given {
        is_port: bool,
        inputs: Map<String, Value>,
        /// What each parameter is where nobody gives it.
        defaults: Map<String, Value>,
    },
}

impl Inputs {
    /// Reads the content of a version of a document as `GetDocument` has it: a text.
    pub(crate) fn read(name: &str, version: u64, content: &str) -> Reading<Rc<Inputs>> {
        match serde_json::from_str(content) {
            Ok(content) => Reading::Present(Rc::new(Inputs::of(&content))),
            Err(error) => {
                Reading::Unknown(format!("{name} version {version} is not JSON: {error}"))
            }
        }
    }

    /// Reads the content of a document.
    pub(crate) fn of(content: &Value) -> Inputs {
        let is_port = content["sessionType"] == "Port";
        let mut inputs = Map::new();
        for key in KEYS {
            if let Some(value) = content["inputs"].get(key) {
                inputs.insert(key.to_owned(), value.clone());
            }
        }
        let has_parameter = |value: &Value| value.as_str().is_some_and(|text| text.contains("{{"));
        if !inputs.values().any(has_parameter) {
            return Inputs::Fixed(Rc::new(logging(is_port, &inputs)));
        }
        let declared = content["parameters"].as_object().into_iter().flatten();
        let defaults = declared.filter_map(|(name, parameter)| {
            Some((name.clone(), parameter.get("default")?.clone()))
        });
        Inputs::Given {
            is_port,
            inputs,
            defaults: defaults.collect(),
        }
    }

    /// Returns where transcripts go of a session that was given these parameters, `NAME=VALUE` each.
    ///
    /// # Errors
    /// One that matters is not known.
    pub(crate) fn filled(&self, given: Option<&[Rc<str>]>) -> Result<Rc<Logging>, String> {
        let (is_port, inputs, defaults) = match self {
            Inputs::Fixed(logging) => return Ok(Rc::clone(logging)),
            Inputs::Given {
                is_port,
                inputs,
                defaults,
            } => (*is_port, inputs, defaults),
        };
        let mut filled = Map::new();
        for (key, value) in inputs {
            let value = match value {
                Value::String(text) => Value::from(fill(key, text, given, defaults)?),
                other => other.clone(),
            };
            filled.insert(key.clone(), value);
        }
        Ok(Rc::new(logging(is_port, &filled)))
    }
}

fn fill(
    key: &str,
    text: &str,
    given: Option<&[Rc<str>]>,
    defaults: &Map<String, Value>,
) -> Result<String, String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("{{") {
        let (name, after) = after
            .split_once("}}")
            .ok_or_else(|| format!("{key} is '{text}', which is not a parameter"))?;
        let name = name.trim();
        let unknown = || {
            format!(
                "{key} is the parameter {name}, and no record says which value the session was given"
            )
        };
        // Of those that are in Parameter Store only the value of today could be read.
        let given = given.filter(|_| !name.contains(':')).ok_or_else(unknown)?;
        let mut pairs = given.iter().filter_map(|one| one.split_once('='));
        let value = pairs.find_map(|(one, value)| (one == name).then_some(Cow::Borrowed(value)));
        let default = || match defaults.get(name)? {
            Value::String(text) => Some(Cow::Borrowed(text.as_str())),
            other => Some(Cow::Owned(other.to_string())),
        };
        let value = value.or_else(default).ok_or_else(unknown)?;
        // A value may be one of Parameter Store.
        if value.contains("{{") {
            return Err(unknown());
        }
        filled.push_str(before);
        filled.push_str(&value);
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html>
fn logging(is_port: bool, inputs: &Map<String, Value>) -> Logging {
    let text = |key: &str| {
        let text = inputs.get(key).and_then(Value::as_str);
        text.filter(|text| !text.is_empty())
    };
    let bucket = text("s3BucketName").map(|name| Store::Bucket {
        name: name.into(),
        prefix: text("s3KeyPrefix")
            .unwrap_or_default()
            .trim_matches('/')
            .into(),
    });
    let log_group =
        text("cloudWatchLogGroupName").map(|name| Store::LogGroup { name: name.into() });
    // Agents take switches as text as well.
    let is_on = |key: &str| {
        let value = inputs.get(key);
        value.is_some_and(|value| *value == true || *value == "true")
    };
    Logging {
        is_absent: false,
        is_port,
        stores: bucket.into_iter().chain(log_group).collect(),
        group_must_be_encrypted: is_on("cloudWatchEncryptionEnabled"),
        object_must_be_encrypted: is_on("s3EncryptionEnabled"),
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::{Value, json};

    use super::Inputs;

    fn filled(prefix: &str, parameters: &Value, given: Option<&[&str]>) -> Result<String, String> {
        let content = json!({"parameters": parameters, "inputs": {"s3BucketName": "b", "s3KeyPrefix": prefix,
            "shellProfile": {"linux": "echo {{ motd }}"}}});
        let given: Option<Vec<Rc<str>>> =
            given.map(|given| given.iter().map(|one| Rc::from(*one)).collect());
        let logging = Inputs::of(&content).filled(given.as_deref())?;
        Ok(logging.stores[0].to_string())
    }

    #[test]
    fn a_parameter_is_what_was_given_then_its_default_and_else_unknown() {
        let team = || json!({"team": {"type": "String", "default": "red"}});
        for (prefix, parameters, given, expected) in [
            ("a", json!({}), None, Some("s3://b/a/")),
            (
                "{{ team }}",
                team(),
                Some(&["team=blue"][..]),
                Some("s3://b/blue/"),
            ),
            (
                "x/{{team}}/y",
                team(),
                Some(&["team=a=b"]),
                Some("s3://b/x/a=b/y/"),
            ),
            (
                "{{ team }}",
                team(),
                Some(&["other=1"]),
                Some("s3://b/red/"),
            ),
            // Without its record nobody knows whether a session was given another one than the default.
            ("{{ team }}", team(), None, None),
            (
                "{{ team }}",
                json!({"team": {"type": "String"}}),
                Some(&[]),
                None,
            ),
            ("{{ssm:team}}", team(), Some(&["team=blue"]), None),
            ("{{ team }}", team(), Some(&["team={{ssm:team}}"]), None),
            ("{{ team", team(), Some(&[]), None),
        ] {
            let found = filled(prefix, &parameters, given);
            assert_eq!(found.as_deref().ok(), expected, "{prefix}: {found:?}");
        }
    }
}
