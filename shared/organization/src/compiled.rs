//! A tree whose policies can be asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use anyhow::{Context, bail};
use iam_policy::Compiled;
use records::{Entity, EntityType, PolicyDocument, PolicyType};

use super::{Organization, compile};

/// A tree whose policies can be asked.
#[derive(Clone, Debug)]
pub struct CompiledOrganization {
    entities: BTreeMap<String, Entity>,
    policies: ByName,
    resource_control: ByName,
    id: Option<String>,
}

/// Policies by name; why not, where one was not understood. Organizations of which one comes from another share what did not
/// change.
type ByName = BTreeMap<String, Arc<Result<Compiled, String>>>;

impl Organization {
    /// Makes the policies ready to be asked. One that is not understood leaves open what is below it, and nothing else.
    #[must_use]
    pub fn judge(&self) -> CompiledOrganization {
        self.judged(|_| None)
    }

    /// Makes the policies ready to be asked, without compiling again those that were the same in another organization.
    #[must_use]
    pub fn judge_from(
        &self,
        other: &Organization,
        known: &CompiledOrganization,
    ) -> CompiledOrganization {
        let documents = other.policies.iter().chain(&other.resource_control);
        let documents: HashMap<&str, &PolicyDocument> = documents
            .map(|policy| (policy.name.as_str(), policy))
            .collect();
        self.judged(|policy| {
            let same = documents.get(policy.name.as_str())?;
            let is_same =
                same.policy_type == policy.policy_type && same.document == policy.document;
            let known = match policy.policy_type {
                PolicyType::ServiceControlPolicy => &known.policies,
                PolicyType::ResourceControlPolicy => &known.resource_control,
            };
            known.get(&policy.name).filter(|_| is_same).cloned()
        })
    }

    fn judged(
        &self,
        known: impl Fn(&PolicyDocument) -> Option<Arc<Result<Compiled, String>>>,
    ) -> CompiledOrganization {
        let compiled = |policies: &[PolicyDocument]| -> ByName {
            let policies = policies.iter().map(|policy| {
                let compiled = known(policy).unwrap_or_else(|| {
                    let compiled = compile(&policy.name, &policy.document.to_string());
                    Arc::new(compiled.map_err(|error| format!("{error:#}")))
                });
                (policy.name.clone(), compiled)
            });
            policies.collect()
        };
        let entities = self.entities.iter();
        let entities = entities.map(|entity| (entity.id.clone(), entity.clone()));
        CompiledOrganization {
            entities: entities.collect(),
            policies: compiled(&self.policies),
            resource_control: compiled(&self.resource_control),
            id: self
                .entities
                .iter()
                .find_map(|entity| entity.organization_id.clone()),
        }
    }
}

impl CompiledOrganization {
    /// Returns the condition keys that service control policies ask about, in lower case; of those that are not understood none.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        let policies = self.policies.values();
        let policies = policies.filter_map(|policy| policy.as_ref().as_ref().ok());
        policies.flat_map(Compiled::condition_keys)
    }

    /// Returns whether the organization has such an account.
    #[must_use]
    pub fn has(&self, account: &str) -> bool {
        self.entities.contains_key(account)
    }

    /// Returns its ID, `o-..`; `None` where the records do not say it.
    #[must_use]
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }

    /// Returns where an account is as policies name it, `o-../r-../ou-../`; `None` where the records do not say it.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgpaths>
    #[must_use]
    pub fn path(&self, account: &str) -> Option<String> {
        let mut above = Vec::new();
        let mut next = self.entities.get(account)?.parent.as_deref();
        while let Some(id) = next {
            above.push(id);
            next = self.entities.get(id)?.parent.as_deref();
            if above.len() > self.entities.len() {
                return None;
            }
        }
        above.push(self.id()?);
        above.reverse();
        Some(format!("{}/", above.join("/")))
    }

    /// Returns what every request by a principal of an account has of the organization: its ID, and where the account is, as far as
    /// the records say it; nothing for an account of another organization.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalorgid>
    #[must_use]
    pub fn membership(&self, account: &str) -> Vec<(&'static str, String)> {
        if !self.has(account) {
            return Vec::new();
        }
        let id = self.id().map(|id| ("aws:PrincipalOrgID", id.to_owned()));
        let path = self.path(account);
        let path = path.map(|path| ("aws:PrincipalOrgPaths", path));
        id.into_iter().chain(path).collect()
    }

    /// Returns every account with its membership.
    pub fn members(&self) -> impl Iterator<Item = (String, Vec<(&'static str, String)>)> {
        let accounts = self.entities.values();
        let accounts = accounts.filter(|entity| entity.r#type == EntityType::Account);
        accounts.map(|account| (account.id.clone(), self.membership(&account.id)))
    }

    /// Returns the policies from the root to an account, one list a level; `None` when no policy binds the account: it
    /// is the management account.
    ///
    /// # Errors
    /// The organization has no such account, or a policy of its line is not among the records, or not understood.
    pub fn levels(&self, account: &str) -> anyhow::Result<Option<Vec<Vec<&Compiled>>>> {
        self.line(account, &self.policies, |entity| &entity.policies)
    }

    /// Returns the resource control policies that govern the resources of an account; none for the management account. All that
    /// they can do is deny, so that levels do not matter.
    /// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_rcps.html>
    ///
    /// # Errors
    /// As [`CompiledOrganization::levels`].
    pub fn resource_policies(&self, account: &str) -> anyhow::Result<Vec<&Compiled>> {
        let levels = self.line(account, &self.resource_control, |entity| {
            &entity.resource_control_policies
        })?;
        Ok(levels.into_iter().flatten().flatten().collect())
    }

    /// Returns every resource control policy that is attached somewhere.
    ///
    /// # Errors
    /// One of them is not among the records, or not understood.
    pub fn all_resource_policies(&self) -> anyhow::Result<Vec<&Compiled>> {
        let entities = self.entities.values();
        let attached = entities.flat_map(|entity| &entity.resource_control_policies);
        let attached: BTreeSet<&String> = attached.collect();
        let policies = attached.into_iter().map(|name| {
            match self.resource_control.get(name).map(AsRef::as_ref) {
                Some(Ok(policy)) => Ok(policy),
                Some(Err(why)) => bail!("{why}"),
                None => bail!("policy {name} is not known"),
            }
        });
        policies.collect()
    }

    fn line<'o>(
        &'o self,
        account: &str,
        policies: &'o ByName,
        names: impl for<'e> Fn(&'e Entity) -> &'e Vec<String>,
    ) -> anyhow::Result<Option<Vec<Vec<&'o Compiled>>>> {
        let mut levels = Vec::new();
        let mut next = Some(account);
        while let Some(id) = next {
            let entity = self.entities.get(id);
            let entity = entity.with_context(|| format!("{id} is not in the organization"))?;
            if entity.management {
                return Ok(None);
            }
            let attached: anyhow::Result<Vec<&Compiled>> = names(entity)
                .iter()
                .map(|name| match policies.get(name).map(AsRef::as_ref) {
                    Some(Ok(policy)) => Ok(policy),
                    Some(Err(why)) => bail!("{why}"),
                    None => bail!("policy {name} of {id} is not known"),
                })
                .collect();
            levels.push(attached?);
            next = entity.parent.as_deref();
            if levels.len() > self.entities.len() {
                bail!("{account}: the organization goes round in a circle");
            }
        }
        levels.reverse();
        Ok(Some(levels))
    }

    /// Returns the same to keep; without a level where no policy binds the account.
    ///
    /// # Errors
    /// As [`CompiledOrganization::levels`].
    pub fn policies_above(&self, account: &str) -> anyhow::Result<Vec<Vec<Compiled>>> {
        let levels = self.levels(account)?.unwrap_or_default();
        let levels = levels.into_iter();
        Ok(levels
            .map(|level| level.into_iter().cloned().collect())
            .collect())
    }
}
