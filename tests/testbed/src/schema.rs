//! Holds every record that a tool prints to the JSON Schema that the same binary prints, whatever a test looks at.

mod validate;

use std::collections::HashMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use serde_json::{Value, json};

/// Verbs that print documents of AWS or of other programs, one a line or as text. What has a `kind` among it is a record.
const OF_DOCUMENTS: [(&str, &str); 13] = [
    ("ssm-prefs", "render"),
    ("ssm-role", "policy"),
    ("ssm-role", "render"),
    ("ssm-scp", "render"),
    ("ssm-events", "pattern"),
    ("ssm-events", "render"),
    ("ssm-events", "match"),
    ("ssm-events", "format"),
    ("ssm-events", "history"),
    ("ssm-events", "reconcile"),
    ("ssm-events", "report"),
    ("ssm-agentcheck", "render"),
    ("ssm-vulns", "sbom"),
];

/// Flags that make something else of the records.
const OTHERWISE: [&str; 11] = [
    "--jq",
    "--generate",
    "--help",
    "help",
    "-h",
    "--version",
    "-V",
    "--html",
    "--output=text",
    "--output=csv",
    "-otext",
];

/// The schemas of binaries that have run.
static SCHEMAS: LazyLock<Mutex<HashMap<PathBuf, Arc<Value>>>> = LazyLock::new(Mutex::default);

/// Fails the test when a record that a tool has printed does not fit the tool's own schema.
pub(crate) fn hold(program: &Path, arguments: &[OsString], stdout: &str) {
    let name = program.file_name().unwrap_or_default().to_string_lossy();
    let Some(prints) = prints(&name, arguments) else {
        return;
    };
    // A binary that was killed may have left half a line.
    for line in stdout
        .split_inclusive('\n')
        .filter_map(|line| line.strip_suffix('\n'))
    {
        let record: Value = match serde_json::from_str(line) {
            Ok(record) => record,
            Err(_) if prints == Prints::Documents => continue,
            Err(error) => panic!("{name}: {error} in this record: {line}"),
        };
        match record["kind"].as_str() {
            Some(kind) => {
                if let Some(complaint) = complaint(program, kind, &record) {
                    panic!("{name} --generate schema: {complaint} in this record: {line}");
                }
            }
            None if prints == Prints::Documents => {}
            None => panic!("{name}: a record without kind: {line}"),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Prints {
    Records,
    Documents,
}

/// Returns what a run prints; none for what is not a tool, and for text.
fn prints(name: &str, arguments: &[OsString]) -> Option<Prints> {
    if !name.starts_with("ssm-") {
        return None;
    }
    let words = arguments.iter().map(|word| word.to_string_lossy());
    let words: Vec<_> = words.take_while(|word| word != "--").collect();
    let is_otherwise = |word: &str| {
        let flag = word.split('=').next().unwrap_or_default();
        OTHERWISE.contains(&word) || (flag != "--output" && OTHERWISE.contains(&flag))
    };
    let is_text = words
        .windows(2)
        .any(|pair| ["-o", "--output"].contains(&pair[0].as_ref()) && pair[1] != "json");
    if is_text || words.iter().any(|word| is_otherwise(word)) {
        return None;
    }
    let is_of_documents = |verb: &str| OF_DOCUMENTS.contains(&(name, verb));
    match words.iter().any(|word| is_of_documents(word)) {
        true => Some(Prints::Documents),
        false => Some(Prints::Records),
    }
}

/// Returns what is wrong with a record, with the path of it.
fn complaint(program: &Path, kind: &str, record: &Value) -> Option<String> {
    let schema = schema(program);
    let reference = format!("#/$defs/{kind}");
    let is_listed = schema["anyOf"]
        .as_array()
        .is_some_and(|kinds| kinds.iter().any(|one| one["$ref"] == *reference));
    if !is_listed {
        return Some(format!("there is no kind '{kind}'"));
    }
    let errors = validate::complaints(&schema, &json!({ "$ref": reference }), record);
    (!errors.is_empty()).then(|| errors.join("; "))
}

fn schema(program: &Path) -> Arc<Value> {
    let mut schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
    let schema = schemas.entry(program.to_owned()).or_insert_with(|| {
        let printed = std::process::Command::new(program)
            .args(["--generate", "schema"])
            .env_clear()
            .output()
            .expect("run --generate schema");
        Arc::new(serde_json::from_slice(&printed.stdout).expect("the schema is JSON"))
    });
    Arc::clone(schema)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::path::Path;
    use std::sync::{Arc, PoisonError};

    use serde_json::json;

    use super::{Prints, SCHEMAS, hold, prints};

    fn of(name: &str, arguments: &str) -> Option<Prints> {
        let words: Vec<OsString> = arguments.split(' ').map(OsString::from).collect();
        prints(name, &words)
    }

    #[test]
    fn text_filters_and_documents_are_no_records() {
        assert_eq!(of("ssm-prefs", "plan -f x"), Some(Prints::Records));
        assert_eq!(of("ssm-run", "-o json -- ls --jq"), Some(Prints::Records));
        assert_eq!(of("ssm-prefs", "render"), Some(Prints::Documents));
        for other in [
            "show -o text",
            "show --output=text",
            "lint -o sarif x.json",
            "show --jq .",
            "--generate=schema",
            "plan --help",
        ] {
            assert_eq!(of("ssm-prefs", other), None, "{other}");
        }
        assert_eq!(of("sh", "-c x"), None);
    }

    /// Holds to the schema of a tool that has one kind of record.
    fn printed(stdout: &str) {
        let tool = Path::new("/nowhere/ssm-made-up");
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "anyOf": [{"$ref": "#/$defs/thing"}],
            "$defs": {"thing": {"properties": {"inner": {"properties": {"count": {"type": "integer"}}}}}},
        });
        let mut schemas = SCHEMAS.lock().unwrap_or_else(PoisonError::into_inner);
        schemas.insert(tool.to_owned(), Arc::new(schema));
        drop(schemas);
        hold(tool, &[OsString::from("show")], stdout);
    }

    #[test]
    fn a_record_that_fits_and_half_a_line_pass() {
        printed("{\"kind\":\"thing\",\"inner\":{\"count\":1}}\n{\"kind\":");
    }

    #[test]
    #[should_panic(expected = "$.inner.count")]
    fn a_record_that_does_not_fit_fails_with_its_path() {
        printed("{\"kind\":\"thing\",\"inner\":{\"count\":\"one\"}}\n");
    }

    #[test]
    #[should_panic(expected = "there is no kind 'other'")]
    fn a_kind_that_the_schema_lacks_fails() {
        printed("{\"kind\":\"other\"}\n");
    }

    #[test]
    #[should_panic(expected = "a record without kind")]
    fn a_record_without_kind_fails() {
        printed("{\"thing\":1}\n");
    }
}
