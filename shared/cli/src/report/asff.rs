//! Findings in the format of Security Hub: lists, each on one line, as `aws securityhub batch-import-findings
//! --findings` takes them. What could not be read is a finding there, too: silence would look like a pass.
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html>
//! <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html>

use records::{Severity, Target};
use serde_json::{Value, json};

use super::{Report, Run};
use crate::visible;

/// "Security Hub CSPM accepts up to 100 findings per batch, up to 240 KB per finding, and up to 6 MB per batch."
/// <https://docs.aws.amazon.com/securityhub/latest/partnerguide/guidelines-batchimportfindings.html>
const MOST_FINDINGS: usize = 100;
/// A list is an argument of a command, and Linux takes 128 KiB for one (MAX_ARG_STRLEN, execve(2)): less than Security Hub.
pub const MAX_ASFF_BYTES: usize = 130_000;
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html>
const TYPE: &str = "Software and Configuration Checks/AWS Security Best Practices";

/// Returns the lists of what is of an account and a Region: Security Hub takes nothing else.
pub(super) fn batches(report: &Report, run: &Run<'_>) -> String {
    let of_finding = report.findings.iter().filter_map(|finding| {
        let target = finding.target.as_ref().filter(|target| is_taken(target))?;
        let label = match finding.severity {
            Severity::Error => "HIGH",
            Severity::Warning => "MEDIUM",
            Severity::Info => "INFORMATIONAL",
        };
        let (id, about, message) = (&finding.id, &finding.resource, &finding.message);
        let mut one = of(run, target, id, about, label, message);
        if !finding.fix.is_empty() {
            one["Remediation"] =
                json!({ "Recommendation": { "Text": asff_text(&finding.fix, 512) } });
        }
        Some(one)
    });
    let gaps = report
        .unreachable
        .iter()
        .filter(|gap| is_taken(&gap.target));
    let of_gap = gaps.map(|gap| {
        let message = format!("could not be read: {}", gap.error);
        of(run, &gap.target, "unreachable", "", "MEDIUM", &message)
    });
    let mut waiting = AsffList::default();
    let all = of_finding.chain(of_gap);
    let mut lists: Vec<Value> = all.filter_map(|one| waiting.add(one)).collect();
    lists.extend(waiting.take());
    lists.iter().map(|list| format!("{list}\n")).collect()
}

/// Findings that wait until there are enough for a list.
#[derive(Debug, Default)]
pub struct AsffList {
    findings: Vec<Value>,
    n_bytes: usize,
}

impl AsffList {
    /// Adds a finding. Returns a list that is full: with it, or before it where that would be too large.
    pub fn add(&mut self, finding: Value) -> Option<Value> {
        // A comma or a bracket follows, and a bracket comes first.
        let n_bytes = finding.to_string().len() + 1;
        let before = match 1 + self.n_bytes + n_bytes > MAX_ASFF_BYTES {
            true => self.take(),
            false => None,
        };
        self.findings.push(finding);
        self.n_bytes += n_bytes;
        match self.findings.len() == MOST_FINDINGS {
            true => self.take(),
            false => before,
        }
    }

    /// Returns the list that is not full.
    pub fn take(&mut self) -> Option<Value> {
        self.n_bytes = 0;
        let findings = std::mem::take(&mut self.findings);
        (!findings.is_empty()).then(|| Value::from(findings))
    }
}

/// Returns what is in no list, in words.
pub(super) fn left_out(report: &Report) -> Vec<String> {
    let findings = report.findings.iter();
    let findings = findings.filter(|one| !one.target.as_ref().is_some_and(is_taken));
    let findings = findings.map(|one| format!("{} on {}: {}", one.id, one.resource, one.message));
    let gaps = report
        .unreachable
        .iter()
        .filter(|one| !is_taken(&one.target));
    let gaps = gaps.map(|one| format!("{}: {}", one.target, one.error));
    findings.chain(gaps).collect()
}

/// Returns whether Security Hub has a place for it. What is of a file is of no account, and what is of an organization of no Region.
fn is_taken(target: &Target) -> bool {
    target.region != "global"
}

fn of(run: &Run<'_>, target: &Target, id: &str, about: &str, label: &str, message: &str) -> Value {
    let Target { account, region } = target;
    let partition = iam_policy::partition_of(region);
    let resource = match about {
        "" => json!({ "Type": "AwsAccount", "Id": format!("AWS::::Account:{account}") }),
        about => json!({ "Type": "Other", "Id": asff_text(about, 512) }),
    };
    let finding = AsffFinding {
        tool: run.tool,
        place: (partition, account, region),
        // The same from run to run, so that a later run updates what an earlier one has sent.
        id: &format!("{id}/{about}"),
        generator: id,
        r#type: TYPE,
        time: run.now,
        label,
        title: &format!("{id}: {message}"),
        description: message,
        resources: vec![resource],
    };
    finding.value()
}

/// What every finding has, for Security Hub to take it.
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html>
#[derive(Debug)]
pub struct AsffFinding<'a> {
    pub tool: &'a str,
    /// The partition, the account and the Region.
    pub place: (&'a str, &'a str, &'a str),
    /// What distinguishes it from other findings of the tool in its account and Region.
    pub id: &'a str,
    /// What of the tool has found it.
    pub generator: &'a str,
    /// <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-type-taxonomy.html>
    pub r#type: &'a str,
    /// When it was made and changed last.
    pub time: jiff::Timestamp,
    /// Its severity: `HIGH`, `MEDIUM`, `LOW` or `INFORMATIONAL`.
    pub label: &'a str,
    pub title: &'a str,
    pub description: &'a str,
    pub resources: Vec<Value>,
}

impl AsffFinding<'_> {
    /// Returns the finding, each text within its limit.
    #[must_use]
    pub fn value(self) -> Value {
        let (partition, account, region) = self.place;
        let time = self.time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        json!({
            "SchemaVersion": "2018-10-08",
            "Id": asff_text(&format!("{}/{account}/{region}/{}", self.tool, self.id), 512),
            "ProductArn": format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"),
            "GeneratorId": asff_text(&format!("{}/{}", self.tool, self.generator), 512),
            "AwsAccountId": account,
            "Types": [self.r#type],
            "CreatedAt": time,
            "UpdatedAt": time,
            "Severity": { "Label": self.label },
            "Title": asff_text(self.title, 256),
            "Description": asff_text(self.description, 1024),
            "Resources": self.resources,
        })
    }
}

/// Returns the text within a limit of Security Hub; none is empty.
#[must_use]
pub fn asff_text(text: &str, most: usize) -> String {
    match visible(text).trim() {
        "" => "-".to_owned(),
        text if text.chars().count() <= most => text.to_owned(),
        text => text.chars().take(most - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::{report, run};
    use super::{AsffList, MAX_ASFF_BYTES, Target, batches, is_taken, left_out};

    #[test]
    fn lists_hold_100_findings_and_name_each_the_same_in_every_run() {
        let mut report = report();
        let mut global = report.findings[0].clone();
        global.target = Some(Target {
            account: "111122223333".to_owned(),
            region: "global".to_owned(),
        });
        let n_of_files = report
            .findings
            .iter()
            .filter(|one| one.target.is_none())
            .count();
        report.findings.push(global);
        assert!(n_of_files > 0);
        assert_eq!(left_out(&report).len(), n_of_files + 1);
        report
            .findings
            .retain(|one| one.target.as_ref().is_some_and(is_taken));
        report.findings.truncate(1);
        let one = report.findings[0].clone();
        report.findings.resize(250, one);
        let text = batches(&report, &run());
        let lists: Vec<Vec<Value>> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            lists.iter().map(Vec::len).collect::<Vec<_>>(),
            [100, 100, 50 + report.unreachable.len()]
        );
        assert!(text.lines().all(|line| line.len() <= MAX_ASFF_BYTES));
        assert_eq!(lists[0][0]["Id"], lists[1][0]["Id"]);
        assert_eq!(lists[0][0]["AwsAccountId"], "111122223333");
    }

    /// What is too large for one argument is in several lists, and nothing is lost.
    #[test]
    fn lists_are_as_large_as_an_argument_may_be() {
        let (mut list, mut lists) = (AsffList::default(), Vec::new());
        for n in 0..250 {
            let text = "\u{1f600}".repeat(if n % 2 == 0 { 2_000 } else { 1 });
            lists.extend(list.add(serde_json::json!({ "Id": n, "Description": text })));
        }
        lists.extend(list.take());
        assert_eq!(list.take(), None);
        let n_bytes = lists.iter().map(|list| list.to_string().len());
        assert!(n_bytes.clone().all(|n| n <= MAX_ASFF_BYTES));
        // None could take another.
        assert!(
            n_bytes
                .take(lists.len() - 1)
                .all(|n| n > MAX_ASFF_BYTES - 8_100)
        );
        let ids = lists.iter().flat_map(|list| list.as_array().unwrap());
        let ids: Vec<u64> = ids.map(|one| one["Id"].as_u64().unwrap()).collect();
        assert_eq!(ids, (0..250).collect::<Vec<u64>>());
    }
}
