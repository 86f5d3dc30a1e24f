//! The text form of a structure: `{type=IAMUser, arn=arn:aws:iam::111122223333:user/ann}`, a list in it as `[a, b]`, and JSON where
//! CloudTrail Lake keeps what is deeper. Nothing in it is quoted, so that a text a caller wrote, as the reason of a session, can
//! look like what stands between members. It is the text of the value before it unless it has the shape of a member; brackets that
//! do not pair, and a member that is there twice, are not read. A member that is not there otherwise cannot be
//! distinguished from one that a caller made up.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/query-supported-event-schemas.html>

use serde_json::{Map, Value};

use crate::names::name;
use crate::value::{parse, prefix};

/// A deeper one is none of CloudTrail's.
const DEEPEST: usize = 16;

/// Returns the structure that a text is, as a whole.
pub(crate) fn of(text: &str) -> Option<Value> {
    nested(text, 0)
}

fn nested(text: &str, depth: usize) -> Option<Value> {
    if depth > DEEPEST {
        return None;
    }
    let within = |begin: char, end: char| text.strip_prefix(begin)?.strip_suffix(end);
    if let Some(inner) = within('{', '}') {
        return members(inner, depth);
    }
    let items = parts(within('[', ']')?, |_| true)?;
    let items = items.into_iter().map(|item| value(item, depth + 1));
    Some(Value::Array(items.collect::<Option<_>>()?))
}

fn members(inner: &str, depth: usize) -> Option<Value> {
    let mut members = Map::new();
    for part in parts(inner, |part| key(part).is_some())? {
        let key = key(part)?;
        let value = value(&part[key.len() + 1..], depth + 1)?;
        // Of two, one is a text of the caller's.
        if members.insert(name(key).to_owned(), value).is_some() {
            return None;
        }
    }
    Some(Value::Object(members))
}

fn value(text: &str, depth: usize) -> Option<Value> {
    if matches!(text, "null" | "") {
        return Some(Value::Null);
    }
    if is_json(text)
        && let Ok(value) = parse(text)
    {
        return Some(value);
    }
    if text.starts_with(['{', '[']) && bracketed(text, 0)? == text.len() {
        // A word in braces is a text. What has a member or a name of JSON in it should have been read.
        let is_plain = text.starts_with('{') && !text.contains(['=', ':']);
        return nested(text, depth).or_else(|| is_plain.then(|| Value::from(text)));
    }
    Some(Value::from(text))
}

/// Returns the key that a member begins with. Attributes of a provider of identities have its address in theirs.
fn key(part: &str) -> Option<&str> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.:/".contains(&byte);
    let end = part.bytes().position(|byte| !is_name(byte))?;
    let (key, rest) = part.split_at(end);
    let is_key = rest.starts_with('=')
        && key.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    is_key.then_some(key)
}

/// Splits what is within brackets at the commas that no bracket has in it. A part that does not begin as one belongs to the one
/// before it. `None` where brackets do not pair.
fn parts(inner: &str, begins: impl Fn(&str) -> bool) -> Option<Vec<&str>> {
    let mut parts = Vec::new();
    if inner.is_empty() {
        return Some(parts);
    }
    let (mut begin, mut at) = (0, 0);
    while at < inner.len() {
        let rest = &inner[at..];
        match rest.as_bytes()[0] {
            b'{' | b'[' => at = bracketed(inner, at)?,
            b'}' | b']' => return None,
            b',' if rest.starts_with(", ") && begins(&rest[2..]) => {
                parts.push(&inner[begin..at]);
                at += 2;
                begin = at;
            }
            _ => at += rest.chars().next()?.len_utf8(),
        }
    }
    parts.push(&inner[begin..]);
    Some(parts)
}

/// Returns where the brackets end that begin at a place.
fn bracketed(text: &str, begin: usize) -> Option<usize> {
    // A text of JSON may have any brackets in it.
    let rest = &text[begin..];
    if is_json(rest)
        && let Some(length) = prefix(rest)
    {
        return Some(begin + length);
    }
    let (mut open, mut at) = (Vec::new(), begin);
    loop {
        let rest = &text[at..];
        if at > begin
            && is_json(rest)
            && let Some(length) = prefix(rest)
        {
            at += length;
            continue;
        }
        let bracket = *rest.as_bytes().first()?;
        // `]` and `}` follow `[` and `{` in ASCII at the same distance.
        let fits = match bracket {
            b'{' | b'[' => {
                open.push(bracket);
                open.len() <= DEEPEST
            }
            b'}' | b']' => open.pop()? + 2 == bracket,
            _ => true,
        };
        if !fits {
            return None;
        }
        at += rest.chars().next()?.len_utf8();
        if open.is_empty() {
            return Some(at);
        }
    }
}

/// Whether a text begins as JSON does, and no list of plain texts or member.
fn is_json(text: &str) -> bool {
    ["{\"", "[\"", "[{\"", "[[", "{}", "[]"]
        .iter()
        .any(|begin| text.starts_with(begin))
}
