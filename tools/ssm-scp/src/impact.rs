//! Who is affected by a guard: every role and user that could be read, before and after, for a reviewer to sign.

use std::collections::BTreeSet;

use cli::Reading;
use iam_policy::{Arn, Compiled, Policies, Request, Verdict, decide, denies};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::principal_arn;
use crate::simulate::why;
use organization::{CompiledOrganization, compile};

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
    /// The trust policy of a role; users have none.
    #[serde(default)]
    pub(crate) trust: Option<Value>,
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
    pub(crate) before: &'a CompiledOrganization,
    pub(crate) after: &'a CompiledOrganization,
    pub(crate) guard: &'a [Compiled],
    /// Actions that the guard denies to somebody of the accounts that it binds.
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
        let (class, actions, why) = self.classify(account, principal)?;
        Ok(Impact {
            kind: ImpactKind::Impact,
            account: account.to_owned(),
            principal: principal.arn.clone(),
            r#type: principal_type(&principal.arn),
            class,
            actions,
            why,
        })
    }

    fn classify(
        &self,
        account: &str,
        principal: &PrincipalPolicies,
    ) -> anyhow::Result<(Class, Vec<String>, String)> {
        let arn = principal.arn.as_str();
        let (before, after) = (self.before.levels(account)?, self.after.levels(account)?);
        let Some(identity) = Identity::of(principal) else {
            let why = "a policy of its own cannot be understood".to_owned();
            return Ok((Class::Unknown, Vec::new(), why));
        };
        let allowed = |levels: Option<&[Vec<&Compiled>]>| -> Vec<String> {
            let allowed = self
                .actions
                .iter()
                .filter(|action| identity.verdict(levels, arn, action) != Verdict::Denied);
            allowed.cloned().collect()
        };
        if principal_arn::is_service_linked(arn) {
            let why = "a service-linked role is outside any service control policy".to_owned();
            return Ok((Class::NotGoverned, allowed(None), why));
        }
        if before.is_none() || !self.governed.contains(account) {
            let why = match before {
                None => "the management account is outside any service control policy",
                Some(_) => "no target of the guard is above its account",
            };
            return Ok((
                Class::NotGoverned,
                allowed(before.as_deref()),
                why.to_owned(),
            ));
        }
        let today = allowed(before.as_deref());
        let mut lost: Vec<String> = Vec::new();
        let (mut denied, mut open) = (None, None);
        for action in &today {
            let request = Request::on_unknown_resource(action, principal_arn::context(arn));
            let said = self
                .guard
                .iter()
                .filter_map(|policy| denies(policy, &request));
            match said.max_by_key(|said| said.verdict == Verdict::Denied) {
                // What a guard denies on some resources only is lost all the same.
                Some(said)
                    if said.verdict == Verdict::Denied || said.unknown_key == Some("resource") =>
                {
                    lost.push(action.clone());
                    denied.get_or_insert_with(|| why(&said));
                }
                Some(said) => {
                    open.get_or_insert_with(|| why(&said));
                }
                None if identity.verdict(after.as_deref(), arn, action) == Verdict::Denied => {
                    lost.push(action.clone());
                }
                None => {}
            }
        }
        Ok(match (lost.is_empty(), open) {
            (false, _) => {
                let why = denied.unwrap_or_else(|| "no policy of its account allows it".to_owned());
                (Class::NewlyDenied, lost, why)
            }
            (true, Some(why)) => (Class::Unknown, today, why),
            (true, None) if !today.is_empty() => {
                (Class::StillIn, today, "the guard spares it".to_owned())
            }
            (true, None) if self.actions.is_empty() => {
                let why = "the guard denies nobody here anything that operators do".to_owned();
                (Class::Exempt, today, why)
            }
            (true, None) if spares(self.guard, self.actions, arn) => {
                let why = "the guard spares it, and IAM allows it nothing".to_owned();
                (Class::Exempt, today, why)
            }
            (true, None) => (
                Class::DeniedBefore,
                today,
                "it may do nothing today either".to_owned(),
            ),
        })
    }
}

/// Returns whether no policy of a guard denies a principal any of the actions, whatever is not known.
pub(crate) fn spares(guard: &[Compiled], actions: &[String], arn: &str) -> bool {
    let request =
        |action: &String| Request::on_unknown_resource(action, principal_arn::context(arn));
    !actions.iter().any(|action| {
        guard
            .iter()
            .any(|policy| denies(policy, &request(action)).is_some())
    })
}

/// Returns the operator actions that a guard denies to any of these principals.
pub(crate) fn denied_actions<'a>(
    guard: &[Compiled],
    principals: impl Iterator<Item = &'a str> + Clone,
) -> Vec<String> {
    let denied = iam_policy::OPERATOR_ACTIONS.iter().filter(|action| {
        let action = [(**action).to_owned()];
        principals.clone().any(|arn| !spares(guard, &action, arn))
    });
    denied.map(|action| (*action).to_owned()).collect()
}

/// Returns a role of an account that no list names: what any colleague may have. It is one of that very account, as a guard may
/// go by the account alone.
pub(crate) fn anybody(partition: &str, account: &str) -> String {
    format!("arn:{partition}:iam::{account}:role/q7zkw4")
}

/// Returns the partition of the first of these ARNs, or the usual one.
pub(crate) fn partition<'a>(mut arns: impl Iterator<Item = &'a str>) -> &'a str {
    let first = arns.find_map(|arn| Some(Arn::parse(arn)?.partition));
    first
        .filter(|partition| !partition.contains(['*', '?']))
        .unwrap_or("aws")
}

/// The policies of a principal, ready to be asked.
pub(crate) struct Identity {
    policies: Vec<Compiled>,
    boundary: Option<Compiled>,
}

impl Identity {
    /// Returns `None` when one of the policies cannot be understood.
    pub(crate) fn of(principal: &PrincipalPolicies) -> Option<Identity> {
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

    /// Returns whether the principal may do something below these service control policies.
    pub(crate) fn verdict(
        &self,
        levels: Option<&[Vec<&Compiled>]>,
        arn: &str,
        action: &str,
    ) -> Verdict {
        let policies: Vec<&Compiled> = self.policies.iter().collect();
        let policies = Policies {
            service_control: levels,
            identity: Some(&policies),
            boundary: self.boundary.as_ref(),
            ..Policies::default()
        };
        let request = Request::on_unknown_resource(action, principal_arn::context(arn));
        decide(&policies, &request).verdict
    }
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
