//! The roles that were given: which of them can go one of several ways, and how a message names them.

use cli::{Finding, Severity, Target};
use iam_policy::{Arn, Verdict};
use serde_json::{Value, json};
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

    /// Adds a principal that the policy of a resource names. A role of this account that was not given needs no policy of its own
    /// where that one is enough, and may have one where it is not; what another account lets its own do is not known there.
    pub(super) fn let_in(&self, name: &str, ways: &[Way], able: &mut Able) {
        let Some(arn) = Arn::parse(name) else {
            if name != self.target.account {
                able.name(name);
            }
            return;
        };
        let is_own = arn.account == self.target.account;
        let is_judged = self.roles.iter().any(|(role, _)| role.arn == name);
        if is_judged || is_own && arn.resource == "root" {
            return;
        }
        let everything =
            json!({ "Statement": [{ "Effect": "Allow", "Action": "*", "Resource": "*" }] });
        let with = |own: Option<&Value>| {
            let role = Role::new(name, own.map(|policy| ("its own", policy)), None);
            let verdicts = ways.iter().map(|way| way.is_open_to(&role));
            verdicts.fold(Verdict::Denied, either)
        };
        match with(Some(&everything)) {
            Verdict::Denied => {}
            Verdict::Allowed if !is_own || with(None) == Verdict::Allowed => able.name(name),
            _ => able.perhaps(name),
        }
    }
}

/// One way to lose records: what has to be done for it, all of it.
pub(super) struct Way(pub(super) Vec<Need>);

impl Way {
    fn is_open_to(&self, role: &Role) -> Verdict {
        let verdicts = self.0.iter().map(|need| judge(role, need).verdict);
        verdicts.fold(Verdict::Allowed, both)
    }

    pub(super) fn actions(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|need| need.action)
    }

    /// Returns the actions, as people name them.
    fn text(&self) -> String {
        let actions: Vec<&str> = self.actions().collect();
        actions.join(" with ")
    }
}

/// Who can remove something.
#[derive(Default)]
pub(super) struct Able {
    /// Whether there were roles to judge.
    given: bool,
    named: Vec<String>,
    perhaps: Vec<String>,
    /// Whether one of the named is the role of nodes, which everybody with a session there acts as.
    nodes: bool,
}

impl Able {
    pub(super) fn name(&mut self, name: &str) {
        if !self.named.iter().any(|known| known == name) {
            self.named.push(name.to_owned());
        }
    }

    fn perhaps(&mut self, name: &str) {
        let mut known = self.named.iter().chain(&self.perhaps);
        if !known.any(|known| known == name) {
            self.perhaps.push(name.to_owned());
        }
    }

    /// Adds those who could if something were so that is not known.
    pub(super) fn perhaps_as_well(&mut self, doubtful: Able) {
        let all = doubtful.named.into_iter().chain(doubtful.perhaps);
        all.for_each(|name| self.perhaps(&name));
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
pub(super) fn removable(subject: &Subject<'_>, ways: &[Way], able: &Able) -> Finding {
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
