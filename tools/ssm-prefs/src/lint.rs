//! Rules over a desired state or a document's content alone, without looking at AWS. The shape shows which it is.

mod desired;
mod names;

use cli::{DesiredState, Finding, Linted};
use serde_json::Value;

use crate::finding::{error, info, warning};
use crate::session_document::{self, INPUTS, Kind};

pub(crate) use self::desired::lint_desired;
use self::names::lint_name;

/// Longest profile that the console accepts; longer ones are refused there.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-shell-config.html>
const PROFILE_MAX_CHARACTERS: usize = 512;

/// Longest document content, in bytes. <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html>
const CONTENT_MAX_BYTES: usize = 64 * 1024;

const DESIRED: DesiredState = DesiredState {
    what: "desired preferences",
    invalid: "prefs.desired.invalid",
    other: "prefs.desired.other",
};

/// Returns what is wrong with a text; document content is known by its `schemaVersion`, `sessionType` or `inputs`.
pub(crate) fn lint(file: &Linted<'_>) -> Vec<Finding> {
    let (source, text) = (file.source, file.text);
    match cli::value(text).filter(is_content) {
        Some(document) => {
            let findings = lint_content(&document).into_iter();
            findings.map(|one| cli::at(source, text, one)).collect()
        }
        None => DESIRED.lint(file, lint_desired),
    }
}

/// Returns whether a value is a document's content, and no desired state.
fn is_content(value: &Value) -> bool {
    let mut keys = ["schemaVersion", "sessionType", "inputs"].iter();
    keys.any(|key| !value[*key].is_null())
}

/// Returns what is wrong with a document's content.
pub(crate) fn lint_content(content: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Value::Object(document) = content else {
        return vec![error(
            "content.type",
            "$",
            "the content is not a JSON object",
            "give an object with schemaVersion, sessionType and inputs",
        )];
    };
    if content["schemaVersion"] != "1.0" {
        findings.push(error(
            "content.schema_version",
            "$.schemaVersion",
            "agents accept Session documents of schema version \"1.0\" only",
            "set it to the string \"1.0\"",
        ));
    }
    let session_type = content["sessionType"].as_str().unwrap_or_default();
    if ![
        "Standard_Stream",
        "InteractiveCommands",
        "NonInteractiveCommands",
        "Port",
    ]
    .contains(&session_type)
    {
        findings.push(error(
            "content.session_type",
            "$.sessionType",
            "it is none of Standard_Stream, InteractiveCommands, NonInteractiveCommands, Port",
            "set Standard_Stream for preferences",
        ));
    }
    for key in document.keys() {
        if ![
            "schemaVersion",
            "description",
            "sessionType",
            "inputs",
            "parameters",
            "properties",
        ]
        .contains(&key.as_str())
        {
            findings.push(unknown_key(&format!("$.{key}")));
        }
    }
    match &content["inputs"] {
        Value::Object(inputs) => {
            for (key, value) in inputs {
                lint_input(key, value, &mut findings);
            }
            contradictions(content, &mut findings);
        }
        Value::Null if session_type != "Standard_Stream" => {}
        Value::Null => findings.push(error(
            "content.inputs",
            "$.inputs",
            "inputs is missing",
            "add the inputs object; {} keeps every default",
        )),
        _ => findings.push(error(
            "content.inputs",
            "$.inputs",
            "inputs is not an object",
            "give an object",
        )),
    }
    if content.to_string().len() > CONTENT_MAX_BYTES {
        findings.push(error(
            "content.size",
            "$",
            "the content is larger than 64 KB",
            "shorten the shell profile",
        ));
    }
    findings
}

fn unknown_key(path: &str) -> Finding {
    warning(
        "content.unknown_key",
        path,
        "Session Manager documents no such key; agents ignore it",
        "remove it or correct its spelling",
    )
}

fn lint_input(key: &str, value: &Value, findings: &mut Vec<Finding>) {
    let path = format!("$.inputs.{key}");
    let Some((_, kind)) = INPUTS.iter().find(|(name, _)| *name == key) else {
        findings.push(unknown_key(&path));
        return;
    };
    // `{{name}}` is filled in at session start, so neither type nor range can be judged here.
    if value
        .as_str()
        .is_some_and(|text| text.starts_with("{{") && text.ends_with("}}"))
    {
        return;
    }
    match (kind, value) {
        (Kind::Text, Value::String(text)) => lint_name(key, text, &path, findings),
        (Kind::Text, _) => findings.push(wrong_type(&path, "a string")),
        (Kind::Switch, Value::Bool(_)) => {}
        (Kind::Switch, Value::String(text)) if key == "cloudWatchStreamingEnabled" => findings
            .push(error(
                "content.type",
                &path,
                format!("\"{text}\" is a string; agents decode this switch as a boolean only"),
                "write true or false without quotes",
            )),
        (Kind::Switch, Value::String(text)) if text == "true" || text == "false" => {
            findings.push(warning(
                "content.type",
                &path,
                "the switch is a string; agents before 3.0.655.0 read booleans only",
                "write true or false without quotes",
            ))
        }
        (Kind::Switch, _) => findings.push(wrong_type(&path, "true or false")),
        (Kind::Minutes(most), Value::String(text)) => lint_minutes(text, *most, &path, findings),
        (Kind::Minutes(_), _) => findings.push(wrong_type(&path, "a string such as \"20\"")),
        (Kind::Profile, Value::Object(profile)) => lint_profile(profile, &path, findings),
        (Kind::Profile, _) => findings.push(wrong_type(&path, "an object with linux and windows")),
    }
}

fn wrong_type(path: &str, expected: &str) -> Finding {
    error(
        "content.type",
        path,
        format!("expected {expected}"),
        "correct the type",
    )
}

fn lint_minutes(text: &str, most: u32, path: &str, findings: &mut Vec<Finding>) {
    if text.is_empty() {
        return;
    }
    match text.parse::<u32>() {
        Ok(minutes) if (1..=most).contains(&minutes) && !text.starts_with(['0', '+']) => {
            // The pattern of this field in the SSM model, 1[0-4][0-3][0-9], leaves these gaps.
            if minutes > 1000 && minutes < 1440 && (minutes % 100) >= 40 {
                findings.push(warning(
                    "content.duration_gap",
                    path,
                    format!(
                        "{minutes} does not match the pattern that the API publishes for this field"
                    ),
                    "use 480, 720 or 1440",
                ));
            }
        }
        _ => findings.push(error(
            "content.range",
            path,
            format!("\"{text}\" is not a whole number of minutes from 1 to {most}"),
            "give a number in this range",
        )),
    }
}

fn lint_profile(profile: &serde_json::Map<String, Value>, path: &str, findings: &mut Vec<Finding>) {
    for (platform, text) in profile {
        let path = format!("{path}.{platform}");
        match text {
            _ if platform != "linux" && platform != "windows" => findings.push(unknown_key(&path)),
            Value::String(text) if text.chars().count() > PROFILE_MAX_CHARACTERS => {
                findings.push(error(
                    "content.profile_length",
                    &path,
                    format!(
                        "the profile has {} characters, {PROFILE_MAX_CHARACTERS} are allowed",
                        text.chars().count()
                    ),
                    "put the commands into a file on the nodes and start that",
                ))
            }
            Value::String(_) => {}
            _ => findings.push(wrong_type(&path, "a string")),
        }
    }
}

fn contradictions(document: &Value, findings: &mut Vec<Finding>) {
    let inputs = session_document::Inputs::of(document);
    // The console writes these switches by itself; agents read them only where a destination is named: shell.go, validate.
    let without = |findings: &mut Vec<Finding>, switch: &str, name: &str, what: &str| {
        if inputs.on(switch) && inputs.text(name).is_none() {
            findings.push(info(
                "content.contradiction",
                &format!("$.inputs.{switch}"),
                format!("{what}, but {name} is empty, so that it has no effect"),
                "name the destination or turn the switch off",
            ));
        }
    };
    without(
        findings,
        "s3EncryptionEnabled",
        "s3BucketName",
        "encryption of the S3 log is required",
    );
    without(
        findings,
        "cloudWatchEncryptionEnabled",
        "cloudWatchLogGroupName",
        "encryption of the CloudWatch log is required",
    );
    without(
        findings,
        "cloudWatchStreamingEnabled",
        "cloudWatchLogGroupName",
        "streaming to CloudWatch Logs is on",
    );
    if inputs.text("s3KeyPrefix").is_some() && inputs.text("s3BucketName").is_none() {
        findings.push(error(
            "content.contradiction",
            "$.inputs.s3KeyPrefix",
            "a prefix is given, but s3BucketName is empty",
            "name the bucket or remove the prefix",
        ));
    }
    if inputs.text("runAsDefaultUser").is_some() && !inputs.on("runAsEnabled") {
        findings.push(warning(
            "content.contradiction",
            "$.inputs.runAsDefaultUser",
            "a user is given, but runAsEnabled is off",
            "turn runAsEnabled on or remove the user",
        ));
    }
    run_as(inputs, findings);
}

/// Returns what is wrong with the user that sessions run as.
pub(crate) fn lint_run_as(content: &Value) -> Vec<Finding> {
    let mut findings = Vec::new();
    run_as(session_document::Inputs::of(content), &mut findings);
    findings
}

/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-run-as.html>
fn run_as(inputs: session_document::Inputs<'_>, findings: &mut Vec<Finding>) {
    if !inputs.on("runAsEnabled") {
        return;
    }
    let user = inputs.text("runAsDefaultUser").unwrap_or_default().trim();
    if user.is_empty() {
        findings.push(warning(
            "content.run_as_without_user",
            "$.inputs.runAsDefaultUser",
            "sessions run as a user, but none is named: every session is refused, except of callers with the tag SSMSessionRunAs",
            "name a user that exists on the nodes, or turn runAsEnabled off",
        ));
    }
    if user.contains(char::is_whitespace) {
        findings.push(error(
            "content.run_as_user",
            "$.inputs.runAsDefaultUser",
            format!(
                "'{user}' is not a user name: no node has such a user, so every session is refused"
            ),
            "name a user that exists on the nodes",
        ));
    }
    if user == "root" {
        findings.push(error(
            "content.run_as_root",
            "$.inputs.runAsDefaultUser",
            "agents refuse to run a session as root: every session is refused",
            "name another user",
        ));
    }
}
