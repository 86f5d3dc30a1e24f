//! SARIF 2.1.0: a rule for each advisory, a result for each package of one version, a notification for each gap.
//! <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>

use std::collections::HashMap;
use std::io::Write;

use serde_json::{Value, json};

use super::name_of;
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
pub(crate) fn write(
    to: &mut impl Write,
    fleet: &Fleet,
    found: &[Found],
    gaps: &[Gap],
) -> anyhow::Result<()> {
    let (mut rules, mut places) = (Vec::new(), HashMap::new());
    for one in found {
        places
            .entry(one.issue.advisory.as_str())
            .or_insert_with(|| {
                rules.push(rule(&one.issue));
                rules.len() - 1
            });
    }
    let notifications: Vec<Value> = gaps.iter().map(notification).collect();
    let driver = json!({"name": crate::TOOL, "version": env!("CARGO_PKG_VERSION"), "rules": rules});
    let tool = json!({"driver": driver});
    let invocation = json!({"executionSuccessful": gaps.is_empty(), "toolExecutionNotifications": notifications});
    write!(
        to,
        r#"{{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{{"tool":{tool},"invocations":[{invocation}],"results":["#
    )?;
    for (index, one) in found.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        let place = places[one.issue.advisory.as_str()];
        write!(to, "{comma}{}", result(fleet, one, place))?;
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

fn result(fleet: &Fleet, Found { issue, nodes }: &Found, place: usize) -> Value {
    let mut located: Vec<(String, &Node)> = nodes
        .iter()
        .map(|at| &fleet.nodes[*at as usize])
        .map(|node| (name_of(node), node))
        .collect();
    located.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
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
    json!({
        "ruleId": advisory,
        "ruleIndex": place,
        "level": level(issue.severity.word),
        "message": {"text": format!("{package} {installed} is affected by {advisory}{line}; {fix}; on {n_nodes}{cut}")},
        "locations": located.iter().take(MAX_LOCATIONS).map(|(name, node)| location(name, node)).collect::<Vec<_>>(),
        "partialFingerprints": {"advisoryPackageVersion/v1": format!("{advisory}/{ecosystem}/{package}/{installed}")},
        "properties": {
            "ecosystem": ecosystem, "package": package, "source": issue.source, "installed": installed, "fixed": issue.fixed,
            "paid": issue.paid, "uncertain": issue.uncertain, "n_nodes": nodes.len(),
        },
    })
}

/// A node is named by its SBOM, as `sbom --out sbom` calls the file: code scanning wants one.
fn location(name: &str, node: &Node) -> Value {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let file: String = name
        .replace('/', "_")
        .chars()
        .map(|c| if is_plain(c) { c } else { '-' })
        .collect();
    json!({
        "physicalLocation": {"artifactLocation": {"uri": format!("sbom/{file}.cdx.json")}},
        "logicalLocations": [{"name": node.instance_id, "fullyQualifiedName": name, "kind": "resource"}],
    })
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
