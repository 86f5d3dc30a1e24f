//! What must never be printed: tokens, stream URLs and credentials that records carry.

use std::borrow::Cow;

use aho_corasick::AhoCorasick;
use serde_json::Value;

/// The letters of members that hold a secret, wherever they are and however a store spells them: `tokenValue`, `token_value`,
/// `responseElements.tokenValue`. A stream URL with its token is the session itself.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html>
const SECRET: [&str; 9] = [
    "tokenvalue",
    "streamurl",
    "sessiontoken",
    "secretaccesskey",
    "accesstoken",
    // Of ssm-guiconnect and of older documents.
    "connectionkey",
    "connectiontoken",
    "activationcode",
    "password",
];

/// The first word of each: what stands between words differs. An escape may spell any of them.
const WORDS: [&str; 7] = [
    "token",
    "stream",
    "secret",
    "connection",
    "activation",
    "password",
    "\\u",
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
        Value::String(text) => match inner(text) {
            Some(mut inner) => {
                strip(&mut inner);
                *text = inner.to_string();
            }
            None if names_secret(text) => STRIPPED.clone_into(text),
            None => {}
        },
        _ => {}
    }
}

/// Returns the JSON that a text is.
fn inner(text: &str) -> Option<Value> {
    match text.trim_start().starts_with(['{', '[']) {
        true => serde_json::from_str(text).ok(),
        false => None,
    }
}

/// Returns whether a text that is not JSON gives a secret its name: CloudTrail Lake writes structures as `{tokenValue=.., sessionId=..}`,
/// logs have JSON behind other words, and what is cut off is JSON no more.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetQueryResults.html>
fn names_secret(text: &str) -> bool {
    let text = unescaped(text);
    text.match_indices(['=', ':']).any(|(at, sign)| {
        let before = text[..at].trim_end();
        // In JSON within JSON each quote has a backslash before it.
        let name = before.trim_end_matches(['"', '\'', '\\']);
        let is_quoted = name.len() < before.len();
        let mut words = name.rsplit(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c));
        let name = words.next().unwrap_or_default();
        (sign == "=" || is_quoted) && is_secret(name)
    })
}

/// Returns a text with `A` in place of `\u0041`, however many backslashes are before it.
fn unescaped(text: &str) -> Cow<'_, str> {
    let mut parts = text.split("\\u");
    let first = parts.next().unwrap_or_default();
    if first.len() == text.len() {
        return Cow::Borrowed(text);
    }
    let mut made = first.to_owned();
    for part in parts {
        let code = part
            .get(..4)
            .and_then(|code| u32::from_str_radix(code, 16).ok());
        match code.and_then(char::from_u32) {
            Some(letter) => {
                made.truncate(made.trim_end_matches('\\').len());
                made.push(letter);
                made.push_str(&part[4..]);
            }
            None => made.push_str(part),
        }
    }
    Cow::Owned(made)
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
        let mut builder = AhoCorasick::builder();
        let builder = builder.ascii_case_insensitive(true);
        Ok(Finder(builder.build(WORDS)?))
    }

    pub(crate) fn may_hold(&self, text: &[u8]) -> bool {
        self.0.is_match(text)
    }
}

/// Returns whether a member of this name holds a secret: by letters and digits alone, and by the end of a name that has its path in it.
fn is_secret(name: &str) -> bool {
    let ends_with = |secret: &&str| {
        let mut rest = name.bytes().rev().filter(u8::is_ascii_alphanumeric);
        let mut letters = secret.bytes().rev();
        letters.all(|letter| {
            rest.next()
                .is_some_and(|byte| byte.eq_ignore_ascii_case(&letter))
        })
    };
    SECRET.iter().any(ends_with)
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
        let snake = json!({"response_elements": {"token_value": "c4n4ry", "stream_url": "wss://c4n4ry",
            "credentials": {"session_token": "c4n4ry", "Secret-Access-Key": "c4n4ry"}, "sessionId": "s"}});
        let flat = json!({"responseElements.tokenValue": "c4n4ry", "responseelements_streamurl": "c4n4ry", "sessionId": "s"});
        for mut value in [
            inner.clone(),
            shouted,
            snake,
            flat,
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
            json!("{token_value=c4n4ry, session_id=s}"),
        ] {
            strip(&mut value);
            assert!(!value.to_string().contains("c4n4ry"), "{value}");
        }
        for text in [
            "{reason=reset of a token, target=i-0}",
            "the password: nobody knows it",
            "{\"a\": \"streamUrl\", \"b",
        ] {
            let mut harmless = json!(text);
            strip(&mut harmless);
            assert_eq!(harmless, text);
        }
    }

    #[test]
    fn no_secret_is_left_in_json_that_is_cut_off_or_behind_other_words() {
        for mut value in [
            json!({"body": r#"{"tokenValue":"c4n4ry","x"#}),
            json!(r#"{"body":"{\"token_value\":\"c4n4ry\",\"x"#),
            json!(r#"{"a":"{\\\"streamUrl\\\" : \\\"wss://c4n4ry"#),
            json!(r#"INFO {"tokenValue":"c4n4ry"}"#),
            json!(r#"{"tokenValue":"c4n4ry"} {"tokenValue":"c4n4ry"}"#),
            json!(r#"{"token\u0056alue":"c4n4ry","#),
            json!(r#"{"body":"{\u0022tokenValue\u0022:\u0022c4n4ry"#),
            json!("{'streamUrl': 'wss://c4n4ry'}"),
            json!("202\u{fffd}-07-01T22:ütokenValue=c4n4ry"),
        ] {
            let text = value.to_string();
            assert!(Finder::new().unwrap().may_hold(text.as_bytes()), "{text}");
            strip(&mut value);
            assert!(!value.to_string().contains("c4n4ry"), "{value}");
        }
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
