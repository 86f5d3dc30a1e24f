//! What must never be printed: tokens, stream URLs and credentials that records carry.

use std::borrow::Cow;

use aho_corasick::AhoCorasick;
use serde_json::Value;

/// The letters of members that hold a secret, wherever they are and however a store spells them: `tokenValue`, `token_value`,
/// `responseElements.tokenValue`. A stream URL with its token is the session itself.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html>
const SECRET: [&str; 8] = [
    "tokenvalue",
    "streamurl",
    "sessiontoken",
    "secretaccesskey",
    "accesstoken",
    // Of ssm-guiconnect and of older documents.
    "connectionkey",
    "connectiontoken",
    "activationcode",
];
/// A word that people write, too: "the password: nobody knows it" has no secret in it.
const PASSWORD: &str = "password";
/// Members that name what the next member holds, and what they name: `{"Key": "tokenValue", "Value": ".."}`.
const NAMING: [&str; 2] = ["key", "name"];
const NAMED: [&str; 2] = ["value", "values"];

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
    strip_each(value, &mut |_| {});
}

/// Replaces every secret in a value, after `each` has seen the member that has it.
pub(crate) fn strip_each(value: &mut Value, each: &mut impl FnMut(&Value)) {
    match value {
        Value::Object(members) => {
            let is_named = members.iter().any(|(name, member)| {
                is_one_of(&NAMING, name) && member.as_str().is_some_and(is_secret)
            });
            for (name, member) in members {
                let is_value = is_named && is_one_of(&NAMED, name);
                if (is_value || is_secret(name)) && !member.is_null() {
                    each(member);
                    *member = Value::from(STRIPPED);
                } else {
                    strip_each(member, each);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| strip_each(item, each)),
        // LookupEvents and SQS carry records as text.
        Value::String(text) => match inner(text) {
            Some(mut inner) => {
                strip_each(&mut inner, each);
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

/// Returns whether a text that is not JSON gives a secret its name: CloudTrail Lake writes structures as
/// `{tokenValue=.., sessionId=..}`, logs have JSON behind other words, and what is cut off is JSON no more. The parts of an ARN are not
/// names, as of a function `NewAccessToken`.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetQueryResults.html>
fn names_secret(text: &str) -> bool {
    let text = unescaped(text);
    let is_arn = text.starts_with("arn:") && !text.contains(char::is_whitespace);
    text.match_indices(['=', ':']).any(|(at, sign)| {
        let before = text[..at].trim_end();
        // In JSON within JSON each quote has a backslash before it.
        let name = before.trim_end_matches(['"', '\'', '\\']);
        let is_quoted = name.len() < before.len();
        let mut words = name.rsplit(|c: char| !c.is_ascii_alphanumeric() && !"_-.".contains(c));
        let name = words.next().unwrap_or_default();
        let is_sign = sign == "=" || is_quoted;
        is_sign && is_secret(name) || !is_arn && is_of_two_words(name)
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

/// Returns the JSON text that is printed in place of a secret.
pub(crate) fn stripped() -> String {
    Value::from(STRIPPED).to_string()
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
    is_of_two_words(name) || ends_with(name, PASSWORD)
}

/// As [`is_secret`], of a name that nobody writes in a sentence.
fn is_of_two_words(name: &str) -> bool {
    SECRET.iter().any(|secret| ends_with(name, secret))
}

fn ends_with(name: &str, secret: &str) -> bool {
    let mut rest = name.bytes().rev().filter(u8::is_ascii_alphanumeric);
    let mut letters = secret.bytes().rev();
    letters.all(|letter| {
        rest.next()
            .is_some_and(|byte| byte.eq_ignore_ascii_case(&letter))
    })
}

fn is_one_of(names: &[&str], name: &str) -> bool {
    names.iter().any(|one| name.eq_ignore_ascii_case(one))
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
    fn no_secret_is_left_beside_its_name_or_behind_a_colon() {
        for mut value in [
            json!({"additionalEventData": [{"Key": "tokenValue", "Value": "c4n4ry"}]}),
            json!({"name": "streamUrl", "value": "wss://c4n4ry"}),
            json!({"values": ["c4n4ry"], "key": "db/Password"}),
            json!(r#"[{"key":"session_token","value":"c4n4ry"}]"#),
            json!({"errorMessage": "tokenValue: c4n4ry"}),
            json!({"x": "{tokenValue: c4n4ry}"}),
            json!("no stream-url:wss://c4n4ry"),
            json!("arn:aws:x of accessToken:c4n4ry"),
        ] {
            let text = value.to_string();
            assert!(Finder::new().unwrap().may_hold(text.as_bytes()), "{text}");
            strip(&mut value);
            assert!(!value.to_string().contains("c4n4ry"), "{value}");
        }
        for harmless in [
            json!({"name": "a token", "value": "v"}),
            json!({"name": "tokenValue", "label": "v"}),
            json!("arn:aws:lambda:eu-central-1:111122223333:function:NewAccessToken:live"),
            json!("not authorized to perform: sts:GetSessionToken"),
        ] {
            let mut value = harmless.clone();
            strip(&mut value);
            assert_eq!(value, harmless);
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
