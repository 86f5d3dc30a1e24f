//! From the policies that bear on a request to the one answer, and the statement that decided.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>

use crate::Position;
use crate::compiled::{Asker, Compiled, CompiledStatement, RESOURCE, Truth};
use crate::model::Effect;
use crate::request::Request;

/// The policies that bear on a request. What is `None` is not judged, as if it allowed.
#[derive(Clone, Copy, Debug, Default)]
pub struct Policies<'p> {
    /// The service control policies of every level from the root to the account. None of the levels may be empty: AWS
    /// keeps at least one policy everywhere, and a level without an allowing one denies.
    pub service_control: Option<&'p [Vec<&'p Compiled>]>,
    /// The policies of the user or role itself, attached, inline or by groups.
    pub identity: Option<&'p [&'p Compiled]>,
    /// The resource's own policy.
    pub resource: Option<&'p Compiled>,
    /// The permissions boundary.
    pub boundary: Option<&'p Compiled>,
    /// The policy passed when the role was assumed.
    pub session: Option<&'p Compiled>,
}

/// What AWS would answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Allowed, by what was judged.
    Allowed,
    /// Denied.
    Denied,
    /// It depends on a context key that is not known, or on what AWS does not document.
    Unknown,
}

/// A kind of policy in the order in which they are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// A service control policy at this level; the root is 0.
    ServiceControl(usize),
    /// The resource's policy.
    Resource,
    /// The policies of the user or role.
    Identity,
    /// The permissions boundary.
    Boundary,
    /// The session policy.
    Session,
}

/// An answer and what decided it.
#[derive(Clone, Copy, Debug)]
pub struct Decision<'p> {
    /// The answer.
    pub verdict: Verdict,
    /// Where it was decided; `None` when everything allowed.
    pub layer: Option<Layer>,
    /// The statement that decided; `None` when it was the lack of an allowing one.
    pub statement: Option<Deciding<'p>>,
    /// The key that is not known, `resource`, or in words what AWS does not document.
    pub unknown_key: Option<&'p str>,
}

impl<'p> Decision<'p> {
    /// Returns what a layer decides, by whether a statement of it holds.
    fn of(
        verdict: Verdict,
        layer: Layer,
        truth: Truth<'p>,
        statement: Option<Deciding<'p>>,
    ) -> Decision<'p> {
        Decision {
            verdict,
            layer: Some(layer),
            statement,
            unknown_key: key(truth),
        }
    }
}

/// A statement that decided.
#[derive(Clone, Copy, Debug)]
pub struct Deciding<'p> {
    /// Name of the policy.
    pub policy: &'p str,
    /// Its Sid, or an empty text.
    pub sid: &'p str,
    /// Where it begins.
    pub position: &'p Position,
    /// What it does.
    pub effect: Effect,
    statement: &'p CompiledStatement,
}

impl Deciding<'_> {
    /// Returns whether the statement applies to no request of an action that all are about but those to which one of others
    /// applies: it says the same as one, or as several together, but for more conditions, fewer resources, or its Sid.
    #[must_use]
    pub fn is_within(&self, others: &[Deciding<'_>]) -> bool {
        let others: Vec<&CompiledStatement> = others.iter().map(|other| other.statement).collect();
        self.statement.is_within(&others)
    }
}

/// Decides a request. An explicit denial anywhere comes first; then every layer has to allow.
///
/// ```
/// use iam_policy::{Compiled, Context, Layer, Policies, Policy, Request, Verdict, decide};
///
/// let read = |name: &str, text: &str| Compiled::new(name, &Policy::parse(text).policy()?);
/// let full = read(
///     "FullAWSAccess",
///     r#"{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}"#,
/// )?;
/// let guard = read(
///     "guard",
///     r#"{"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*",
///         "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}}}}"#,
/// )?;
/// // The root of the organization, then the unit of the account.
/// let levels = [vec![&full], vec![&full, &guard]];
/// let policies = Policies { service_control: Some(&levels), ..Policies::default() };
/// let as_role = |role: &str| {
///     let context = Context::partial().with("aws:PrincipalArn", format!("arn:aws:iam::111122223333:role/{role}"));
///     decide(&policies, &Request::on_unknown_resource("ssm:StartSession", context))
/// };
/// assert_eq!(as_role("ops").verdict, Verdict::Allowed);
/// assert_eq!(as_role("dev").verdict, Verdict::Denied);
/// assert_eq!(as_role("dev").layer, Some(Layer::ServiceControl(1)));
/// # Ok::<(), iam_policy::Problem>(())
/// ```
#[must_use]
pub fn decide<'p>(policies: &Policies<'p>, request: &Request) -> Decision<'p> {
    let mut gathered = Gathered {
        has_boundary: policies.boundary.is_some(),
        ..Gathered::default()
    };
    for (level, attached) in policies
        .service_control
        .unwrap_or_default()
        .iter()
        .enumerate()
    {
        gathered.layer(Layer::ServiceControl(level), attached, request);
    }
    if let Some(resource) = policies.resource {
        gathered.layer(Layer::Resource, &[resource], request);
    }
    if let Some(identity) = policies.identity {
        gathered.layer(Layer::Identity, identity, request);
    }
    for (layer, policy) in [
        (Layer::Boundary, policies.boundary),
        (Layer::Session, policies.session),
    ] {
        if let Some(policy) = policy {
            gathered.layer(layer, &[policy], request);
        }
    }
    gathered.decision()
}

/// Returns whether a single policy denies by a statement of its own, and which; an Allow says nothing here.
#[must_use]
pub fn denies<'p>(policy: &'p Compiled, request: &Request) -> Option<Decision<'p>> {
    let (statement, truth) = policy.says(request).deny?;
    let verdict = if truth == Truth::Yes {
        Verdict::Denied
    } else {
        Verdict::Unknown
    };
    Some(Decision {
        verdict,
        layer: None,
        statement: Some(deciding(policy, statement)),
        unknown_key: key(truth),
    })
}

/// Returns what each statement of an effect says that applies, or may: of those that deny `Denied`, of those that allow `Allowed`,
/// and `Unknown` where that is not known.
pub fn applying<'p>(
    policy: &'p Compiled,
    effect: Effect,
    request: &Request,
) -> impl Iterator<Item = Decision<'p>> {
    let applying = policy.applying(effect, request);
    applying.map(move |(statement, truth)| Decision {
        verdict: match (truth, effect) {
            (Truth::Yes, Effect::Deny) => Verdict::Denied,
            (Truth::Yes, Effect::Allow) => Verdict::Allowed,
            _ => Verdict::Unknown,
        },
        layer: None,
        statement: Some(deciding(policy, statement)),
        unknown_key: key(truth),
    })
}

/// Returns whether a single policy allows by a statement of its own, whatever it denies.
#[must_use]
pub fn allows(policy: &Compiled, request: &Request) -> Verdict {
    match policy.says_allowed(request) {
        Truth::Yes => Verdict::Allowed,
        Truth::No => Verdict::Denied,
        Truth::Unknown(_) => Verdict::Unknown,
    }
}

/// What the layers said so far.
#[derive(Default)]
struct Gathered<'p> {
    /// Whether who asks has a permissions boundary.
    has_boundary: bool,
    denied: Option<Decision<'p>>,
    maybe_denied: Option<Decision<'p>>,
    /// The first level of service control policies that allows nothing, the first that may, and what allows at the last. They are
    /// asked most, and mostly by themselves: a list of them would be an allocation for each decision.
    refused: Option<Decision<'p>>,
    maybe_refused: Option<Decision<'p>>,
    allowing: Option<Deciding<'p>>,
    /// What the other layers say, of which one may do instead of another.
    allows: Vec<(Layer, Truth<'p>, Option<Deciding<'p>>)>,
    /// Whether the resource's policy allows the very user or session who asks.
    granted_directly: bool,
}

impl<'p> Gathered<'p> {
    fn layer(&mut self, layer: Layer, policies: &[&'p Compiled], request: &Request) {
        if self.denied.is_some() {
            return;
        }
        let mut allow: (Truth<'p>, Option<Deciding<'p>>) = (Truth::No, None);
        let asker = Asker {
            has_boundary: self.has_boundary,
            // "When you specify an incomplete ARN .. in an identity-based policy, AWS automatically completes the ARN": of the
            // other types of policies the guide does not say it.
            // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns
            completes_arns: matches!(layer, Layer::Identity | Layer::Boundary),
        };
        for &policy in policies {
            let says = policy.says_to(request, asker);
            if let Some((statement, truth)) = says.deny {
                let decision = Decision {
                    verdict: if truth == Truth::Yes {
                        Verdict::Denied
                    } else {
                        Verdict::Unknown
                    },
                    layer: Some(layer),
                    statement: Some(deciding(policy, statement)),
                    unknown_key: key(truth),
                };
                if truth == Truth::Yes {
                    self.denied = Some(decision);
                    return;
                }
                self.maybe_denied = graver(self.maybe_denied, decision);
            }
            self.granted_directly |= layer == Layer::Resource && says.allows_directly;
            if let Some((statement, truth)) = says.allow
                && truth.outweighs(allow.0)
            {
                allow = (truth, Some(deciding(policy, statement)));
            }
        }
        let (truth, statement) = allow;
        if !matches!(layer, Layer::ServiceControl(_)) {
            self.allows.push((layer, truth, statement));
            return;
        }
        let decision = |verdict| Decision::of(verdict, layer, truth, statement);
        match truth {
            Truth::Yes => self.allowing = statement,
            Truth::No => {
                self.refused.get_or_insert(decision(Verdict::Denied));
            }
            Truth::Unknown(_) => {
                self.maybe_refused = graver(self.maybe_refused, decision(Verdict::Unknown));
            }
        }
    }

    fn decision(self) -> Decision<'p> {
        if let Some(denied) = self.denied.or(self.refused) {
            return denied;
        }
        let granted = |layer: Layer| {
            self.allows
                .iter()
                .find(|(one, ..)| *one == layer)
                .map(|(_, truth, _)| *truth)
        };
        let resource = granted(Layer::Resource);
        let mut unknown = match self.maybe_refused {
            Some(refused) => graver(self.maybe_denied, refused),
            None => self.maybe_denied,
        };
        for &(layer, truth, statement) in &self.allows {
            // Within one account the resource's policy or the identity's is enough.
            let instead = match layer {
                Layer::Resource => granted(Layer::Identity).or(Some(Truth::Yes)),
                Layer::Identity => resource,
                Layer::Boundary | Layer::Session if self.granted_directly => resource,
                _ => None,
            };
            let truth = match (truth, instead) {
                (Truth::Yes, _) | (_, Some(Truth::Yes)) => continue,
                (Truth::No, Some(other)) => other,
                (truth, _) => truth,
            };
            let decision = |verdict| Decision::of(verdict, layer, truth, statement);
            match truth {
                Truth::No => return decision(Verdict::Denied),
                _ => unknown = graver(unknown, decision(Verdict::Unknown)),
            }
        }
        unknown.unwrap_or_else(|| Decision {
            verdict: Verdict::Allowed,
            layer: None,
            statement: match self.allows.last() {
                Some((_, _, statement)) => *statement,
                None => self.allowing,
            },
            unknown_key: None,
        })
    }
}

fn deciding<'p>(policy: &'p Compiled, statement: &'p CompiledStatement) -> Deciding<'p> {
    Deciding {
        policy: &policy.name,
        sid: &statement.sid,
        position: &statement.position,
        effect: statement.effect,
        statement,
    }
}

/// Returns the graver of two doubts: one about some resources leaves others alone. Of two alike it is the first.
fn graver<'p>(known: Option<Decision<'p>>, other: Decision<'p>) -> Option<Decision<'p>> {
    let is_about_some = |one: &Decision<'_>| one.unknown_key == Some(RESOURCE);
    known
        .filter(|known| !is_about_some(known) || is_about_some(&other))
        .or(Some(other))
}

fn key<'p>(truth: Truth<'p>) -> Option<&'p str> {
    match truth {
        Truth::Unknown(key) => Some(key),
        Truth::No | Truth::Yes => None,
    }
}
