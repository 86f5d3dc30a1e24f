//! Findings: those that say the same of several resources are one, with their count and a few names.

use serde_json::Value;

use super::{count, place, plain};
use crate::screen::{Screen, Tone};

/// Resources that are named where there are more.
const N_NAMED: usize = 5;

/// Findings in the order in which the first of each group came.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    groups: Vec<Group>,
    n_errors: usize,
    n_warnings: usize,
    n_notes: usize,
}

#[derive(Debug)]
struct Group {
    /// The finding without its resource.
    common: Value,
    resources: Vec<String>,
}

impl Findings {
    /// Takes a finding.
    pub(crate) fn add(&mut self, mut finding: Value) {
        match finding["severity"].as_str() {
            Some("error") => self.n_errors += 1,
            Some("warning") => self.n_warnings += 1,
            _ => self.n_notes += 1,
        }
        let resource = plain(&finding["resource"]).into_owned();
        finding["resource"] = Value::Null;
        // Findings of one kind mostly come one after the other, and groups are few.
        let mut groups = self.groups.iter_mut().rev();
        match groups.find(|group| group.common == finding) {
            Some(group) => group.resources.push(resource),
            None => self.groups.push(Group {
                common: finding,
                resources: vec![resource],
            }),
        }
    }

    /// Returns the text of all groups, if there are any.
    pub(crate) fn render(&self, screen: Screen) -> Option<String> {
        let groups = self.groups.iter().map(|group| group.render(screen));
        (!self.groups.is_empty()).then(|| groups.collect::<Vec<_>>().join("\n"))
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [
            (self.n_errors, "error"),
            (self.n_warnings, "warning"),
            (self.n_notes, "note"),
        ];
        let counts = counts.iter().filter(|(n, _)| *n > 0);
        let counts: Vec<String> = counts.map(|(n, noun)| count(*n, noun)).collect();
        match counts.as_slice() {
            [] => f.write_str("nothing found"),
            counts => f.write_str(&counts.join(", ")),
        }
    }
}

impl Group {
    fn render(&self, screen: Screen) -> String {
        let finding = &self.common;
        let severity = plain(&finding["severity"]);
        let tone = match severity.as_ref() {
            "error" => Tone::Bad,
            "warning" => Tone::Doubtful,
            _ => Tone::Changed,
        };
        let place = match &finding["target"] {
            Value::Null => String::new(),
            target => format!(" [{}]", place(target)),
        };
        let resources = match self.resources.as_slice() {
            [one] => one.clone(),
            all if all.len() <= N_NAMED => format!("{}: {}", all.len(), all.join(", ")),
            all => format!(
                "{}: {} and {} more",
                all.len(),
                all[..N_NAMED].join(", "),
                all.len() - N_NAMED
            ),
        };
        let head = format!("{} ", screen.paint(tone, &format!("{severity:<7}")));
        let id = screen.paint(Tone::Strong, &plain(&finding["id"]));
        let lines = [
            screen.wrap(&head, 8, &format!("{id}{place} {resources}")),
            screen.wrap("        ", 8, &plain(&finding["message"])),
            screen.wrap("        fix: ", 13, &plain(&finding["fix"])),
        ];
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Findings;
    use crate::screen::Screen;

    fn finding(severity: &str, resource: &str, message: &str) -> Value {
        json!({"kind": "finding", "id": "x.y.z", "severity": severity, "target": {"account": "1", "region": "r"},
            "resource": resource, "message": message, "fix": "mend it"})
    }

    #[test]
    fn like_findings_are_one_with_a_count_and_a_few_names() {
        let mut findings = Findings::default();
        assert_eq!(findings.render(Screen::default()), None);
        assert_eq!(findings.to_string(), "nothing found");
        for number in 1..=7 {
            findings.add(finding("error", &format!("i-{number}"), "too old"));
        }
        findings.add(finding("warning", "a\u{1b}", "odd"));
        findings.add(finding("error", "i-8", "too old"));
        let expected = "error   x.y.z [1/r] 8: i-1, i-2, i-3, i-4, i-5 and 3 more\n        too old\n        fix: mend it\n\
            warning x.y.z [1/r] a\\u{1b}\n        odd\n        fix: mend it";
        assert_eq!(findings.render(Screen::default()).unwrap(), expected);
        assert_eq!(findings.to_string(), "8 errors, 1 warning");
    }

    #[test]
    fn long_lines_hang_below_the_severity() {
        let mut findings = Findings::default();
        findings.add(finding(
            "error",
            "i-02a00000000000016",
            "it runs, but SSM has never seen it",
        ));
        let screen = Screen {
            width: Some(40),
            has_colors: false,
        };
        let expected = "error   x.y.z [1/r] i-02a00000000000016\n        it runs, but SSM has never seen\n        it\n        fix: mend it";
        assert_eq!(findings.render(screen).unwrap(), expected);
    }
}
