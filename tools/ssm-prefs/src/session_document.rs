//! The content of a Session document: its keys, its meaning apart from spelling, and how desired state is laid over it.
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html>

use std::collections::BTreeSet;

use cli::Target;
use serde_json::{Map, Value, json};

use crate::model::{Desired, KmsKey, S3, Shell};

/// What a key of `inputs` may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Switch,
    /// A whole number of minutes, written as a string, from 1 to this.
    Minutes(u32),
    Profile,
}

/// All keys of `inputs` that AWS documents, in the order in which they are written.
pub(crate) const INPUTS: [(&str, Kind); 12] = [
    ("s3BucketName", Kind::Text),
    ("s3KeyPrefix", Kind::Text),
    ("s3EncryptionEnabled", Kind::Switch),
    ("cloudWatchLogGroupName", Kind::Text),
    ("cloudWatchEncryptionEnabled", Kind::Switch),
    ("cloudWatchStreamingEnabled", Kind::Switch),
    ("idleSessionTimeout", Kind::Minutes(60)),
    ("maxSessionDuration", Kind::Minutes(1440)),
    ("kmsKeyId", Kind::Text),
    ("runAsEnabled", Kind::Switch),
    ("runAsDefaultUser", Kind::Text),
    ("shellProfile", Kind::Profile),
];

/// The first line of a Linux profile that prefers bash. The agent types it into /bin/sh, so where bash is missing the
/// test fails and the session stays in sh; the lines that follow are read by whichever shell runs then.
pub(crate) const START_BASH: &str = "[ -x /bin/bash ] && exec /bin/bash";

/// Returns the document that results when desired state is laid over the live content, if any.
///
/// Live fields that are not mentioned are kept, unless `exact` is set.
pub(crate) fn render(desired: &Desired, live: Option<&Value>, target: Option<&Target>) -> Value {
    let mut document = match live {
        Some(Value::Object(live)) if !desired.exact => live.clone(),
        _ => Map::new(),
    };
    let live_inputs = document
        .get("inputs")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let inputs = lay_over(desired, &live_inputs, target);
    document.insert("schemaVersion".to_owned(), json!("1.0"));
    document
        .entry("description")
        .or_insert_with(|| json!("Session Manager preferences"));
    document.insert("sessionType".to_owned(), json!("Standard_Stream"));
    document.insert("inputs".to_owned(), Value::Object(inputs));
    Value::Object(document)
}

fn lay_over(
    desired: &Desired,
    live: &Map<String, Value>,
    target: Option<&Target>,
) -> Map<String, Value> {
    let mut new: Map<String, Value> = live.clone();
    let mut set = |key: &str, value: Value| {
        new.insert(key.to_owned(), value);
    };
    if let Some(s3) = &desired.s3 {
        set(
            "s3BucketName",
            json!(
                s3.as_ref()
                    .map(|s3| expand(&s3.bucket, target))
                    .unwrap_or_default()
            ),
        );
        set(
            "s3KeyPrefix",
            json!(s3.as_ref().map(|s3| s3.prefix.clone()).unwrap_or_default()),
        );
        set(
            "s3EncryptionEnabled",
            json!(s3.as_ref().is_some_and(|s3| s3.encrypted)),
        );
    }
    if let Some(logs) = &desired.cloudwatch {
        set(
            "cloudWatchLogGroupName",
            json!(
                logs.as_ref()
                    .map(|l| expand(&l.log_group, target))
                    .unwrap_or_default()
            ),
        );
        set(
            "cloudWatchEncryptionEnabled",
            json!(logs.as_ref().is_some_and(|logs| logs.encrypted)),
        );
        set(
            "cloudWatchStreamingEnabled",
            json!(logs.as_ref().is_some_and(|logs| logs.streaming)),
        );
    }
    if let Some(minutes) = desired.idle_timeout_minutes {
        set(
            "idleSessionTimeout",
            json!(
                minutes
                    .map(|minutes| minutes.to_string())
                    .unwrap_or_default()
            ),
        );
    }
    if let Some(minutes) = desired.max_duration_minutes {
        set(
            "maxSessionDuration",
            json!(
                minutes
                    .map(|minutes| minutes.to_string())
                    .unwrap_or_default()
            ),
        );
    }
    if let Some(key) = &desired.kms_key {
        set(
            "kmsKeyId",
            json!(key.as_ref().map(key_reference).unwrap_or_default()),
        );
    }
    if let Some(run_as) = &desired.run_as {
        set("runAsEnabled", json!(run_as.is_some()));
        set(
            "runAsDefaultUser",
            json!(
                run_as
                    .as_ref()
                    .map(|run_as| run_as.user.clone())
                    .unwrap_or_default()
            ),
        );
    }
    if desired.shell.is_some() || desired.shell_profile.is_some() {
        set(
            "shellProfile",
            shell_profile(desired, live.get("shellProfile")),
        );
    }
    // Known keys first and in a fixed order, so that the same state gives the same bytes; then whatever else was live.
    let mut ordered = Map::new();
    for (key, kind) in INPUTS {
        let empty = || match kind {
            Kind::Switch => json!(false),
            Kind::Profile => json!({ "windows": "", "linux": "" }),
            Kind::Text | Kind::Minutes(_) => json!(""),
        };
        ordered.insert(key.to_owned(), new.remove(key).unwrap_or_else(empty));
    }
    ordered.extend(new);
    ordered
}

fn shell_profile(desired: &Desired, live: Option<&Value>) -> Value {
    let live_text = |platform: &str| {
        live.and_then(|p| p[platform].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    let (linux, windows) = match &desired.shell_profile {
        Some(Some(profile)) => (profile.linux.clone(), profile.windows.clone()),
        Some(None) => (Some(String::new()), Some(String::new())),
        None => (desired.shell.map(|_| String::new()), None),
    };
    let mut linux = linux.unwrap_or_else(|| live_text("linux"));
    if desired.shell == Some(Shell::Bash) && !linux.starts_with(START_BASH) {
        linux = if linux.is_empty() {
            START_BASH.to_owned()
        } else {
            format!("{START_BASH}\n{linux}")
        };
    }
    json!({ "windows": windows.unwrap_or_else(|| live_text("windows")), "linux": linux })
}

/// Returns how the document names the key: alias or ARN, as the user wrote it.
pub(crate) fn key_reference(key: &KmsKey) -> String {
    key.alias
        .clone()
        .or_else(|| key.arn.clone())
        .unwrap_or_default()
}

/// Replaces `{account}` and `{region}`; offline, where neither is known, they stay.
/// Returns the transcripts that are to be held, as `BUCKET/KEY`. Agents name them after the session: agent/session/shell/shell.go.
pub(crate) fn held(s3: &S3, target: &Target) -> BTreeSet<String> {
    let bucket = expand(&s3.bucket, Some(target));
    let below = match s3.prefix.trim_matches('/') {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    };
    let ids = s3.legal_hold.iter();
    ids.map(|id| format!("{bucket}/{below}{id}.log")).collect()
}

pub(crate) fn expand(text: &str, target: Option<&Target>) -> String {
    match target {
        Some(target) => text
            .replace("{account}", &target.account)
            .replace("{region}", &target.region),
        None => text.to_owned(),
    }
}

/// Returns the content reduced to what it means: switches as booleans, no empty or false entries, no description.
///
/// The console writes some switches as strings and agents read both; an absent switch is off, an empty string unset.
pub(crate) fn normalized(content: &Value) -> Value {
    let Value::Object(document) = content else {
        return content.clone();
    };
    let mut reduced: Map<String, Value> = document.clone();
    reduced.remove("description");
    if let Some(Value::Object(inputs)) = reduced.get("inputs").cloned() {
        let kept = inputs
            .into_iter()
            .map(|(key, value)| (key.clone(), input_meaning(&key, value)));
        let kept: Map<String, Value> = kept.filter(|(_, value)| !is_unset(value)).collect();
        reduced.insert("inputs".to_owned(), Value::Object(kept));
    }
    // Key order carries no meaning; `preserve_order` maps compare without it.
    Value::Object(reduced)
}

fn input_meaning(key: &str, value: Value) -> Value {
    let switch = INPUTS
        .iter()
        .any(|(name, kind)| *name == key && *kind == Kind::Switch);
    match value {
        Value::String(text) if switch && text == "true" => json!(true),
        Value::String(text) if switch && text == "false" => json!(false),
        Value::Object(entries) => {
            Value::Object(entries.into_iter().filter(|(_, v)| !is_unset(v)).collect())
        }
        other => other,
    }
}

fn is_unset(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Object(entries) => entries.is_empty(),
        _ => false,
    }
}

/// The inputs of a document by meaning, for the rules that look at single settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Inputs<'a>(&'a Value);

impl<'a> Inputs<'a> {
    /// Returns the inputs of a document's content.
    pub(crate) fn of(content: &'a Value) -> Inputs<'a> {
        Inputs(&content["inputs"])
    }

    /// Returns a text setting; `None` when it is empty, absent or not a string.
    pub(crate) fn text(self, key: &str) -> Option<&'a str> {
        self.0[key].as_str().filter(|text| !text.is_empty())
    }

    /// Returns a switch, written as a boolean or as a string.
    pub(crate) fn on(self, key: &str) -> bool {
        self.0[key].as_bool().unwrap_or(self.0[key] == "true")
    }
}

/// Returns a document without the inputs that whoever starts a session gives: `{{ name }}`.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-schema.html>
pub(crate) fn without_parameters(content: &Value) -> Value {
    let mut content = content.clone();
    if let Some(Value::Object(inputs)) = content.get_mut("inputs") {
        inputs.retain(|_, value| !value.to_string().contains("{{"));
    }
    content
}
