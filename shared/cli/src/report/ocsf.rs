//! Findings in the Open Cybersecurity Schema Framework, as class Compliance Finding: one event a line, as Security Lake takes them from
//! a custom source. What could not be read is an event, too: silence would look like a pass.
//! <https://schema.ocsf.io/1.4.0/classes/compliance_finding>
//! <https://docs.aws.amazon.com/security-lake/latest/userguide/adding-custom-sources.html>

use records::{Severity, Target};
use serde_json::{Value, json};

use super::{Report, Run, place, subject};
use crate::visible;

const VERSION: &str = "1.4.0";
const CLASS: u32 = 2003;
const CREATE: u32 = 1;

/// What a finding says of whether a rule is kept, with OCSF's numbers of it and of the severity.
struct Judgment {
    compliance: (u32, &'static str),
    severity: (u32, &'static str),
}

/// Returns an event for each finding, for each account and Region that could not be read, and for a run that ended early.
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
        let about = finding.resource.as_str();
        let of_finding = (finding.id.as_str(), about);
        let target = finding.target.as_ref();
        let mut event = event(run, target, of_finding, &judgment, &finding.message);
        // Without the line, so that a later run is known to be about the same.
        let place = place(finding);
        event["finding_info"]["uid"] = uid(run, &place, &finding.id, &subject(finding)).into();
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
    let of_error = run.error.iter().map(|error| {
        let message = format!("the run ended early: {error}");
        event(run, None, ("error", ""), &UNKNOWN, &message)
    });
    let events = of_findings.chain(of_gaps).chain(of_error);
    events.map(|event| format!("{event}\n")).collect()
}

const UNKNOWN: Judgment = Judgment {
    compliance: (0, "Unknown"),
    severity: (3, "Medium"),
};

fn uid(run: &Run<'_>, place: &str, id: &str, about: &str) -> String {
    format!("{}/{}/{id}/{}", run.tool, visible(place), visible(about))
}

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
            "uid": uid(run, &place, id, about),
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
    use records::Severity;
    use serde_json::Value;

    use super::super::tests::{finding, report, run};
    use super::super::{Report, Run};
    use super::events;

    fn parsed(text: &str) -> Vec<Value> {
        let lines = text.lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_run_that_ended_early_is_an_event_and_not_silence() {
        let run = Run {
            error: Some("access denied".to_owned()),
            ..run()
        };
        let events = parsed(&events(&Report::default(), &run));
        assert_eq!(events.len(), 1);
        assert_eq!(events[0]["compliance"]["control"], "error");
        assert_eq!(events[0]["compliance"]["status"], "Unknown");
        assert_eq!(events[0]["message"], "the run ended early: access denied");
    }

    #[test]
    fn a_finding_keeps_its_uid_when_lines_are_added_above_it() {
        let uid = |resource: &str| {
            let mut report = Report::default();
            report.found(finding("x.y", Severity::Error, None, resource));
            parsed(&events(&report, &run()))[0]["finding_info"]["uid"].clone()
        };
        assert_eq!(uid("a.json:3:9 $.a"), "ssm-x/a.json/x.y/$.a");
        assert_eq!(uid("a.json:4:9 $.a"), uid("a.json:3:9 $.a"));
        assert_ne!(uid("b.json:3:9 $.a"), uid("a.json:3:9 $.a"));
    }

    #[test]
    fn each_finding_and_each_gap_is_an_event_that_says_whether_a_rule_is_kept() {
        let text = events(&report(), &run());
        let events = parsed(&text);
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
