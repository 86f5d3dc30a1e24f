//! Where the organization differs from the desired fence, and what no fence reaches.

use cli::{Finding, FindingKind, Reading, Severity, Target};

use crate::gaps::LeftOpen;
use crate::guard::Part;
use crate::model::{Desired, NO_ORGANIZATION, Observed, USE_MANAGEMENT};
use crate::plan::{desired_state, elsewhere, in_list, left_over};
use crate::policy_equivalence;
use organization::Organization;

/// The fix of what a plan mends. Reports do not say whose finding they show.
const PLAN: &str = "let ssm-scp plan and apply it";

/// Returns the findings; what could not be read is a warning of its own, never a pass.
pub(crate) fn check(
    desired: &Desired,
    parts: &[Part],
    (observed, tree): (&Observed, &Reading<Organization>),
    left_open: LeftOpen,
) -> Vec<Finding> {
    let mut findings = Findings {
        observed,
        found: Vec::new(),
    };
    findings.organization();
    if matches!(observed.management_account, Reading::Absent) {
        // All else is of an organization, and would only hide the one thing to do.
        return findings.found;
    }
    findings.policy_type();
    for part in parts {
        findings.policy(desired, part);
    }
    findings.targets(desired, parts);
    findings.beyond(desired, parts);
    findings.coverage(desired, parts, tree);
    findings.left_open(desired, left_open);
    findings.found
}

struct Findings<'a> {
    observed: &'a Observed,
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn organization(&mut self) {
        let account = self.observed.account.clone();
        match &self.observed.management_account {
            Reading::Present(management) => self.add(
                Severity::Info,
                "management_account.not_governed",
                management,
                "no SCP binds principals of the management account or service-linked roles",
                "keep nodes and people out of the management account",
            ),
            Reading::Absent => self.add(
                Severity::Error,
                "organization.missing",
                &account,
                &format!("the account {NO_ORGANIZATION}"),
                USE_MANAGEMENT,
            ),
            Reading::Unknown(why) => self.unknown("organization.unknown", &account, why),
        }
    }

    fn policy_type(&mut self) {
        match &self.observed.root {
            Reading::Present(root) if root.policy_type_enabled => {}
            Reading::Present(_) | Reading::Absent => self.add(
                Severity::Error,
                "type.not_enabled",
                "SERVICE_CONTROL_POLICY",
                "service control policies are not enabled in the root: none has any effect",
                "set \"enable_policy_type\": true, then let ssm-scp plan and apply it",
            ),
            Reading::Unknown(why) => self.unknown("type.unknown", "SERVICE_CONTROL_POLICY", why),
        }
    }

    fn policy(&mut self, desired: &Desired, part: &Part) {
        let name = part.name.as_str();
        match self.observed.policies.get(name) {
            None | Some(Reading::Absent) => self.add(
                Severity::Error,
                "policy.missing",
                name,
                "there is no service control policy of this name: anyone whom IAM allows can start sessions",
                PLAN,
            ),
            Some(Reading::Unknown(why)) => self.unknown("policy.unknown", name, why),
            Some(Reading::Present(policy)) => {
                let state = desired_state(desired, part);
                if !policy_equivalence::same(&policy.state.document, &state.document)
                    || policy.state.description != state.description
                {
                    self.add(
                        Severity::Error,
                        "policy.drifted",
                        name,
                        "the policy means something else than the desired one",
                        "let ssm-scp plan and apply it, or adopt the change in the desired state",
                    );
                }
            }
        }
    }

    fn targets(&mut self, desired: &Desired, parts: &[Part]) {
        for target in &desired.targets.0 {
            let id = target.0.as_str();
            if self
                .observed
                .management_account
                .present()
                .map(String::as_str)
                == Some(id)
            {
                continue;
            }
            let existing = parts
                .iter()
                .filter_map(|part| self.observed.policies.get(&part.name)?.present());
            let detached = existing
                .filter(|policy| !policy.attached_to.contains(target))
                .count();
            match self.observed.targets.get(target) {
                Some(Reading::Unknown(why)) => self.unknown("target.unknown", id, why),
                Some(Reading::Absent) | None => self.add(
                    Severity::Error,
                    "target.missing",
                    id,
                    "the organization has no such root, organizational unit or account",
                    "correct the target",
                ),
                // A policy that is not there cannot be attached, and that is a finding already.
                Some(Reading::Present(_)) if detached == 0 => {}
                Some(Reading::Present(_)) => self.add(
                    Severity::Error,
                    "target.not_attached",
                    id,
                    "the policy is not attached here: nothing is denied",
                    PLAN,
                ),
            }
        }
    }

    /// Finds what of the guard is attached and should not be: parts that it no longer has, and where targets are exact, all others.
    fn beyond(&mut self, desired: &Desired, parts: &[Part]) {
        let observed = self.observed;
        let is_said = |why: &String| {
            let mut policies = observed.policies.values();
            policies.any(|policy| policy.known().is_err_and(|other| other == why))
        };
        if let Reading::Unknown(why) = &observed.left_over
            && !is_said(why)
        {
            self.unknown("policy.unknown", "parts of the guard", why);
        }
        for policy in left_over(observed) {
            let targets = in_list(&policy.attached_to);
            let message = format!(
                "the guard no longer has this part, which is attached to {targets} and denies by its old exemptions"
            );
            let fix = match desired.exact {
                true => PLAN,
                false => "set \"exact\" and let ssm-scp plan and apply it, or detach the policy",
            };
            self.add(
                Severity::Warning,
                "policy.left_over",
                &policy.state.name,
                &message,
                fix,
            );
        }
        if !desired.exact {
            return;
        }
        for part in parts {
            let policy = observed.policies.get(&part.name);
            for target in elsewhere(desired, policy.and_then(Reading::present)) {
                self.add(
                    Severity::Warning,
                    "target.not_desired",
                    &target.0,
                    &format!("{} is attached here, and the targets are exact", part.name),
                    "let ssm-scp plan and apply it, or add it to the targets",
                );
            }
        }
    }

    /// Reports what the desired guard leaves open, whether it is there or not.
    fn left_open(&mut self, desired: &Desired, left_open: LeftOpen) {
        let name = desired.policy_name.0.as_str();
        if let Some(message) = &left_open.ways {
            let fix = "run ssm-scp gaps, and add what you want closed to the desired state";
            self.add(Severity::Info, "guard.open", name, message, fix);
        }
        if let Some(message) = &left_open.just_in_time {
            let fix = "set exempt_just_in_time and leave out what denies its requests, or leave it broken on purpose";
            self.add(Severity::Info, "just_in_time.denied", name, message, fix);
        }
    }

    /// Finds the accounts that not all policies of the guard are above: new, moved, or never thought of. One of them without the
    /// others denies what that part denies.
    fn coverage(&mut self, desired: &Desired, parts: &[Part], tree: &Reading<Organization>) {
        let tree = match tree {
            Reading::Present(tree) => tree,
            Reading::Absent => return,
            Reading::Unknown(why) => {
                self.unknown("account.unknown", "accounts of the organization", why);
                return;
            }
        };
        for account in tree.accounts().filter(|account| !account.management) {
            let line = tree.lineage(&account.id);
            let is_above = |part: &&Part| {
                let mut policies = line.iter().flat_map(|entity| &entity.policies);
                policies.any(|name| *name == part.name)
            };
            let (above, missing): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(is_above);
            let is_target = line
                .iter()
                .any(|entity| desired.targets.0.iter().any(|target| target.0 == entity.id));
            // Below a target that lacks the policy the finding is the target's.
            if !missing.is_empty() && !is_target {
                let (id, path) = (&account.id, &account.path);
                let names = |parts: &[&Part]| {
                    let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
                    names.join(", ")
                };
                let message = match above.as_slice() {
                    [] => format!(
                        "no target is above account {id} at {path}: nothing is denied there"
                    ),
                    above => format!(
                        "no target is above account {id} at {path}, only {}: what {} denies is not denied there",
                        names(above),
                        names(&missing)
                    ),
                };
                self.add(
                    Severity::Warning,
                    "account.not_covered",
                    &account.id,
                    &message,
                    "add its organizational unit to the targets, or move the account below one",
                );
            }
        }
    }

    fn unknown(&mut self, id: &str, resource: &str, why: &str) {
        let fix = "allow what the message names, from the management account or a delegated administrator";
        self.add(
            Severity::Warning,
            id,
            resource,
            &format!("could not be read: {why}"),
            fix,
        );
    }

    fn add(&mut self, severity: Severity, id: &str, resource: &str, message: &str, fix: &str) {
        let target = Target {
            account: self.observed.account.clone(),
            region: "global".to_owned(),
        };
        self.found.push(Finding {
            kind: FindingKind::Finding,
            id: format!("scp.{id}"),
            severity,
            target: Some(target),
            resource: resource.to_owned(),
            message: message.to_owned(),
            fix: fix.to_owned(),
            // The rules of policies have IDs of their own that end so; they are the linter's.
            is_unread: id.ends_with(".unknown"),
        });
    }
}
