//! Asks policies about principals, actions and resources, without AWS: AWS's own simulator leaves service control
//! policies with conditions on principals out.

use anyhow::{Context as _, ensure};
use iam_policy::{Compiled, Decision, Layer, Policies, Request, Verdict, decide, denies};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::principal_arn;
use organization::CompiledOrganization;

/// The `kind` of a simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SimulationKind {
    /// The only value.
    Simulation,
}

/// What service control policies say, and in an organization the resource control policies of the resource's account.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema, clap::ValueEnum,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Effective {
    /// No policy of the organization denies it; IAM decides.
    Allowed,
    /// A policy of the organization denies it, or no service control policy of a level allows it.
    Denied,
    /// It depends on something that is not known.
    #[value(skip)]
    Unknown,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Simulation {
    /// Always `simulation`.
    pub(crate) kind: SimulationKind,
    pub(crate) principal: String,
    pub(crate) action: String,
    /// Null when none was named.
    pub(crate) resource: Option<String>,
    pub(crate) answer: Effective,
    /// Why, in one line.
    pub(crate) why: String,
    /// Name of the policy that decided.
    pub(crate) policy: Option<String>,
    /// Sid of the statement that decided.
    pub(crate) sid: Option<String>,
    /// The context key, or `resource`, that it depends on.
    pub(crate) depends_on: Option<String>,
}

/// What a simulation asks.
#[derive(Clone, Debug)]
pub(crate) struct Questions {
    pub(crate) principals: Vec<String>,
    pub(crate) actions: Vec<String>,
    /// None at all: the resource is not known.
    pub(crate) resources: Vec<String>,
    /// Further context keys and their values; without a value the key is missing.
    pub(crate) context: Vec<(String, Vec<String>)>,
}

/// Whose policies are asked.
pub(crate) enum Judges<'a> {
    /// The same policies for everybody, from the root down.
    Levels(Vec<Vec<&'a Compiled>>),
    /// Those of each principal's account.
    Organization(&'a CompiledOrganization),
}

impl Judges<'_> {
    /// Returns what requests by a principal have of the organization, as far as it is known.
    fn membership(&self, principal: &str) -> Vec<(&'static str, String)> {
        match (self, principal_arn::account(principal)) {
            (Judges::Organization(judged), Some(account)) => judged.membership(account),
            _ => Vec::new(),
        }
    }
}

/// Returns an answer for every principal, action and resource.
///
/// # Errors
/// A principal's account is not in the organization.
pub(crate) fn simulate(
    questions: &Questions,
    judges: &Judges<'_>,
) -> anyhow::Result<Vec<Simulation>> {
    let resources: Vec<Option<&str>> = match questions.resources.as_slice() {
        [] => vec![None],
        resources => resources
            .iter()
            .map(|resource| Some(resource.as_str()))
            .collect(),
    };
    let mut answers = Vec::new();
    for principal in &questions.principals {
        let levels = match judges {
            _ if principal_arn::is_service_linked(principal) => Ok(None),
            Judges::Levels(levels) => Ok(Some(levels.clone())),
            Judges::Organization(judged) => {
                let account = principal_arn::account(principal)
                    .with_context(|| format!("{principal} names no account"))?;
                ensure!(judged.has(account), "{account} is not in the organization");
                judged.levels(account)
            }
        };
        for action in &questions.actions {
            for resource in &resources {
                let mut context = principal_arn::identity_context(principal);
                for (key, value) in judges.membership(principal) {
                    context.set(key, vec![value]);
                }
                for (key, values) in &questions.context {
                    context.set(key, values.clone());
                }
                let request = match resource {
                    Some(resource) => Request::new(action, resource, context),
                    None => Request::on_unknown_resource(action, context),
                };
                let mut answer = answer(principal, action, *resource, &levels, &request);
                if let Judges::Organization(judged) = judges {
                    govern_resource(&mut answer, judged, &request);
                }
                answers.push(answer);
            }
        }
    }
    Ok(answers)
}

fn answer(
    principal: &str,
    action: &str,
    resource: Option<&str>,
    levels: &anyhow::Result<Option<Vec<Vec<&Compiled>>>>,
    request: &Request,
) -> Simulation {
    let mut simulation = Simulation {
        kind: SimulationKind::Simulation,
        principal: principal.to_owned(),
        action: action.to_owned(),
        resource: resource.map(str::to_owned),
        answer: Effective::Allowed,
        why: "no service control policy binds it".to_owned(),
        policy: None,
        sid: None,
        depends_on: None,
    };
    let levels = match levels {
        Ok(Some(levels)) => levels,
        Ok(None) => return simulation,
        // One policy that is not understood leaves open only what is below it.
        Err(error) => {
            simulation.answer = Effective::Unknown;
            simulation.why = format!("{error:#}");
            return simulation;
        }
    };
    let policies = Policies {
        service_control: Some(levels),
        ..Policies::default()
    };
    let decision = decide(&policies, request);
    simulation.answer = match decision.verdict {
        Verdict::Allowed => Effective::Allowed,
        Verdict::Denied => Effective::Denied,
        Verdict::Unknown => Effective::Unknown,
    };
    simulation.why = why(&decision);
    if decision.verdict != Verdict::Allowed
        && let Some(statement) = &decision.statement
    {
        simulation.policy = Some(statement.policy.to_owned());
        simulation.sid = (!statement.sid.is_empty()).then(|| statement.sid.to_owned());
    }
    simulation.depends_on = decision.unknown_key.map(str::to_owned);
    simulation
}

/// Adds what the resource control policies of the resource's account say. Where the ARN names no account, as of buckets, it is
/// taken for one of the principal's own; service-linked roles and AWS's other services are not restricted.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>
fn govern_resource(answer: &mut Simulation, judged: &CompiledOrganization, request: &Request) {
    let resource = answer.resource.as_deref().and_then(principal_arn::account);
    let account = resource.or_else(|| principal_arn::account(&answer.principal));
    let Some(account) = account.filter(|account| judged.has(account)) else {
        return;
    };
    if !request.is_resource_controlled()
        || answer.answer == Effective::Denied
        || principal_arn::is_service_linked(&answer.principal)
    {
        return;
    }
    let policies = match judged.resource_policies(account) {
        Ok(policies) => policies,
        Err(error) => {
            answer.answer = Effective::Unknown;
            answer.why = format!("{error:#}");
            return;
        }
    };
    let denials = policies.iter().filter_map(|policy| denies(policy, request));
    // What is sure goes before what is not.
    let Some(denial) = denials.max_by_key(|denial| denial.verdict == Verdict::Denied) else {
        return;
    };
    answer.answer = match denial.verdict {
        Verdict::Denied => Effective::Denied,
        _ => Effective::Unknown,
    };
    answer.why = format!("{} (resource control policy)", why(&denial));
    if let Some(statement) = &denial.statement {
        answer.policy = Some(statement.policy.to_owned());
        answer.sid = (!statement.sid.is_empty()).then(|| statement.sid.to_owned());
    }
    answer.depends_on = denial.unknown_key.map(str::to_owned);
}

/// Returns a decision in words.
pub(crate) fn why(decision: &Decision<'_>) -> String {
    let level = match decision.layer {
        Some(Layer::ServiceControl(level)) => format!("level {level} from the root"),
        _ => "the policy".to_owned(),
    };
    let statement = decision.statement.as_ref().map(|statement| {
        let sid = if statement.sid.is_empty() {
            statement.position.path.as_str()
        } else {
            statement.sid
        };
        format!("{sid} of {}", statement.policy)
    });
    match (decision.verdict, statement) {
        (Verdict::Allowed, _) => "every level allows it".to_owned(),
        (Verdict::Denied, Some(statement)) => format!("denied by {statement}"),
        (Verdict::Denied, None) => format!("no policy of {level} allows it"),
        (Verdict::Unknown, statement) => format!(
            "{} depends on {}",
            statement.unwrap_or(level),
            decision.unknown_key.unwrap_or("something unknown")
        ),
    }
}
