//! Who still gets in: exempt is not enough, one's own policies have to allow it, and somebody has to be able to become one.

use std::collections::HashSet;
use std::rc::Rc;

use iam_policy::Verdict;
use serde_json::Value;

use super::account_shift::{Lost, Time};
use super::identity::Identity;
use super::judged::Judged;
use super::principals::{Found, PrincipalClass};
use super::who::Who;
use crate::model::PrincipalPolicies;

/// What access is, whatever else a change takes from operators.
pub(super) const ACCESS: [&str; 2] = ["ssm:StartSession", "ssm:SendCommand"];

impl<'a> Judged<'a> {
    /// Returns whether somebody can still do what others lose: start sessions and send commands, each where it is lost and somebody
    /// may do it today, and anything of all that is lost.
    ///
    /// # Errors
    /// Why nobody can.
    pub(super) fn way_in(&self, lost: &[usize]) -> Result<(), String> {
        let actions = lost.iter().flat_map(|index| {
            let actions = self.actions[*index].actions.iter();
            actions.map(|action| (*index, action.as_str()))
        });
        let is_access = |action: &str| ACCESS.iter().any(|one| one.eq_ignore_ascii_case(action));
        let mut needed = actions
            .clone()
            .filter(|(_, action)| is_access(action) && self.is_used_today(action));
        needed.try_for_each(|(index, action)| self.keeper(&[index], &[action]))?;
        let actions: Vec<&str> = actions.map(|(_, action)| action).collect();
        self.keeper(lost, &actions)
    }

    /// Returns whether each class of principals loses some of these classes of actions.
    pub(super) fn nobody_keeps(&self, lost: &[usize]) -> bool {
        let loses = |who: usize| lost.iter().any(|index| self.loses(*index, who));
        self.of_themselves().all(|(who, _)| loses(who))
    }

    /// Returns the classes of those who call AWS themselves, as everybody does who gets in, by their index.
    fn of_themselves(&self) -> impl Iterator<Item = (usize, &PrincipalClass<'a>)> {
        let classes = self.principals.iter().enumerate();
        classes.filter(|(_, class)| class.calls_itself())
    }

    /// Finds somebody who loses none of these classes, may call one of these actions, and whom somebody can become.
    ///
    /// # Errors
    /// Why nobody does.
    fn keeper(&self, lost: &[usize], actions: &[&str]) -> Result<(), String> {
        let (mut why, mut doubt) = (None, None);
        for (who, class) in self.of_themselves() {
            if let Some(index) = lost.iter().find(|index| self.loses(**index, who)) {
                let loss = self.losses[*index][who].as_ref();
                let loss = loss.filter(|loss| loss.lost == Lost::Perhaps);
                if let (Some(loss), Some(first)) = (loss, class.found.first()) {
                    doubt.get_or_insert_with(|| {
                        let cause = self.shift.cause(loss).message;
                        let arn = &first.principal.arn;
                        format!("whether {arn} is exempt depends on more: {cause}")
                    });
                }
                continue;
            }
            for found in &class.found {
                match self.barred(found, actions) {
                    Some(barred) => {
                        why = Some(format!("{} is exempt, but {barred}", found.principal.arn))
                    }
                    None => return Ok(()),
                }
            }
        }
        let why = why.or(doubt);
        Err(why.unwrap_or_else(|| "no role or user there is exempt".to_owned()))
    }

    /// Returns why somebody whom no denial keeps out does not get in all the same, or may call none of these actions.
    fn barred(&self, found: &Found<'a>, actions: &[&str]) -> Option<String> {
        let Some(identity) = self.known.identity(found.principal) else {
            return Some("a policy of its own cannot be understood".to_owned());
        };
        let mut actions_left = actions.iter();
        if !actions_left.any(|action| self.may(&identity, &found.who, action)) {
            let none = actions.first().copied().unwrap_or_default();
            // Resource control policies govern none of what operators call.
            return Some(format!("its own policies do not allow {none}"));
        }
        self.closed(found.principal)
    }

    /// Returns whether anybody found may do something today, by their own policies.
    fn is_used_today(&self, action: &str) -> bool {
        let mut found = self.of_themselves().flat_map(|(_, class)| &class.found);
        found.any(|found| self.used(found)(action))
    }

    /// Returns whether somebody who gets in keeps each action of a class that others lose and may call today; where nobody could be
    /// read, whether somebody may.
    pub(super) fn is_kept(&self, index: usize) -> bool {
        let classes = || self.principals.iter().zip(&self.losses[index]);
        let losers = || {
            let classes = classes().filter(|(_, loss)| loss.is_some());
            classes.flat_map(|(class, _)| &class.found)
        };
        let kept = self.of_themselves();
        let kept = kept.filter(|(who, _)| self.losses[index][*who].is_none());
        if !self.is_read() {
            let example = self.actions[index].example();
            let mut kept = kept;
            return kept.any(|(_, class)| !self.shift.is_resource_denied(&class.example, example));
        }
        // Each is asked about many actions.
        let keepers: Vec<(&PrincipalPolicies, Rc<Identity>, &Who)> = kept
            .flat_map(|(_, class)| &class.found)
            .filter(|one| self.closed(one.principal).is_none())
            .filter_map(|one| Some((one.principal, self.known.identity(one.principal)?, &one.who)))
            .collect();
        let is_kept = |action: &str| {
            let mut keepers = keepers.iter();
            keepers.any(|(_, own, who)| self.may(own, who, action))
        };
        let class = &self.actions[index];
        if losers().next().is_none() {
            return is_kept(class.example());
        }
        // The policies of the account do not distinguish these actions, those of its principals may.
        let own = keepers.iter().flat_map(|(one, ..)| documents(one));
        let groups = self.all.parted(class, own);
        let open: Vec<&Vec<String>> = groups.iter().filter(|group| !is_kept(&group[0])).collect();
        if open.len() == groups.len() {
            return false;
        }
        let is_missed = |found: &Found<'a>| {
            let own = self.all.parted(class, documents(found.principal));
            let is_used = self.used(found);
            let used = own.iter().filter(|group| is_used(&group[0]));
            let used: HashSet<&str> = used.flatten().map(String::as_str).collect();
            open.iter()
                .any(|group| group.iter().any(|action| used.contains(action.as_str())))
        };
        open.is_empty() || !losers().any(is_missed)
    }

    /// Returns whether somebody may do something, by their own policies and by those above as they will be: what a resource control
    /// policy denies on whatever resource of the account is kept by nobody there.
    fn may(&self, identity: &Identity, who: &Who, action: &str) -> bool {
        let levels = Some(self.shift.after()).filter(|levels| !levels.is_empty());
        let may = match identity.verdict(levels, who, action) {
            Verdict::Allowed => true,
            Verdict::Denied => false,
            // What is denied on every resource that the action has is kept by nobody.
            Verdict::Unknown => {
                let (account, named) = (&self.account.account, &self.evidence.shift.resources);
                let denied = self
                    .shift
                    .denied(Time::After, (who, action), account, named);
                denied.is_none()
            }
        };
        may && !self.shift.is_resource_denied(who, action)
    }
}

/// Returns the documents by which a principal may do something itself.
fn documents(principal: &PrincipalPolicies) -> impl Iterator<Item = &Value> {
    let policies = principal.policies.iter().chain(&principal.boundary);
    policies.map(|document| &**document)
}

#[cfg(test)]
mod tests {
    use iam_policy::{Context, OPERATOR_ACTIONS, Request};

    #[test]
    fn no_resource_control_policy_governs_what_operators_call() {
        let is_governed = |action: &&&str| {
            let request = Request::on_unknown_resource(action, Context::partial());
            request.is_resource_controlled()
        };
        assert_eq!(OPERATOR_ACTIONS.iter().find(is_governed), None);
    }
}
