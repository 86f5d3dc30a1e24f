//! Where the organization differs from the desired fence, and what no fence reaches.

use toolio::{Finding, FindingKind, Outcome, Reading, Severity, Target};

use crate::document;
use crate::model::{Desired, Observed};
use crate::plan::wished;

/// Returns the findings; what could not be read is a warning of its own, never a pass.
pub(crate) fn check(desired: &Desired, observed: &Observed) -> Vec<Finding> {
    let mut findings = Findings {
        observed,
        found: Vec::new(),
    };
    let name = desired.policy_name.0.as_str();
    findings.organization();
    match &observed.policy {
        Reading::Absent => findings.add(
            Severity::Error,
            "policy.missing",
            name,
            "there is no service control policy of this name: everybody whom IAM lets may start sessions",
            "run plan and apply",
        ),
        Reading::Unknown(why) => findings.unknown("policy.unknown", name, why),
        Reading::Present(policy) => {
            let drifted = match wished(desired) {
                Ok(wished) => {
                    !document::same(&policy.state.document, &wished.document)
                        || policy.state.description != wished.description
                }
                // Refused while it was read; nothing is compared with a document that cannot be.
                Err(_) => false,
            };
            if drifted {
                let message = "the policy means something else than the desired one";
                findings.add(Severity::Error, "policy.drifted", name, message, "run plan and apply, or adopt the change in the desired state");
            }
        }
    }
    for target in &desired.targets.0 {
        let id = target.0.as_str();
        let attached = observed
            .policy
            .present()
            .is_some_and(|policy| policy.attached_to.contains(target));
        match observed.targets.get(target) {
            _ if observed.management_account.present().map(String::as_str) == Some(id) => {}
            Some(Reading::Unknown(why)) => findings.unknown("target.unknown", id, why),
            Some(Reading::Absent) | None => findings.add(
                Severity::Error,
                "target.missing",
                id,
                "the organization has no such root, organizational unit or account",
                "correct the target",
            ),
            // Without the policy there is nothing to attach, and that is a finding already.
            Some(Reading::Present(_)) if attached || observed.policy.present().is_none() => {}
            Some(Reading::Present(_)) => findings.add(
                Severity::Error,
                "target.not_attached",
                id,
                "the policy is not attached here: nothing is denied",
                "run plan and apply",
            ),
        }
    }
    findings.found
}

/// Returns what findings come to: notes alone are fine.
pub(crate) fn outcome(findings: &[Finding]) -> Outcome {
    let found = findings
        .iter()
        .any(|finding| finding.severity != Severity::Info);
    if found { Outcome::Found } else { Outcome::Fine }
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
                "the account is in no organization: SCPs do not exist here",
                "use credentials of the management account or a delegated administrator",
            ),
            Reading::Unknown(why) => self.unknown("organization.unknown", &account, why),
        }
        match &self.observed.type_enabled {
            Reading::Present(true) => {}
            Reading::Present(false) | Reading::Absent => self.add(
                Severity::Error,
                "type.not_enabled",
                "SERVICE_CONTROL_POLICY",
                "service control policies are not enabled in the root: none has any effect",
                "run aws organizations enable-policy-type in the management account",
            ),
            Reading::Unknown(why) => self.unknown("type.unknown", "SERVICE_CONTROL_POLICY", why),
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
        });
    }
}
