//! What is desired and what is there, to findings. Pure.

mod excluded;
mod hybrid;
mod permitted;

use std::collections::BTreeMap;
use std::sync::Arc;

use cli::{Finding, FindingKind, Reading, Severity};
use iam_policy::Trust;
use transcripts::{Above, Need, Preferences};

use self::permitted::permitted;
use crate::TOOL;
use crate::model::{
    AssignProfile, CORE_POLICY, DEFAULT_POLICY, DefaultHostManagement, Desired, LEGACY_POLICY,
    NodeRoles, Observed, Role, ec2_service, setting_arn,
};
use crate::required_permissions::required_permissions;

/// Returns everything that is wrong: the setting first, then profiles, then roles, each in order of its name.
pub(crate) fn check(
    desired: &Desired,
    observed: &Observed,
    preferences: Option<&Preferences>,
    above: &Arc<Above>,
) -> Vec<Finding> {
    let needs = required_permissions(&observed.partition, &observed.target, preferences);
    let mut findings = Findings {
        observed,
        preferences,
        above,
        needs: &needs,
        found: Vec::new(),
    };
    if let Some(required) = &desired.default_host_management {
        default_host_management(required, &mut findings);
    }
    if let Some(required) = &desired.instance_profiles {
        instance_profiles(required, &mut findings);
    }
    if let Some(required) = &desired.hybrid_activations {
        hybrid::hybrid_activations(required, &mut findings);
    }
    if let Some(required) = &desired.assign_profile {
        bare_instances(required, &mut findings);
    }
    excluded::excluded(&mut findings);
    findings.found
}

fn default_host_management(required: &DefaultHostManagement, findings: &mut Findings<'_>) {
    let observed = findings.observed;
    let resource = setting_arn(&observed.partition, &observed.target);
    let setting = match &observed.setting {
        Reading::Unknown(reason) => return findings.unknown("dhmc", &resource, reason),
        reading => reading.present().and_then(|setting| setting.role()),
    };
    let plan = format!("let {TOOL} plan and apply it");
    let value = match (setting, required.enabled) {
        (None, false) => return,
        (None, true) => {
            let message = "Default Host Management is off: instances without an instance profile cannot register";
            return findings.push("dhmc.disabled", Severity::Error, &resource, message, &plan);
        }
        (Some(value), false) => {
            let message =
                format!("Default Host Management is on with role {value}, but must be off");
            return findings.push(
                "dhmc.enabled",
                Severity::Warning,
                &resource,
                &message,
                &plan,
            );
        }
        (Some(value), true) => value,
    };
    let name = value.rsplit('/').next().unwrap_or_default();
    if name != required.role_name.0 && !required.adopt {
        let message = format!("the role is {name}, not {}", required.role_name.0);
        findings.push(
            "dhmc.other_role",
            Severity::Warning,
            &resource,
            &message,
            &plan,
        );
    }
    match observed.roles.get(name) {
        Some(Reading::Unknown(reason)) => findings.unknown("dhmc", name, reason),
        Some(Reading::Present(role)) => default_role(name, value, role, &plan, findings),
        Some(Reading::Absent) | None => {
            let message = format!(
                "the setting names {value}, but no role {name} exists: no node gets credentials from it"
            );
            findings.push(
                "dhmc.role_missing",
                Severity::Error,
                &resource,
                &message,
                &plan,
            );
        }
    }
}

fn default_role(name: &str, value: &str, role: &Role, plan: &str, findings: &mut Findings<'_>) {
    if role.setting_value(name) != value {
        let message = format!(
            "the setting says {value}, but the role's path makes it {}",
            role.setting_value(name)
        );
        findings.push("dhmc.role_path", Severity::Error, &role.arn, &message, plan);
    }
    trusted(
        role,
        "ssm.amazonaws.com",
        "dhmc.role_trust",
        "no node gets credentials from it",
        findings,
    );
    let message = format!(
        "{DEFAULT_POLICY} is not attached, and nothing else allows what it does: nodes get credentials that allow them nothing"
    );
    permitted(role, "dhmc.policy_missing", &message, findings);
    legacy(role, findings);
}

fn instance_profiles(required: &NodeRoles, findings: &mut Findings<'_>) {
    let observed = findings.observed;
    let profiles = match &observed.profiles {
        Reading::Unknown(reason) => {
            return findings.unknown("profile", &observed.target.to_string(), reason);
        }
        reading => reading.present().map(Vec::as_slice).unwrap_or_default(),
    };
    for profile in profiles {
        match &profile.role {
            Reading::Present(_) => {}
            Reading::Unknown(reason) => findings.unknown("profile", &profile.arn, reason),
            Reading::Absent => {
                let message = format!(
                    "it holds no role, so {} get no credentials from it",
                    instances(profile.instance_ids.len())
                );
                findings.push(
                    "profile.without_role",
                    Severity::Error,
                    &profile.arn,
                    &message,
                    "add a role to it",
                );
            }
        }
    }
    let mut n_instances: BTreeMap<&str, usize> = BTreeMap::new();
    for profile in profiles {
        if let Reading::Present(name) = &profile.role {
            *n_instances.entry(name).or_default() += profile.instance_ids.len();
        }
    }
    let service = ec2_service(&observed.partition);
    for (name, n_instances) in n_instances {
        if let Some(Reading::Present(role)) = observed.roles.get(name)
            && !required.excludes(name)
        {
            let loss = format!("no credentials for {}", instances(n_instances));
            trusted(role, service, "profile.role_trust", &loss, findings);
        }
        node_role(required, name, &instances(n_instances), findings);
    }
}

/// Reports when a service may not assume a role, and what is lost by it.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshoot-iam-role.html>
fn trusted(role: &Role, service: &str, problem: &str, loss: &str, findings: &mut Findings<'_>) {
    // The name of China has the other as its beginning, and either will do there.
    let name = service.trim_end_matches(".cn");
    match findings.observed.trusts(role, name) {
        Trust::Yes => {}
        Trust::No => {
            let message = format!("{service} may not assume the role: {loss}");
            let fix = format!("allow {service} sts:AssumeRole in its trust policy");
            findings.push(problem, Severity::Error, &role.arn, &message, &fix);
        }
        Trust::Unknown => {
            let message = format!(
                "whether {service} may assume the role depends on a condition, a denial or a name in its trust policy; if not: \
                 {loss}"
            );
            let fix = "look at its trust policy";
            findings.push("trust.unknown", Severity::Warning, &role.arn, &message, fix);
        }
    }
}

/// Reports what is wrong with the role that these nodes have.
fn node_role(required: &NodeRoles, name: &str, nodes: &str, findings: &mut Findings<'_>) {
    if required.excludes(name) {
        return;
    }
    let role = match findings.observed.roles.get(name) {
        Some(Reading::Present(role)) => role,
        Some(Reading::Unknown(reason)) => return findings.unknown("core_policy", name, reason),
        Some(Reading::Absent) | None => return,
    };
    let message = format!(
        "{CORE_POLICY} is not attached, and nothing else allows what it does, so {nodes} cannot be managed with it"
    );
    if required.attach_managed_policy {
        permitted(role, "core_policy.missing", &message, findings);
    }
    legacy(role, findings);
}

fn bare_instances(required: &AssignProfile, findings: &mut Findings<'_>) {
    let bare = &findings.observed.bare_instances;
    if bare.is_empty() {
        return;
    }
    let message = format!(
        "{} without an instance profile, which {} is to be used: {}",
        instances(bare.len()),
        required.name.0,
        bare.join(", ")
    );
    let fix = format!("let {TOOL} plan and apply it");
    let resource = findings.observed.target.to_string();
    findings.push(
        "profile.missing",
        Severity::Error,
        &resource,
        &message,
        &fix,
    );
}

fn legacy(role: &Role, findings: &mut Findings<'_>) {
    if role.has(&findings.observed.partition, LEGACY_POLICY) {
        let message = "AmazonEC2RoleforSSM is attached: it reads and writes every S3 bucket that lets the account";
        let fix = format!("attach {CORE_POLICY} and what its logs need, then detach it");
        findings.push(
            "legacy_policy.attached",
            Severity::Warning,
            &role.arn,
            message,
            &fix,
        );
    }
}

fn instances(n_instances: usize) -> String {
    cli::count(n_instances, "instance")
}

struct Findings<'a> {
    observed: &'a Observed,
    preferences: Option<&'a Preferences>,
    above: &'a Arc<Above>,
    needs: &'a [Need],
    found: Vec<Finding>,
}

impl Findings<'_> {
    fn finding(
        &self,
        problem: &str,
        severity: Severity,
        resource: &str,
        message: &str,
        fix: &str,
    ) -> Finding {
        Finding {
            kind: FindingKind::Finding,
            id: format!("role.{problem}"),
            severity,
            target: Some(self.observed.target.clone()),
            resource: resource.to_owned(),
            message: message.to_owned(),
            fix: fix.to_owned(),
            is_unread: false,
        }
    }

    fn push(
        &mut self,
        problem: &str,
        severity: Severity,
        resource: &str,
        message: &str,
        fix: &str,
    ) {
        let finding = self.finding(problem, severity, resource, message, fix);
        self.add(finding);
    }

    fn add(&mut self, finding: Finding) {
        // A role may be that of Default Host Management and of a profile.
        if !self.found.contains(&finding) {
            self.found.push(finding);
        }
    }

    fn unknown(&mut self, subject: &str, resource: &str, reason: &str) {
        let finding = self.finding(
            &format!("{subject}.unknown"),
            Severity::Warning,
            resource,
            &format!("it could not be read: {reason}"),
            "allow the caller to read it, then check again",
        );
        self.add(Finding {
            is_unread: true,
            ..finding
        });
    }
}
