//! What EC2 reports about an instance, as far as the tools ask. An element that EC2 leaves out is an empty string or `None`.

use std::collections::BTreeMap;

/// One EC2 instance.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Instance {
    /// `i-` and 8 or 17 hexadecimal digits.
    pub instance_id: String,
    /// `pending`, `running`, `shutting-down`, `stopping`, `stopped` or `terminated`.
    pub state: String,
    /// When it was last started, RFC 3339.
    pub launch_time: Option<String>,
    /// The image it was launched from.
    pub image_id: Option<String>,
    /// For people: `Linux/UNIX`, `Red Hat Enterprise Linux`, `Windows`, ..
    pub platform_details: Option<String>,
    /// ARN of the instance profile, if it has one.
    pub iam_instance_profile_arn: Option<String>,
    /// How it can reach its metadata service.
    pub metadata_options: MetadataOptions,
    /// Its VPC.
    pub vpc_id: Option<String>,
    /// Its subnet.
    pub subnet_id: Option<String>,
    /// Its public IPv4 address, if it has one.
    pub public_ip: Option<String>,
    /// Its private IPv4 address.
    pub private_ip: Option<String>,
    /// The IDs of the security groups of its first network interface.
    pub security_groups: Vec<String>,
    /// How many network interfaces it has.
    pub n_interfaces: usize,
    /// Its tags.
    pub tags: BTreeMap<String, String>,
}

/// The instance metadata options of one instance.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataOptionsResponse.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataOptions {
    /// `pending` or `applied`.
    pub state: Option<String>,
    /// `optional` (IMDSv1 still answers) or `required`.
    pub http_tokens: Option<String>,
    /// How many network hops an answer to a token request may take, 1 to 64.
    pub http_put_response_hop_limit: Option<u32>,
    /// `enabled` or `disabled`.
    pub http_endpoint: Option<String>,
}

/// What an account sets in a region for instances that are launched without metadata options of their own. What it leaves open is
/// `None`.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceMetadataDefaultsResponse.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetadataDefaults {
    /// `optional` (IMDSv1 answers) or `required`.
    pub http_tokens: Option<String>,
    /// `enabled` when no instance can be launched that allows IMDSv1.
    pub http_tokens_enforced: Option<String>,
    /// `account`, or `declarative-policy`, which the account cannot change.
    pub managed_by: Option<String>,
}

/// An instance profile on an instance.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IamInstanceProfileAssociation.html>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InstanceProfileAssociation {
    /// `iip-assoc-..`.
    pub association_id: String,
    /// The instance.
    pub instance_id: String,
    /// ARN of the profile.
    pub profile_arn: String,
    /// `associating`, `associated`, `disassociating` or `disassociated`.
    pub state: String,
}
