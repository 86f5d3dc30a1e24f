//! What records of the past say: uses of break-glass principals that nobody has acknowledged, sessions without the required reason.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use cli::{Finding, FindingKind, Severity, Target};
use serde_json::Value;

use super::acknowledgement::Acknowledgements;
use super::principal::PrincipalPattern;
use super::routes::Routes;
use crate::records::record::{Event, text};

/// The finding about an open use.
const USED: &str = "events.break_glass.used";
/// The finding about a session without the required reason.
const WITHOUT_REASON: &str = "events.session.without_reason";

/// What was found in records.
#[derive(Debug, Default)]
pub(crate) struct Uses {
    open: Vec<Event>,
    without_reason: Vec<Event>,
    /// A record may be found by several of its attributes.
    seen: HashSet<String>,
    pub(crate) n_acknowledged: usize,
}

/// Of several accounts and Regions.
#[derive(Debug, Default)]
pub(crate) struct Recorded {
    by_target: BTreeMap<(String, String), Uses>,
    pub(crate) n_acknowledged: usize,
    /// The events that it has judged, by their IDs.
    pub(crate) judged: HashSet<String>,
}

/// What one record says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Judged {
    is_open: bool,
    is_acknowledged: bool,
    is_without_reason: bool,
}

impl Judged {
    fn of(
        record: &Value,
        event: &Event,
        routes: &Routes,
        acknowledged: &Acknowledgements,
    ) -> Judged {
        let is_used = routes.is_break_glass(record, event);
        let is_acknowledged = is_used && acknowledged.has(event);
        let pattern = routes.reason_pattern.as_ref();
        Judged {
            is_open: is_used && !is_acknowledged,
            is_acknowledged,
            is_without_reason: pattern.is_some_and(|pattern| pattern.is_missed_by(event)),
        }
    }

    fn is_anything(self) -> bool {
        self.is_open || self.is_acknowledged || self.is_without_reason
    }
}

impl Recorded {
    /// Looks at one record, wherever it is of.
    pub(crate) fn take(
        &mut self,
        record: &Value,
        event: &Event,
        routes: &Routes,
        acknowledged: &Acknowledgements,
    ) {
        if !event.event_id.is_empty() && self.judged.contains(&event.event_id) {
            return;
        }
        let judged = Judged::of(record, event, routes, acknowledged);
        if !judged.is_anything() {
            return;
        }
        if !event.event_id.is_empty() {
            self.judged.insert(event.event_id.clone());
        }
        self.n_acknowledged += usize::from(judged.is_acknowledged);
        let target = (event.account.clone(), event.region.clone());
        self.by_target
            .entry(target)
            .or_default()
            .keep(event, judged);
    }

    /// Returns a finding for each, by account and Region.
    pub(crate) fn findings(self, routes: &Routes) -> (HashSet<String>, Vec<Finding>) {
        let found = self.by_target.into_iter();
        let found = found.flat_map(|((account, region), uses)| {
            findings(uses, routes, &Target { account, region })
        });
        (self.judged, found.collect())
    }
}

impl Uses {
    /// Looks at one record.
    pub(crate) fn take(
        &mut self,
        record: &Value,
        routes: &Routes,
        acknowledged: &Acknowledgements,
    ) {
        let event = Event::of(record);
        if !event.event_id.is_empty() && !self.seen.insert(event.event_id.clone()) {
            return;
        }
        let judged = Judged::of(record, &event, routes, acknowledged);
        self.keep(&event, judged);
    }

    fn keep(&mut self, event: &Event, judged: Judged) {
        self.n_acknowledged += usize::from(judged.is_acknowledged);
        if judged.is_open {
            self.open.push(event.clone());
        }
        if judged.is_without_reason {
            self.without_reason.push(event.clone());
        }
    }
}

impl Routes {
    /// Returns whether a call may be one by a break-glass principal, or by which somebody becomes one: what goes to their own
    /// destinations is what `check` asks to be acknowledged.
    pub(super) fn is_break_glass(&self, record: &Value, event: &Event) -> bool {
        let became = became(record, event);
        let is_named = |pattern: &PrincipalPattern| became.iter().any(|arn| pattern.may_be(arn));
        let mut patterns = self.principals();
        patterns.any(|pattern| pattern.may_fit(record, event) || is_named(pattern))
    }
}

/// Returns as whom a call lets its caller go on: who assumes a role is another one, and of a sign-in the record may have a name only.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html>,
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html>
fn became(record: &Value, event: &Event) -> Vec<String> {
    let mut arns = Vec::new();
    if event.source == "sts.amazonaws.com" && event.event.starts_with("AssumeRole") {
        arns.push(text(&record["requestParameters"]["roleArn"]));
        arns.push(text(&record["responseElements"]["assumedRoleUser"]["arn"]));
        let resources = record["resources"].as_array().into_iter().flatten();
        arns.extend(resources.map(|one| text(&one["ARN"])));
    }
    if event.source == "signin.amazonaws.com" {
        let more = &record["additionalEventData"];
        arns.extend(["SwitchTo", "SwitchFrom"].map(|name| text(&more[name])));
        let who = &record["userIdentity"];
        let (account, user) = (text(&who["accountId"]), text(&who["userName"]));
        if who["type"] == "IAMUser" && who["arn"].is_null() {
            let partition = event.partition().unwrap_or("aws");
            arns.push(format!("arn:{partition}:iam::{account}:user/{user}"));
        }
    }
    arns.retain(|arn| !arn.is_empty());
    arns
}

impl Routes {
    /// Returns the patterns of break-glass principals.
    fn principals(&self) -> impl Iterator<Item = &PrincipalPattern> {
        self.break_glass.iter().flat_map(|one| &one.principals)
    }

    /// Returns what each of the patterns has, once.
    fn of_break_glass(&self, of: impl Fn(&PrincipalPattern) -> Vec<String>) -> Vec<String> {
        let found: BTreeSet<String> = self.principals().flat_map(of).collect();
        found.into_iter().collect()
    }

    /// Returns whether break-glass principals may be roles of an account.
    pub(crate) fn may_have_roles(&self, account: &str, partition: &str) -> bool {
        let mut patterns = self.principals();
        patterns.any(|pattern| pattern.may_have_roles(account, partition))
    }

    /// Returns the roles of an account in a partition, of which these exist, that are break-glass principals.
    pub(crate) fn break_glass_roles(
        &self,
        account: &str,
        partition: &str,
        existing: &[String],
    ) -> Vec<String> {
        self.of_break_glass(|pattern| pattern.roles(account, partition, existing))
    }

    /// Returns whether it takes the users of an account to know which of them are break-glass principals.
    pub(crate) fn may_have_users(&self, account: &str, partition: &str) -> bool {
        let mut patterns = self.principals();
        patterns.any(|pattern| pattern.may_have_users(account, partition))
    }

    /// Returns the names of the users of an account in a partition, of which these exist, that are break-glass principals.
    pub(crate) fn break_glass_users(
        &self,
        account: &str,
        partition: &str,
        existing: &[String],
    ) -> Vec<String> {
        self.of_break_glass(|pattern| pattern.users(account, partition, existing))
    }
}

/// Returns a finding for each, the oldest first.
pub(crate) fn findings(mut uses: Uses, routes: &Routes, target: &Target) -> Vec<Finding> {
    let by_time = |one: &Event, other: &Event| {
        (&one.time, &one.event_id).cmp(&(&other.time, &other.event_id))
    };
    uses.open.sort_by(by_time);
    uses.without_reason.sort_by(by_time);
    let finding = |id: &str, severity, event: &Event, message: String, fix: String| Finding {
        kind: FindingKind::Finding,
        id: id.to_owned(),
        severity,
        target: Some(target.clone()),
        resource: match event.event_id.as_str() {
            "" => format!("{} {}", event.who.principal, event.time),
            id => id.to_owned(),
        },
        message,
        fix,
        is_unread: false,
    };
    let mut found: Vec<Finding> = uses
        .open
        .iter()
        .map(|event| {
            let on = event.nodes.first().map(|node| format!(" on {node}"));
            let mut parameters = event.parameters.iter();
            let role = parameters.find_map(|one| one.strip_prefix("roleArn="));
            let role = role.map(|role| format!(" of {role}"));
            let failed = match (event.error.as_str(), event.error_message.as_str()) {
                ("", "") => String::new(),
                ("", why) | (why, _) => format!(" ({why})"),
            };
            let message = format!(
                "{} ({}) called {}{}{failed} at {}, which nobody has acknowledged",
                event.who.principal,
                event.who.name(),
                event.event,
                on.or(role).unwrap_or_default(),
                event.time
            );
            let fix = "find out what it was for, and add it with who, when and why to the file of --acknowledged";
            finding(USED, Severity::Error, event, message, fix.to_owned())
        })
        .collect();
    let pattern = routes.reason_pattern.as_ref();
    let pattern = pattern.map(|pattern| pattern.text()).unwrap_or_default();
    found.extend(uses.without_reason.iter().map(|event| {
        let node = event.nodes.first().map_or("a node", String::as_str);
        let said = match event.reason.as_str() {
            "" => "has no reason".to_owned(),
            reason => format!("has the reason '{reason}'"),
        };
        let message = format!(
            "the session of {} on {node} at {} {said}, in which nothing matches {pattern}",
            event.who.name(),
            event.time
        );
        let fix =
            "ask whoever started it, and have operators pass `--reason` with the ticket".to_owned();
        finding(WITHOUT_REASON, Severity::Warning, event, message, fix)
    }));
    found
}
