//! Policies and a request as JSON, and what this crate decides about them: for the tables of AWS's examples and for the
//! comparison with the local AWS.

use std::collections::BTreeMap;

use iam_policy::{Compiled, Context, Policies, Policy, Principal, Request, Verdict, decide};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Missing kinds are not judged.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Documents {
    /// From the root to the account.
    pub(crate) service_control: Option<Vec<Vec<Value>>>,
    pub(crate) identity: Option<Vec<Value>>,
    pub(crate) resource: Option<Value>,
    pub(crate) boundary: Option<Value>,
    pub(crate) session: Option<Value>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Case {
    pub(crate) action: String,
    pub(crate) resource: String,
    /// ARN of a user or role, or the name of a service.
    pub(crate) principal: Option<String>,
    /// ARN of the assumed role's session.
    pub(crate) session: Option<String>,
    #[serde(default)]
    pub(crate) context: BTreeMap<String, Vec<String>>,
    /// Whether nothing is known of the keys that are not named.
    #[serde(default)]
    pub(crate) partial: bool,
    /// allowed, denied or unknown.
    pub(crate) expected: String,
    /// Sid of the deciding statement, where the outcome has one.
    pub(crate) by: Option<String>,
}

/// What was decided.
pub(crate) struct Answer {
    /// allowed, denied or unknown.
    pub(crate) verdict: &'static str,
    /// Sid of the deciding statement.
    pub(crate) by: Option<String>,
    /// All of it, for a message.
    pub(crate) decision: String,
}

/// Decides a case.
pub(crate) fn answer(documents: &Documents, case: &Case) -> Answer {
    let all = |documents: &Vec<Value>| documents.iter().map(compile).collect::<Vec<_>>();
    let levels: Option<Vec<Vec<Compiled>>> = documents
        .service_control
        .as_ref()
        .map(|levels| levels.iter().map(all).collect());
    let levels: Option<Vec<Vec<&Compiled>>> = levels
        .as_ref()
        .map(|levels| levels.iter().map(|level| level.iter().collect()).collect());
    let identity: Option<Vec<Compiled>> = documents.identity.as_ref().map(all);
    let identity: Option<Vec<&Compiled>> =
        identity.as_ref().map(|policies| policies.iter().collect());
    let one = |document: &Option<Value>| document.as_ref().map(compile);
    let (resource, boundary, session) = (
        one(&documents.resource),
        one(&documents.boundary),
        one(&documents.session),
    );
    let policies = Policies {
        service_control: levels.as_deref(),
        identity: identity.as_deref(),
        resource: resource.as_ref(),
        boundary: boundary.as_ref(),
        session: session.as_ref(),
    };
    let decision = decide(&policies, &request(case));
    Answer {
        verdict: match decision.verdict {
            Verdict::Allowed => "allowed",
            Verdict::Denied => "denied",
            Verdict::Unknown => "unknown",
        },
        by: decision.statement.map(|statement| statement.sid.to_owned()),
        decision: format!("{decision:?}"),
    }
}

fn compile(document: &Value) -> Compiled {
    let policy = Policy::parse(&document.to_string()).policy();
    let policy = policy.unwrap_or_else(|problem| panic!("{document}: {problem:?}"));
    Compiled::new("policy", &policy).unwrap()
}

fn request(case: &Case) -> Request {
    let mut context = if case.partial {
        Context::partial()
    } else {
        Context::complete()
    };
    for (key, values) in &case.context {
        context.set(key, values.clone());
    }
    let mut request = Request::new(&case.action, &case.resource, context);
    request.principal = case.principal.as_ref().map(|name| {
        if name.starts_with("arn:") {
            Principal::Aws {
                arn: name.clone(),
                session: case.session.clone(),
            }
        } else {
            Principal::Service(name.clone())
        }
    });
    request
}
