//! What must never be printed: tokens, stream URLs and credentials that records carry.

use aho_corasick::AhoCorasick;
use serde_json::Value;

/// Members that hold a secret, wherever they are. A stream URL with its token is the session itself.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html>
const SECRET: [&str; 9] = [
    "tokenValue",
    "streamUrl",
    "sessionToken",
    "secretAccessKey",
    "accessToken",
    // Of ssm-guiconnect and of older documents.
    "ConnectionKey",
    "ConnectionToken",
    "activationCode",
    "password",
];

/// What is printed in place of a secret.
const STRIPPED: &str = "stripped";

/// Replaces every secret in a value.
pub(crate) fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if is_secret(name) && !member.is_null() {
                    *member = Value::from(STRIPPED);
                } else {
                    strip(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        // LookupEvents and SQS carry records as text.
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            match serde_json::from_str::<Value>(text) {
                Ok(mut inner) => {
                    strip(&mut inner);
                    *text = inner.to_string();
                }
                Err(_) if assigns_secret(text) => STRIPPED.clone_into(text),
                Err(_) => {}
            }
        }
        _ => {}
    }
}

/// Returns whether a text that is not JSON has a secret: CloudTrail Lake writes structures as `{tokenValue=.., sessionId=..}`.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetQueryResults.html>
fn assigns_secret(text: &str) -> bool {
    text.match_indices('=').any(|(at, _)| {
        let before = text[..at].trim_end();
        let mut words = before.rsplit(|c: char| !c.is_ascii_alphanumeric());
        words.next().is_some_and(is_secret)
    })
}

/// Returns the JSON text of a value at a path of names, without its secrets.
pub(crate) fn at(path: &str, text: String) -> String {
    let Ok(mut value) = serde_json::from_str::<Value>(&text) else {
        return text;
    };
    match path.split('.').any(is_secret) && !value.is_null() {
        true => value = Value::from(STRIPPED),
        false => strip(&mut value),
    }
    // A number stays as it was written.
    match value.is_number() {
        true => text,
        false => value.to_string(),
    }
}

/// Finds the texts that may hold a secret, so that most records need not be parsed to be printed.
#[derive(Clone, Debug)]
pub(crate) struct Finder(AhoCorasick);

impl Finder {
    pub(crate) fn new() -> anyhow::Result<Finder> {
        // A name may be spelled with escapes: then the text is looked at as well.
        let mut builder = AhoCorasick::builder();
        let builder = builder.ascii_case_insensitive(true);
        Ok(Finder(builder.build(SECRET.iter().chain(&["\\u"]))?))
    }

    pub(crate) fn may_hold(&self, text: &[u8]) -> bool {
        self.0.is_match(text)
    }
}

/// Returns whether a member of this name holds a secret, in whatever case a store has put names.
fn is_secret(name: &str) -> bool {
    SECRET
        .iter()
        .any(|secret| secret.eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Finder, strip};

    #[test]
    fn no_secret_is_left_however_it_is_wrapped() {
        let inner = json!({"responseElements": {"tokenValue": "c4n4ry", "streamUrl": "wss://c4n4ry", "sessionId": "s"}});
        let twice = json!({"body": json!({"CloudTrailEvent": inner.to_string()}).to_string()});
        let shouted = json!({"RESPONSEELEMENTS": {"TOKENVALUE": "c4n4ry", "sessionId": "s"}});
        for mut value in [
            inner.clone(),
            shouted,
            json!({"Events": [{"CloudTrailEvent": inner.to_string()}]}),
            twice,
        ] {
            assert!(
                Finder::new()
                    .unwrap()
                    .may_hold(value.to_string().as_bytes())
            );
            strip(&mut value);
            assert!(!value.to_string().contains("c4n4ry"), "{value}");
            assert!(value.to_string().contains("sessionId"));
        }
    }

    #[test]
    fn no_secret_is_left_in_a_structure_of_lake_or_behind_white_space() {
        for mut value in [
            json!("{sessionId=s, tokenValue=c4n4ry, streamUrl=wss://c4n4ry}"),
            json!(" \n[{\"tokenValue\": \"c4n4ry\"}]"),
            json!("[{\"streamUrl\": \"wss://c4n4ry\"}]"),
        ] {
            strip(&mut value);
            assert!(!value.to_string().contains("c4n4ry"), "{value}");
        }
        let mut harmless = json!("{reason=reset of a token, target=i-0}");
        strip(&mut harmless);
        assert_eq!(harmless, "{reason=reset of a token, target=i-0}");
    }

    #[test]
    fn an_escaped_name_is_found_and_stripped() {
        let text = r#"{"token\u0056alue": "c4n4ry"}"#;
        assert!(Finder::new().unwrap().may_hold(text.as_bytes()));
        let mut value = serde_json::from_str(text).unwrap();
        strip(&mut value);
        assert_eq!(value, json!({"tokenValue": "stripped"}));
    }
}
