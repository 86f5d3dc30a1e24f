//! Findings in the Open Cybersecurity Schema Framework, as class Compliance Finding: one event a line, as Security Lake takes them from
//! a custom source. What could not be read is an event, too: silence would look like a pass.
//! <https://schema.ocsf.io/1.4.0/classes/compliance_finding>
//! <https://docs.aws.amazon.com/security-lake/latest/userguide/adding-custom-sources.html>

use records::{Severity, Target};
use serde_json::{Value, json};

use super::{Report, Run};
use crate::visible;

const VERSION: &str = "1.4.0";
const CLASS: u32 = 2003;
const CREATE: u32 = 1;

/// What a finding says of whether a rule is kept, with OCSF's numbers of it and of the severity.
struct Judgment {
    compliance: (u32, &'static str),
    severity: (u32, &'static str),
}

/// Returns an event for each finding, and for each account and Region that could not be read.
pub(super) fn events(report: &Report, run: &Run<'_>) -> String {
    let of_findings = report.findings.iter().map(|finding| {
        let judgment = match finding.severity {
            _ if finding.is_unread => UNKNOWN,
            Severity::Error => Judgment {
                compliance: (3, "Fail"),
                severity: (4, "High"),
            },
            Severity::Warning => Judgment {
                compliance: (2, "Warning"),
                severity: (3, "Medium"),
            },
            Severity::Info => Judgment {
                // Worth knowing: neither that a rule is broken nor that it is kept.
                compliance: (99, "Other"),
                severity: (1, "Informational"),
            },
        };
        let (target, about) = (finding.target.as_ref(), finding.resource.as_str());
        let mut event = event(
            run,
            target,
            (&finding.id, about),
            &judgment,
            &finding.message,
        );
        if !finding.fix.is_empty() {
            event["remediation"] = json!({"desc": visible(&finding.fix)});
        }
        event
    });
    let of_gaps = report.unreachable.iter().map(|gap| {
        let message = format!("could not be read: {}", gap.error);
        event(
            run,
            Some(&gap.target),
            ("unreachable", ""),
            &UNKNOWN,
            &message,
        )
    });
    let events = of_findings.chain(of_gaps);
    events.map(|event| format!("{event}\n")).collect()
}

const UNKNOWN: Judgment = Judgment {
    compliance: (0, "Unknown"),
    severity: (3, "Medium"),
};

fn event(
    run: &Run<'_>,
    target: Option<&Target>,
    (id, about): (&str, &str),
    judgment: &Judgment,
    message: &str,
) -> Value {
    let (tool, message) = (run.tool, visible(message));
    let place = target.map(ToString::to_string).unwrap_or_default();
    let mut cloud = json!({"provider": "AWS"});
    let mut resource = json!({"uid": visible(about)});
    if let Some(target) = target {
        cloud["account"] = json!({"uid": target.account});
        cloud["region"] = json!(target.region);
        resource["region"] = json!(target.region);
    }
    let mut event = json!({
        "activity_id": CREATE,
        "activity_name": "Create",
        "category_name": "Findings",
        "category_uid": CLASS / 1000,
        "class_name": "Compliance Finding",
        "class_uid": CLASS,
        "cloud": cloud,
        "compliance": {
            "control": id,
            "standards": [tool],
            "status_id": judgment.compliance.0,
            "status": judgment.compliance.1,
        },
        "finding_info": {
            // The same from run to run, so that a later one is known to be about the same.
            "uid": format!("{tool}/{place}/{id}/{}", visible(about)),
            "title": format!("{id}: {message}"),
            "desc": message,
        },
        "message": message,
        "metadata": {
            "product": {"name": tool, "vendor_name": tool},
            "profiles": ["cloud"],
            "version": VERSION,
        },
        "severity": judgment.severity.1,
        "severity_id": judgment.severity.0,
        "status": "New",
        "status_id": 1,
        "time": run.now.as_millisecond(),
        "type_name": "Compliance Finding: Create",
        "type_uid": CLASS * 100 + CREATE,
    });
    if !about.is_empty() {
        event["resources"] = json!([resource]);
    }
    event
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::tests::{report, run};
    use super::events;

    #[test]
    fn each_finding_and_each_gap_is_an_event_that_says_whether_a_rule_is_kept() {
        let text = events(&report(), &run());
        let events: Vec<Value> = text
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let said = events.iter().map(|event| {
            let compliance = &event["compliance"];
            let status = compliance["status"].as_str().unwrap().to_owned();
            (compliance["control"].as_str().unwrap().to_owned(), status)
        });
        let expected = [
            ("x.key.absent", "Fail"),
            ("x.key.note", "Other"),
            ("x.log.unknown", "Unknown"),
            ("x.json.odd", "Warning"),
            ("unreachable", "Unknown"),
        ];
        let expected = expected.map(|(id, status)| (id.to_owned(), status.to_owned()));
        assert_eq!(said.collect::<Vec<_>>(), expected);
        assert_eq!(
            events[0]["finding_info"]["uid"],
            "ssm-x/111122223333/eu-central-1/x.key.absent/=alias/a"
        );
        assert!(!text.contains('\u{1b}'));
    }
}
