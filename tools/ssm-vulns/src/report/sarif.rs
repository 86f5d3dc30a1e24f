//! SARIF 2.1.0: a rule for each advisory, a result for each package of one version, a notification for each gap, difference and foreign vendor.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::io::Write;

use serde::Serialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{All, by_name};
use crate::foreign;
use crate::matching::Found;
use crate::model::fleet::{Fleet, Node};
use crate::model::record::{Gap, Issue};
use crate::model::severity::Word;

/// GitHub takes no more of a result and shows 100 of them:
/// <https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning>
const MAX_LOCATIONS: usize = 1000;

/// Writes the document, result by result: each names up to a thousand nodes. It calls the run successful only where nothing was
/// left unjudged.
///
/// # Errors
/// It cannot be written.
pub(crate) fn write(to: &mut impl Write, all: &All<'_>) -> anyhow::Result<()> {
    let All {
        fleet, found, gaps, ..
    } = *all;
    let (mut rules, mut places) = (Vec::new(), HashMap::new());
    for one in found {
        places
            .entry(one.issue.advisory.as_str())
            .or_insert_with(|| {
                rules.push(rule(&one.issue));
                rules.len() - 1
            });
    }
    let of_gaps = gaps.iter().map(notification);
    let of_patches = all.differences.iter().map(|one| {
        let target = one.target.map(|target| format!("{target}/"));
        let (target, id) = (target.unwrap_or_default(), one.instance_id);
        note(
            "patch_difference",
            &format!("{target}{id}: {}", one.message),
        )
    });
    let of_foreign = all
        .foreign
        .iter()
        .map(|one| note("foreign_packages", &foreign::line(one)));
    let notifications: Vec<Value> = of_gaps.chain(of_patches).chain(of_foreign).collect();
    let driver = json!({"name": crate::TOOL, "version": env!("CARGO_PKG_VERSION"), "rules": rules});
    let tool = json!({"driver": driver});
    let invocation = json!({"executionSuccessful": gaps.is_empty(), "toolExecutionNotifications": notifications});
    write!(
        to,
        r#"{{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{{"tool":{tool},"invocations":[{invocation}],"results":["#
    )?;
    let mut known = Locations::new();
    for (index, one) in found.iter().enumerate() {
        if index > 0 {
            to.write_all(b",")?;
        }
        let place = places[one.issue.advisory.as_str()];
        result(to, fleet, one, place, &mut known)?;
    }
    to.write_all(b"]}]}\n")?;
    Ok(())
}

fn level(word: Word) -> &'static str {
    match word {
        Word::Critical | Word::High => "error",
        Word::Medium | Word::Unknown => "warning",
        Word::Low | Word::None => "note",
    }
}

fn rule(issue: &Issue) -> Value {
    let text = if issue.summary.is_empty() {
        &issue.advisory
    } else {
        &issue.summary
    };
    let mut tags = vec!["security", "vulnerability"];
    tags.extend(issue.cves.iter().map(String::as_str));
    if issue.known_exploited == Some(true) {
        tags.push("known-exploited");
    }
    let mut properties = json!({"tags": tags, "severity": issue.severity.word});
    if let Some(score) = issue.severity.score {
        // A text, as GitHub reads it.
        properties["security-severity"] = json!(score.to_string());
    }
    json!({
        "id": issue.advisory,
        "shortDescription": {"text": text},
        "helpUri": issue.url,
        "defaultConfiguration": {"level": level(issue.severity.word)},
        "properties": properties,
    })
}

/// What a node is called in results: the same text in all of them, of which there may be hundreds of thousands.
type Locations = HashMap<u32, Box<RawValue>>;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SarifResult<'a> {
    rule_id: &'a str,
    rule_index: usize,
    level: &'a str,
    message: Value,
    locations: Vec<&'a RawValue>,
    partial_fingerprints: Value,
    properties: Value,
}

/// Writes a result.
fn result(
    to: &mut impl Write,
    fleet: &Fleet,
    Found { issue, nodes }: &Found,
    rule_index: usize,
    known: &mut Locations,
) -> anyhow::Result<()> {
    let Issue {
        advisory,
        ecosystem,
        package,
        installed,
        ..
    } = issue;
    let line = if issue.uncertain {
        ", unless it is of another line of versions"
    } else {
        ""
    };
    let fix = match (&issue.fixed, &issue.paid) {
        (Some(fixed), Some(paid)) => format!("fixed in {fixed} for {paid}"),
        (Some(fixed), None) => format!("fixed in {fixed}"),
        (None, _) => "there is no fix yet".to_owned(),
    };
    let n_nodes = cli::count(nodes.len(), "node");
    let cut = match nodes.len() > MAX_LOCATIONS {
        true => format!(", of which {MAX_LOCATIONS} are listed here"),
        false => String::new(),
    };
    let mut listed = by_name(fleet, nodes);
    listed.truncate(MAX_LOCATIONS);
    for node in &listed {
        if let Entry::Vacant(new) = known.entry(node.rank) {
            new.insert(serde_json::value::to_raw_value(&location(node))?);
        }
    }
    let locations = listed.iter().filter_map(|node| known.get(&node.rank));
    let result = SarifResult {
        rule_id: advisory,
        rule_index,
        level: level(issue.severity.word),
        message: json!({"text": format!("{package} {installed} is affected by {advisory}{line}; {fix}; on {n_nodes}{cut}")}),
        locations: locations.map(|one| &**one).collect(),
        partial_fingerprints: json!({"advisoryPackageVersion/v1": format!("{advisory}/{ecosystem}/{package}/{installed}")}),
        properties: json!({
            "ecosystem": ecosystem, "package": package, "source": issue.source, "installed": installed, "fixed": issue.fixed,
            "paid": issue.paid, "uncertain": issue.uncertain, "n_nodes": nodes.len(),
        }),
    };
    Ok(serde_json::to_writer(to, &result)?)
}

/// A node is named by its SBOM, as `sbom --out sbom` calls the file: code scanning wants one.
fn location(node: &Node) -> Value {
    json!({
        "physicalLocation": {"artifactLocation": {"uri": format!("sbom/{}", node.file_name())}},
        "logicalLocations": [{"name": node.instance_id, "fullyQualifiedName": node.full_name, "kind": "resource"}],
    })
}

/// What decides no exit status.
fn note(id: &str, text: &str) -> Value {
    json!({"level": "note", "descriptor": {"id": id}, "message": {"text": text}})
}

fn notification(gap: &Gap) -> Value {
    let node = match (&gap.target, &gap.instance_id) {
        (Some(target), Some(id)) => format!("{target}/{id}: "),
        (Some(target), None) => format!("{target}: "),
        (None, Some(id)) => format!("{id}: "),
        (None, None) => String::new(),
    };
    json!({
        "level": "error",
        "descriptor": {"id": gap.reason.id},
        "message": {"text": format!("{node}{}", gap.reason.message)},
    })
}
