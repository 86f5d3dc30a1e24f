//! Where a secret is kept.

use std::fmt::{self, Display, Formatter};

use schemars::JsonSchema;
use serde::de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// The source of a secret, such as the webhook's URL: exactly one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "snake_case")]
pub(crate) enum Webhook {
    /// Name of the environment variable that holds it.
    Env(String),
    /// Path of the file that holds it and nothing else.
    File(String),
    /// Name of the parameter in Parameter Store, best a `SecureString`.
    Parameter(String),
    /// Name or ARN of the secret in Secrets Manager.
    Secret(String),
}

/// As on the command line; it is the place, never the secret.
impl Display for Webhook {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let (kind, place) = match self {
            Webhook::Env(place) => ("env", place),
            Webhook::File(place) => ("file", place),
            Webhook::Parameter(place) => ("parameter", place),
            Webhook::Secret(place) => ("secret", place),
        };
        write!(formatter, "{kind}:{place}")
    }
}

impl Webhook {
    /// Returns whether this machine has it, so that AWS is not asked.
    pub(crate) fn is_here(&self) -> bool {
        matches!(self, Webhook::Env(_) | Webhook::File(_))
    }

    /// Returns the source of a kind at a place; `None` for what may be the secret itself, which no message may quote.
    pub(crate) fn of(kind: &str, place: &str) -> Option<Webhook> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        // A web address, and a token of Slack: its kinds begin so. <https://docs.slack.dev/authentication/tokens>
        if place.is_empty() || place.contains("://") || place.starts_with("xox") {
            return None;
        }
        let place = place.to_owned();
        match kind {
            "env" if place.bytes().all(is_name) => Some(Webhook::Env(place)),
            "file" => Some(Webhook::File(place)),
            "parameter" => Some(Webhook::Parameter(place)),
            "secret" => Some(Webhook::Secret(place)),
            _ => None,
        }
    }
}

/// By hand: what serde's own says of a mistake quotes what it has found, and that may be the secret.
impl<'de> Deserialize<'de> for Webhook {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Webhook, D::Error> {
        deserializer.deserialize_any(Place(None))
    }
}

/// Reads a source, or its place when the kind is known.
struct Place<'k>(Option<&'k str>);

impl Place<'_> {
    fn wrong<E: Error>(&self) -> E {
        E::custom(match self.0 {
            Some("env") => {
                "expected the name of an environment variable, such as SLACK_WEBHOOK_URL, never the URL itself (what is \
                 there is not shown)"
            }
            Some(_) => {
                "expected where the webhook's URL is kept, never the URL itself (what is there is not shown)"
            }
            None => {
                "expected where the secret is kept, exactly one of {\"env\": \"NAME\"}, {\"file\": \"PATH\"}, {\"parameter\": \
                 \"NAME\"} and {\"secret\": \"ID\"}, never the secret itself (what is there is not shown)"
            }
        })
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = Webhook;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Webhook, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = Webhook;

    fn expecting(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        formatter.write_str("where a secret is kept")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Webhook, A::Error> {
        let kind = match (self.0, map.next_key::<String>()?) {
            (None, Some(kind)) => kind,
            _ => return Err(self.wrong()),
        };
        if !["env", "file", "parameter", "secret"].contains(&kind.as_str()) {
            map.next_value::<IgnoredAny>()?;
            return Err(self.wrong());
        }
        let source = map.next_value_seed(Place(Some(&kind)))?;
        match map.next_key::<String>()? {
            None => Ok(source),
            Some(_) => Err(self.wrong()),
        }
    }

    fn visit_str<E: Error>(self, place: &str) -> Result<Webhook, E> {
        let source = self.0.and_then(|kind| Webhook::of(kind, place));
        source.ok_or_else(|| self.wrong())
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Webhook, E> {
        Err(self.wrong())
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Webhook, E> {
        Err(self.wrong())
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Webhook, E> {
        Err(self.wrong())
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Webhook, E> {
        Err(self.wrong())
    }

    fn visit_unit<E: Error>(self) -> Result<Webhook, E> {
        Err(self.wrong())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Webhook, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Err(self.wrong())
    }
}

#[cfg(test)]
mod tests {
    use super::Webhook;

    #[test]
    fn a_secret_in_place_of_its_source_is_never_quoted() {
        for text in [
            r#""xoxb-c4n4ry""#,
            r#"{"file": "xoxb-c4n4ry"}"#,
            r#"{"parameter": "https://c4n4ry"}"#,
            r#"{"env": "c4n4ry-key"}"#,
            r#"{"env": {"c4n4ry": 1}}"#,
            r#"{"env": "A", "file": "c4n4ry"}"#,
            r#"["c4n4ry"]"#,
            "4711001",
            "-4711001",
            "4711001.5",
            r#"{"secret": 4711001}"#,
            r#"{"file": ""}"#,
            "{}",
            "null",
            "true",
        ] {
            let error = serde_json::from_str::<Webhook>(text).unwrap_err();
            let error = error.to_string();
            assert!(error.starts_with("expected "), "{text}: {error}");
            assert!(
                !error.contains("c4n4ry") && !error.contains("4711001"),
                "{error}"
            );
        }
        let good: Webhook = serde_json::from_str(r#"{"secret": "arn:aws:x"}"#).unwrap();
        assert_eq!(good.to_string(), "secret:arn:aws:x");
        assert_eq!(
            serde_json::to_string(&good).unwrap(),
            r#"{"secret":"arn:aws:x"}"#
        );
    }
}
