//! An organization as a tree: who is above whom, and which service control policies bind an account. Made from records, so
//! that what was read once can be asked many times. Knows no AWS.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod compiled;

use std::path::Path;

use anyhow::{Context, bail};
use iam_policy::{Compiled, Policy};
use records::{Entity, EntityType, PolicyDocument, PolicyKind, PolicyType};
use serde_json::Value;

pub use self::compiled::CompiledOrganization;

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

    /// Returns the IDs from the root down to the entity, itself included; empty for an unknown one.
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
