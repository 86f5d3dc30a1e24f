//! The catalogue: every way to a shell or to root on a node by calls to AWS, each with the page that says so. What a guard
//! denies by name, what it leaves open and what `docs/guard.md` lists is this one table.

mod passed_roles;

use self::passed_roles::PASSED_ROLES;
use super::Way;

/// Returns the ways, those of Systems Manager first.
pub(crate) fn catalogue() -> impl Iterator<Item = &'static Entry> {
    NODES.iter().chain(PASSED_ROLES)
}

/// What reaches nodes by itself.
const NODES: &[Entry] = &[
    Entry {
        way: Way::Sessions,
        actions: &["ssm:ResumeSession", "ssm:StartSession"],
        leads_to: "a shell, or a port of the node",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-specify-session-document.html",
    },
    Entry {
        way: Way::Commands,
        actions: &["ssm:SendCommand"],
        leads_to: "commands as root",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-restrict-root-level-commands.html",
    },
    Entry {
        way: Way::Automations,
        actions: &["ssm:SendAutomationSignal", "ssm:StartAutomationExecution"],
        leads_to: "runbooks with steps of aws:runCommand",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-runcommand.html",
    },
    Entry {
        way: Way::Automations,
        actions: &["ssm:StartChangeRequestExecution"],
        leads_to: "runbooks that a change request starts, approved beforehand by its template",
        source: "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartChangeRequestExecution.html",
    },
    Entry {
        way: Way::Associations,
        actions: &[
            "ssm:CreateAssociation",
            "ssm:CreateAssociationBatch",
            "ssm:StartAssociationsOnce",
            "ssm:UpdateAssociation",
        ],
        leads_to: "commands as root, again and again",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-state.html",
    },
    Entry {
        way: Way::Associations,
        actions: &[
            "ssm:RegisterTargetWithMaintenanceWindow",
            "ssm:RegisterTaskWithMaintenanceWindow",
            "ssm:UpdateMaintenanceWindowTarget",
            "ssm:UpdateMaintenanceWindowTask",
        ],
        leads_to: "commands as root in the next maintenance window",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-maintenance.html",
    },
    Entry {
        way: Way::Activations,
        actions: &["ssm:CreateActivation", "ssm:UpdateManagedInstanceRole"],
        leads_to: "a machine of the caller as a node, or another role for a hybrid node",
        source: "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateActivation.html",
    },
    Entry {
        way: Way::Activations,
        actions: &["ssm:CreateCloudConnector", "ssm:UpdateCloudConnector"],
        leads_to: "machines of another cloud as nodes",
        source: "https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateCloudConnector.html",
    },
    Entry {
        way: Way::AccessRequests,
        actions: &["ssm:GetAccessToken", "ssm:StartAccessRequest"],
        leads_to: "credentials of a role that may start a session",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-just-in-time-node-access-start-session.html",
    },
    Entry {
        way: Way::InstanceConnect,
        actions: &[
            "ec2-instance-connect:OpenTunnel",
            "ec2-instance-connect:SendSSHPublicKey",
            "ec2:CreateInstanceConnectEndpoint",
        ],
        leads_to: "SSH with a key of the caller",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/connect-linux-inst-eic.html",
    },
    Entry {
        way: Way::SerialConsole,
        actions: &[
            "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
            "ec2:EnableSerialConsoleAccess",
        ],
        leads_to: "the serial console; a declarative policy of EC2 closes it as well",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configure-access-to-serial-console.html",
    },
    Entry {
        way: Way::RemoteDesktop,
        actions: &["ssm-guiconnect:StartConnection"],
        leads_to: "a Windows desktop",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-remote-desktop-connections.html",
    },
    Entry {
        way: Way::EcsExec,
        actions: &["ecs:ExecuteCommand"],
        leads_to: "a shell in a container",
        source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html",
    },
    Entry {
        way: Way::QuickSetup,
        actions: &[
            "ssm-quicksetup:CreateConfigurationManager",
            "ssm-quicksetup:UpdateConfigurationDefinition",
            "ssm-quicksetup:UpdateConfigurationManager",
        ],
        leads_to: "associations and roles in all accounts",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-quick-setup.html",
    },
    Entry {
        way: Way::Documents,
        actions: &[
            "ssm:CreateDocument",
            "ssm:ModifyDocumentPermission",
            "ssm:UpdateDocument",
            "ssm:UpdateDocumentDefaultVersion",
            "ssm:UpdateDocumentMetadata",
        ],
        leads_to: "whatever runs a document by $LATEST or $DEFAULT runs another one",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-schemas-features.html",
    },
    Entry {
        way: Way::Parameters,
        actions: &["ssm:PutParameter"],
        leads_to: "another command in a document that names the parameter",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-param-runcommand.html",
    },
    Entry {
        way: Way::Parameters,
        actions: &["ssm:LabelParameterVersion"],
        leads_to: "another image for instances to come, whose launch template names the parameter",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/using-systems-manager-parameters.html",
    },
    Entry {
        way: Way::PatchBaselines,
        actions: &[
            "ssm:CreatePatchBaseline",
            "ssm:RegisterDefaultPatchBaseline",
            "ssm:RegisterPatchBaselineForPatchGroup",
            "ssm:UpdatePatchBaseline",
        ],
        leads_to: "packages of a repository of the caller, installed as root",
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-how-it-works-alt-source-repository.html",
    },
    Entry {
        way: Way::UserData,
        actions: &["ec2:ModifyInstanceAttribute"],
        leads_to: "user data, which can run as root at every start",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/user-data.html",
    },
    Entry {
        way: Way::Volumes,
        actions: &["ec2:CreateReplaceRootVolumeTask"],
        leads_to: "another root volume under a running node",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html",
    },
    Entry {
        way: Way::Volumes,
        actions: &["ec2:AttachVolume"],
        leads_to: "a volume changed on another instance and put back",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replacing-lost-key-pair.html",
    },
    Entry {
        way: Way::PasswordData,
        actions: &["ec2:GetPasswordData"],
        leads_to: "the administrator's password, for whoever holds the key pair",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetPasswordData.html",
    },
    Entry {
        way: Way::InstanceProfiles,
        actions: &[
            "ec2:AssociateIamInstanceProfile",
            "ec2:ReplaceIamInstanceProfileAssociation",
            "iam:AddRoleToInstanceProfile",
        ],
        leads_to: "a node with another role: one that Systems Manager reaches, or with more rights",
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html",
    },
    Entry {
        way: Way::Launches,
        actions: &[
            "ec2:CreateFleet",
            "ec2:CreateLaunchTemplate",
            "ec2:CreateLaunchTemplateVersion",
            "ec2:ModifyLaunchTemplate",
            "ec2:RequestSpotFleet",
            "ec2:RequestSpotInstances",
            "ec2:RunInstances",
        ],
        leads_to: "an instance with user data of the caller and a role passed to it",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-launch-template.html",
    },
    Entry {
        way: Way::Launches,
        actions: &[
            "autoscaling:CreateAutoScalingGroup",
            "autoscaling:CreateLaunchConfiguration",
            "autoscaling:StartInstanceRefresh",
            "autoscaling:UpdateAutoScalingGroup",
        ],
        leads_to: "the same for the next instances of a group",
        source: "https://docs.aws.amazon.com/autoscaling/ec2/userguide/launch-templates.html",
    },
    Entry {
        way: Way::Launches,
        actions: &["ec2:RunScheduledInstances"],
        leads_to: "the same for instances of a schedule",
        source: "https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ScheduledInstancesLaunchSpecification.html",
    },
    Entry {
        way: Way::Launches,
        actions: &["workspaces-instances:CreateWorkspaceInstance"],
        leads_to: "the same by WorkSpaces",
        source: "https://docs.aws.amazon.com/workspaces-instances/latest/api/API_ManagedInstanceRequest.html",
    },
    Entry {
        way: Way::EksAccess,
        actions: &[
            "eks:AssociateAccessPolicy",
            "eks:CreateAccessEntry",
            "eks:UpdateAccessEntry",
        ],
        leads_to: "administration of a cluster, so privileged pods on its nodes",
        source: "https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html",
    },
    Entry {
        way: Way::EksAccess,
        actions: &["eks:AccessKubernetesApi"],
        leads_to: "objects of a cluster in the console",
        source: "https://docs.aws.amazon.com/eks/latest/userguide/view-kubernetes-resources.html",
    },
    Entry {
        way: Way::ContainerTasks,
        actions: &[
            "ecs:CreateService",
            "ecs:RegisterTaskDefinition",
            "ecs:RunTask",
            "ecs:StartTask",
            "ecs:UpdateService",
        ],
        leads_to: "a privileged container on a container instance",
        source: "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task_definition_parameters.html",
    },
    Entry {
        way: Way::ContainerTasks,
        actions: &["batch:RegisterJobDefinition", "batch:SubmitJob"],
        leads_to: "the same by a job",
        source: "https://docs.aws.amazon.com/batch/latest/userguide/job_definition_parameters.html",
    },
    Entry {
        way: Way::Deployments,
        actions: &["codedeploy:CreateDeployment"],
        leads_to: "hooks that the CodeDeploy agent runs as root",
        source: "https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html",
    },
    Entry {
        way: Way::Deployments,
        actions: &[
            "elasticbeanstalk:CreateApplicationVersion",
            "elasticbeanstalk:CreateEnvironment",
            "elasticbeanstalk:UpdateEnvironment",
        ],
        leads_to: "commands of .ebextensions, which run as root",
        source: "https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/customize-containers-ec2.html",
    },
    Entry {
        way: Way::Deployments,
        actions: &["greengrass:CreateDeployment"],
        leads_to: "components of a Greengrass core, as root where they ask for it",
        source: "https://docs.aws.amazon.com/greengrass/v2/developerguide/component-recipe-reference.html",
    },
];

/// Some actions of a way.
pub(crate) struct Entry {
    pub(crate) way: Way,
    /// By service and name, sorted.
    pub(crate) actions: &'static [&'static str],
    /// What they lead to, in a few words.
    pub(crate) leads_to: &'static str,
    /// The page of AWS that says so.
    pub(crate) source: &'static str,
}
