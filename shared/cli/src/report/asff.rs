//! Findings in the format of Security Hub: lists of up to 100, each on one line, as `aws securityhub batch-import-findings --findings` takes
//! them. What could not be read is a finding there, too: silence would look like a pass.
//! <https://docs.aws.amazon.com/securityhub/latest/userguide/securityhub-findings-format-syntax.html>
//! <https://docs.aws.amazon.com/securityhub/1.0/APIReference/API_BatchImportFindings.html>

use records::{Severity, Target};
use serde_json::{Value, json};

use super::{Report, Run};
use crate::visible;

/// "The maximum number of findings in a request is 100."
const MOST: usize = 100;
/// <https://docs.aws.amazon.com/securityhub/latest/userguide/asff-required-attributes.html>
const TYPE: &str = "Software and Configuration Checks/AWS Security Best Practices";

/// Returns the lists.
///
/// # Errors
/// A finding that is of no account and region: Security Hub takes findings of its own account and region alone.
pub(super) fn batches(report: &Report, run: &Run<'_>) -> anyhow::Result<String> {
    let of_finding = report.findings.iter().map(|finding| {
        let Some(target) = &finding.target else {
            anyhow::bail!(
                "{} on {}: Security Hub takes findings of an account and region only: use -o json",
                finding.id,
                finding.resource
            );
        };
        let label = match finding.severity {
            Severity::Error => "HIGH",
            Severity::Warning => "MEDIUM",
            Severity::Info => "INFORMATIONAL",
        };
        let mut one = of(
            run,
            target,
            &finding.id,
            &finding.resource,
            label,
            &finding.message,
        );
        if !finding.fix.is_empty() {
            one["Remediation"] = json!({ "Recommendation": { "Text": cut(&finding.fix, 512) } });
        }
        Ok(one)
    });
    let of_gap = report.unreachable.iter().map(|gap| {
        let message = format!("could not be read: {}", gap.error);
        Ok(of(run, &gap.target, "unreachable", "", "MEDIUM", &message))
    });
    let all: Vec<Value> = of_finding.chain(of_gap).collect::<anyhow::Result<_>>()?;
    Ok(all
        .chunks(MOST)
        .map(|batch| format!("{}\n", json!(batch)))
        .collect())
}

fn of(run: &Run<'_>, target: &Target, id: &str, about: &str, label: &str, message: &str) -> Value {
    let Target { account, region } = target;
    let partition = match region.as_str() {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    };
    let now = run.now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let resource = match about {
        "" => json!({ "Type": "AwsAccount", "Id": format!("AWS::::Account:{account}") }),
        about => json!({ "Type": "Other", "Id": cut(about, 512) }),
    };
    json!({
        "SchemaVersion": "2018-10-08",
        // The same from run to run, so that a later run updates what an earlier one has sent.
        "Id": cut(&format!("{}/{account}/{region}/{id}/{about}", run.tool), 512),
        "ProductArn": format!("arn:{partition}:securityhub:{region}:{account}:product/{account}/default"),
        "GeneratorId": format!("{}/{id}", run.tool),
        "AwsAccountId": account,
        "Types": [TYPE],
        "CreatedAt": now,
        "UpdatedAt": now,
        "Severity": { "Label": label },
        "Title": cut(&format!("{id}: {message}"), 256),
        "Description": cut(message, 1024),
        "Resources": [resource],
    })
}

/// Returns the text within a limit of Security Hub; none is empty.
fn cut(text: &str, most: usize) -> String {
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
    use super::batches;

    #[test]
    fn lists_hold_100_findings_and_name_each_the_same_in_every_run() {
        let mut report = report();
        assert!(batches(&report, &run()).is_err(), "a file has no account");
        report.findings.retain(|finding| finding.target.is_some());
        report.findings.truncate(1);
        let one = report.findings[0].clone();
        report.findings.resize(250, one);
        let text = batches(&report, &run()).unwrap();
        let lists: Vec<Vec<Value>> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        assert_eq!(
            lists.iter().map(Vec::len).collect::<Vec<_>>(),
            [100, 100, 50 + report.unreachable.len()]
        );
        assert_eq!(lists[0][0]["Id"], lists[1][0]["Id"]);
        assert_eq!(lists[0][0]["AwsAccountId"], "111122223333");
    }
}
