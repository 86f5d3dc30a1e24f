//! Who is affected by a guard: every role and user that could be read, before and after, for a reviewer to sign.

use std::collections::BTreeSet;

use policy::{Compiled, Policies, Request, Verdict, decide, denies};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolio::Reading;

use crate::caller;
use crate::hierarchy::{Judged, compile};
use crate::simulate::why;

/// The `kind` of an impact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImpactKind {
    /// The only value.
    Impact,
}

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PrincipalType {
    Role,
    User,
    /// The role that IAM Identity Center made for a permission set.
    PermissionSet,
}

/// What becomes of a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    /// Exempt, and IAM allows it some of the actions.
    StillIn,
    /// It may do something today that it may not do afterwards.
    NewlyDenied,
    /// Spared by the guard, but IAM does not allow it any of the actions.
    Exempt,
    /// The guard does not bind it: another account, the management account or a service-linked role.
    NotGoverned,
    /// It may not do any of the actions today.
    DeniedBefore,
    /// It depends on something that is not known.
    Unknown,
}

/// One principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Impact {
    /// Always `impact`.
    pub(crate) kind: ImpactKind,
    pub(crate) account: String,
    pub(crate) principal: String,
    pub(crate) r#type: PrincipalType,
    pub(crate) class: Class,
    /// The actions that it loses, where it is newly denied; else those that it keeps.
    pub(crate) actions: Vec<String>,
    /// Why, in one line.
    pub(crate) why: String,
}

/// A role or user with its policies as they were read.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrincipalPolicies {
    pub(crate) arn: String,
    /// Inline and attached policies, those of groups among them.
    pub(crate) policies: Vec<Value>,
    pub(crate) boundary: Option<Value>,
}

/// The principals of an account, or why they could not be read.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AccountPrincipals {
    pub(crate) account: String,
    pub(crate) principals: Reading<Vec<PrincipalPolicies>>,
}

/// A guard in an organization: as it is, and as it will be.
pub(crate) struct Candidate<'a> {
    pub(crate) before: &'a Judged,
    pub(crate) after: &'a Judged,
    pub(crate) guard: &'a [Compiled],
    /// Actions that the guard denies to those that it does not spare.
    pub(crate) actions: &'a [String],
    /// Accounts below the targets.
    pub(crate) governed: &'a BTreeSet<String>,
}

impl Candidate<'_> {
    /// Returns what becomes of a principal.
    ///
    /// # Errors
    /// Its account is not in the organization.
    pub(crate) fn impact(
        &self,
        account: &str,
        principal: &PrincipalPolicies,
    ) -> anyhow::Result<Impact> {
        let arn = principal.arn.as_str();
        let impact = |class, actions: Vec<String>, why: String| Impact {
            kind: ImpactKind::Impact,
            account: account.to_owned(),
            principal: arn.to_owned(),
            r#type: principal_type(arn),
            class,
            actions,
            why,
        };
        let (before, after) = (self.before.levels(account)?, self.after.levels(account)?);
        let Some(identity) = identity(principal) else {
            let why = "a policy of its own cannot be understood".to_owned();
            return Ok(impact(Class::Unknown, Vec::new(), why));
        };
        let may = |levels: Option<&[Vec<&Compiled>]>, action: &str| {
            let policies: Vec<&Compiled> = identity.policies.iter().collect();
            let policies = Policies {
                service_control: levels,
                identity: Some(&policies),
                boundary: identity.boundary.as_ref(),
                ..Policies::default()
            };
            decide(
                &policies,
                &Request::on_unknown_resource(action, caller::context(arn)),
            )
            .verdict
        };
        let allowed_today = |levels| -> Vec<String> {
            let allowed = self
                .actions
                .iter()
                .filter(|action| may(levels, action) != Verdict::Denied);
            allowed.cloned().collect()
        };
        let service_linked = caller::is_service_linked(arn);
        if service_linked || !self.governed.contains(account) || before.is_none() {
            let levels = before.as_deref().filter(|_| !service_linked);
            let why = match (service_linked, before.is_none()) {
                (true, _) => "a service-linked role is outside any service control policy",
                (_, true) => "the management account is outside any service control policy",
                _ => "no target of the guard is above its account",
            };
            return Ok(impact(
                Class::NotGoverned,
                allowed_today(levels),
                why.to_owned(),
            ));
        }
        let today = allowed_today(before.as_deref());
        let mut lost = Vec::new();
        let mut reason = None;
        let mut open = None;
        for action in &today {
            let request = Request::on_unknown_resource(action, caller::context(arn));
            match may(after.as_deref(), action) {
                Verdict::Denied => lost.push(action.clone()),
                Verdict::Allowed | Verdict::Unknown => {}
            }
            for said in self
                .guard
                .iter()
                .filter_map(|policy| denies(policy, &request))
            {
                let open_or_reason = if said.verdict == Verdict::Denied {
                    &mut reason
                } else {
                    &mut open
                };
                open_or_reason
                    .get_or_insert_with(|| (why(&said), said.unknown_key != Some("resource")));
            }
        }
        Ok(match (today.is_empty(), lost.is_empty(), reason, open) {
            (_, false, Some((why, _)), _) => impact(Class::NewlyDenied, lost, why),
            (_, false, None, _) => impact(
                Class::NewlyDenied,
                lost,
                "denied by the policies above".to_owned(),
            ),
            (_, true, _, Some((why, true))) => impact(Class::Unknown, today, why),
            (false, true, ..) => impact(Class::StillIn, today, "the guard spares it".to_owned()),
            (true, true, ..) if self.spares(arn) => impact(
                Class::Exempt,
                Vec::new(),
                "the guard spares it, and IAM allows it nothing".to_owned(),
            ),
            (true, true, ..) => impact(
                Class::DeniedBefore,
                Vec::new(),
                "it may do nothing today either".to_owned(),
            ),
        })
    }

    /// Returns whether the guard denies a principal nothing.
    pub(crate) fn spares(&self, arn: &str) -> bool {
        spares(self.guard, self.actions, arn)
    }
}

/// Returns whether no policy of a guard denies a principal any of the actions, whatever is not known.
pub(crate) fn spares(guard: &[Compiled], actions: &[String], arn: &str) -> bool {
    let request = |action: &String| Request::on_unknown_resource(action, caller::context(arn));
    !actions.iter().any(|action| {
        guard
            .iter()
            .any(|policy| denies(policy, &request(action)).is_some())
    })
}

/// Returns the operator actions that a guard denies to somebody whom it does not name.
pub(crate) fn denied_actions(guard: &[Compiled]) -> Vec<String> {
    const NOBODY: &str = "arn:aws:iam::000000000000:role/q7zkw4";
    let request = |action: &str| Request::on_unknown_resource(action, caller::context(NOBODY));
    let denied = policy::OPERATOR_ACTIONS.iter().filter(|action| {
        guard
            .iter()
            .any(|policy| denies(policy, &request(action)).is_some())
    });
    denied.map(|action| (*action).to_owned()).collect()
}

struct Identity {
    policies: Vec<Compiled>,
    boundary: Option<Compiled>,
}

/// Returns `None` when one of the policies cannot be understood.
fn identity(principal: &PrincipalPolicies) -> Option<Identity> {
    let ready = |document: &Value| compile("", &document.to_string()).ok();
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

fn principal_type(arn: &str) -> PrincipalType {
    if arn.contains(":user/") {
        PrincipalType::User
    } else if arn.contains(":role/aws-reserved/sso.amazonaws.com/") {
        PrincipalType::PermissionSet
    } else {
        PrincipalType::Role
    }
}
