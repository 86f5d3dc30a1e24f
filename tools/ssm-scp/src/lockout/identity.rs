//! What a principal may do by its own policies, below service control policies. Pure.

use iam_policy::{Compiled, Context, Policies, Request, Verdict, decide, denies};
use organization::compile;

use super::who::Who;
use crate::model::{Document, PrincipalPolicies};

/// The policies of a principal, ready to be asked.
pub(crate) struct Identity {
    policies: Vec<Compiled>,
    boundary: Option<Compiled>,
}

impl Identity {
    /// Returns `None` when one of the policies cannot be understood.
    pub(crate) fn of(principal: &PrincipalPolicies) -> Option<Identity> {
        let ready = |document: &Document| compile("", &document.to_string()).ok();
        Some(Identity {
            policies: principal
                .policies
                .iter()
                .map(ready)
                .collect::<Option<_>>()?,
            boundary: match &principal.boundary {
                None => None,
                Some(boundary) => Some(ready(boundary)?),
            },
        })
    }

    /// Returns for each statement of its own whether it is about an action. Nothing else of them distinguishes two actions.
    pub(crate) fn statements_about(&self, action: &str) -> Vec<bool> {
        let policies = self.policies.iter().chain(&self.boundary);
        let about = policies.flat_map(|policy| policy.statements_about(action));
        about.collect()
    }

    /// Returns whether the principal may do something below these service control policies.
    pub(crate) fn verdict(
        &self,
        levels: Option<&[Vec<&Compiled>]>,
        who: &Who,
        action: &str,
    ) -> Verdict {
        self.decided(
            levels,
            &Request::on_unknown_resource(action, who.context.clone()),
        )
    }

    /// Returns whether whoever has these policies may do something on one resource, below no other policies.
    pub(super) fn verdict_on(
        &self,
        context: &Context,
        (action, resource): (&str, &str),
    ) -> Verdict {
        self.decided(None, &Request::new(action, resource, context.clone()))
    }

    /// Returns whether a statement denies something on one resource for sure.
    pub(super) fn is_denied_on(&self, context: &Context, (action, resource): (&str, &str)) -> bool {
        let request = Request::new(action, resource, context.clone());
        let mut policies = self.policies.iter().chain(&self.boundary);
        policies.any(|policy| {
            denies(policy, &request).is_some_and(|said| said.verdict == Verdict::Denied)
        })
    }

    pub(super) fn decided(&self, levels: Option<&[Vec<&Compiled>]>, request: &Request) -> Verdict {
        let policies: Vec<&Compiled> = self.policies.iter().collect();
        let policies = Policies {
            service_control: levels,
            identity: Some(&policies),
            boundary: self.boundary.as_ref(),
            ..Policies::default()
        };
        decide(&policies, request).verdict
    }
}
