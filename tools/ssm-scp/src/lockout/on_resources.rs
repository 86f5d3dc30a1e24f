//! What is lost on some resources only: whether anything of it is left. Pure.

use iam_policy::{Arn, Verdict, reference};

use super::Risk;
use super::account_shift::{AccountShift, Loss, Lost, Time};
use super::actions::{resource, sample};
use super::judged::Judged;
use super::principals::PrincipalClass;
use super::shift::Shift;
use super::who::Who;

impl<'s> AccountShift<'s> {
    /// Returns whether somebody who loses an action on some resources can still do what it is for. A denial that spares resources
    /// by name leaves it where one of each type is left of which any was there: a session needs a document and a node, whichever
    /// they are.
    pub(crate) fn is_left(
        &self,
        loss: &Loss<'_>,
        (who, action): (&Who, &str),
        account: &str,
        whole: &Shift,
    ) -> bool {
        if loss.lost != Lost::OnSome || whole.spared.is_empty() {
            return false;
        }
        // What was denied before is not lost, but not left either.
        let was_there = |one: &str| {
            let asked = (action, resource(one, account));
            let denial = self.denial(Time::Before, who, (asked.0, &asked.1));
            denial.is_none()
        };
        let is_left = |one: &str| {
            was_there(one) && self.lost_on(who, action, &resource(one, account)).is_none()
        };
        let partition = Arn::parse(&who.arn).map_or("aws", |arn| arn.partition);
        let types = reference::action(action).map_or(&[][..], |action| &action.resources);
        let mut each = types.iter();
        !types.is_empty()
            && each.all(|one| {
                let any = format!("arn:{partition}:{}", one.of.arn);
                let named = whole.spared.iter().chain(&whole.resources);
                let named = || named.clone().filter(|named| is_of_type(named, &any));
                let all = || named().chain([&any]);
                all().any(|one| is_left(one)) || !all().any(|one| was_there(one))
            })
    }

    /// Returns a loss on some resources as one on all, where it is on every resource of every type that the action is asked on,
    /// such as `role/*` is for assuming roles. An action without types knows only `*`: no statement about some resources is about
    /// it.
    pub(crate) fn in_whole(
        &'s self,
        mut loss: Loss<'s>,
        (who, action): (&Who, &str),
        account: &str,
        named: &[String],
    ) -> Loss<'s> {
        if loss.lost != Lost::OnSome {
            return loss;
        }
        let Some(asked) = asked_on((who, action), account, named) else {
            return loss;
        };
        let mut least: Option<Loss<'_>> = None;
        for one in &asked {
            match self.lost_on(who, action, one) {
                Some(lost) if lost.lost == Lost::OnSome => return loss,
                Some(lost) => {
                    if least.as_ref().is_none_or(|least| lost.lost < least.lost) {
                        least = Some(lost);
                    }
                }
                // What was denied before is no more than what is lost.
                None if self.denial(Time::Before, who, (action, one)).is_some() => {}
                None => return loss,
            }
        }
        if let Some(least) = least {
            loss.lost = least.lost;
            loss.decision.unknown_key = least.decision.unknown_key;
        }
        loss
    }

    /// Returns by what somebody is denied an action for sure at a time, on whatever resource.
    pub(super) fn denied(
        &self,
        time: Time,
        (who, action): (&Who, &str),
        account: &str,
        named: &[String],
    ) -> Option<Loss<'_>> {
        let decision = self.decision(time, who, action);
        match decision.verdict {
            Verdict::Allowed => None,
            Verdict::Denied => Some(Loss {
                lost: Lost::Surely,
                decision,
            }),
            Verdict::Unknown => {
                let asked = asked_on((who, action), account, named)?;
                let denials = asked
                    .iter()
                    .map(|one| self.denial(time, who, (action, one)));
                denials.collect::<Option<Vec<_>>>()?.into_iter().next()
            }
        }
    }
}

/// Returns the resources on which an action is asked about: of each type one that no policy names, and those that some do. An action
/// without types knows only `*`.
fn asked_on((who, action): (&Who, &str), account: &str, named: &[String]) -> Option<Vec<String>> {
    let known = reference::action(action)?;
    if known.resources.is_empty() {
        return Some(vec!["*".to_owned()]);
    }
    let partition = Arn::parse(&who.arn).map_or("aws", |arn| arn.partition);
    // Access points lead to buckets, whose objects are a type of their own.
    let types = known.resources.iter();
    let types = types.filter(|one| !one.of.name.starts_with("accesspoint"));
    let asked = types.flat_map(|one| {
        let any = format!("arn:{partition}:{}", one.of.arn);
        let named = named.iter().filter(|named| is_of_type(named, &any));
        let named = named.map(|named| resource(named, account));
        let each: Vec<String> = named.chain([resource(&any, account)]).collect();
        each
    });
    Some(asked.collect())
}

impl<'a> Judged<'a> {
    /// Returns by what all who call AWS themselves and are asked about lose an action on a resource for sure; `None` where one of
    /// them does not, or there is none.
    pub(super) fn lost_by_all(
        &self,
        is_asked: impl Fn(&PrincipalClass<'a>) -> bool,
        action: &str,
        resource: &str,
    ) -> Option<Loss<'_>> {
        let classes = self.principals.iter();
        let asked = classes.filter(|class| class.calls_itself() && is_asked(class));
        let losses = asked.map(|class| {
            let loss = self.shift.lost_on(&class.example, action, resource);
            loss.filter(|loss| loss.lost == Lost::Surely)
        });
        losses.collect::<Option<Vec<_>>>()?.into_iter().next()
    }

    /// Finds what nobody could do any more to what a policy protects.
    pub(super) fn beyond_repair(&self, risks: &mut Vec<Risk>) {
        let id = &self.account.account;
        for (action, pattern) in &self.evidence.shift.guarded {
            let (action, resource) = (sample(action), resource(pattern, id));
            if let Some(loss) = self.lost_by_all(|_| true, &action, &resource) {
                let cause = self.shift.cause(&loss);
                risks.push(Risk::new(
                    format!("beyond_repair:{id}"),
                    format!(
                        "nobody in account {id} could call {action} on {resource} any more, so that nobody could repair it there: {}",
                        cause.message
                    ),
                    "exempt the same principals in that statement, too",
                ));
                return;
            }
        }
    }
}

/// Returns whether a resource is one of the type of another: `document/x` of `document/*`. Those of S3 begin with the name of a bucket.
fn is_of_type(resource: &str, any: &str) -> bool {
    let kind = |arn: &str| {
        let arn = Arn::parse(arn)?;
        let end = arn.resource.find(['/', ':']);
        let kind = match (arn.service, arn.account, end) {
            ("s3", "", Some(_)) => "object",
            ("s3", "", None) => "bucket",
            (.., end) => &arn.resource[..end?],
        };
        Some((arn.service.to_owned(), kind.to_owned()))
    };
    kind(resource).is_some() && kind(resource) == kind(any)
}
