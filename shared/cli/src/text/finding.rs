//! Findings: those that say the same of several resources are one, with their count and a few names.

use serde_json::Value;

use super::alike::{Alike, Member, Place};
use super::{count, plain};
use crate::screen::{Screen, Tone};

/// Findings in the order in which the first of each group came.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    groups: Vec<Alike>,
    n_errors: usize,
    n_warnings: usize,
    n_infos: usize,
}

impl Findings {
    /// Takes a finding.
    pub(crate) fn add(&mut self, mut finding: Value) {
        match finding["severity"].as_str() {
            Some("error") => self.n_errors += 1,
            Some("warning") => self.n_warnings += 1,
            _ => self.n_infos += 1,
        }
        let text = |field: &str| plain(&finding[field]).into_owned();
        let member = Member {
            place: Place::of(&finding["target"]),
            resource: text("resource"),
            message: text("message"),
            fix: text("fix"),
        };
        for field in ["target", "resource", "message", "fix"] {
            finding[field] = Value::Null;
        }
        let found = Alike::of(finding, member);
        // Findings of one kind mostly come one after the other, and groups are few.
        let mut groups = self.groups.iter_mut().rev();
        match groups.find(|group| group.is_like(&found)) {
            Some(group) => group.members.extend(found.members),
            None => self.groups.push(found),
        }
    }

    /// Returns the text of all groups, if there are any.
    pub(crate) fn render(&self, screen: Screen) -> Option<String> {
        let groups = self.groups.iter().map(|group| render(group, screen));
        (!self.groups.is_empty()).then(|| groups.collect::<Vec<_>>().join("\n"))
    }

    /// Returns the tool whose plan mends a finding, the one that has found it before others. A fix says so: `run plan and apply`, or
    /// `let ssm-y plan and apply grant it`.
    pub(crate) fn planner<'f>(&'f self, tool: &'f str) -> Option<&'f str> {
        let fixes = self.groups.iter().map(|group| &group.members[0].fix);
        let planners = fixes.filter_map(|fix| {
            let (before, _) = fix.split_once("plan and apply")?;
            let other = before.rsplit_once("let ").map(|(_, planner)| planner);
            let other = other.map(|planner| planner.trim_end().trim_end_matches(" check,"));
            Some(
                other
                    .filter(|planner| !planner.contains(' '))
                    .unwrap_or(tool),
            )
        });
        let planners: Vec<&str> = planners.collect();
        let own = planners.iter().find(|planner| **planner == tool);
        own.or(planners.first()).copied()
    }
}

impl std::fmt::Display for Findings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts = [
            (self.n_errors, "error"),
            (self.n_warnings, "warning"),
            (self.n_infos, "info"),
        ];
        let counts = counts.iter().filter(|(n, _)| *n > 0);
        let counts: Vec<String> = counts.map(|(n, noun)| count(*n, noun)).collect();
        match counts.as_slice() {
            [] => f.write_str("nothing found"),
            counts => f.write_str(&counts.join(", ")),
        }
    }
}

fn render(group: &Alike, screen: Screen) -> String {
    let finding = &group.common;
    let severity = plain(&finding["severity"]);
    let tone = match severity.as_ref() {
        "error" => Tone::Bad,
        "warning" => Tone::Doubtful,
        _ => Tone::Changed,
    };
    let place = group.places();
    let resources = group.resources();
    let head = format!("{} ", screen.paint(tone, &format!("{severity:<7}")));
    let id = screen.paint(Tone::Strong, &plain(&finding["id"]));
    let lines = [
        screen.wrap(&head, 8, &format!("{id}{place} {resources}")),
        screen.wrap("        ", 8, &group.template(|one| &one.message)),
        screen.wrap("        fix: ", 13, &group.template(|one| &one.fix)),
    ];
    lines.join("\n")
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
        findings.add(finding("info", "i-9", "good to know"));
        findings.add(finding("info", "i-10", "good to know, too"));
        let expected = "error   x.y.z [1/r] 8: i-1, i-2, i-3, i-4, i-5 and 3 more\n        too old\n        fix: mend it\n\
            warning x.y.z [1/r] a\\u{1b}\n        odd\n        fix: mend it\n\
            info    x.y.z [1/r] i-9\n        good to know\n        fix: mend it\n\
            info    x.y.z [1/r] i-10\n        good to know, too\n        fix: mend it";
        assert_eq!(findings.render(Screen::default()).unwrap(), expected);
        assert_eq!(findings.to_string(), "8 errors, 1 warning, 2 infos");
    }

    /// The same in every account and region is one finding: a place is named as a resource is.
    #[test]
    fn what_is_the_same_in_many_regions_is_said_once() {
        let at = |region: &str, account: &str| {
            let mut one = finding(
                "warning",
                "setting",
                &format!(
                    "it is off in {region}: nothing says so of arn:aws:x:{region}:{account}:y"
                ),
            );
            one["target"] = json!({"account": account, "region": region});
            one["fix"] = format!("turn on --region {region}").into();
            one
        };
        let mut findings = Findings::default();
        for region in ["eu-west-1", "us-east-1", "us-west-2"] {
            findings.add(at(region, "111122223333"));
        }
        let expected = "warning x.y.z [3 regions of 111122223333: eu-west-1, us-east-1, us-west-2] setting\n        \
            it is off in REGION: nothing says so of arn:aws:x:REGION:ACCOUNT:y\n        fix: turn on --region REGION";
        assert_eq!(findings.render(Screen::default()).unwrap(), expected);
        assert_eq!(findings.to_string(), "3 warnings");
        findings.add(at("eu-west-1", "444455556666"));
        let rendered = findings.render(Screen::default()).unwrap();
        let places = "[4 accounts and regions: 111122223333/eu-west-1, 111122223333/us-east-1, 111122223333/us-west-2, 444455556666/eu-west-1] setting\n";
        assert!(rendered.contains(places), "{rendered}");
        // What names another region than its own says something else.
        let mut other = at("eu-west-1", "111122223333");
        other["fix"] = "turn on --region us-east-1".into();
        findings.add(other);
        let rendered = findings.render(Screen::default()).unwrap();
        assert_eq!(rendered.matches("warning").count(), 2, "{rendered}");
        // Neither does one resource hide another, nor its value.
        let mut findings = Findings::default();
        for (region, resource) in [("r-1", "a"), ("r-2", "b"), ("r-2", "a")] {
            let mut one = finding("error", resource, "too old");
            one["target"] = json!({"account": "1", "region": region});
            findings.add(one);
        }
        let expected = "error   x.y.z [2 regions of 1: r-1, r-2] 2: a, b\n        too old\n        fix: mend it";
        assert_eq!(findings.render(Screen::default()).unwrap(), expected);
    }

    /// What differs from node to node is beside its name, and does not make another finding.
    #[test]
    fn values_do_not_part_what_says_the_same() {
        let mut findings = Findings::default();
        for number in 1..=7 {
            let mut lost = finding(
                "error",
                &format!("i-{number}"),
                &format!(
                    "SSM has lost the agent; its last ping was 2026-11-2{number}T09:12:05Z: look"
                ),
            );
            lost["fix"] = format!("aws ssm send-command --instance-ids i-{number}").into();
            findings.add(lost);
        }
        let mut other = finding(
            "error",
            "i-8",
            "SSM has lost the agent; it has no way out: look",
        );
        other["fix"] = "allow port 443".into();
        findings.add(other.clone());
        other["fix"] = "allow port 80".into();
        findings.add(other);
        let expected = "error   x.y.z [1/r] 7: i-1 (2026-11-21T09:12:05Z), i-2 (2026-11-22T09:12:05Z), i-3 (2026-11-23T09:12:05Z), \
            i-4 (2026-11-24T09:12:05Z), i-5 (2026-11-25T09:12:05Z) and 2 more\n        SSM has lost the agent; its last ping was (above): look\n\
            \x20       fix: aws ssm send-command --instance-ids ID\nerror   x.y.z [1/r] i-8\n        SSM has lost the agent; it has no way out: look\n\
            \x20       fix: allow port 443\nerror   x.y.z [1/r] i-8\n        SSM has lost the agent; it has no way out: look\n        fix: allow port 80";
        assert_eq!(findings.render(Screen::default()).unwrap(), expected);
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
