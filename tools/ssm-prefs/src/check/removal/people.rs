//! The roles that were given: which of them can go one of several ways, and how that is told.

use cli::{Finding, Severity, Target};
use iam_policy::Verdict;
use transcripts::{Need, Role, both, either, judge};

use crate::finding::finding;
use crate::roles::Roles;

/// Names in a message; the rest is counted.
const MAX_NAMES: usize = 5;

/// The roles that were given, each whether it is one of nodes.
pub(super) struct People<'t> {
    roles: Vec<(Role, bool)>,
    pub(super) target: &'t Target,
}

impl People<'_> {
    pub(super) fn of<'t>(roles: &Roles, target: &'t Target) -> People<'t> {
        // Where they were not judged, the preflight says so.
        let nodes = roles.of_nodes(target).and_then(Result::ok);
        let nodes = nodes.unwrap_or_default().into_iter();
        let mut all: Vec<(Role, bool)> = nodes.map(|role| (role, true)).collect();
        for operator in roles.of_operators(target).unwrap_or_default() {
            if !all.iter().any(|(known, _)| known.arn == operator.arn) {
                all.push((operator, false));
            }
        }
        People { roles: all, target }
    }

    /// Returns those who can go one of these ways, and those of whom it is not known.
    pub(super) fn by(&self, ways: &[Way]) -> Able {
        let mut able = Able {
            given: !self.roles.is_empty(),
            ..Able::default()
        };
        for (role, is_of_node) in &self.roles {
            match ways
                .iter()
                .map(|way| way.is_open_to(role))
                .fold(Verdict::Denied, either)
            {
                Verdict::Allowed => {
                    able.nodes |= is_of_node;
                    able.named.push(role.arn.clone());
                }
                Verdict::Unknown => able.perhaps.push(role.arn.clone()),
                Verdict::Denied => {}
            }
        }
        able
    }
}

/// One way to lose records: what has to be done for it, all of it.
pub(super) struct Way(pub(super) Vec<Need>);

impl Way {
    fn is_open_to(&self, role: &Role) -> Verdict {
        let verdicts = self.0.iter().map(|need| judge(role, need).verdict);
        verdicts.fold(Verdict::Allowed, both)
    }

    /// Returns the actions, as people name them.
    fn text(&self) -> String {
        let actions: Vec<&str> = self.0.iter().map(|need| need.action).collect();
        actions.join(" with ")
    }
}

/// Who can remove something.
#[derive(Default)]
pub(super) struct Able {
    /// Whether there were roles to judge.
    given: bool,
    pub(super) named: Vec<String>,
    perhaps: Vec<String>,
    /// Whether one of the named is the role of nodes, which everybody with a session there acts as.
    nodes: bool,
}

impl Able {
    /// Adds those who could if something were so that is not known.
    pub(super) fn perhaps_as_well(&mut self, doubtful: Able) {
        let all = doubtful.named.into_iter().chain(doubtful.perhaps);
        for name in all {
            if !self.named.contains(&name) && !self.perhaps.contains(&name) {
                self.perhaps.push(name);
            }
        }
    }
}

/// What one thing that holds records is called in its finding.
pub(super) struct Subject<'s> {
    pub(super) id: &'static str,
    pub(super) resource: &'s str,
    /// What becomes of the records.
    pub(super) effect: &'static str,
    /// How it is protected today.
    pub(super) state: &'s str,
    /// What would be better.
    pub(super) remedy: &'static str,
}

/// Says who can, the named first. A role of nodes is worth a warning: whoever has a session there acts as that role.
pub(super) fn told(subject: &Subject<'_>, ways: &[Way], able: &Able) -> Finding {
    let mut actions: Vec<String> = Vec::new();
    for text in ways.iter().map(Way::text) {
        if !actions.contains(&text) {
            actions.push(text);
        }
    }
    let others = "others of the account whose policies allow it";
    let who = match (able.named.is_empty(), able.perhaps.is_empty()) {
        (true, true) if able.given => {
            format!("none of the roles that were given, but perhaps {others},")
        }
        (true, true) => "whoever in the account has a policy that allows it".to_owned(),
        (true, false) => format!("perhaps {}, and {others},", listed(&able.perhaps)),
        (false, true) => format!("{}, and {others},", listed(&able.named)),
        (false, false) => format!(
            "{}, perhaps {}, and {others},",
            listed(&able.named),
            listed(&able.perhaps)
        ),
    };
    let message = format!(
        "{who} can {}, by {}; {}",
        subject.effect,
        any_of(&actions),
        subject.state
    );
    let fix = format!(
        "{}; take these actions from whoever does not need them, with a service control policy too",
        subject.remedy
    );
    let severity = if able.nodes {
        Severity::Warning
    } else {
        Severity::Info
    };
    finding(severity, subject.id, subject.resource, message, &fix)
}

fn listed(names: &[String]) -> String {
    let shown = names.iter().take(MAX_NAMES).cloned().collect::<Vec<_>>();
    match names.len().saturating_sub(MAX_NAMES) {
        0 => shown.join(", "),
        rest => format!("{} and {rest} more", shown.join(", ")),
    }
}

fn any_of(actions: &[String]) -> String {
    match actions {
        [one] => one.clone(),
        several => format!("any of {}", several.join(", ")),
    }
}
