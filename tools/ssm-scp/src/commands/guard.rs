//! The policies that `simulate`, `replay` and `impact` judge by: a desired state rendered, or files.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::Context;
use awsconf::AwsArgs;
use cli::{IoArgs, Next};
use iam_policy::{Compiled, Policy};

use crate::guard;
use crate::guard::left_over::{is_beyond, is_part};
use crate::lockout::{Shift, action_classes};
use crate::model::Desired;
use crate::policy_equivalence;
use organization::{Organization, compile};

/// Where policies come from that are asked without AWS.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GuardArgs {
    /// Evaluate this policy document; repeat for several
    #[arg(long = "policy", value_name = "FILE")]
    pub(crate) policies: Vec<PathBuf>,

    /// Evaluate the policies that this desired state renders to
    #[arg(long, value_name = "FILE")]
    pub(crate) guard: Option<PathBuf>,

    /// Read the organization from what `show` printed
    #[arg(long, value_name = "FILE")]
    pub(crate) organization: Option<PathBuf>,
}

/// Whom a guard would lock out is in accounts that have to be read.
pub(super) const ACCOUNT_ROLE: &str = "arn:{partition}:iam::{account}:role/NAME";

/// Returns the `impact` of a desired state, with a role for the accounts unless one was typed.
pub(super) fn impact(aws: &AwsArgs, desired: Option<PathBuf>) -> Next {
    let verb = match aws.split_account_roles().1.is_empty() {
        true => "impact --assume-role 'arn:{partition}:iam::{account}:role/NAME'",
        false => "impact",
    };
    Next::VerbOf(verb, desired)
}

impl GuardArgs {
    /// Returns what says more of the desired state than records or questions do, with the roles that it needs. The input is another
    /// file.
    pub(super) fn next(&self, aws: &AwsArgs) -> Next {
        impact(aws, self.guard.clone())
    }

    /// Reads the policies that the flags name.
    pub(super) fn read(&self) -> anyhow::Result<Guard> {
        let mut guard = match &self.guard {
            None => Guard {
                parts: Vec::new(),
                compiled: Vec::new(),
                targets: Vec::new(),
                exact: None,
            },
            Some(path) => {
                let io = IoArgs::of_file(path);
                let desired = super::desired::read(&io, iam_policy::MAX_SCP_CHARACTERS)?;
                Guard::of(&desired, iam_policy::MAX_SCP_CHARACTERS)?
            }
        };
        for path in &self.policies {
            let (name, text) = (path.display().to_string(), text(path, "policy")?);
            guard.compiled.push(compile(&name, &text)?);
            let document =
                serde_json::from_str(&text).with_context(|| format!("read policy from {name}"))?;
            guard.parts.push(guard::Part { name, document });
        }
        Ok(guard)
    }
}

/// Policies that may come to be, and where.
pub(crate) struct Guard {
    parts: Vec<guard::Part>,
    pub(crate) compiled: Vec<Compiled>,
    targets: Vec<String>,
    /// The name of a guard that is to be nowhere but at its targets.
    exact: Option<String>,
}

impl Guard {
    /// Returns the guard that a desired state renders to.
    pub(crate) fn of(desired: &Desired, max_characters: usize) -> anyhow::Result<Guard> {
        let parts = guard::render(desired, max_characters)?;
        let compiled = parts
            .iter()
            .map(|part| compile(&part.name, &part.document.to_string()));
        Ok(Guard {
            compiled: compiled.collect::<anyhow::Result<_>>()?,
            parts,
            targets: desired
                .targets
                .0
                .iter()
                .map(|target| target.0.clone())
                .collect(),
            exact: desired.exact.then(|| desired.policy_name.0.clone()),
        })
    }

    /// Has the policies in an organization as `plan` would have them: attached to the targets, those of files, which name no target,
    /// to every root; where they are already they stay, unless the targets are exact.
    pub(crate) fn join(&self, organization: &mut Organization) {
        let targets = self.targets_in(organization);
        for part in &self.parts {
            // As `plan` leaves a document alone that the console has rewritten.
            let there = organization.policy(&part.name);
            let there = there.map(|policy| policy.document.clone());
            let there = there.filter(|there| policy_equivalence::same(there, &part.document));
            let document = there.as_ref().unwrap_or(&part.document);
            organization.with_policy(&part.name, document, &targets);
        }
        let Some(name) = &self.exact else {
            return;
        };
        let left_over = organization.policies.iter().filter(|policy| {
            is_beyond(name, self.parts.len(), &policy.name)
                && is_part(&policy.document, &self.parts)
        });
        let left_over: Vec<String> = left_over.map(|policy| policy.name.clone()).collect();
        for entity in &mut organization.entities {
            let is_target = targets.contains(&entity.id);
            entity.policies.retain(|policy| {
                let is_ours = self.parts.iter().any(|part| part.name == *policy);
                !left_over.contains(policy) && (is_target || !is_ours)
            });
        }
    }

    fn targets_in(&self, organization: &Organization) -> Vec<String> {
        if !self.targets.is_empty() {
            return self.targets.clone();
        }
        let roots = organization
            .entities
            .iter()
            .filter(|entity| entity.parent.is_none());
        roots.map(|root| root.id.clone()).collect()
    }

    /// Returns the actions that the policies and a change with them are about, in classes that none of
    /// the accounts' policies distinguishes.
    pub(crate) fn action_classes(&self, shift: &Shift) -> Vec<Vec<String>> {
        let mut patterns = shift.actions.clone();
        for part in &self.parts {
            let policy = Policy::parse(&part.document.to_string()).draft;
            let statements = policy.iter().flat_map(|policy| &policy.statements);
            let actions = statements.flat_map(|statement| &statement.actions.values);
            patterns.extend(actions.map(|action| action.value.clone()));
        }
        let mut policies: Vec<&Compiled> = self.compiled.iter().collect();
        policies.extend(shift.policies());
        action_classes(&patterns, &policies)
    }

    /// Returns the accounts that the policies bind in an organization that they have joined.
    pub(crate) fn governed(&self, organization: &Organization) -> BTreeSet<String> {
        let names = self.parts.iter().map(|part| part.name.as_str());
        bound_by(organization, &names.collect())
    }
}

/// Returns the accounts below policies of some names, wherever these are attached.
pub(crate) fn bound_by(organization: &Organization, names: &BTreeSet<&str>) -> BTreeSet<String> {
    let is_bound = |account: &str| {
        let line = organization.lineage(account);
        let mut policies = line.iter().flat_map(|entity| &entity.policies);
        policies.any(|name| names.contains(name.as_str()))
    };
    let accounts = organization
        .accounts()
        .filter(|account| !account.management && is_bound(&account.id));
    accounts.map(|account| account.id.clone()).collect()
}

fn text(path: &Path, what: &str) -> anyhow::Result<String> {
    if path.as_os_str() != "-" {
        return std::fs::read_to_string(path)
            .with_context(|| format!("read {what} from {}", path.display()));
    }
    cli::expect_input(None, what, "pipe JSON in or name a file")?;
    std::io::read_to_string(std::io::stdin().lock())
        .with_context(|| format!("read {what} from stdin"))
}

#[cfg(test)]
mod tests {
    use organization::Organization;
    use serde_json::json;

    use super::Guard;
    use crate::lockout::Shift;
    use crate::model::Desired;

    #[test]
    fn a_document_that_the_console_has_rewritten_is_the_same() {
        let desired: Desired = serde_json::from_value(
            json!({"policy_name": "guard", "targets": ["r-abcd"], "exempt_principals": ["arn:aws:iam::*:role/ops"]}),
        )
        .unwrap();
        let guard = Guard::of(&desired, iam_policy::MAX_SCP_CHARACTERS).unwrap();
        let mut document = guard.parts[0].document.clone();
        let actions = document["Statement"][0]["Action"].as_array_mut().unwrap();
        actions.reverse();
        let entity = |id: &str, kind: &str, parent: Option<&str>| {
            json!({"kind": "entity", "id": id, "type": kind, "name": id, "path": id, "parent": parent, "management": false,
                "policies": ["guard"], "organization_id": "o-abcdefghij"})
        };
        let policy = json!({"kind": "policy", "id": "p-guard", "name": "guard", "aws_managed": false, "n_characters": 1,
            "document": document, "attached_to": ["r-abcd"]});
        let records = vec![
            entity("r-abcd", "root", None),
            entity("111122223333", "account", Some("r-abcd")),
            policy,
        ];
        let before = Organization::from_records(records).unwrap();
        let mut after = before.clone();
        guard.join(&mut after);
        assert!(Shift::of(&before, &after).accounts().is_empty());
    }
}
