//! Whether an instance gets credentials that SSM accepts: by its profile, else by Default Host Management. Pure.

use iam_policy::Trust;
use records::{Node, Reading, RegionHostManagement, Severity, Timestamp};

use crate::diagnosis::{Diagnosis, Hints};
use crate::roles::{Access, DefaultRole, Permitted, ProfileAccess, Roles};

/// An agent that was refused sleeps for 25 to 30 minutes before it tries again.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
const RETRY_MINUTES: u64 = 30;
/// What to do about a role of Default Host Management that cannot work.
pub(crate) const MEND_DEFAULT: &str =
    "let ssm-role check, plan and apply fix it, then restart the agents or wait 30 minutes";

/// What is known of Default Host Management where a node is.
pub(crate) struct ByDefault<'a> {
    /// As the service setting says; none when nobody asked.
    setting: Option<Reading<RegionHostManagement>>,
    /// As the records of roles say of the role in that setting.
    role: Option<&'a DefaultRole>,
}

impl<'a> ByDefault<'a> {
    /// Joins the evidence of a node with the records of roles: evidence is of the moment, records may be older.
    pub(crate) fn of(node: &Node, roles: Option<&'a Roles>) -> ByDefault<'a> {
        let evidence = node.evidence.as_ref();
        let recorded = roles.and_then(|roles| roles.by_default(&node.target));
        let setting = match (evidence.map(|evidence| &evidence.host_management), recorded) {
            (Some(Reading::Unknown(_)) | None, Some(recorded)) => Some(match recorded {
                None => Reading::Absent,
                Some(role) => Reading::Present(RegionHostManagement {
                    role: role.setting.clone(),
                    since: None,
                }),
            }),
            (setting, _) => setting.cloned(),
        };
        let on = setting.as_ref().and_then(Reading::present);
        let role = recorded
            .flatten()
            .filter(|role| on.is_some_and(|on| on.role == role.setting));
        ByDefault { setting, role }
    }

    pub(crate) fn is_on(&self) -> bool {
        matches!(self.setting, Some(Reading::Present(_)))
    }

    pub(crate) fn is_off(&self) -> bool {
        matches!(self.setting, Some(Reading::Absent))
    }

    /// Returns why it gives nobody credentials though it is on.
    pub(crate) fn problem(&self) -> Option<String> {
        let role = self.role?;
        let problem = role.problem.as_ref()?;
        Some(format!(
            "Default Host Management, which is on with {}, gives nobody credentials that work: {problem}",
            role.setting
        ))
    }

    /// Returns problem, message and fix for a node without other credentials that has not registered. The agent is to blame
    /// only where the role is known to be fine.
    pub(crate) fn agent_absent(&self, hints: &Hints) -> (&'static str, String, String) {
        let what = "it runs, but SSM has never seen it though Default Host Management is on: the agent is not installed, \
                    stopped, or older than 3.2.582.0";
        let fix = "install the agent, at least 3.2.582.0, and start it; `ssm-agentcheck host` on the instance shows more";
        if self.role.is_some_and(|role| role.is_fine) {
            return ("unregistered.agent_absent", what.to_owned(), fix.to_owned());
        }
        let role = match &self.setting {
            Some(Reading::Present(on)) => on.role.as_str(),
            _ => "its role",
        };
        (
            "agent.missing",
            format!(
                "{what}; or the path, the trust or the policies of {role} keep it from working"
            ),
            format!("{}; if the role is fine, {fix}", hints.roles),
        )
    }
}

/// Why a profile gives no credentials that SSM accepts.
pub(crate) struct Refusal {
    problem: &'static str,
    pub(crate) why: String,
    pub(crate) fix: &'static str,
}

impl Refusal {
    fn unregistered(self) -> Diagnosis {
        Diagnosis::new(
            self.problem,
            Severity::Error,
            format!("it runs, but SSM has never seen it: {}", self.why),
            self.fix,
        )
    }
}

impl Permitted {
    /// Returns why the role surely does not let an agent in.
    pub(crate) fn refusal(&self) -> Option<Refusal> {
        // Without credentials no policy is asked. The agent sees AssumeRoleUnauthorizedAccess.
        // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshoot-iam-role.html
        if self.ec2 == Trust::No {
            return Some(Refusal {
                problem: "unregistered.role_trust",
                why: format!(
                    "ec2.amazonaws.com may not assume role {} of its instance profile, so it gets no credentials",
                    self.role
                ),
                fix: "allow ec2.amazonaws.com sts:AssumeRole in the role's trust policy, then restart the agent or wait 30 \
                      minutes",
            });
        }
        let Access::No(actions) = &self.register else {
            return None;
        };
        Some(Refusal {
            problem: "unregistered.profile_denied",
            why: format!("role {} does not allow {}", self.role, actions.join(", ")),
            fix: "let ssm-role plan and apply grant it, then restart the agent or wait 30 minutes",
        })
    }
}

/// Returns why an instance that SSM has never seen has no credentials that it accepts; `age` is in minutes.
pub(crate) fn by_credentials(
    node: &Node,
    roles: Option<&Roles>,
    by_default: &ByDefault<'_>,
    age: Option<u64>,
    now: Timestamp,
) -> Option<Diagnosis> {
    let Some(profile) = &node.profile else {
        return by_host_management(by_default, age, now, None);
    };
    match roles?.profile(profile) {
        ProfileAccess::WithoutRole => Some(Diagnosis::new(
            "unregistered.profile_without_role",
            Severity::Error,
            format!(
                "it runs, but SSM has never seen it: its instance profile {} holds no role, so it gets no credentials",
                name(profile)
            ),
            "add a role to the profile",
        )),
        // A refusal by IAM is what makes the agent fall back on Default Host Management.
        ProfileAccess::Role(permitted) => {
            by_host_management(by_default, age, now, Some(permitted.refusal()?))
        }
        ProfileAccess::Nothing => None,
    }
}

/// What follows for an instance that its profile does not let in: `refusal` says why, none when it has no profile.
fn by_host_management(
    by_default: &ByDefault<'_>,
    age: Option<u64>,
    now: Timestamp,
    refusal: Option<Refusal>,
) -> Option<Diagnosis> {
    let on = match (by_default.setting.as_ref(), refusal) {
        (Some(Reading::Present(on)), refusal) => {
            if let Some(problem) = by_default.problem() {
                let why = refusal.map_or_else(
                    || "it has no instance profile".to_owned(),
                    |refusal| refusal.why,
                );
                return Some(Diagnosis::new(
                    "unregistered.dhmc_unusable",
                    Severity::Error,
                    format!("it runs, but SSM has never seen it: {why}, and {problem}"),
                    MEND_DEFAULT,
                ));
            }
            on
        }
        (_, Some(refusal)) => return Some(refusal.unregistered()),
        (None, None) => return None,
        (Some(Reading::Unknown(reason)), None) => {
            let unread = Diagnosis::new(
                "unregistered.unknown",
                Severity::Warning,
                format!(
                    "it runs without an instance profile, and SSM has never seen it; whether Default Host Management is on \
                     could not be read: {reason}"
                ),
                "allow the caller to read it, then check again",
            );
            return Some(Diagnosis {
                is_unread: true,
                ..unread
            });
        }
        (Some(Reading::Absent), None) => {
            return Some(Diagnosis::new(
                "unregistered.no_credentials",
                Severity::Error,
                "it runs, but SSM has never seen it: it has no instance profile, and Default Host Management is off",
                "let ssm-role turn Default Host Management on or give the instance a profile, then restart the agent or wait \
                 30 minutes",
            ));
        }
    };
    let since = on.since.map(|since| now.minutes_since(since));
    let waited = [since, age].into_iter().flatten().min();
    match waited {
        Some(minutes) if minutes < RETRY_MINUTES => Some(Diagnosis::new(
            "unregistered.dhmc_pending",
            Severity::Warning,
            format!(
                "it has not registered yet; Default Host Management has been on for {}, and agents try again after \
                 up to {RETRY_MINUTES}",
                in_words(minutes)
            ),
            "wait, or restart the agent, then check again",
        )),
        _ => None,
    }
}

fn in_words(minutes: u64) -> String {
    match minutes {
        1 => "1 minute".to_owned(),
        n => format!("{n} minutes"),
    }
}

/// Returns the name in the ARN of an instance profile.
pub(crate) fn name(profile: &str) -> &str {
    profile.rsplit('/').next().unwrap_or(profile)
}
