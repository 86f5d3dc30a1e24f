//! What an account has of policies before and after, and what that takes from somebody. Pure.

use iam_policy::{
    Compiled, Deciding, Decision, Effect, Layer, Policies, Request, Verdict, applying, decide,
    denies,
};

use super::who::Who;

/// How much of an action somebody loses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lost {
    /// On some resources.
    OnSome,
    /// Under conditions that are not known.
    Perhaps,
    /// Whatever else is known.
    Surely,
}

/// A loss with the statement behind it.
pub(crate) struct Loss<'p> {
    pub(crate) lost: Lost,
    pub(crate) decision: Decision<'p>,
}

/// Why somebody loses an action.
pub(crate) struct Cause {
    /// The statement, its policy, and where that is attached.
    pub(crate) message: String,
    /// What to do about it.
    pub(crate) fix: String,
}

/// A state of the organization.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Time {
    Before,
    After,
}

/// The policies of one account, from the root down.
pub(crate) struct AccountShift<'s> {
    pub(super) before: Vec<Vec<&'s Compiled>>,
    pub(super) after: Vec<Vec<&'s Compiled>>,
    /// Resource control policies, which no plan changes.
    pub(crate) resource_control: Vec<&'s Compiled>,
    /// From the root to the account: what each entity is called, and the names of its policies after.
    pub(super) line: &'s [(String, Vec<String>)],
}

impl<'s> AccountShift<'s> {
    /// Returns what somebody loses of an action, by service control policies alone.
    pub(crate) fn lost(&self, who: &Who, action: &str) -> Option<Loss<'_>> {
        let request = Request::on_unknown_resource(action, who.context.clone());
        self.lost_of(&request)
    }

    /// Returns the same of an action on one resource.
    pub(crate) fn lost_on(&self, who: &Who, action: &str, resource: &str) -> Option<Loss<'_>> {
        self.lost_of(&Request::new(action, resource, who.context.clone()))
    }

    /// Returns what the policies of a time say to somebody.
    pub(super) fn decision(&self, time: Time, who: &Who, action: &str) -> Decision<'_> {
        let request = Request::on_unknown_resource(action, who.context.clone());
        decision(self.levels(time), &request)
    }

    /// Returns by what an action on a resource is denied to somebody for sure, at a time.
    pub(super) fn denial(
        &self,
        time: Time,
        who: &Who,
        (action, resource): (&str, &str),
    ) -> Option<Loss<'_>> {
        let request = Request::new(action, resource, who.context.clone());
        let decision = decision(self.levels(time), &request);
        (decision.verdict == Verdict::Denied).then_some(Loss {
            lost: Lost::Surely,
            decision,
        })
    }

    fn lost_of(&self, request: &Request) -> Option<Loss<'_>> {
        let before = decision(&self.before, request);
        if before.verdict == Verdict::Denied {
            return None;
        }
        let after = decision(&self.after, request);
        match after.verdict {
            Verdict::Allowed => None,
            Verdict::Denied => Some(Loss {
                lost: Lost::Surely,
                decision: after,
            }),
            Verdict::Unknown => self.doubt(request),
        }
    }

    /// Returns the gravest doubt that was not there before. What was doubtful may be so for one more reason: a denial that may
    /// apply where none did, or a level at which what allowed has gone or become narrower.
    fn doubt(&self, request: &Request) -> Option<Loss<'_>> {
        let denials = |time: Time| {
            let levels = self.levels(time).iter();
            levels.flat_map(|policies| statements(policies, Effect::Deny, request))
        };
        let known: Vec<Decision<'_>> = denials(Time::Before).collect();
        let new = denials(Time::After).filter(|one| !is_within(one, &known));
        let levels = self.before.iter().zip(&self.after).enumerate();
        let narrowed = levels.filter_map(|(level, (before, after))| {
            let after: Vec<Decision<'_>> = statements(after, Effect::Allow, request).collect();
            let mut before = statements(before, Effect::Allow, request);
            let mut certain = after.iter().map(|one| one.verdict);
            if certain.any(|verdict| verdict == Verdict::Allowed)
                || before.all(|one| is_within(&one, &after))
            {
                return None;
            }
            let gravest = after.into_iter().min_by_key(is_on_some);
            gravest.map(|decision| Decision {
                layer: Some(Layer::ServiceControl(level)),
                ..decision
            })
        });
        let decision = new.chain(narrowed).min_by_key(is_on_some)?;
        Some(Loss {
            lost: match is_on_some(&decision) {
                true => Lost::OnSome,
                false => Lost::Perhaps,
            },
            decision,
        })
    }

    pub(super) fn levels(&self, time: Time) -> &[Vec<&'s Compiled>] {
        match time {
            Time::Before => &self.before,
            Time::After => &self.after,
        }
    }

    /// Returns whether a resource control policy denies somebody an action for sure, of those that it governs.
    pub(super) fn is_resource_denied(&self, who: &Who, action: &str) -> bool {
        let request = Request::on_unknown_resource(action, who.context.clone());
        let mut policies = self.resource_control.iter();
        request.is_resource_controlled()
            && policies.any(|policy| {
                denies(policy, &request).is_some_and(|said| said.verdict == Verdict::Denied)
            })
    }

    /// Returns the policies as they are.
    pub(crate) fn before(&self) -> &[Vec<&'s Compiled>] {
        &self.before
    }

    /// Returns the policies as they will be.
    pub(crate) fn after(&self) -> &[Vec<&'s Compiled>] {
        &self.after
    }

    /// Returns all policies, those before and those after.
    pub(crate) fn policies(&self) -> Vec<&'s Compiled> {
        let levels = self.before.iter().chain(&self.after);
        levels.flatten().copied().collect()
    }

    /// Returns why something is lost, in words.
    pub(crate) fn cause(&self, loss: &Loss<'_>) -> Cause {
        let decision = &loss.decision;
        let Some(statement) = &decision.statement else {
            let level = match decision.layer {
                Some(Layer::ServiceControl(level)) => self.line.get(level),
                _ => None,
            };
            let level = level.map_or("its account", |(name, _)| name);
            return Cause {
                message: format!("no policy of {level} allows it"),
                fix: format!("keep a policy that allows it at {level}"),
            };
        };
        let depends = match decision.unknown_key {
            Some(key) => format!(", depending on {key}"),
            None => String::new(),
        };
        let (place, mut attached) = self.place(statement);
        // Where it is detached by then, it is the level at which it is now.
        if let (true, Some(Layer::ServiceControl(level))) = (attached.is_empty(), decision.layer)
            && let Some((name, _)) = self.line.get(level)
        {
            attached = format!(" at {name}");
        }
        if statement.effect == Effect::Allow {
            let fix = match decision.unknown_key {
                Some("resource") => "about all resources",
                _ => "without that condition",
            };
            let depends = match decision.unknown_key {
                Some(key) => format!(" only depending on {key}"),
                None => String::new(),
            };
            return Cause {
                message: format!("{place}{attached} allows it{depends}"),
                fix: format!("keep a statement {fix} in a policy{attached}"),
            };
        }
        Cause {
            message: format!("denied by {place}{attached}{depends}"),
            fix: format!(
                "leave it out of {place}, or exempt them there with ArnNotLike aws:PrincipalArn"
            ),
        }
    }

    /// Returns the name of a statement, and where its policy will be attached.
    fn place(&self, statement: &Deciding<'_>) -> (String, String) {
        let sid = match statement.sid {
            "" => &statement.position.path,
            sid => sid,
        };
        let place = format!("statement {sid} of {}", statement.policy);
        (place, self.attached(statement.policy))
    }

    /// Returns where a policy will be attached above the account, in words that follow its name.
    pub(super) fn attached(&self, policy: &str) -> String {
        let here = self.line.iter();
        let here: Vec<&str> = here
            .filter(|(_, policies)| policies.iter().any(|one| one == policy))
            .map(|(name, _)| name.as_str())
            .collect();
        match here.is_empty() {
            true => String::new(),
            false => format!(" at {}", here.join(" and ")),
        }
    }
}

/// Returns what the statements of an effect say that apply, or may.
fn statements<'p>(
    policies: &'p [&'p Compiled],
    effect: Effect,
    request: &Request,
) -> impl Iterator<Item = Decision<'p>> {
    let policies = policies.iter();
    policies.flat_map(move |policy| applying(policy, effect, request))
}

/// Returns whether a statement that applies, or may, takes or gives no more than others.
fn is_within(one: &Decision<'_>, others: &[Decision<'_>]) -> bool {
    let others: Vec<Deciding<'_>> = others.iter().filter_map(|other| other.statement).collect();
    let statement = one.statement.as_ref();
    statement.is_some_and(|one| one.is_within(&others))
}

/// Returns whether an answer depends on the resource alone.
fn is_on_some(decision: &Decision<'_>) -> bool {
    decision.unknown_key == Some("resource")
}

/// Returns what service control policies say by themselves; the management account has no level, and nothing binds it.
fn decision<'s>(levels: &'s [Vec<&'s Compiled>], request: &Request) -> Decision<'s> {
    let policies = Policies {
        service_control: Some(levels).filter(|levels| !levels.is_empty()),
        ..Policies::default()
    };
    decide(&policies, request)
}
