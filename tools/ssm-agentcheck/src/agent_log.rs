//! What an agent's log says last of its credentials, in the words of all versions since 2.3. Pure.
//!
//! The lines are those of `agent/agent.go`, `agent/health`, `agent/hibernation`, `core/app/credentialrefresher` and
//! `common/identity/credentialproviders` at the tags 2.3.1644.0, 3.0.1031.0, 3.1.1732.0, 3.2.1705.0 and 3.3.987.0 of
//! <https://github.com/aws/amazon-ssm-agent>.

/// How an agent stands with Systems Manager.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LogVerdict {
    /// It has connected with the credentials of its instance profile.
    InstanceProfile,
    /// It has connected by Default Host Management.
    HostManagement,
    /// It reports, with credentials of which the log says nothing; all that agents before 3.2 log.
    Reports,
    /// It was refused.
    Refused(Refused),
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The last line that says it.
    pub(crate) line: String,
    /// What became of the instance profile in the same try, where another line says it.
    pub(crate) profile_line: Option<String>,
}

/// What a line means.
enum Meaning {
    Started,
    Connected(LogVerdict),
    /// The agent is about to report, which only one does that was let in.
    Reporting,
    /// The refresher of the core agent, or a worker that asks it, was refused.
    NoCredentials,
    /// As before, of the instance profile: Default Host Management comes next.
    NoProfile,
    /// A worker was refused.
    NotLetIn,
}

fn meaning(line: &str) -> Option<Meaning> {
    let has = |text: &str| line.contains(text);
    if has("Successfully connected with instance profile role credentials") {
        Some(Meaning::Connected(LogVerdict::InstanceProfile))
    } else if has("Successfully connected with Systems Manager role credentials") {
        Some(Meaning::Connected(LogVerdict::HostManagement))
    } else if has("[CredentialRefresher] Credentials ready")
        || has("Successfully registered the instance with AWS SSM")
    {
        Some(Meaning::Connected(LogVerdict::Reports))
    } else if has("reporting agent health.") {
        Some(Meaning::Reporting)
    } else if has("Starting Core Agent") || has("Starting Agent: ") {
        Some(Meaning::Started)
    } else if has("with instance profile role credentials. Err: ") {
        Some(Meaning::NoProfile)
    } else if has("no valid credentials could be retrieved for ec2 identity")
        || has("with SSM role credentials. ")
        || has("Retrieve credentials produced ")
        || has("failed to retrieve instance profile role credentials. Err: ")
        || has("unable to load shared credentials. Err: ")
        || has("failed to register identity: ")
        || has("failed to get identity: ")
        || has("error occurred in RequestManagedInstanceRoleToken: ") && !has("hibernate - ")
    {
        Some(Meaning::NoCredentials)
    } else if has("SSM Agent hibernate - ")
        || has("SSM Agent Worker hibernate - ")
        || has("Health ping failed with error - ")
        // Other modules have the same words for calls that an agent can do without.
        || has("error when calling AWS APIs. error details - ") && has("[HealthCheck]")
    {
        Some(Meaning::NotLetIn)
    } else {
        None
    }
}

/// Returns what a log and that of the hibernation beside it say last; while an agent hibernates, only the latter is written.
/// The last line counts, and nothing that was before the agent's last start.
pub(crate) fn last_verdict(log: &str, hibernation: &str) -> Option<LogVerdict> {
    let (main, beside) = (last(log), last(hibernation));
    let is_later = match (&main, &beside) {
        (None, _) => true,
        (Some((_, main)), Some((_, beside))) => {
            matches!((moment(main), moment(beside)), (Some(main), Some(beside)) if main < beside)
        }
        (Some(_), None) => false,
    };
    let last = if is_later { beside } else { main };
    last.map(|(verdict, _)| verdict)
}

fn last(log: &str) -> Option<(LogVerdict, &str)> {
    let mut found: Option<(LogVerdict, &str)> = None;
    let (mut profile_line, mut is_of_worker) = (None, false);
    for line in log.lines() {
        let Some(meaning) = meaning(line) else {
            continue;
        };
        let is_worker = matches!(meaning, Meaning::NotLetIn);
        let refused = |profile_line: Option<&str>| {
            LogVerdict::Refused(Refused {
                line: line.trim().to_owned(),
                profile_line: profile_line.map(|line| line.trim().to_owned()),
            })
        };
        let verdict = match meaning {
            Meaning::Started => {
                (found, profile_line) = (None, None);
                continue;
            }
            Meaning::Connected(verdict) => {
                profile_line = None;
                // "Credentials ready" follows the line that says whose.
                match (&verdict, &found) {
                    (LogVerdict::Reports, Some((before, _)))
                        if !matches!(before, LogVerdict::Refused(_)) =>
                    {
                        continue;
                    }
                    _ => verdict,
                }
            }
            // It ends the hibernation of a worker, and says nothing of the core agent, which may get no new credentials while
            // the old ones still live.
            Meaning::Reporting => match &found {
                None => LogVerdict::Reports,
                Some((LogVerdict::Refused(_), _)) if is_of_worker => LogVerdict::Reports,
                Some(_) => continue,
            },
            Meaning::NoProfile => {
                profile_line = Some(line);
                refused(None)
            }
            Meaning::NoCredentials => refused(profile_line),
            Meaning::NotLetIn => refused(None),
        };
        is_of_worker = is_worker;
        found = Some((verdict, line));
    }
    found
}

/// Returns the time of a line as it stands there, to the second: `2023-10-25 22:14:42`.
fn moment(line: &str) -> Option<&str> {
    let moment = line.get(..19)?;
    let mut of_form = moment.bytes().zip("0000-00-00 00:00:00".bytes());
    let is_moment = of_form.all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == form,
    });
    is_moment.then_some(moment)
}

/// Why an agent was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The clock is off, or credentials were signed before it was set.
    Clock,
    /// The hybrid registration is not known any more.
    RegistrationGone,
    /// The machine is not the one that was registered.
    OtherMachine,
    /// The metadata service named no role.
    NoRole,
    /// EC2 may not assume the role.
    RoleTrust,
    /// The policy of a VPC endpoint refuses.
    EndpointPolicy,
    /// A service control policy refuses.
    ServiceControlPolicy,
    /// The role does not allow it.
    RoleDenies,
    /// Default Host Management is off or its role cannot be used.
    HostManagement,
    /// The credentials are over, or are those of nobody.
    Expired,
    /// Too many calls.
    Throttled,
    /// No answer from the service.
    Network,
    /// No identity: the metadata service does not answer.
    NoIdentity,
    /// Something else.
    Other,
}

/// The words of AWS's errors, the most specific ones first. Denials name the kind of policy that decided.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html>
const REASONS: [(&[&str], Reason); 13] = [
    (
        &[
            "Signature expired",
            "Signature not yet current",
            "RequestTimeTooSkewed",
            "RequestExpired",
        ],
        Reason::Clock,
    ),
    (&["MachineFingerprintDoesNotMatch"], Reason::OtherMachine),
    (
        &["InvalidInstanceId", "Not existing InstanceId"],
        Reason::RegistrationGone,
    ),
    (&["AssumeRoleUnauthorizedAccess"], Reason::RoleTrust),
    (&["no EC2 instance role found"], Reason::NoRole),
    (&["VPC endpoint policy"], Reason::EndpointPolicy),
    (&["service control policy"], Reason::ServiceControlPolicy),
    (
        &[
            "management role is not configured",
            "RequestManagedInstanceRoleToken: AccessDenied",
        ],
        Reason::HostManagement,
    ),
    (
        &["AccessDenied", "is not authorized to perform"],
        Reason::RoleDenies,
    ),
    (
        &[
            "ExpiredToken",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "security token included",
        ],
        Reason::Expired,
    ),
    (
        &["ThrottlingException", "Rate exceeded", "TooManyRequests"],
        Reason::Throttled,
    ),
    (
        &[
            "failed to find agent identity",
            "169.254.169.254",
            "EC2MetadataError",
            "instance identity",
        ],
        Reason::NoIdentity,
    ),
    (
        &[
            "dial tcp",
            "i/o timeout",
            "no such host",
            "connection refused",
            "RequestError",
            "RequestCanceled",
            "x509: ",
            "context deadline exceeded",
        ],
        Reason::Network,
    ),
];

/// Returns why, as the words of a line say.
pub(crate) fn reason(line: &str) -> Reason {
    let is_there = |words: &&[&str]| words.iter().any(|word| line.contains(word));
    let found = REASONS.iter().find(|(words, _)| is_there(words));
    found.map_or(Reason::Other, |(_, reason)| *reason)
}

#[cfg(test)]
#[path = "agent_log_tests.rs"]
mod tests;
