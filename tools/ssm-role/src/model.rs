//! What is desired, what is there, the actions between them, and the names of everything on AWS's side. Never touches the
//! world.

mod action;
mod desired;
mod observed;

use cli::Target;
use serde_json::{Value, json};

pub(crate) use self::action::Action;
pub(crate) use self::desired::{AssignProfile, DefaultHostManagement, Desired, NodeRoles};
pub(crate) use self::observed::{ExcludedInstance, Observed, OwnProfile, Profile, Role, Setting};

/// Attached to the roles of instance profiles.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html>
pub(crate) const CORE_POLICY: &str = "AmazonSSMManagedInstanceCore";

/// Attached to the role of Default Host Management: the same without reading parameters.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedEC2InstanceDefaultPolicy.html>
pub(crate) const DEFAULT_POLICY: &str = "AmazonSSMManagedEC2InstanceDefaultPolicy";

/// The deprecated policy that also reads and writes every S3 bucket.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonEC2RoleforSSM.html>
pub(crate) const LEGACY_POLICY: &str = "service-role/AmazonEC2RoleforSSM";

/// The setting that holds the role's name; one per account and region.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
pub(crate) const SETTING: &str = "/ssm/managed-instance/default-ec2-instance-management-role";

/// The path that the console gives the role; the setting's value has it too, without the first slash.
pub(crate) const ROLE_PATH: &str = "/service-role/";

/// Marks the roles that this tool has made; it deletes no other.
pub(crate) const DESCRIPTION: &str = "Default Host Management role made by ssm-role";

/// Marks the roles of instances that this tool has made.
pub(crate) const INSTANCE_DESCRIPTION: &str = "Role of EC2 instances made by ssm-role";

/// The path of the instance profiles that this tool has made; it deletes no other.
pub(crate) const PROFILE_PATH: &str = "/ssm-role/";

/// The beginning of the name of the inline policy for logs and encryption; the region follows, as IAM has none and
/// preferences do.
pub(crate) const INLINE_POLICY: &str = "SessionManagerPreferences-";

/// Returns the ARN of an AWS managed policy.
pub(crate) fn managed_policy(partition: &str, name: &str) -> String {
    format!("arn:{partition}:iam::aws:policy/{name}")
}

/// Returns the ARN of the service setting.
pub(crate) fn setting_arn(partition: &str, target: &Target) -> String {
    format!(
        "arn:{partition}:ssm:{}:{}:servicesetting{SETTING}",
        target.region, target.account
    )
}

/// Returns the trust policy of AWS's guides for one service: `ssm.amazonaws.com` or that of EC2.
pub(crate) fn trust(service: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [
            { "Effect": "Allow", "Principal": { "Service": service }, "Action": "sts:AssumeRole" }
        ]
    })
}

/// Returns the service that hands an instance profile's role to instances.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2.html>
pub(crate) fn ec2_service(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "ec2.amazonaws.com.cn",
        _ => "ec2.amazonaws.com",
    }
}

/// Returns the ARN of the instance profile that this tool makes.
pub(crate) fn profile_arn(partition: &str, account: &str, name: &str) -> String {
    format!("arn:{partition}:iam::{account}:instance-profile{PROFILE_PATH}{name}")
}

/// Returns the ARN of an instance.
pub(crate) fn instance_arn(partition: &str, target: &Target, instance_id: &str) -> String {
    let Target { account, region } = target;
    format!("arn:{partition}:ec2:{region}:{account}:instance/{instance_id}")
}
