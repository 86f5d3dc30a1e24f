//! One account before and after a change, asked for everybody and everything by the evaluator of the random cases: who loses what,
//! who gets in, and what has to be named.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use iam_policy::{AGENT_ACTIONS, OPERATOR_ACTIONS, reference};
use organization::Organization;
use serde_json::Value;

use super::evaluator::{Circumstances, passes, says};
use super::random::{OTHERS, REGIONS};
use super::scene::{ACCESS, role};
use crate::model::{Document, PrincipalPolicies};

/// Returns what losing an action may be called that no list has here: by its service, as the lists of the judgement are not ours.
fn kinds(action: &str) -> [&'static str; 3] {
    let of_service = match action.split(':').next() {
        Some("sts") => "assume_role",
        Some("kms" | "logs" | "s3") => "logging",
        Some("organizations") => "repair",
        Some("sso" | "identitystore") => "assign_access",
        _ => "other",
    };
    [of_service, "other", "conditional"]
}

/// Where nothing is about some resources or a Region.
const ANYWHERE: Circumstances<'_> = Circumstances {
    resource: "*",
    region: REGIONS[0],
};

pub(super) fn may_itself(principal: &PrincipalPolicies, action: &str) -> bool {
    let allows = |document: &Document| says(&[document], "Allow", principal, action, ANYWHERE);
    let mut boundary = principal.boundary.iter();
    principal.policies.iter().any(allows) && boundary.all(allows)
}

/// One account before and after, asked for everybody and everything.
pub(super) struct Asked<'a> {
    pub(super) before: &'a Organization,
    pub(super) after: &'a Organization,
    pub(super) account: &'a str,
    pub(super) principals: &'a [PrincipalPolicies],
    pub(super) risks: &'a [String],
    /// What no statement distinguishes is asked about once.
    pub(super) regions: &'a [&'a str],
    pub(super) has_resources: bool,
    pub(super) answers: &'a Answers,
}

/// What was answered: by the address of a state, who asks, and for what.
pub(super) type Answers = RefCell<HashMap<(usize, String, String), Rc<Passing>>>;

/// By Region, then by resource, whether an action passes.
type Passing = Vec<Vec<bool>>;

impl Asked<'_> {
    /// Returns the resources on which an action may be asked: of each type one that no statement names, and those that some do.
    /// Where no statement is about some resources any one will do.
    fn resources(&self, action: &str) -> Vec<String> {
        let types = reference::action(action).map_or(&[][..], |action| &action.resources);
        let types = types
            .iter()
            .filter(|one| !one.of.name.starts_with("accesspoint"));
        let mut resources: Vec<String> = types
            .map(|one| format!("arn:aws:{}", one.of.arn.replace('*', "q9")))
            .collect();
        if !self.has_resources || resources.is_empty() {
            return vec!["*".to_owned()];
        }
        if resources.iter().any(|one| one.contains(":role/")) {
            resources.push(role(self.account, "ssm/BreakGlass"));
        }
        if resources.iter().any(|one| one.starts_with("arn:aws:s3:::")) {
            resources.push("arn:aws:s3:::audit/x".to_owned());
        }
        resources
    }

    /// Returns in which circumstances an action passes, by Region.
    fn passing(&self, state: &Organization, who: &PrincipalPolicies, action: &str) -> Rc<Passing> {
        let address = std::ptr::from_ref(state).addr();
        let key = (address, who.arn.clone(), action.to_owned());
        if let Some(known) = self.answers.borrow().get(&key) {
            return Rc::clone(known);
        }
        let resources = self.resources(action);
        let regions = self.regions.iter().map(|region| {
            let each = resources.iter().map(|resource| {
                let circumstances = Circumstances { resource, region };
                passes(state, self.account, who, action, circumstances)
            });
            each.collect()
        });
        let passing = Rc::new(regions.collect());
        let mut answers = self.answers.borrow_mut();
        answers.insert(key, Rc::clone(&passing));
        passing
    }

    /// Returns whether there are circumstances in which an action passes.
    fn may(&self, state: &Organization, who: &PrincipalPolicies, action: &str) -> bool {
        let passing = self.passing(state, who, action);
        passing.iter().flatten().any(|passes| *passes)
    }

    /// Returns for each Region whether all is lost there that somebody had.
    pub(super) fn lost(&self, who: &PrincipalPolicies, action: &str) -> Vec<bool> {
        let before = self.passing(self.before, who, action);
        if !before.iter().flatten().any(|passes| *passes) {
            return vec![false; before.len()];
        }
        let after = self.passing(self.after, who, action);
        let regions = before.iter().zip(after.iter());
        let lost = regions.map(|(before, after)| {
            let mut both = before.iter().zip(after);
            before.contains(&true) && both.all(|(had, has)| !(*had && *has))
        });
        lost.collect()
    }

    pub(super) fn loses(&self, who: &PrincipalPolicies, action: &str) -> bool {
        self.lost(who, action).contains(&true)
    }

    /// Returns whether something passed in some circumstances that does not pass in them any more.
    pub(super) fn loses_somewhere(&self, who: &PrincipalPolicies, action: &str) -> bool {
        let before = self.passing(self.before, who, action);
        let after = self.passing(self.after, who, action);
        let mut both = before.iter().flatten().zip(after.iter().flatten());
        both.any(|(had, has)| *had && !*has)
    }

    /// Returns whether a risk is named, be it of the end or of the way there.
    fn is_named(&self, kind: &str) -> bool {
        let name = format!("{kind}:{}", self.account);
        self.risks.contains(&name) || self.risks.contains(&format!("midway:{name}"))
    }

    /// Returns whether a resource control policy denies somebody an action.
    fn is_resource_denied(&self, who: &PrincipalPolicies, action: &str) -> bool {
        let mut entities = self.after.entities.iter();
        let entity = entities.find(|one| one.id == self.account).unwrap();
        let policies = self.after.resource_control.iter();
        let here = policies.filter(|one| entity.resource_control_policies.contains(&one.name));
        let documents: Vec<&Value> = here.map(|one| &one.document).collect();
        says(&documents, "Deny", who, action, ANYWHERE)
    }

    /// Returns whether somebody may become a principal: by who is trusted, who may become those, and whether they keep it.
    fn gets_in(&self, state: &Organization, who: &PrincipalPolicies) -> bool {
        self.is_open(state, who, self.principals.len())
    }

    fn is_open(&self, state: &Organization, who: &PrincipalPolicies, n_steps: usize) -> bool {
        let Some(trust) = &who.trust else {
            return true;
        };
        let trusted = &trust["Statement"][0]["Principal"]["AWS"];
        let Some(trusted) = trusted.as_str().filter(|_| n_steps > 0) else {
            return false;
        };
        // It goes by the account alone whom the policies of the resource's side deny here.
        if self.is_resource_denied(who, "sts:AssumeRole") {
            return false;
        }
        if !trusted.contains(&format!(":{}:role/", self.account)) {
            return true;
        }
        let mut found = self.principals.iter().filter(|one| one.arn == trusted);
        found.any(|one| {
            let mut regions = self.regions.iter();
            let keeps = regions.any(|region| {
                let resource = &who.arn;
                let circumstances = Circumstances { resource, region };
                passes(state, self.account, one, "sts:AssumeRole", circumstances)
            });
            keeps && self.is_open(state, one, n_steps - 1)
        })
    }

    /// Returns whether somebody who gets in keeps an action.
    fn is_kept(&self, action: &str) -> bool {
        let keeps = |one: &&PrincipalPolicies| {
            may_itself(one, action)
                && !self.loses(one, action)
                && self.may(self.after, one, action)
                && !self.is_resource_denied(one, action)
                && self.gets_in(self.after, one)
        };
        self.principals.iter().any(|one| keeps(&one))
    }

    /// Returns whether somebody who gets in loses nothing of what operators do, and may do some of what others lose.
    fn has_way_in(&self) -> bool {
        let loses = |one: &PrincipalPolicies, action: &str| self.loses(one, action);
        let lost: Vec<&&str> = OPERATOR_ACTIONS
            .iter()
            .filter(|action| self.principals.iter().any(|one| loses(one, action)))
            .collect();
        self.principals.iter().any(|one| {
            let may = |action: &&&str| may_itself(one, action) && self.may(self.after, one, action);
            self.gets_in(self.after, one)
                && lost.iter().all(|action| !loses(one, action))
                && lost.iter().any(may)
        })
    }

    /// Looks for access that somebody of the account has before and nobody after.
    pub(super) fn check_access(&self, case: &str) {
        for action in ACCESS {
            let may = |state: &Organization| {
                let may = |one: &&PrincipalPolicies| {
                    may_itself(one, action)
                        && self.may(state, one, action)
                        && self.gets_in(state, one)
                };
                self.principals.iter().any(|one| may(&one))
            };
            assert!(
                !may(self.before)
                    || may(self.after)
                    || ["break_glass", "assume_role"]
                        .iter()
                        .any(|kind| self.is_named(kind)),
                "{case}: nobody in {} may call {action} any more: {:?}",
                self.account,
                self.risks
            );
        }
    }

    /// Looks for access that is open here, and neither before nor in the end.
    pub(super) fn check_open(&self, end: &Organization, case: &str) {
        for action in ACCESS {
            for who in self.principals {
                // In whatever circumstances: where it depends on them it is not denied on the way, or not in the end.
                let is_off = self.may(self.after, who, action)
                    && !self.may(self.before, who, action)
                    && !self.may(end, who, action);
                // Of two doubts that are one denial together nobody sees more than the doubts.
                let is_doubtful = self.regions.len() > 1 && self.is_named("conditional");
                assert!(
                    !is_off || is_doubtful || self.is_named("guard_off"),
                    "{case}: {} may call {action} in between: {:?}",
                    who.arn,
                    self.risks
                );
            }
        }
    }

    /// Returns how many losses were looked at.
    pub(super) fn check(&self, others: &BTreeSet<String>, case: &str) -> usize {
        let mut n_losses = 0;
        let known = AGENT_ACTIONS.iter().chain(OPERATOR_ACTIONS).chain(&OTHERS);
        let others = others.iter().map(String::as_str);
        for action in known.copied().chain(others) {
            for principal in self.principals.iter().filter(|one| may_itself(one, action)) {
                if !self.loses(principal, action) {
                    continue;
                }
                n_losses += 1;
                let is_named = match action {
                    action if AGENT_ACTIONS.contains(&action) => self.is_named("nodes_offline"),
                    // A way in for something else is none for sessions and commands.
                    action if ACCESS.contains(&action) => {
                        self.is_named("break_glass") || self.is_kept(action)
                    }
                    // Where others keep what is lost on some resources only, those who lose all of it are named one by one.
                    action if OPERATOR_ACTIONS.contains(&action) => {
                        let singled_out = format!("singled_out:{}", principal.arn);
                        self.is_named("break_glass")
                            || self.has_way_in()
                            || self.risks.contains(&singled_out)
                    }
                    "sts:AssumeRole" => self.is_named("assume_role"),
                    "s3:PutObject" => self.is_named("logging"),
                    "organizations:DetachPolicy" => {
                        let kinds = ["repair", "conditional"];
                        kinds.iter().any(|kind| self.is_named(kind)) || self.is_kept(action)
                    }
                    action if OTHERS.contains(&action) => {
                        let kinds = ["other", "conditional"];
                        kinds.iter().any(|kind| self.is_named(kind)) || self.is_kept(action)
                    }
                    action => {
                        kinds(action).iter().any(|kind| self.is_named(kind)) || self.is_kept(action)
                    }
                };
                assert!(
                    is_named,
                    "{case}: {} loses {action}: {:?}",
                    principal.arn, self.risks
                );
            }
        }
        n_losses
    }
}
