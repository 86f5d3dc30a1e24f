//! SARIF 2.1.0 as code scanning reads it: a rule for each ID, a result for each finding, and what could not be read as
//! notifications of a run that was not successful.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
//!
//! The crate `serde-sarif` has all of the format, by a build script with a parser of JSON Schema and two more versions of `syn`;
//! tests hold these few objects to the published schema instead.

use std::collections::HashMap;
use std::path::{Component, Path};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use records::{Finding, Severity};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Position, Report, Run, place, subject};
use crate::visible;

/// What a path in a URI keeps. <https://www.rfc-editor.org/rfc/rfc3986#section-2.3>
const PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// Returns the document.
pub(super) fn document(report: &Report, run: &Run<'_>) -> Value {
    let (unknown, found): (Vec<_>, Vec<_>) = report.findings.iter().partition(|one| one.is_unread);
    let mut rules: Vec<Value> = Vec::new();
    let mut index_of: HashMap<&str, usize> = HashMap::new();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut results = Vec::new();
    for finding in found {
        let index = *index_of.entry(&finding.id).or_insert_with(|| {
            rules.push(rule(finding, run));
            rules.len() - 1
        });
        let hash = fingerprint(finding);
        let nth = seen.entry(hash.clone()).or_insert(0);
        *nth += 1;
        let fingerprint = format!("{hash}:{nth}");
        results.push(json!({
            "ruleId": finding.id,
            "ruleIndex": index,
            "level": level(finding.severity),
            "message": {"text": message(finding)},
            "locations": [location(finding, run)],
            // The first is the one that GitHub keeps alerts apart by.
            // https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning
            "partialFingerprints": {"primaryLocationLineHash": fingerprint, "finding/v1": fingerprint},
        }));
    }
    let of_unknown = unknown.into_iter().map(|finding| {
        json!({"level": "error", "descriptor": {"id": finding.id}, "message": {"text": message(finding)},
            "locations": [location(finding, run)]})
    });
    let of_unreachable = report.unreachable.iter().map(|one| {
        let target = one.target.to_string();
        json!({"level": "error", "descriptor": {"id": "unreachable"},
            "message": {"text": format!("{target} could not be read: {}", visible(&one.error))},
            "locations": [{"logicalLocations": [{"fullyQualifiedName": target, "kind": "resource"}]}]})
    });
    let of_error = run.error.iter().map(|error| {
        json!({"level": "error", "descriptor": {"id": "error"}, "message": {"text": visible(error)}})
    });
    let notifications: Vec<Value> = of_unknown.chain(of_unreachable).chain(of_error).collect();
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {"name": run.tool, "version": env!("CARGO_PKG_VERSION"), "rules": rules}},
            // One upload does not replace that of another tool.
            "automationDetails": {"id": format!("{}/", run.tool)},
            "invocations": [{"executionSuccessful": notifications.is_empty(), "toolExecutionNotifications": notifications}],
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(finding: &Finding, run: &Run<'_>) -> Value {
    let mut rule = json!({
        "id": finding.id,
        "shortDescription": {"text": crate::title(&finding.id)},
        "help": {"text": visible(&finding.fix)},
        "defaultConfiguration": {"level": level(finding.severity)},
        "properties": {"tags": ["security"]},
    });
    if let Some(documents) = run.documents {
        rule["helpUri"] = json!(format!("{documents}/findings.html#{}", run.tool));
    }
    rule
}

fn level(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "note",
    }
}

fn message(finding: &Finding) -> String {
    let place = finding
        .target
        .as_ref()
        .map_or_else(String::new, |target| format!("[{target}] "));
    let text = format!(
        "{place}{}: {}; fix: {}",
        subject(finding),
        finding.message,
        finding.fix
    );
    visible(&text).into_owned()
}

/// What is about a resource is shown at the desired state that it differs from: code scanning shows nothing that is not in a file.
fn location(finding: &Finding, run: &Run<'_>) -> Value {
    let subject = subject(finding);
    let place = place(finding);
    let name = [place.as_str(), &subject]
        .into_iter()
        .filter(|part| !part.is_empty());
    let name = name.collect::<Vec<_>>().join("/");
    let mut location = json!({"logicalLocations": [{"name": subject, "fullyQualifiedName": visible(&name), "kind": "resource"}]});
    let (file, line_and_column) = match Position::of(finding) {
        Some(position) => (Some(Path::new(position.file)), position.line_and_column),
        None => (run.file.as_deref().filter(|file| !file.is_dir()), None),
    };
    if let Some(file) = file {
        let (line, column) = line_and_column.unwrap_or((1, 1));
        location["physicalLocation"] = json!({
            "artifactLocation": artifact(file),
            "region": {"startLine": line, "startColumn": column},
        });
    }
    location
}

fn artifact(file: &Path) -> Value {
    let is_current = |part: &Component<'_>| matches!(part, Component::CurDir);
    let path: std::path::PathBuf = file.components().filter(|part| !is_current(part)).collect();
    let path = path.to_string_lossy();
    let uri = utf8_percent_encode(&path, PATH).to_string();
    match file.is_absolute() {
        true => json!({"uri": format!("file://{uri}")}),
        false => json!({"uri": uri, "uriBaseId": "%SRCROOT%"}),
    }
}

/// Returns what a finding is known by from one run to the next: neither what its message counts nor the lines above it.
fn fingerprint(finding: &Finding) -> String {
    let text = [&*finding.id, &*place(finding), &*subject(finding)].join("\0");
    let hash = Sha256::digest(text.as_bytes());
    hash.iter()
        .take(16)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use records::Severity;
    use serde_json::json;

    use super::super::tests::{finding, report, run};
    use super::{document, fingerprint};

    #[test]
    fn results_have_rules_places_and_levels() {
        let document = document(&report(), &run());
        let run = &document["runs"][0];
        let rules = &run["tool"]["driver"]["rules"];
        assert_eq!(rules[0]["id"], "x.key.absent");
        assert_eq!(
            rules[0]["helpUri"],
            "https://docs.example/ssm/findings.html#ssm-x"
        );
        let results = run["results"].as_array().unwrap();
        let levels: Vec<_> = results
            .iter()
            .map(|one| one["level"].as_str().unwrap())
            .collect();
        assert_eq!(levels, ["error", "note", "warning"]);
        for (index, result) in results.iter().enumerate() {
            assert_eq!(result["ruleIndex"], index);
            assert_eq!(rules[index]["id"], result["ruleId"]);
        }
        assert_eq!(
            results[0]["locations"][0],
            json!({
                "logicalLocations": [{"name": "=alias/a", "fullyQualifiedName": "111122223333/eu-central-1/=alias/a", "kind": "resource"}],
                "physicalLocation": {"artifactLocation": {"uri": "x%20y.json", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 1, "startColumn": 1}},
            })
        );
        let physical = &results[2]["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "a%20b/c.json");
        assert_eq!(
            physical["region"],
            json!({"startLine": 3, "startColumn": 9})
        );
        assert!(!document.to_string().contains('\u{1b}'));
    }

    #[test]
    fn what_could_not_be_read_is_a_notification_of_a_run_without_success() {
        let document = document(&report(), &run());
        let invocation = &document["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], false);
        let ids =
            |at: usize| invocation["toolExecutionNotifications"][at]["descriptor"]["id"].clone();
        assert_eq!([ids(0), ids(1)], ["x.log.unknown", "unreachable"]);
        let calm = super::document(&super::Report::default(), &run());
        assert_eq!(
            calm["runs"][0]["invocations"][0]["executionSuccessful"],
            true
        );
        let mut failed = run();
        failed.error = Some("no credentials".to_owned());
        let failed = super::document(&super::Report::default(), &failed);
        assert_eq!(
            failed["runs"][0]["invocations"][0]["executionSuccessful"],
            false
        );
    }

    #[test]
    fn a_fingerprint_stays_when_lines_are_added_and_messages_count_other_things() {
        let one = finding("x.y.z", Severity::Error, None, "a.json:3:9 $.a");
        let mut moved = finding("x.y.z", Severity::Warning, None, "a.json:7:1 $.a");
        moved.message = "2 things".to_owned();
        assert_eq!(fingerprint(&one), fingerprint(&moved));
        for other in ["b.json:3:9 $.a", "a.json:3:9 $.b"] {
            let other = finding("x.y.z", Severity::Error, None, other);
            assert_ne!(fingerprint(&one), fingerprint(&other));
        }
        let mut twice = report();
        twice.findings = vec![one.clone(), one];
        let document = document(&twice, &run());
        let of = |at: usize| document["runs"][0]["results"][at]["partialFingerprints"].clone();
        assert_ne!(of(0), of(1));
    }
}
