//! What this tool needs of IAM, for `--generate policy`: the only place that says it. The tests run every verb with exactly this.

use cli::{Grant, IoArgs, Names, Permissions};

use crate::model::Desired;

const READS: &[&str] = &["show", "plan", "check"];
const LOOK: &[&str] = &["show", "check"];
const PLAN: &[&str] = &["plan", "apply"];
const APPLY: &[&str] = &["apply"];
const ALL: &[&str] = &["*"];
const NODES: &[&str] = &[
    "arn:{partition}:ec2:{region}:*:instance/*",
    "arn:{partition}:ssm:{region}:*:managed-instance/*",
];
/// An association of all nodes is about every node.
const OWN_ASSOCIATION: &[&str] = &[
    "arn:{partition}:ec2:{region}:*:instance/*",
    "arn:{partition}:ssm:{region}:*:association/*",
    "arn:{partition}:ssm:{region}:*:document/AWS-UpdateSSMAgent",
];
const SETTING: &[&str] = &[
    "arn:{partition}:ssm:{region}:*:servicesetting/ssm/managed-instance/default-ec2-instance-management-role",
];

pub(crate) const PERMISSIONS: Permissions = Permissions {
    reads: READS,
    writes: APPLY,
    grants: &[awsconf::GRANTS, GRANTS],
    names,
};

const GRANTS: &[Grant] = &[
    Grant::new(
        "Nodes",
        &["show", "plan", "check", "apply"],
        &["ssm:DescribeInstanceInformation"],
        ALL,
        "read what SSM knows of the nodes; apply: their versions before and after an update",
    ),
    Grant::new(
        "Instances",
        READS,
        &["ec2:DescribeInstances"],
        ALL,
        "find the instances, those that SSM does not know included",
    ),
    Grant::new(
        "Sessions",
        LOOK,
        &["ssm:GetConnectionStatus"],
        NODES,
        "check whether sessions reach the nodes that are online; not with `\"connections\": \"none\"`",
    ),
    Grant::new(
        "HostManagement",
        LOOK,
        &["ssm:GetServiceSetting"],
        SETTING,
        "say why a node is unknown to SSM: whether Default Host Management is on",
    ),
    Grant::new(
        "Network",
        LOOK,
        &[
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeVpcEndpoints",
        ],
        ALL,
        "say why a node is unknown to SSM: whether its subnet and firewall let it reach AWS",
    ),
    Grant::new(
        "MetadataDefaults",
        &["check"],
        &["ec2:GetInstanceMetadataDefaults"],
        &["{defaults}"],
        "check what instances to come are given, with `imds.require_v2`",
    ),
    Grant::new(
        "Associations",
        PLAN,
        &["ssm:ListAssociations"],
        &["{association}"],
        "find the association that updates agents",
    ),
    Grant::new(
        "Association",
        PLAN,
        &["ssm:DescribeAssociation"],
        &[
            "arn:{partition}:ec2:{region}:*:instance/{association}",
            "arn:{partition}:ssm:{region}:*:association/{association}",
            "arn:{partition}:ssm:{region}:*:document/{association}",
        ],
        "read the association that updates agents",
    ),
    Grant::new(
        "Update",
        APPLY,
        &["ssm:SendCommand"],
        &[
            "arn:{partition}:ec2:{region}:*:instance/*",
            "arn:{partition}:ssm:{region}:*:managed-instance/*",
            "arn:{partition}:ssm:{region}:*:document/AWS-UpdateSSMAgent",
        ],
        "update agents",
    ),
    Grant::new(
        "Commands",
        APPLY,
        &[
            "ssm:CancelCommand",
            "ssm:ListCommandInvocations",
            "ssm:ListCommands",
        ],
        ALL,
        "follow updates, wait for those of an earlier run, and stop what has not begun after Ctrl-C",
    ),
    Grant::new(
        "Associate",
        APPLY,
        &["ssm:CreateAssociation"],
        OWN_ASSOCIATION,
        "keep agents up to date by an association",
    ),
    Grant::new(
        "ChangeAssociation",
        APPLY,
        &["ssm:DeleteAssociation", "ssm:UpdateAssociation"],
        OWN_ASSOCIATION,
        "change the association, and take it back",
    ),
];

/// A desired state names no node: they come and go. What it leaves alone is not read.
fn names(io: &IoArgs) -> anyhow::Result<Names> {
    let desired: Desired = cli::read_desired(io, "desired agents")?;
    let any_if = |is_needed: bool| is_needed.then(|| "*".to_owned()).into_iter().collect();
    Ok(Names::from([
        ("defaults", any_if(desired.imds.require_v2)),
        ("association", any_if(desired.association.is_some())),
    ]))
}
