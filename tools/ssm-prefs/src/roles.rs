//! The roles that were given, as `ssm-role show` prints them.

use std::sync::Arc;

use organization::CompiledOrganization;
use records::{HostManagement, Target, Unreachable};
use transcripts::{Above, Role};

/// The roles whose policies are known: those of nodes and those of the people who start sessions.
#[derive(Clone, Debug, Default)]
pub(crate) struct Roles {
    /// None when nobody gave them.
    pub(crate) nodes: Option<RoleRecords>,
    pub(crate) operators: RoleRecords,
    /// Whose policies bear on them and on what they use; None when nobody gave it.
    pub(crate) organization: Option<Arc<CompiledOrganization>>,
}

/// Why roles were not judged, and what helps.
pub(crate) struct NotJudged {
    pub(crate) reason: String,
    pub(crate) fix: &'static str,
}

impl Roles {
    /// Returns the roles of nodes; `None` when nobody gave them.
    pub(crate) fn of_nodes(&self, target: &Target) -> Option<Result<Vec<Role>, NotJudged>> {
        let roles = self.nodes.as_ref()?.at(target).map_err(|reason| NotJudged {
            reason,
            fix: "run `ssm-role show` for this account and region, and pass what it prints to --roles",
        });
        Some(roles.and_then(|roles| self.bound(roles, target)))
    }

    /// Returns the roles of the people who start sessions.
    ///
    /// # Errors
    /// The account is not in the organization.
    pub(crate) fn of_operators(&self, target: &Target) -> Result<Vec<Role>, NotJudged> {
        self.bound(self.operators.of(target), target)
    }

    /// Binds the roles by the policies above the account.
    fn bound(&self, roles: Vec<Role>, target: &Target) -> Result<Vec<Role>, NotJudged> {
        let Some(organization) = self.organization.as_ref().filter(|_| !roles.is_empty()) else {
            return Ok(roles);
        };
        let above = Above::of(organization, &target.account);
        let above = above.map_err(|error| NotJudged {
            reason: format!("{error:#}"),
            fix: "pass to --organization what `ssm-scp show` prints in the organization of this account",
        });
        let above = Arc::new(above?);
        Ok(roles.into_iter().map(|role| role.under(&above)).collect())
    }
}

/// Roles, each of the account and region that it was shown for.
#[derive(Clone, Debug, Default)]
pub(crate) struct RoleRecords {
    records: Vec<HostManagement>,
    unreachable: Vec<Unreachable>,
}

impl RoleRecords {
    pub(crate) fn new(records: Vec<HostManagement>, unreachable: Vec<Unreachable>) -> RoleRecords {
        RoleRecords {
            records,
            unreachable,
        }
    }

    /// Whether a record is of people who start sessions, which says nothing of nodes.
    pub(crate) fn are_of_operators(&self) -> bool {
        self.records.iter().any(|record| record.of_operators)
    }

    /// Returns the roles of an account and region, and those of records that do not say where; none is as good as some.
    pub(crate) fn of(&self, target: &Target) -> Vec<Role> {
        roles(self.records_of(target))
    }

    /// Returns the same, of which there must be a record.
    ///
    /// # Errors
    /// No record is of there; the text says why.
    pub(crate) fn at(&self, target: &Target) -> Result<Vec<Role>, String> {
        if self.records_of(target).next().is_none() {
            let unread = self.unreachable.iter().find(|one| one.target == *target);
            return Err(unread.map_or_else(
                || "no record is of this account and region".to_owned(),
                |one| one.error.clone(),
            ));
        }
        Ok(self.of(target))
    }

    /// Returns the ARN of the role of a node, which Systems Manager names itself where it gives the node its credentials.
    ///
    /// # Errors
    /// No record names it; the text says why.
    pub(crate) fn role_of_node(
        &self,
        target: &Target,
        instance_id: &str,
        iam_role: Option<&str>,
    ) -> Result<String, String> {
        self.at(target)?;
        let mut instances = self.records_of(target).flat_map(|record| &record.instances);
        let listed = instances.find(|instance| instance.instance_id == instance_id);
        let of_instance = listed.and_then(|instance| instance.role.as_deref());
        // With or without its path: API_InstanceInformation says "the role", and both are seen.
        let name = iam_role.and_then(|role| role.rsplit('/').next());
        let name = name.or(of_instance);
        let name = name.ok_or_else(|| format!("no record names the role of {instance_id}"))?;
        self.arn_of(target, name)
            .ok_or_else(|| format!("no record is of the role {name}"))
    }

    /// Returns the ARN of the role of this name.
    pub(crate) fn arn_of(&self, target: &Target, name: &str) -> Option<String> {
        let mut roles = self.records_of(target).flat_map(|record| &record.roles);
        let is_named = |arn: &str| arn.rsplit('/').next() == Some(name);
        let role = roles.find(|role| is_named(&role.arn))?;
        Some(role.arn.clone())
    }

    /// Returns the records with this role alone in them.
    pub(crate) fn only(&self, arn: &str) -> RoleRecords {
        let mut records = self.records.clone();
        for record in &mut records {
            record.roles.retain(|role| role.arn == arn);
        }
        RoleRecords::new(records, self.unreachable.clone())
    }

    fn records_of(&self, target: &Target) -> impl Iterator<Item = &HostManagement> {
        self.records
            .iter()
            .filter(move |record| record.target.as_ref().is_none_or(|there| there == target))
    }
}

/// Returns every role that records hold, each once.
fn roles<'r>(records: impl IntoIterator<Item = &'r HostManagement>) -> Vec<Role> {
    let listed = records.into_iter().flat_map(|record| &record.roles);
    let mut roles: Vec<Role> = listed
        .map(|role| {
            let attached = role.attached_policies.iter();
            let attached = attached.map(|policy| (policy.arn.as_str(), &policy.document));
            let inline = role.inline_policies.iter();
            let inline = inline.map(|(name, document)| (name.as_str(), document));
            let boundary = role.boundary.as_ref();
            let boundary = boundary.map(|one| (one.arn.as_str(), &one.document));
            Role::new(&role.arn, attached.chain(inline), boundary)
        })
        .collect();
    roles.sort_by(|a, b| a.arn.cmp(&b.arn));
    roles.dedup_by(|a, b| a.arn == b.arn);
    roles
}

#[cfg(test)]
mod tests {
    use records::{HostManagement, Target};
    use serde_json::json;

    use super::RoleRecords;

    fn target(region: &str) -> Target {
        Target {
            account: "111122223333".to_owned(),
            region: region.to_owned(),
        }
    }

    fn arn(name: &str) -> String {
        format!("arn:aws:iam::111122223333:role/{name}")
    }

    #[test]
    fn a_node_has_the_role_that_ssm_names_before_that_of_its_profile() {
        let record = json!({
            "target": target("eu-central-1"),
            "roles": [{"arn": arn("web")}, {"arn": arn("service-role/host")}],
            "instances": [
                {"instance_id": "i-1", "profile": "p", "role": "web"},
                {"instance_id": "i-2", "profile": null, "role": null},
                {"instance_id": "i-3", "profile": "p", "role": "unread"},
            ],
        });
        let record: HostManagement = serde_json::from_value(record).unwrap();
        let records = RoleRecords::new(vec![record], Vec::new());
        let here = target("eu-central-1");
        for (node, iam_role, expected) in [
            ("i-1", None, Ok(arn("web"))),
            ("i-1", Some("host"), Ok(arn("service-role/host"))),
            (
                "i-2",
                Some("service-role/host"),
                Ok(arn("service-role/host")),
            ),
            ("i-2", None, Err("no record names the role of i-2")),
            ("i-3", None, Err("no record is of the role unread")),
            ("i-4", None, Err("no record names the role of i-4")),
        ] {
            let expected = expected.map_err(str::to_owned);
            assert_eq!(records.role_of_node(&here, node, iam_role), expected);
        }
        let elsewhere = records.role_of_node(&target("us-east-1"), "i-1", None);
        assert!(elsewhere.is_err(), "{elsewhere:?}");
        let only = records.only(&arn("web")).of(&here);
        let only: Vec<&str> = only.iter().map(|role| role.arn.as_str()).collect();
        assert_eq!(only, [arn("web")]);
    }
}
