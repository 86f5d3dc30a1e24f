//! What a node's role must be allowed, and whether it is: judged from the documents, not from the names of policies. Pure.
//!
//! SCPs, session policies and the policies of keys and buckets are not seen here.

use iam_policy::{Compiled, Context, Decision, Layer, Policies, Policy, Request, decide};
use records::{Boundary, By, Feature, Permission, Target, Verdict};
use serde_json::Value;

use crate::bucket_key::{self, by_alias};
use crate::model::Role;
use crate::preferences::{Key, Preferences};

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

/// Returns the ends of the ids of its findings: for what is denied, and for what is not known.
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

/// Returns what does not work without it.
pub(crate) fn effect(feature: Feature) -> &'static str {
    match feature {
        Feature::Register => "the nodes never appear in Systems Manager",
        Feature::Channel => "no session or command reaches the nodes, which still look online",
        Feature::StateManager => "associations, inventory and patching do not work",
        Feature::S3Log => "sessions are refused, or their transcripts are lost without a word",
        Feature::S3Kms => {
            "the bucket takes no transcript without it, and they are lost without a word"
        }
        Feature::CloudwatchLog => "sessions are refused, or their logs are lost without a word",
        Feature::Kms => "every session is refused",
    }
}

/// One action on one resource.
#[derive(Clone, Debug)]
pub(crate) struct Need {
    pub(crate) feature: Feature,
    pub(crate) action: &'static str,
    /// `None` when it is not known which.
    pub(crate) resource: Option<String>,
    /// Any of those that it may be: what allows it whichever it is allows this one.
    sample: Option<String>,
    context: Context,
    /// Whether it is not known if there is any need at all: only that everything is allowed settles it then.
    is_doubtful: bool,
}

/// Returns what a node's role must be allowed.
pub(crate) fn required_permissions(
    partition: &str,
    target: &Target,
    preferences: Option<&Preferences>,
) -> Vec<Need> {
    let need = |feature, action, resource: Option<&str>| Need {
        feature,
        action,
        resource: resource.map(str::to_owned),
        sample: None,
        context: Context::partial(),
        is_doubtful: false,
    };
    // A statement may be about this instance or another, so the instance is not known here.
    let mut needs = vec![need(
        Feature::Register,
        "ssm:UpdateInstanceInformation",
        None,
    )];
    needs.extend(CHANNEL.map(|action| need(Feature::Channel, action, Some("*"))));
    needs.extend(STATE_MANAGER.map(|action| need(Feature::StateManager, action, None)));
    let Some(preferences) = preferences else {
        return needs;
    };
    for bucket in &preferences.buckets {
        let arn = format!("arn:{partition}:s3:::{}", bucket.name);
        let object = match bucket.prefix.as_str() {
            "" => format!("{arn}/session.log"),
            prefix => format!("{arn}/{prefix}/session.log"),
        };
        needs.push(need(Feature::S3Log, "s3:PutObject", Some(&object)));
        needs.push(need(
            Feature::S3Log,
            "s3:GetEncryptionConfiguration",
            Some(&arn),
        ));
        let used = bucket_key::used(partition, target, &bucket.encryption, &arn, &object);
        for (one, action) in used
            .iter()
            .flat_map(|one| [(one, "kms:GenerateDataKey"), (one, "kms:Decrypt")])
        {
            needs.push(Need {
                feature: Feature::S3Kms,
                action,
                resource: one.resource.clone(),
                sample: one.sample.clone(),
                context: one.context.clone(),
                is_doubtful: one.is_doubtful,
            });
        }
    }
    for name in &preferences.log_groups {
        let groups = format!(
            "arn:{partition}:logs:{}:{}:log-group:",
            target.region, target.account
        );
        let (group, stream) = (
            format!("{groups}{name}:*"),
            format!("{groups}{name}:log-stream:session"),
        );
        // The agent lists all groups and looks for its own: a grant on that group alone is not enough.
        // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatchlogs.html
        let all = format!("{groups}*");
        for (action, resource) in [
            ("logs:DescribeLogGroups", &all),
            ("logs:DescribeLogStreams", &group),
            ("logs:CreateLogStream", &stream),
            ("logs:PutLogEvents", &stream),
        ] {
            needs.push(need(Feature::CloudwatchLog, action, Some(resource)));
        }
    }
    needs.extend(
        preferences
            .keys
            .iter()
            .map(|key| decrypt(partition, target, key)),
    );
    needs
}

/// The agent decrypts with the session and the node as encryption context.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-enable-encryption.html>
fn decrypt(partition: &str, target: &Target, key: &Key) -> Need {
    let context = Context::partial()
        .with(
            "kms:EncryptionContext:aws:ssm:SessionId",
            "operator-0123456789abcdef0",
        )
        .with(
            "kms:EncryptionContext:aws:ssm:TargetId",
            "i-0123456789abcdef0",
        );
    let (resource, sample, context) = match key {
        Key::Arn(arn) => (Some(arn.clone()), None, context),
        Key::Alias(alias) => by_alias(partition, target, Some(alias), context),
    };
    Need {
        feature: Feature::Kms,
        action: "kms:Decrypt",
        resource,
        sample,
        context,
        is_doubtful: false,
    }
}

/// Returns what a role's policies and its boundary say to every need.
pub(crate) fn permissions(role: &Role, needs: &[Need]) -> Vec<Permission> {
    let named = role
        .attached_policies
        .iter()
        .chain(&role.inline_policies)
        .map(|(name, document)| compiled(name, document));
    let boundary = role
        .boundary
        .as_ref()
        .map(|boundary| compiled(&boundary.arn, &boundary.document));
    let (identity, boundary) = match (named.collect::<Result<Vec<_>, _>>(), boundary.transpose()) {
        (Ok(identity), Ok(boundary)) => (identity, boundary),
        (Err(policy), _) | (_, Err(policy)) => {
            return needs
                .iter()
                .map(|need| not_understood(need, &policy))
                .collect();
        }
    };
    let identity: Vec<&Compiled> = identity.iter().collect();
    let policies = Policies {
        identity: Some(&identity),
        boundary: boundary.as_ref(),
        ..Policies::default()
    };
    let judged = needs.iter().map(|need| {
        let context = need.context.clone().with("aws:PrincipalArn", &role.arn);
        let mut request = match &need.resource {
            Some(resource) => Request::new(need.action, resource, context),
            None => Request::on_unknown_resource(need.action, context),
        };
        if let Some(sample) = &need.sample {
            let on_sample = request.on(sample);
            if decide(&policies, &on_sample).verdict == iam_policy::Verdict::Allowed {
                request = on_sample;
            }
        }
        let decision = decide(&policies, &request);
        if decision.verdict == iam_policy::Verdict::Allowed {
            // Both layers allow; people ask which policy of the role does.
            let own = Policies {
                boundary: None,
                ..policies
            };
            return permission(need, &decide(&own, &request), &role.boundary);
        }
        permission(need, &decision, &role.boundary)
    });
    judged.collect()
}

fn compiled(name: &str, document: &Value) -> Result<Compiled, String> {
    let policy = Policy::parse(&document.to_string())
        .policy()
        .map_err(|_| name.to_owned())?;
    Compiled::new(name, &policy).map_err(|_| name.to_owned())
}

fn not_understood(need: &Need, policy: &str) -> Permission {
    Permission {
        feature: need.feature,
        action: need.action.to_owned(),
        resource: need.resource.clone(),
        verdict: Verdict::Unknown,
        by: Some(By {
            layer: "identity".to_owned(),
            policy: policy.to_owned(),
            sid: None,
            path: None,
        }),
    }
}

fn permission(need: &Need, decision: &Decision<'_>, boundary: &Option<Boundary>) -> Permission {
    let layer = match decision.layer {
        Some(Layer::Boundary) => "boundary",
        _ => "identity",
    };
    let by = match (&decision.statement, decision.layer, boundary) {
        (Some(statement), ..) => Some(By {
            layer: layer.to_owned(),
            policy: statement.policy.to_owned(),
            sid: Some(statement.sid.to_owned()).filter(|sid| !sid.is_empty()),
            path: Some(statement.position.path.clone()),
        }),
        (None, Some(Layer::Boundary), Some(boundary)) => Some(By {
            layer: layer.to_owned(),
            policy: boundary.arn.clone(),
            sid: None,
            path: None,
        }),
        _ => None,
    };
    Permission {
        feature: need.feature,
        action: need.action.to_owned(),
        resource: need.resource.clone(),
        verdict: match decision.verdict {
            iam_policy::Verdict::Allowed => Verdict::Allowed,
            iam_policy::Verdict::Denied if need.is_doubtful => Verdict::Unknown,
            iam_policy::Verdict::Denied => Verdict::Denied,
            iam_policy::Verdict::Unknown => Verdict::Unknown,
        },
        by,
    }
}
