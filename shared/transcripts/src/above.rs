//! What the organization above a role and above what it uses says: service control policies bind the role, resource control
//! policies govern the resources of whichever account owns them. Calls nothing.

use std::sync::Arc;

use iam_policy::{Compiled, Context, Decision, Request, Verdict, denies};
use organization::CompiledOrganization;

/// The policies of an organization as they bear on the roles of one of its accounts; by default there is none.
#[derive(Clone, Debug, Default)]
pub struct Above {
    organization: Option<Arc<CompiledOrganization>>,
    /// The service control policies of each level from the root down; none binds the account without a level.
    service_control: Vec<Vec<Compiled>>,
    /// The account of the roles.
    account: String,
}

impl Above {
    /// Returns what bears on the roles of an account.
    ///
    /// # Errors
    /// The organization has no such account, or a policy above it is not among the records, or not understood.
    pub fn of(organization: &Arc<CompiledOrganization>, account: &str) -> anyhow::Result<Above> {
        Ok(Above {
            service_control: organization.policies_above(account)?,
            organization: Some(Arc::clone(organization)),
            account: account.to_owned(),
        })
    }

    /// Returns the service control policies that bind the role.
    pub(crate) fn levels(&self) -> Option<Vec<Vec<&Compiled>>> {
        let levels = self.service_control.iter();
        let levels: Vec<Vec<&Compiled>> = levels.map(|level| level.iter().collect()).collect();
        (!levels.is_empty()).then_some(levels)
    }

    /// Sets the keys of a request that say whose organization the role and the resource are in, as far as the records do.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
    pub(crate) fn fill(&self, owner: Option<&str>, context: &mut Context) {
        let Some(organization) = &self.organization else {
            return;
        };
        let mut set = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                context.set(key, vec![value]);
            }
        };
        let id = || organization.id().map(str::to_owned);
        set("aws:PrincipalOrgID", id());
        set("aws:PrincipalOrgPaths", organization.path(&self.account));
        if let Some(owner) = owner {
            set("aws:ResourceAccount", Some(owner.to_owned()));
            if organization.has(owner) {
                set("aws:ResourceOrgID", id());
                set("aws:ResourceOrgPaths", organization.path(owner));
            }
        }
    }

    /// Returns which resource control policy denies a request for an action on a resource of `owner`; where it is not known whose
    /// resource it is, one of any account, in doubt.
    ///
    /// # Errors
    /// The policies that govern the resource are not known; the text says why.
    pub(crate) fn denial(
        &self,
        owner: Option<&str>,
        request: &Request,
    ) -> Result<Option<Decision<'_>>, String> {
        let Some(organization) = &self.organization else {
            return Ok(None);
        };
        if !request.is_resource_controlled() {
            return Ok(None);
        }
        let policies = match owner {
            Some(owner) => organization.resource_policies(owner),
            None => organization.all_resource_policies(),
        };
        let policies = policies.map_err(|error| format!("{error:#}"))?;
        let said = policies.iter().filter_map(|policy| denies(policy, request));
        let said = said.max_by_key(|said| said.verdict == Verdict::Denied);
        Ok(said.map(|said| match owner {
            Some(_) => said,
            None => Decision {
                verdict: Verdict::Unknown,
                ..said
            },
        }))
    }
}
