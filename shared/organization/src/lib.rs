//! An organization as a tree: who is above whom, and which service control policies bind an account. Made from records, so
//! that what was read once can be asked many times. Knows no AWS.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, bail};
use iam_policy::{Compiled, Policy};
use records::{Entity, EntityType, PolicyDocument, PolicyKind, PolicyType};
use serde_json::Value;

/// The policy that AWS attaches everywhere at first.
pub const FULL_ACCESS: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;

/// The tree with its policies.
#[derive(Clone, Debug, Default)]
pub struct Organization {
    /// Its root, organizational units and accounts.
    pub entities: Vec<Entity>,
    /// Its service control policies.
    pub policies: Vec<PolicyDocument>,
    /// Its resource control policies.
    pub resource_control: Vec<PolicyDocument>,
}

/// A tree whose policies can be asked.
#[derive(Clone, Debug)]
pub struct CompiledOrganization {
    entities: BTreeMap<String, Entity>,
    policies: ByName,
    resource_control: ByName,
    id: Option<String>,
}

/// Policies by name; why not, where one was not understood.
type ByName = BTreeMap<String, Result<Compiled, String>>;

impl Organization {
    /// Reads the tree from the records in a file, or on stdin when it is `-`.
    ///
    /// # Errors
    /// The file cannot be read, a record in it is malformed, or no organization is in it.
    pub fn read(path: &Path) -> anyhow::Result<Organization> {
        let mut records: Vec<Value> = Vec::new();
        if path.as_os_str() == "-" {
            let stdin = std::io::read_to_string(std::io::stdin().lock())?;
            let values = serde_json::Deserializer::from_str(&stdin).into_iter();
            records = values
                .collect::<Result<_, _>>()
                .context("read organization from stdin")?;
        } else {
            cli::for_each_record_of(path, "organization", |record| {
                records.push(record);
                Ok(())
            })?;
        }
        Organization::from_records(records)
    }

    /// Returns the tree that records of `show` describe; records of other kinds are left alone.
    ///
    /// # Errors
    /// A record is malformed, or there is no entity among them.
    pub fn from_records(records: Vec<Value>) -> anyhow::Result<Organization> {
        let mut organization = Organization::default();
        for (index, record) in records.into_iter().enumerate() {
            let place = || format!("record {} of the organization", index + 1);
            match record["kind"].as_str() {
                Some("entity") => {
                    let entity = cli::from_value(&record).with_context(place)?;
                    organization.entities.push(entity);
                }
                Some("policy") => {
                    let policy: PolicyDocument = cli::from_value(&record).with_context(place)?;
                    match policy.policy_type {
                        PolicyType::ServiceControlPolicy => organization.policies.push(policy),
                        PolicyType::ResourceControlPolicy => {
                            organization.resource_control.push(policy)
                        }
                    }
                }
                _ => {}
            }
        }
        if organization.entities.is_empty() {
            bail!("no organization in the records: expected what `ssm-scp show` prints");
        }
        Ok(organization)
    }

    /// Returns the ids from the root down to the entity, itself included; empty for an unknown one.
    pub fn lineage(&self, id: &str) -> Vec<&Entity> {
        let mut line = Vec::new();
        let mut next = Some(id);
        while let Some(id) = next {
            let Some(entity) = self.entities.iter().find(|entity| entity.id == id) else {
                break;
            };
            line.push(entity);
            next = entity.parent.as_deref();
            // Records may be edited; a circle must not hang.
            if line.len() > self.entities.len() {
                return Vec::new();
            }
        }
        line.reverse();
        line
    }

    /// Returns the accounts.
    pub fn accounts(&self) -> impl Iterator<Item = &Entity> {
        self.entities
            .iter()
            .filter(|entity| entity.r#type == EntityType::Account)
    }

    /// Adds a policy, or replaces the one of its name, and attaches it to the targets.
    pub fn with_policy(&mut self, name: &str, document: &Value, targets: &[String]) {
        self.policies.retain(|policy| policy.name != name);
        self.policies.push(PolicyDocument {
            kind: PolicyKind::Policy,
            policy_type: PolicyType::ServiceControlPolicy,
            id: String::new(),
            name: name.to_owned(),
            aws_managed: false,
            n_characters: document.to_string().chars().count(),
            document: document.clone(),
            attached_to: targets.to_vec(),
        });
        for entity in &mut self.entities {
            if targets.contains(&entity.id) && !entity.policies.iter().any(|policy| policy == name)
            {
                entity.policies.push(name.to_owned());
            }
        }
    }

    /// Returns the policy of a name.
    #[must_use]
    pub fn policy(&self, name: &str) -> Option<&PolicyDocument> {
        self.policies.iter().find(|policy| policy.name == name)
    }

    /// Adds a policy, or replaces the document of the one of its name wherever that is attached.
    pub fn put(&mut self, name: &str, document: &Value) {
        let attached = self.entities.iter();
        let attached = attached.filter(|entity| entity.policies.iter().any(|one| one == name));
        let targets: Vec<String> = attached.map(|entity| entity.id.clone()).collect();
        self.with_policy(name, document, &targets);
    }

    /// Attaches a policy to an entity, or detaches it.
    pub fn attach(&mut self, name: &str, target: &str, is_attached: bool) {
        for entity in &mut self.entities {
            if entity.id == target {
                entity.policies.retain(|policy| policy != name);
                if is_attached {
                    entity.policies.push(name.to_owned());
                }
            }
        }
    }

    /// Deletes a policy; Organizations lets only those go that are attached nowhere.
    pub fn remove(&mut self, name: &str) {
        self.policies.retain(|policy| policy.name != name);
    }

    /// Makes the policies ready to be asked. One that is not understood leaves open what is below it, and nothing else.
    #[must_use]
    pub fn judge(&self) -> CompiledOrganization {
        let compiled = |policies: &[PolicyDocument]| -> ByName {
            let policies = policies.iter().map(|policy| {
                let compiled = compile(&policy.name, &policy.document.to_string());
                let compiled = compiled.map_err(|error| format!("{error:#}"));
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
        let policies = attached
            .into_iter()
            .map(|name| match self.resource_control.get(name) {
                Some(Ok(policy)) => Ok(policy),
                Some(Err(why)) => bail!("{why}"),
                None => bail!("policy {name} is not known"),
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
                .map(|name| match policies.get(name) {
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

/// Returns the accounts below some targets, without the management account.
pub fn governed(organization: &Organization, targets: &[String]) -> BTreeSet<String> {
    let below = |account: &str| {
        organization
            .lineage(account)
            .iter()
            .any(|entity| targets.contains(&entity.id))
    };
    let accounts = organization
        .accounts()
        .filter(|account| !account.management && below(&account.id));
    accounts.map(|account| account.id.clone()).collect()
}

/// Returns a policy ready to be asked.
///
/// # Errors
/// It is not a valid policy; the error has the place in it.
pub fn compile(name: &str, text: &str) -> anyhow::Result<Compiled> {
    let problem = match Policy::parse(text).policy() {
        Ok(policy) => match Compiled::new(name, &policy) {
            Ok(compiled) => return Ok(compiled),
            Err(problem) => problem,
        },
        Err(problem) => problem,
    };
    bail!(
        "policy {name}: {}: {}: {}",
        problem.position,
        problem.message,
        problem.fix
    )
}
