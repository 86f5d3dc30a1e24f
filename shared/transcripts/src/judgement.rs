//! Whether a role has what is needed, and whose policy decides. Pure. An explicit denial comes first; where a policy that bears
//! on the request was not read, the answer is never yes.

mod governed;

use iam_policy::{
    Arn, Compiled, Context, Decision, Layer, Policies, Principal, Request, Verdict, allows, decide,
    denies,
};
use records::Reading;
use serde_json::Value;

use self::governed::governed;
use crate::needs::{Guard, Header, Need};
use crate::role::{Own, Role, compiled};
use crate::verdict::{both, either};

/// Whose policy decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The policies of the role.
    Identity,
    /// Its permissions boundary.
    Boundary,
    /// A service control policy of its organization.
    ServiceControl,
    /// A resource control policy that governs the account of the key, bucket or log group.
    ResourceControl,
    /// The policy of the key.
    KeyPolicy,
    /// The policy of the bucket.
    BucketPolicy,
}

/// The answer to one need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the role may do it.
    pub verdict: Verdict,
    /// Whose policy denies, or leaves it open.
    pub side: Side,
    /// The statement that decides; `None` when it is the lack of one.
    pub statement: Option<Statement>,
    /// Why the policy of the resource is not known.
    pub unread: Option<String>,
    /// Whether the role's own policies do not allow it, and another of them would.
    pub is_ungranted: bool,
}

/// A statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Name or ARN of its policy.
    pub policy: String,
    /// Its Sid, if it has one.
    pub sid: Option<String>,
    /// Where in the document it is.
    pub path: String,
}

/// Judges whether a role may do what is needed.
#[must_use]
pub fn judge(role: &Role, need: &Need) -> Judgement {
    let own = match &role.policies {
        Ok(own) => own,
        Err(policy) => return not_understood(policy),
    };
    let request = request(role, need);
    let mut judgement = match &need.guard {
        Guard::None => of_layers(own, None, &request),
        Guard::Bucket {
            name,
            policy,
            is_foreign: false,
        } => in_bucket(own, name, policy, &request),
        Guard::Bucket { name, policy, .. } => {
            in_foreign_bucket(role, own, (name, policy), &request)
        }
        Guard::Key { name, policy } => with_key(role, own, name.as_deref(), policy, &request),
    };
    judgement = governed(own, need, &request, judgement);
    if need.is_doubtful && judgement.verdict == Verdict::Denied {
        judgement.verdict = Verdict::Unknown;
    }
    judgement
}

/// Returns whether the role's own policies allow what depends on no preference.
#[must_use]
pub fn may(role: &Role, action: &str, resource: &str) -> Verdict {
    let Ok(own) = &role.policies else {
        return Verdict::Unknown;
    };
    let context = Context::partial().with("aws:PrincipalArn", &role.arn);
    of_layers(own, None, &Request::new(action, resource, context)).verdict
}

fn not_understood(policy: &str) -> Judgement {
    Judgement {
        verdict: Verdict::Unknown,
        side: Side::Identity,
        statement: Some(Statement {
            policy: policy.to_owned(),
            sid: None,
            path: String::new(),
        }),
        unread: None,
        is_ungranted: false,
    }
}

/// Returns the request of a need as a role makes it.
fn request(role: &Role, need: &Need) -> Request {
    let account = account_of(&role.arn);
    let mut context = need
        .context
        .clone()
        .with("aws:PrincipalArn", &role.arn)
        .with("aws:PrincipalAccount", account)
        .with("aws:PrincipalIsAWSService", "false")
        .with("aws:PrincipalType", "AssumedRole");
    if let Ok(own) = &role.policies {
        own.above.fill(need.owner.as_deref(), &mut context);
    }
    if let Some(header) = &need.header {
        say_encryption(role, header, &mut context);
    }
    let mut request = match &need.resource {
        Some(resource) => Request::new(need.action, resource, context),
        None => Request::on_unknown_resource(need.action, context),
    };
    request.principal = Some(Principal::Aws {
        arn: role.arn.clone(),
        session: None,
    });
    if let (Some(sample), Ok(own)) = (&need.sample, &role.policies) {
        let on_sample = request.on(sample);
        if of_layers(own, None, &on_sample).verdict == Verdict::Allowed {
            return on_sample;
        }
    }
    request
}

/// Agents repeat the bucket's encryption in the header of an upload, if they may read it and know its name: agent/s3util,
/// getSSEAlgorithm.
fn say_encryption(role: &Role, header: &Header, context: &mut Context) {
    const ALGORITHM: &str = "s3:x-amz-server-side-encryption";
    const KEY: &str = "s3:x-amz-server-side-encryption-aws-kms-key-id";
    let (algorithm, key) = match (judge(role, &header.read).verdict, &header.sent) {
        (Verdict::Denied, _) => (Vec::new(), Vec::new()),
        (Verdict::Allowed, Some((algorithm, key))) => match algorithm.as_str() {
            "aws:kms" => (vec![algorithm.clone()], key.iter().cloned().collect()),
            "AES256" => (vec![algorithm.clone()], Vec::new()),
            _ => (Vec::new(), Vec::new()),
        },
        // Nothing is known of the header then.
        (Verdict::Allowed | Verdict::Unknown, _) => return,
    };
    context.set(ALGORITHM, algorithm);
    context.set(KEY, key);
}

/// Judges by the role's policies, its boundary and the policy of a resource of the same account that only adds to them.
fn of_layers(own: &Own, resource: Option<(&Compiled, Side)>, request: &Request) -> Judgement {
    let identity: Vec<&Compiled> = own.identity.iter().collect();
    let levels = own.above.levels();
    let policies = Policies {
        service_control: levels.as_deref(),
        identity: Some(&identity),
        boundary: own.boundary.as_ref(),
        resource: resource.map(|(policy, _)| policy),
        ..Policies::default()
    };
    let mut decision = decide(&policies, request);
    if decision.verdict == Verdict::Allowed {
        // Both layers allow; people ask which policy of the role does.
        let without = Policies {
            service_control: None,
            boundary: None,
            resource: None,
            ..policies
        };
        let of_role = decide(&without, request);
        if of_role.verdict == Verdict::Allowed {
            decision = of_role;
        }
    }
    if decision.layer == Some(Layer::Resource) && decision.statement.is_none() {
        // Neither allows; the resource's need not, so that it is the role's own that are looked at.
        let without = Policies {
            resource: None,
            ..policies
        };
        decision = decide(&without, request);
    }
    let side = match (decision.layer, &decision.statement, resource) {
        (Some(Layer::Boundary), ..) => Side::Boundary,
        (Some(Layer::ServiceControl(_)), ..) => Side::ServiceControl,
        // Without a statement it is what neither says.
        (Some(Layer::Resource), Some(_), Some((_, side))) => side,
        _ => Side::Identity,
    };
    Judgement {
        verdict: decision.verdict,
        side,
        statement: statement(&decision),
        unread: None,
        is_ungranted: side == Side::Identity
            && decision.verdict == Verdict::Denied
            && decision.statement.is_none(),
    }
}

/// Returns what the service control policies say by themselves.
fn in_organization(own: &Own, request: &Request) -> Verdict {
    let levels = own.above.levels();
    let policies = Policies {
        service_control: levels.as_deref(),
        ..Policies::default()
    };
    decide(&policies, request).verdict
}

fn in_bucket(own: &Own, name: &str, policy: &Reading<Value>, request: &Request) -> Judgement {
    let document = match policy {
        Reading::Absent => return of_layers(own, None, request),
        Reading::Unknown(reason) => {
            return left_open(of_layers(own, None, request), Side::BucketPolicy, reason);
        }
        Reading::Present(document) => document,
    };
    match compiled(name, document) {
        Ok(policy) => of_layers(own, Some((&policy, Side::BucketPolicy)), request),
        Err(_) => left_open(
            of_layers(own, None, request),
            Side::BucketPolicy,
            "it is not understood",
        ),
    }
}

/// Judges a use of a bucket of another account: the role's own policies and that of the bucket have to allow it.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic-cross-account.html>
fn in_foreign_bucket(
    role: &Role,
    own: &Own,
    (name, policy): (&str, &Reading<Value>),
    request: &Request,
) -> Judgement {
    let by_role = of_layers(own, None, request);
    if by_role.verdict == Verdict::Denied {
        return by_role;
    }
    let by_bucket = |verdict, statement| Judgement {
        side: Side::BucketPolicy,
        ..by_key(verdict, statement, &by_role)
    };
    let document = match policy {
        Reading::Present(document) => compiled(name, document),
        Reading::Absent => return by_bucket(Verdict::Denied, None),
        Reading::Unknown(reason) => Err(reason.clone()),
    };
    let policy = match document {
        Ok(policy) => policy,
        Err(reason) => return left_open(by_role, Side::BucketPolicy, &reason),
    };
    if let Some(denial) = denies(&policy, request) {
        return by_bucket(denial.verdict, statement(&denial));
    }
    let open = either(
        allows(&policy, request),
        allows(&policy, &as_account(role, request)),
    );
    match open {
        Verdict::Allowed => by_role,
        verdict => by_bucket(both(verdict, by_role.verdict), None),
    }
}

/// Judges a use of a key. Other than with buckets, a policy of the role alone is not enough: the key's has to name the role, or
/// leave it to the account's own policies.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policies.html>
fn with_key(
    role: &Role,
    own: &Own,
    name: Option<&str>,
    policy: &Reading<Value>,
    request: &Request,
) -> Judgement {
    let by_role = of_layers(own, None, request);
    // While the key is still an alias, it is one of this account.
    let owner = name.and_then(Arn::parse).map(|arn| arn.account);
    let is_foreign = owner.is_some_and(|owner| owner != account_of(&role.arn));
    let document = match policy {
        Reading::Present(document) => compiled(name.unwrap_or_default(), document),
        Reading::Absent => Err("it was not read".to_owned()),
        Reading::Unknown(reason) => Err(reason.clone()),
    };
    let policy = match document {
        Ok(policy) => policy,
        // Of a key of another account both have to allow.
        Err(_) if is_foreign && by_role.verdict == Verdict::Denied => return by_role,
        Err(reason) => return left_open(by_role, Side::KeyPolicy, &reason),
    };
    let denial = denies(&policy, request);
    if let Some(denial) = denial.filter(|denial| denial.verdict == Verdict::Denied) {
        return by_key(Verdict::Denied, statement(&denial), &by_role);
    }
    if by_role.verdict == Verdict::Denied && by_role.statement.is_some() {
        return by_role;
    }
    let named = allows(&policy, request);
    let delegated = allows(&policy, &as_account(role, request));
    let open = either(named, delegated);
    // What names a role is still bounded: evaluation-logic page, "Permissions boundaries" and "Organizations SCPs".
    let boundary = own.boundary.as_ref();
    let bounded = boundary.map_or(Verdict::Allowed, |policy| allows(policy, request));
    let bounded = both(bounded, in_organization(own, request));
    let alone = match is_foreign {
        true => Verdict::Denied,
        false => both(named, bounded),
    };
    let granted = either(alone, both(open, by_role.verdict));
    match (granted, denial) {
        (Verdict::Allowed, Some(doubt)) => by_key(Verdict::Unknown, statement(&doubt), &by_role),
        (Verdict::Allowed, None) => Judgement {
            verdict: Verdict::Allowed,
            is_ungranted: false,
            ..by_role
        },
        (verdict, _) if open != Verdict::Allowed => by_key(verdict, None, &by_role),
        (verdict, _) => Judgement { verdict, ..by_role },
    }
}

/// Returns what is left when the policy of the resource is not known: a no stays where that policy could not help.
fn left_open(by_role: Judgement, side: Side, reason: &str) -> Judgement {
    if by_role.verdict == Verdict::Denied && !by_role.is_ungranted {
        return by_role;
    }
    Judgement {
        verdict: Verdict::Unknown,
        side,
        unread: Some(reason.to_owned()),
        statement: None,
        ..by_role
    }
}

fn by_key(verdict: Verdict, statement: Option<Statement>, by_role: &Judgement) -> Judgement {
    Judgement {
        verdict,
        side: Side::KeyPolicy,
        statement,
        unread: None,
        is_ungranted: by_role.is_ungranted,
    }
}

/// Returns the request as the account makes it, which is what a key policy names when it leaves it to IAM.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-default.html>
fn as_account(role: &Role, request: &Request) -> Request {
    let partition = Arn::parse(&role.arn).map_or("aws", |arn| arn.partition);
    let account = account_of(&role.arn);
    let mut request = request.clone();
    request.principal = Some(Principal::Aws {
        arn: format!("arn:{partition}:iam::{account}:root"),
        // The twelve digits mean the same as the ARN.
        session: Some(account.to_owned()),
    });
    request
}

fn account_of(arn: &str) -> &str {
    Arn::parse(arn).map_or("", |arn| arn.account)
}

fn statement(decision: &Decision<'_>) -> Option<Statement> {
    decision.statement.map(|statement| Statement {
        policy: statement.policy.to_owned(),
        sid: Some(statement.sid.to_owned()).filter(|sid| !sid.is_empty()),
        path: statement.position.path.clone(),
    })
}

#[cfg(test)]
#[path = "judgement_tests.rs"]
mod tests;
