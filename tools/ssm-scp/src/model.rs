//! The desired policy as people write it, the states that a plan carries, and what was found in the organization.
//! Whatever would lock people out or leave agents mute is refused here, while it is read.

use std::collections::{BTreeMap, BTreeSet};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use toolio::{Finding, Plan, Reading, ResultRecord};

use crate::principal::Principal;

/// Quota "Service control policies attached per root, OU or account": 10 since 2026-05-15, 5 before.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
pub(crate) const MAX_POLICIES_PER_TARGET: usize = 10;

/// Operator actions an SCP of this tool may deny: people start these, no agent and no AWS service does.
const OPERATOR_ACTIONS: &[&str] = &[
    "ec2-instance-connect:OpenTunnel",
    "ec2-instance-connect:SendSSHPublicKey",
    "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
    "ec2:EnableSerialConsoleAccess",
    "ecs:ExecuteCommand",
    "ssm-guiconnect:StartConnection",
    "ssm:CancelCommand",
    "ssm:CreateActivation",
    "ssm:CreateAssociation",
    "ssm:CreateAssociationBatch",
    "ssm:CreateDocument",
    "ssm:DeleteAssociation",
    "ssm:DeleteDocument",
    "ssm:ModifyDocumentPermission",
    "ssm:RegisterTaskWithMaintenanceWindow",
    "ssm:ResetServiceSetting",
    "ssm:ResumeSession",
    "ssm:SendAutomationSignal",
    "ssm:SendCommand",
    "ssm:StartAccessRequest",
    "ssm:StartAssociationsOnce",
    "ssm:StartAutomationExecution",
    "ssm:StartSession",
    "ssm:TerminateSession",
    "ssm:UpdateAssociation",
    "ssm:UpdateDocument",
    "ssm:UpdateDocumentDefaultVersion",
    "ssm:UpdateDocumentMetadata",
    "ssm:UpdateManagedInstanceRole",
    "ssm:UpdateServiceSetting",
];

/// What agents call with the instance's role, which an SCP binds like any other: AmazonSSMManagedInstanceCore,
/// AmazonSSMManagedEC2InstanceDefaultPolicy and the registration of hybrid nodes.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html>
const AGENT_ACTIONS: &[&str] = &[
    "ec2messages:AcknowledgeMessage",
    "ec2messages:DeleteMessage",
    "ec2messages:FailMessage",
    "ec2messages:GetEndpoint",
    "ec2messages:GetMessages",
    "ec2messages:SendReply",
    "ssm:DescribeAssociation",
    "ssm:DescribeDocument",
    "ssm:GetCalendarState",
    "ssm:GetDeployablePatchSnapshotForInstance",
    "ssm:GetDocument",
    "ssm:GetManifest",
    "ssm:GetParameter",
    "ssm:GetParameters",
    "ssm:ListAssociations",
    "ssm:ListInstanceAssociations",
    "ssm:PutComplianceItems",
    "ssm:PutConfigurePackageResult",
    "ssm:PutInventory",
    "ssm:RegisterManagedInstance",
    "ssm:RequestManagedInstanceRoleToken",
    "ssm:UpdateAssociationStatus",
    "ssm:UpdateInstanceAssociationStatus",
    "ssm:UpdateInstanceInformation",
    "ssmmessages:CreateControlChannel",
    "ssmmessages:CreateDataChannel",
    "ssmmessages:OpenControlChannel",
    "ssmmessages:OpenDataChannel",
];

/// The policy that should be there.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Desired {
    /// Name of the policy, by which it is found.
    pub(crate) policy_name: PolicyName,
    /// Description of the policy, at most 512 characters.
    #[serde(default)]
    pub(crate) description: Description,
    /// ARNs, `*` and `?` allowed, of the principals that keep the actions.
    pub(crate) exempt_principals: Principals,
    /// Actions that everybody else loses.
    #[serde(default)]
    pub(crate) actions: Actions,
    /// Roots, organizational units and accounts that the policy must be attached to.
    pub(crate) targets: Targets,
}

/// A name that Organizations accepts.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct PolicyName(pub(crate) String);

impl TryFrom<String> for PolicyName {
    type Error = String;

    fn try_from(text: String) -> Result<PolicyName, String> {
        match text.chars().count() {
            1..=128 if !text.chars().any(char::is_control) => Ok(PolicyName(text)),
            _ => Err("a policy name has 1 to 128 characters and none of control".to_owned()),
        }
    }
}

/// A description that Organizations accepts; it may be empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct Description(pub(crate) String);

impl TryFrom<String> for Description {
    type Error = String;

    fn try_from(text: String) -> Result<Description, String> {
        match text.chars().count() {
            0..=512 => Ok(Description(text)),
            n_characters => Err(format!(
                "a description has at most 512 characters, this has {n_characters}"
            )),
        }
    }
}

/// Exempt principals: at least one, sorted, each once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<Principal>")]
#[schemars(with = "Vec<String>")]
pub(crate) struct Principals(pub(crate) BTreeSet<Principal>);

impl TryFrom<Vec<Principal>> for Principals {
    type Error = String;

    fn try_from(principals: Vec<Principal>) -> Result<Principals, String> {
        if principals.is_empty() {
            return Err(
                "name at least one principal: without any, nobody could start a session".to_owned(),
            );
        }
        Ok(Principals(principals.into_iter().collect()))
    }
}

/// Denied actions: at least one, sorted, each once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<OperatorAction>")]
#[schemars(with = "Vec<String>")]
pub(crate) struct Actions(pub(crate) BTreeSet<OperatorAction>);

impl Default for Actions {
    fn default() -> Actions {
        let named = ["ssm:SendCommand", "ssm:StartSession"];
        Actions(
            named
                .map(|name| OperatorAction(name.to_owned()))
                .into_iter()
                .collect(),
        )
    }
}

impl TryFrom<Vec<OperatorAction>> for Actions {
    type Error = String;

    fn try_from(actions: Vec<OperatorAction>) -> Result<Actions, String> {
        if actions.is_empty() {
            return Err(
                "name at least one action, or leave the key out for the default".to_owned(),
            );
        }
        Ok(Actions(actions.into_iter().collect()))
    }
}

/// An action or a pattern of actions that only people use.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct OperatorAction(pub(crate) String);

impl TryFrom<String> for OperatorAction {
    type Error = String;

    fn try_from(text: String) -> Result<OperatorAction, String> {
        // IAM matches actions without regard to case.
        let pattern = text.to_ascii_lowercase();
        let matches = |action: &&&str| glob(&pattern, &action.to_ascii_lowercase());
        if let Some(needed) = AGENT_ACTIONS.iter().find(matches) {
            return Err(format!(
                "'{text}' covers {needed}, which agents need: an SCP binds instance roles too, and every node would \
                 go offline"
            ));
        }
        if OPERATOR_ACTIONS.iter().find(matches).is_none() {
            return Err(format!(
                "'{text}' is no operator action; known are {}",
                OPERATOR_ACTIONS.join(", ")
            ));
        }
        // In other services a pattern reaches far beyond the few operator actions: `ec2:*`.
        let service = pattern.split(':').next().unwrap_or_default();
        let wildcards = pattern.contains(['*', '?']);
        if wildcards && !["ssm", "ssm-guiconnect", "ec2-instance-connect"].contains(&service) {
            return Err(format!(
                "'{text}' reaches beyond access to nodes: write the actions of this service out"
            ));
        }
        Ok(OperatorAction(text))
    }
}

/// Targets: at least one, sorted, each once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<TargetId>")]
#[schemars(with = "Vec<String>")]
pub(crate) struct Targets(pub(crate) BTreeSet<TargetId>);

impl TryFrom<Vec<TargetId>> for Targets {
    type Error = String;

    fn try_from(targets: Vec<TargetId>) -> Result<Targets, String> {
        if targets.is_empty() {
            return Err(
                "name at least one target: a policy attached nowhere denies nothing".to_owned(),
            );
        }
        Ok(Targets(targets.into_iter().collect()))
    }
}

/// The id of a root, an organizational unit or an account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub(crate) struct TargetId(pub(crate) String);

impl TryFrom<String> for TargetId {
    type Error = String;

    fn try_from(text: String) -> Result<TargetId, String> {
        let word = |part: &str, shortest: usize, longest: usize| {
            (shortest..=longest).contains(&part.len())
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        };
        let account = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
        let parts: Vec<&str> = text.split('-').collect();
        let known = match parts.as_slice() {
            ["r", root] => word(root, 4, 32),
            ["ou", root, unit] => word(root, 4, 32) && word(unit, 8, 32),
            _ => account,
        };
        if known {
            Ok(TargetId(text))
        } else {
            Err(format!(
                "'{text}' is no target: expected an account id (12 digits), ou-xxxx-xxxxxxxx or r-xxxx"
            ))
        }
    }
}

impl From<TargetId> for String {
    fn from(target: TargetId) -> String {
        target.0
    }
}

/// What `apply` can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::enum_variant_names,
    reason = "they are the names of AWS's operations"
)]
pub(crate) enum Action {
    /// Create the policy.
    CreatePolicy,
    /// Replace the policy's description and document.
    UpdatePolicy,
    /// Attach the policy to a target.
    AttachPolicy,
    /// Detach the policy from a target; only to undo.
    DetachPolicy,
    /// Delete the policy; only to undo.
    DeletePolicy,
}

/// `from` and `to` of a change to the policy itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyState {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) document: Value,
}

/// `from` and `to` of an attachment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AttachmentState {
    pub(crate) policy_name: String,
    pub(crate) target_id: TargetId,
    pub(crate) attached: bool,
}

/// What was found in the organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Observed {
    pub(crate) account: String,
    pub(crate) partition: String,
    /// The management account's id; absent when the account is in no organization.
    pub(crate) management_account: Reading<String>,
    /// Whether the root has service control policies enabled.
    pub(crate) type_enabled: Reading<bool>,
    pub(crate) policy: Reading<Policy>,
    /// How many policies are attached to each desired target; absent when there is no such target.
    pub(crate) targets: BTreeMap<TargetId, Reading<usize>>,
}

/// A service control policy that exists.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Policy {
    pub(crate) id: String,
    pub(crate) aws_managed: bool,
    pub(crate) state: PolicyState,
    pub(crate) attached_to: BTreeSet<TargetId>,
}

/// Returns the JSON Schemas of everything that this tool reads and prints.
pub(crate) fn schemas(generator: &mut SchemaGenerator) -> Vec<(&'static str, Schema)> {
    vec![
        ("desired", generator.subschema_for::<Desired>()),
        ("plan", generator.subschema_for::<Plan<Action>>()),
        ("result", generator.subschema_for::<ResultRecord<Action>>()),
        ("finding", generator.subschema_for::<Finding>()),
    ]
}

/// Returns whether a text matches a pattern of IAM, where `*` is any text and `?` any character.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t) = (0, 0);
    // Where to go on when a later part does not match: the last `*`, and the text that it has swallowed so far.
    let mut retry = None;
    while t < text.len() {
        match pattern.get(p) {
            Some('*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&c) if c == '?' || c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, swallowed)) => {
                    retry = Some((star, swallowed + 1));
                    p = star + 1;
                    t = swallowed + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&c| c == '*')
}
