//! The ways onto nodes by the names that a desired state gives them. What each is made of is in the catalogue.

mod catalogue;
#[cfg(test)]
mod left_out;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use self::catalogue::{Entry, catalogue};

/// A way onto nodes or around what guards it.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Way {
    /// Sessions of Session Manager.
    Sessions,
    /// Run Command.
    Commands,
    /// Runbooks, and the change requests of Change Manager that start them.
    Automations,
    /// State Manager associations and maintenance window tasks, which run commands later.
    Associations,
    /// Hybrid activations, which bring foreign machines in.
    Activations,
    /// Just-in-time access requests, and the tokens for those that were approved.
    AccessRequests,
    /// EC2 Instance Connect, and the endpoints of its tunnels.
    InstanceConnect,
    /// The EC2 serial console.
    SerialConsole,
    /// Fleet Manager Remote Desktop.
    RemoteDesktop,
    /// ECS Exec.
    EcsExec,
    /// Quick Setup, which makes associations and roles by roles of its own.
    QuickSetup,
    /// Changes of documents that an association, a task or a person runs by `$LATEST` or `$DEFAULT`.
    Documents,
    /// Parameters, whose values documents put into commands, and launch templates into instances.
    Parameters,
    /// Patch baselines, which name the repositories that nodes install from.
    PatchBaselines,
    /// User data and other attributes of instances that exist.
    UserData,
    /// Disks, changed while another instance or none has them.
    Volumes,
    /// The Windows administrator's password.
    PasswordData,
    /// Another role for a node.
    InstanceProfiles,
    /// User data of instances to come.
    Launches,
    /// Clusters of EKS, whose administrators reach their nodes.
    EksAccess,
    /// Containers on the instances of ECS and Batch.
    ContainerTasks,
    /// What an agent of another service than Systems Manager runs.
    Deployments,
    /// Stacks and products, whose resources are created as a role passed to them.
    Stacks,
    /// Builds and pipelines, whose commands run as a role of theirs.
    Builds,
    /// Notebooks and development environments, which are a terminal with a role.
    Notebooks,
    /// Clusters and jobs, whose code runs as a role of theirs.
    DataJobs,
    /// Instances of services that give keys or shells to them by calls of their own.
    ServiceInstances,
    /// Schedules, rules and workflows that call Systems Manager as a role passed to them.
    Schedulers,
    /// APIs of API Gateway, which call AWS as the role of an integration; all else in API Gateway is changed by the same actions.
    ApiIntegrations,
}

/// A part of AWS, by which ways are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Area {
    SystemsManager,
    Ec2,
    Containers,
    Others,
}

impl Area {
    /// Returns its name in a sentence.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Area::SystemsManager => "Systems Manager",
            Area::Ec2 => "EC2",
            Area::Containers => "containers",
            Area::Others => "other services",
        }
    }
}

impl Way {
    /// Returns the actions of the way.
    pub(crate) fn actions(self) -> impl Iterator<Item = &'static str> {
        let entries = catalogue().filter(move |entry| entry.way == self);
        entries.flat_map(|entry| entry.actions).copied()
    }

    /// Returns all ways, in the order of the catalogue.
    pub(crate) fn all() -> Vec<Way> {
        let mut ways: Vec<Way> = catalogue().map(|entry| entry.way).collect();
        ways.dedup();
        ways
    }

    /// Returns the part of AWS that it goes by.
    pub(crate) fn area(self) -> Area {
        match self {
            Way::Sessions
            | Way::Commands
            | Way::Automations
            | Way::Associations
            | Way::Activations
            | Way::AccessRequests
            | Way::RemoteDesktop
            | Way::QuickSetup
            | Way::Documents
            | Way::Parameters
            | Way::PatchBaselines => Area::SystemsManager,
            Way::InstanceConnect
            | Way::SerialConsole
            | Way::UserData
            | Way::Volumes
            | Way::PasswordData
            | Way::InstanceProfiles
            | Way::Launches => Area::Ec2,
            Way::EcsExec | Way::EksAccess | Way::ContainerTasks => Area::Containers,
            Way::Deployments
            | Way::Stacks
            | Way::Builds
            | Way::Notebooks
            | Way::DataJobs
            | Way::ServiceInstances
            | Way::Schedulers
            | Way::ApiIntegrations => Area::Others,
        }
    }

    /// Returns the name that a desired state gives it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Way::Sessions => "sessions",
            Way::Commands => "commands",
            Way::Automations => "automations",
            Way::Associations => "associations",
            Way::Activations => "activations",
            Way::AccessRequests => "access_requests",
            Way::InstanceConnect => "instance_connect",
            Way::SerialConsole => "serial_console",
            Way::RemoteDesktop => "remote_desktop",
            Way::EcsExec => "ecs_exec",
            Way::QuickSetup => "quick_setup",
            Way::Documents => "documents",
            Way::Parameters => "parameters",
            Way::PatchBaselines => "patch_baselines",
            Way::UserData => "user_data",
            Way::Volumes => "volumes",
            Way::PasswordData => "password_data",
            Way::InstanceProfiles => "instance_profiles",
            Way::Launches => "launches",
            Way::EksAccess => "eks_access",
            Way::ContainerTasks => "container_tasks",
            Way::Deployments => "deployments",
            Way::Stacks => "stacks",
            Way::Builds => "builds",
            Way::Notebooks => "notebooks",
            Way::DataJobs => "data_jobs",
            Way::ServiceInstances => "service_instances",
            Way::Schedulers => "schedulers",
            Way::ApiIntegrations => "api_integrations",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use iam_policy::reference;
    use serde_json::json;

    use super::{Way, catalogue};

    #[test]
    fn every_way_is_in_the_catalogue_with_a_page_of_aws_and_each_action_once() {
        let ways = Way::all();
        let distinct: BTreeSet<Way> = ways.iter().copied().collect();
        assert_eq!(ways.len(), distinct.len(), "a way's entries stand together");
        // The schema lists the variants, so that none is forgotten here.
        let schema = json!(schemars::schema_for!(Way));
        assert_eq!(schema["oneOf"].as_array().unwrap().len(), ways.len());
        let mut actions = BTreeSet::new();
        for entry in catalogue() {
            assert!(entry.actions.is_sorted() && !entry.actions.is_empty());
            let of_aws = entry.source.strip_prefix("https://docs.aws.amazon.com/");
            assert!(of_aws.is_some_and(|page| page.ends_with(".html")));
            for action in entry.actions {
                assert!(actions.insert(action), "{action} stands there twice");
                let known = reference::action(action).map(|known| known.full_name());
                assert_eq!(known.as_deref(), Some(*action), "AWS's own spelling");
            }
        }
        for way in ways {
            assert_eq!(json!(way), way.name());
        }
    }

    #[test]
    fn the_page_on_guards_has_the_catalogue() {
        let page = testbed::repository().join("docs/guard.md");
        let text = std::fs::read_to_string(&page).unwrap();
        let (begin, end) = ("<!-- ways -->\n", "<!-- end of ways -->\n");
        let (before, rest) = text.split_once(begin).unwrap();
        let (_, after) = rest.split_once(end).unwrap();
        let mut table = "| way | actions | leads to |\n|---|---|---|\n".to_owned();
        for entry in catalogue() {
            let actions = entry.actions.join(", ");
            let (way, leads_to, source) = (entry.way.name(), entry.leads_to, entry.source);
            table.push_str(&format!(
                "| `{way}` | {actions} | [{leads_to}]({source}) |\n"
            ));
        }
        let expected = format!("{before}{begin}{table}{end}{after}");
        testbed::expect_text(&page, &expected);
    }
}
