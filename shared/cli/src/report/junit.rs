//! JUnit XML as CI systems read it: a suite for each file, or account and region, and a case for each finding there. What could
//! not be read is an error, which is not a failure and never a pass.
//! <https://github.com/jenkinsci/xunit-plugin>

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use records::{Finding, Severity};

use super::{Report, Run, place, subject};
use crate::visible;

/// A case, and what came of it.
struct Case {
    name: String,
    end: End,
}

enum End {
    Passed,
    /// Worth knowing.
    Noted(String),
    /// With the severity, the message and what to do.
    Failed(&'static str, String, String),
    Unknown(String),
}

/// Returns the document.
pub(super) fn document(report: &Report, run: &Run<'_>) -> anyhow::Result<String> {
    let suites = suites(report, run);
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all: Vec<&Case> = suites.iter().flat_map(|(_, cases)| cases).collect();
    let [tests, failures, errors] = counts(&all);
    writer
        .create_element("testsuites")
        .with_attributes([
            ("name", run.tool),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
        ])
        .write_inner_content(|writer| {
            suites
                .iter()
                .try_for_each(|(place, cases)| suite(writer, run.tool, place, cases))
        })?;
    let mut text = String::from_utf8(writer.into_inner())?;
    text.push('\n');
    Ok(text)
}

/// Returns the cases by place, in the order in which places were judged or first named.
fn suites(report: &Report, run: &Run<'_>) -> Vec<(String, Vec<Case>)> {
    let mut suites: Vec<(String, Vec<Case>)> = Vec::new();
    let mut cases_of = |place: String| -> usize {
        suites
            .iter()
            .position(|(one, _)| *one == place)
            .unwrap_or_else(|| {
                suites.push((place, Vec::new()));
                suites.len() - 1
            })
    };
    for place in &report.judged {
        cases_of(place.clone());
    }
    let mut cases = Vec::new();
    for finding in &report.findings {
        cases.push((cases_of(named(place(finding), run)), of_finding(finding)));
    }
    for one in &report.unreachable {
        let case = Case {
            name: "read".to_owned(),
            end: End::Unknown(one.error.clone()),
        };
        cases.push((cases_of(one.target.to_string()), case));
    }
    if let Some(error) = &run.error {
        let case = Case {
            name: "run".to_owned(),
            end: End::Unknown(error.clone()),
        };
        cases.push((cases_of(run.tool.to_owned()), case));
    }
    for (index, case) in cases {
        suites[index].1.push(case);
    }
    for (_, cases) in suites.iter_mut().filter(|(_, cases)| cases.is_empty()) {
        cases.push(Case {
            name: "nothing found".to_owned(),
            end: End::Passed,
        });
    }
    suites
}

/// What is about no place is about the run.
fn named(place: String, run: &Run<'_>) -> String {
    if place.is_empty() {
        run.tool.to_owned()
    } else {
        place
    }
}

fn of_finding(finding: &Finding) -> Case {
    let message = finding.message.clone();
    let end = match finding.severity {
        _ if finding.is_unread => End::Unknown(message),
        Severity::Info => End::Noted(message),
        Severity::Warning => End::Failed("warning", message, finding.fix.clone()),
        Severity::Error => End::Failed("error", message, finding.fix.clone()),
    };
    Case {
        name: format!("{} {}", finding.id, subject(finding)),
        end,
    }
}

fn suite(writer: &mut Writer<Vec<u8>>, tool: &str, place: &str, cases: &[Case]) -> io::Result<()> {
    let [tests, failures, errors] = counts(&cases.iter().collect::<Vec<_>>());
    let place = visible(place);
    writer
        .create_element("testsuite")
        .with_attributes([
            ("name", &*place),
            ("tests", &tests),
            ("failures", &failures),
            ("errors", &errors),
        ])
        .write_inner_content(|writer| {
            cases.iter().try_for_each(|case| {
                let class = format!("{tool}.{place}");
                let element = writer.create_element("testcase");
                let element =
                    element.with_attributes([("name", &*case.name), ("classname", &class)]);
                match &case.end {
                    End::Passed => element.write_empty().map(drop),
                    end => element
                        .write_inner_content(|writer| write_end(writer, end))
                        .map(drop),
                }
            })
        })?;
    Ok(())
}

fn write_end(writer: &mut Writer<Vec<u8>>, end: &End) -> io::Result<()> {
    let text = |text: &str| visible(text).into_owned();
    match end {
        End::Passed => {}
        End::Noted(message) => {
            writer
                .create_element("system-out")
                .write_text_content(BytesText::new(&text(message)))?;
        }
        End::Failed(severity, message, fix) => {
            let element = writer.create_element("failure");
            let element =
                element.with_attributes([("type", *severity), ("message", &text(message))]);
            element.write_text_content(BytesText::new(&text(fix)))?;
        }
        End::Unknown(message) => {
            let element = writer.create_element("error");
            element
                .with_attributes([("type", "unknown"), ("message", &text(message))])
                .write_empty()?;
        }
    }
    Ok(())
}

/// Returns the numbers of all cases, of failures and of errors.
fn counts(cases: &[&Case]) -> [String; 3] {
    let of = |is: fn(&End) -> bool| {
        cases
            .iter()
            .filter(|case| is(&case.end))
            .count()
            .to_string()
    };
    [
        of(|_| true),
        of(|end| matches!(end, End::Failed(..))),
        of(|end| matches!(end, End::Unknown(_))),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::tests::{report, run};
    use super::document;

    #[test]
    fn a_case_for_each_finding_and_one_where_nothing_was_found() {
        let expected = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="ssm-x" tests="6" failures="2" errors="2">
  <testsuite name="111122223333/eu-central-1" tests="3" failures="1" errors="1">
    <testcase name="x.key.absent =alias/a" classname="ssm-x.111122223333/eu-central-1">
      <failure type="error" message="it is &quot;so&quot; &amp; &lt;so&gt;\u{1b}">mend it</failure>
    </testcase>
    <testcase name="x.key.note alias/b" classname="ssm-x.111122223333/eu-central-1">
      <system-out>it is &quot;so&quot; &amp; &lt;so&gt;\u{1b}</system-out>
    </testcase>
    <testcase name="x.log.unknown log" classname="ssm-x.111122223333/eu-central-1">
      <error type="unknown" message="it is &quot;so&quot; &amp; &lt;so&gt;\u{1b}"/>
    </testcase>
  </testsuite>
  <testsuite name="111122223333/us-east-1" tests="1" failures="0" errors="0">
    <testcase name="nothing found" classname="ssm-x.111122223333/us-east-1"/>
  </testsuite>
  <testsuite name="a b/c.json" tests="1" failures="1" errors="0">
    <testcase name="x.json.odd $.a[&quot; $&quot;]" classname="ssm-x.a b/c.json">
      <failure type="warning" message="it is &quot;so&quot; &amp; &lt;so&gt;\u{1b}">mend it</failure>
    </testcase>
  </testsuite>
  <testsuite name="111122223333/eu-west-1" tests="1" failures="0" errors="1">
    <testcase name="read" classname="ssm-x.111122223333/eu-west-1">
      <error type="unknown" message="denied"/>
    </testcase>
  </testsuite>
</testsuites>
"#;
        assert_eq!(document(&report(), &run()).unwrap(), expected);
    }

    #[test]
    fn a_run_that_ended_early_is_an_error() {
        let mut run = run();
        run.error = Some("no credentials".to_owned());
        let text = document(&super::Report::default(), &run).unwrap();
        assert!(
            text.contains(r#"<testsuites name="ssm-x" tests="1" failures="0" errors="1">"#),
            "{text}"
        );
        assert!(
            text.contains(r#"<error type="unknown" message="no credentials"/>"#),
            "{text}"
        );
    }
}
