//! What every reader of JSON says of a mistake, and how much it reads: the path, line and column, and never a secret.

use serde::de::DeserializeOwned;
use serde_path_to_error::Segment;

use crate::objects::Strict;

/// The most that is read of an input that is kept whole: desired states, plans, policies and documents have a thousandth of
/// it. One of a gigabyte, by mistake or on purpose, would take the memory of the machine several times over.
pub(crate) const MAX_BYTES: usize = 64 * 1024 * 1024;

/// Returns what a JSON value says.
///
/// # Errors
/// It has another shape; the path says where.
pub fn from_value<T: DeserializeOwned>(value: &serde_json::Value) -> anyhow::Result<T> {
    let read = serde_path_to_error::deserialize(value);
    read.map(|Strict(value)| value).map_err(locate)
}

/// What people call each desired state, the tool that reads it, and fields by which one is recognized: `-f` takes all of them, and
/// people take the wrong one.
const TELLTALES: [(&str, &str, &[&str]); 5] = [
    ("desired agents", "ssm-agentcheck", &["min_version", "imds"]),
    (
        "desired roles",
        "ssm-role",
        &["default_host_management", "instance_profiles"],
    ),
    (
        "desired preferences",
        "ssm-prefs",
        &["kms_key", "cloudwatch", "idle_timeout_minutes"],
    ),
    (
        "desired policy",
        "ssm-scp",
        &["policy_name", "exempt_principals"],
    ),
    ("desired alerts", "ssm-events", &["rule_name", "webhook"]),
];

/// Returns the tool whose desired state people call `what`.
pub(crate) fn tool_of(what: &str) -> Option<&'static str> {
    let mut rows = TELLTALES.iter();
    let (_, tool, _) = rows.find(|(one, ..)| *one == what)?;
    Some(tool)
}

/// Returns what a value looks like that is not what people call `what`.
pub(crate) fn kin(what: &str, value: &serde_json::Value) -> Option<String> {
    if let Some(kind) = value["kind"].as_str() {
        return Some(format!("a record of kind {kind}"));
    }
    let has = |fields: &[&str]| fields.iter().any(|field| value.get(field).is_some());
    let mut recognized = TELLTALES.iter().filter(|(_, _, fields)| has(fields));
    let (other, tool, _) = recognized.next()?;
    let is_own = *other == what || recognized.any(|(one, ..)| *one == what);
    (!is_own).then(|| format!("a desired state of {tool}"))
}

/// A mistake in a text.
#[derive(Debug)]
pub(crate) struct Mistake {
    /// The JSON path.
    pub(crate) path: String,
    pub(crate) line: usize,
    /// In bytes, as the parser counts.
    pub(crate) column: usize,
    pub(crate) message: String,
}

impl Mistake {
    /// Returns what a parser says, in parts.
    pub(crate) fn of(error: serde_path_to_error::Error<serde_json::Error>) -> Mistake {
        let path = path(error.path());
        let error = error.into_inner();
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let path = match unknown_name(&text).filter(|name| !is_word(name)) {
            Some(name) => path.replace(name, HIDDEN_NAME),
            None => path,
        };
        let message = without_secrets(&text);
        let place = format!(" at line {line} column {column}");
        let message = message.replacen(&place, "", 1);
        Mistake {
            path,
            line,
            column,
            message,
        }
    }
}

/// Adds to an error about a desired state, which people call `what`, that it looks like that of another tool, or like a record.
/// `is_layer` is whether it is one of the files of a directory.
pub(crate) fn of_other_tool(
    error: anyhow::Error,
    what: &str,
    value: &serde_json::Value,
    is_layer: bool,
) -> anyhow::Error {
    match kin(what, value) {
        Some(kin) if value["kind"].is_string() => {
            anyhow::anyhow!("{error:#}; this is {kin}, not a desired state")
        }
        Some(kin) if is_layer => anyhow::anyhow!(
            "{error:#}; this looks like {kin}; a directory holds layers of one tool"
        ),
        Some(kin) => anyhow::anyhow!("{error:#}; this looks like {kin}"),
        None => error,
    }
}

pub(crate) fn locate(error: serde_path_to_error::Error<serde_json::Error>) -> anyhow::Error {
    let path = path(error.path());
    let error = error.into_inner();
    anyhow::Error::msg(without_secrets(&format!("{path}: {error}")))
}

/// Returns the path as far as it is known: where JSON breaks off, the last step is not.
pub(crate) fn path(path: &serde_path_to_error::Path) -> String {
    let mut shown = "$".to_owned();
    for segment in path {
        match segment {
            Segment::Seq { index } => shown.push_str(&format!("[{index}]")),
            Segment::Map { key } => {
                let lower = key.to_ascii_lowercase();
                let mut starts = SECRETS.iter().filter(|(start, _)| lower.contains(start));
                let key = starts.next().map_or(key.as_str(), |(_, hidden)| hidden);
                shown.push_str(&format!(".{key}"));
            }
            Segment::Enum { variant } => shown.push_str(&format!(".{variant}")),
            Segment::Unknown => {}
        }
    }
    shown
}

/// What begins a secret: a web address, which may be a webhook, or a token of Slack. Whoever may read a webhook's address may post there.
/// <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>, <https://docs.slack.dev/authentication/tokens>
const SECRETS: [(&str, &str); 6] = [
    ("https:", "(a web address, not shown)"),
    ("http:", "(a web address, not shown)"),
    ("xoxb-", "(a token, not shown)"),
    ("xoxp-", "(a token, not shown)"),
    ("xoxe", "(a token, not shown)"),
    ("xapp-", "(a token, not shown)"),
];
const ADVICE: &str = "; a secret is named by where it is, as in {\"env\": \"NAME\"} or {\"file\": \"PATH\"}, never written here";

/// Takes secrets out of a message that quotes what was found: one written in the wrong place, as a name even, would be on stderr, and
/// so in logs.
pub(crate) fn without_secrets(message: &str) -> String {
    let (message, mut is_hidden) = match unknown_name(message).filter(|name| !is_word(name)) {
        Some(name) => (message.replace(name, HIDDEN_NAME), true),
        None => (message.to_owned(), false),
    };
    let lower = message.to_ascii_lowercase();
    let (mut shown, mut rest) = (String::new(), 0);
    let begin = |from: usize| {
        let starts = SECRETS.iter();
        let found =
            starts.filter_map(|(start, hidden)| Some((lower[from..].find(start)?, *hidden)));
        found.min()
    };
    while let Some((at, hidden)) = begin(rest) {
        let at = rest + at;
        let is_end = |c: char| c.is_whitespace() || "`\"'<>".contains(c);
        let end = message[at..]
            .find(is_end)
            .map_or(message.len(), |length| at + length);
        shown.push_str(&message[rest..at]);
        shown.push_str(hidden);
        rest = end;
        is_hidden = true;
    }
    shown.push_str(&message[rest..]);
    if is_hidden {
        shown.push_str(ADVICE);
    }
    shown
}

const HIDDEN_NAME: &str = "(a name, not shown)";

/// Returns the name of which a parser says that it is not one.
fn unknown_name(message: &str) -> Option<&str> {
    let starts = ["unknown field `", "unknown variant `"].into_iter();
    let rest = starts
        .filter_map(|start| message.split_once(start))
        .next()?;
    let rest = rest.1;
    let end = ["`, expected ", "`, there are no "].into_iter();
    let end = end.filter_map(|end| rest.find(end)).min();
    Some(&rest[..end.unwrap_or(rest.len())]).filter(|name| !name.is_empty())
}

/// Returns whether a name can be one that was mistyped, and not a key or token: those have digits in them.
fn is_word(name: &str) -> bool {
    let is_good = |byte: u8| byte.is_ascii_alphanumeric() || b"_-. ".contains(&byte);
    let n_digits = name.bytes().filter(u8::is_ascii_digit).count();
    name.len() <= 40 && n_digits <= 3 && name.bytes().all(is_good)
}
