//! What a node's role must be allowed, and whether it is: judged from the documents, not from the names of policies. Pure.
//!
//! Session policies are not seen here.

use std::sync::Arc;

use records::{Boundary, By, Feature, Permission, Target, Verdict};
use transcripts::{Above, Consequence, Guard, Judgement, Need, Preferences, Side, judge};

use crate::model::Role;

/// What an agent sends to open the channels of sessions and commands.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html>
const CHANNEL: [&str; 4] = [
    "ssmmessages:CreateControlChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenDataChannel",
];
/// What State Manager, inventory and patching need besides.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedEC2InstanceDefaultPolicy.html>
const STATE_MANAGER: [&str; 12] = [
    "ssm:DescribeAssociation",
    "ssm:DescribeDocument",
    "ssm:GetDeployablePatchSnapshotForInstance",
    "ssm:GetDocument",
    "ssm:GetManifest",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:PutComplianceItems",
    "ssm:PutConfigurePackageResult",
    "ssm:PutInventory",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
];

/// All features.
pub(crate) const FEATURES: [Feature; 7] = [
    Feature::Register,
    Feature::Channel,
    Feature::StateManager,
    Feature::S3Log,
    Feature::S3Kms,
    Feature::CloudwatchLog,
    Feature::Kms,
];

/// Returns whether it depends on the preferences.
pub(crate) fn is_preference(feature: Feature) -> bool {
    matches!(
        feature,
        Feature::S3Log | Feature::S3Kms | Feature::CloudwatchLog | Feature::Kms
    )
}

/// Returns the ends of the IDs of its findings: for what is denied, and for what is not known.
pub(crate) fn ids(feature: Feature) -> (&'static str, &'static str) {
    match feature {
        Feature::Register => ("register.denied", "register.unknown"),
        Feature::Channel => ("channel.denied", "channel.unknown"),
        Feature::StateManager => ("state_manager.denied", "state_manager.unknown"),
        Feature::S3Log => ("s3_log.denied", "s3_log.unknown"),
        Feature::S3Kms => ("s3_kms.denied", "s3_kms.unknown"),
        Feature::CloudwatchLog => ("cloudwatch_log.denied", "cloudwatch_log.unknown"),
        Feature::Kms => ("kms.denied", "kms.unknown"),
    }
}

/// Returns what does not work without these, which are of one feature.
pub(crate) fn effect(judged: &[&Judged<'_>]) -> String {
    let of = |consequence| match consequence {
        Consequence::Refused => "every session is refused",
        Consequence::NotUploaded => "no transcript reaches the bucket",
        Consequence::LongNotUploaded => "transcripts of more than 5 MB do not reach the bucket",
        Consequence::NotLogged => "sessions are not logged in CloudWatch Logs",
        Consequence::Other => "",
    };
    let feature = judged.first().map(|one| one.need.feature);
    match feature {
        Some(Feature::Register) => "the nodes never appear in Systems Manager".to_owned(),
        Some(Feature::Channel) => {
            "no session or command reaches the nodes, which still look online".to_owned()
        }
        Some(Feature::StateManager) => {
            "associations, inventory and patching do not work".to_owned()
        }
        _ => {
            let mut effects: Vec<&str> =
                judged.iter().map(|one| of(one.need.consequence)).collect();
            effects.dedup();
            // Of those the one says what the other says, and more.
            if effects.contains(&of(Consequence::NotUploaded)) {
                effects.retain(|effect| *effect != of(Consequence::LongNotUploaded));
            }
            effects.join(", and ")
        }
    }
}

/// Returns what a node's role must be allowed.
pub(crate) fn required_permissions(
    partition: &str,
    target: &Target,
    preferences: Option<&Preferences>,
) -> Vec<Need> {
    // A statement may be about this instance or another, so the instance is not known here.
    let mut needs = vec![Need::plain(
        Feature::Register,
        "ssm:UpdateInstanceInformation",
        None,
    )];
    needs.extend(CHANNEL.map(|action| Need::plain(Feature::Channel, action, Some("*"))));
    needs.extend(STATE_MANAGER.map(|action| Need::plain(Feature::StateManager, action, None)));
    needs.extend(
        preferences
            .map(|preferences| transcripts::needs(partition, target, preferences))
            .into_iter()
            .flatten(),
    );
    needs
}

/// An answer, and what it answers.
pub(crate) struct Judged<'n> {
    pub(crate) need: &'n Need,
    pub(crate) judgement: Judgement,
    pub(crate) permission: Permission,
}

impl Judged<'_> {
    /// Returns whether the role's own policies do not allow what it needs, and another of them would.
    pub(crate) fn is_grantable(&self) -> bool {
        self.judgement.is_ungranted && self.judgement.verdict != iam_policy::Verdict::Allowed
    }
}

/// Returns what a role's policies, its boundary, those above its account and those of keys and buckets say to every need.
pub(crate) fn judged<'n>(role: &Role, above: &Arc<Above>, needs: &'n [Need]) -> Vec<Judged<'n>> {
    let policies = role.attached_policies.iter().chain(&role.inline_policies);
    let boundary = role.boundary.as_ref();
    let asked = transcripts::Role::new(
        &role.arn,
        policies.map(|(name, document)| (name.as_str(), document)),
        boundary.map(|boundary| (boundary.arn.as_str(), &boundary.document)),
    )
    .under(above);
    let judged = needs.iter().map(|need| {
        let judgement = judge(&asked, need);
        Judged {
            need,
            permission: permission(need, &judgement, boundary),
            judgement,
        }
    });
    judged.collect()
}

/// Returns the same as records have it, which are about the role and not about its organization.
pub(crate) fn permissions(role: &Role, needs: &[Need]) -> Vec<Permission> {
    let judged = judged(role, &Arc::default(), needs).into_iter();
    judged.map(|one| one.permission).collect()
}

fn permission(need: &Need, judgement: &Judgement, boundary: Option<&Boundary>) -> Permission {
    let guard = match &need.guard {
        Guard::None => None,
        Guard::Key { name, .. } => Some(
            name.clone()
                .unwrap_or_else(|| "the bucket's key".to_owned()),
        ),
        Guard::Bucket { name, .. } => Some(name.clone()),
    };
    let (layer, policy) = match judgement.side {
        Side::Identity => ("identity", None),
        Side::ServiceControl => ("service_control_policy", None),
        Side::ResourceControl => ("resource_control_policy", None),
        Side::Boundary => ("boundary", boundary.map(|boundary| boundary.arn.clone())),
        Side::KeyPolicy => ("key_policy", guard),
        Side::BucketPolicy => ("bucket_policy", guard),
    };
    let by = match (&judgement.statement, policy) {
        (Some(statement), _) => Some(By {
            layer: layer.to_owned(),
            policy: statement.policy.clone(),
            sid: statement.sid.clone(),
            path: Some(statement.path.clone()).filter(|path| !path.is_empty()),
        }),
        (None, Some(policy)) => Some(By {
            layer: layer.to_owned(),
            policy,
            sid: None,
            path: None,
        }),
        (None, None) => None,
    };
    Permission {
        feature: need.feature,
        action: need.action.to_owned(),
        resource: need.resource.clone(),
        verdict: match judgement.verdict {
            iam_policy::Verdict::Allowed => Verdict::Allowed,
            iam_policy::Verdict::Denied => Verdict::Denied,
            iam_policy::Verdict::Unknown => Verdict::Unknown,
        },
        by,
    }
}
