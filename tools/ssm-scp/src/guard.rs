//! From the desired guard to its policy documents: minified, and as many as the quota asks for.

pub(crate) mod left_over;
pub(crate) mod session_records;

use anyhow::ensure;
use serde_json::{Map, Value, json};

use crate::model::{Desired, Way};

/// The setting behind Default Host Management Configuration.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
const DHMC_SETTING: &str =
    "servicesetting/ssm/managed-instance/default-ec2-instance-management-role";

/// The role that Quick Setup makes in each account, and that sessions run as which a token of GetAccessToken starts:
/// `aws:PrincipalArn` shows it, whoever asked for access.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/systems-manager-just-in-time-node-access-setting-up.html>
pub(crate) const ACCESS_TOKEN_ROLE: &str = "SSM-JustInTimeAccessTokenRole";

/// What sessions are started on, documents apart.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html>
const SESSION_TARGETS: [&str; 3] = [
    "ec2:*:*:instance/*",
    "ecs:*:*:task/*",
    "ssm:*:*:managed-instance/*",
];

const START_SESSION: &str = "ssm:StartSession";

const SETTING_ACTIONS: [&str; 2] = ["ssm:ResetServiceSetting", "ssm:UpdateServiceSetting"];

/// Changing one of these changes what a session document does, or who may use it.
pub(crate) const DOCUMENT_ACTIONS: [&str; 5] = [
    "ssm:CreateDocument",
    "ssm:DeleteDocument",
    "ssm:ModifyDocumentPermission",
    "ssm:UpdateDocument",
    "ssm:UpdateDocumentDefaultVersion",
];

/// What makes, takes over or breaks a role, hands it to a service, or changes the tags that conditions go by.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsidentityandaccessmanagementiam.html>
pub(crate) const ROLE_ACTIONS: [&str; 13] = [
    "iam:AttachRolePolicy",
    "iam:CreateRole",
    "iam:DeleteRole",
    "iam:DeleteRolePermissionsBoundary",
    "iam:DeleteRolePolicy",
    "iam:DetachRolePolicy",
    "iam:PassRole",
    "iam:PutRolePermissionsBoundary",
    "iam:PutRolePolicy",
    "iam:TagRole",
    "iam:UntagRole",
    "iam:UpdateAssumeRolePolicy",
    "iam:UpdateRole",
];

/// The same of a user, and what signs in as one. A virtual MFA device is deleted only after it was deactivated.
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteVirtualMFADevice.html>
pub(crate) const USER_ACTIONS: [&str; 21] = [
    "iam:AddUserToGroup",
    "iam:AttachUserPolicy",
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:CreateUser",
    "iam:DeactivateMFADevice",
    "iam:DeleteAccessKey",
    "iam:DeleteLoginProfile",
    "iam:DeleteUser",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteUserPolicy",
    "iam:DetachUserPolicy",
    "iam:EnableMFADevice",
    "iam:PutUserPermissionsBoundary",
    "iam:PutUserPolicy",
    "iam:RemoveUserFromGroup",
    "iam:TagUser",
    "iam:UntagUser",
    "iam:UpdateAccessKey",
    "iam:UpdateLoginProfile",
    "iam:UpdateUser",
];

/// What no guard reaches, whatever it says.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html>
pub(crate) const OUTSIDE: &str =
    "service-linked roles and all principals of the management account are outside any SCP";

/// A policy to be: its name and its document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) document: Value,
}

/// Returns the policies of the guard, in order.
///
/// # Errors
/// Nobody is exempt, nothing is denied, or one statement alone is longer than a policy may be.
pub(crate) fn render(desired: &Desired, max_characters: usize) -> anyhow::Result<Vec<Part>> {
    let mut documents: Vec<Vec<Value>> = Vec::new();
    for statement in statements(desired)? {
        let alone = length(std::slice::from_ref(&statement));
        ensure!(
            alone <= max_characters,
            "$.exempt_principals: a statement with all exemptions has {alone} characters, but a policy may have \
             {max_characters}; exemptions cannot be divided among policies, so join some by a pattern such as role/team/*"
        );
        let fits = |document: &&mut Vec<Value>| {
            length(document) + statement.to_string().chars().count() < max_characters
        };
        let fitting = documents.iter_mut().find(fits);
        match fitting {
            Some(document) => document.push(statement),
            None => documents.push(vec![statement]),
        }
    }
    let name = |index: usize| match index {
        0 => desired.policy_name.0.clone(),
        _ => format!("{}-{}", desired.policy_name.0, index + 1),
    };
    let parts = documents.iter().enumerate();
    Ok(parts
        .map(|(index, statements)| Part {
            name: name(index),
            document: document(statements),
        })
        .collect())
}

/// Returns the ARN patterns of everybody who is exempt by name.
pub(crate) fn exempt_patterns(desired: &Desired) -> Vec<String> {
    let partition = &desired.partition.0;
    let permission_sets = desired.exempt_permission_sets.iter().map(|name| {
        // The role's path names the region of the Identity Center, except in us-east-1; the name ends in a hash.
        format!(
            "arn:{partition}:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_{}_*",
            name.0
        )
    });
    let named = desired
        .exempt_principals
        .iter()
        .map(|principal| principal.0.clone());
    let just_in_time = desired
        .exempt_just_in_time
        .then(|| access_token_role(partition));
    permission_sets.chain(named).chain(just_in_time).collect()
}

/// Returns whether a pattern is about roles that the accounts make; IAM Identity Center's own nobody else can change.
pub(crate) fn is_own_role(pattern: &str) -> bool {
    pattern.contains(":role/") && !pattern.contains(":role/aws-reserved/")
}

/// Returns whether a pattern is about users.
pub(crate) fn is_user(pattern: &str) -> bool {
    pattern.contains(":user/")
}

/// Returns the pattern of the role that sessions of just-in-time node access run as.
pub(crate) fn access_token_role(partition: &str) -> String {
    format!("arn:{partition}:iam::*:role/{ACCESS_TOKEN_ROLE}")
}

fn document(statements: &[Value]) -> Value {
    json!({ "Version": "2012-10-17", "Statement": statements })
}

fn length(statements: &[Value]) -> usize {
    document(statements).to_string().chars().count()
}

fn statements(desired: &Desired) -> anyhow::Result<Vec<Value>> {
    let ways = desired.ways.iter().flatten();
    ensure!(
        !desired.exempt_just_in_time || ways.into_iter().all(|way| *way != Way::AccessRequests),
        "$.exempt_just_in_time: the way access_requests denies the requests to everybody who is not exempt, for whom they are \
         meant: leave one of the two out"
    );
    let condition = exemptions(desired)?;
    let partition = &desired.partition.0;
    let deny = |sid: &str, actions: &[&str], resources: Value| json!({"Sid": sid, "Effect": "Deny", "Action": actions, "Resource": resources, "Condition": condition});
    let actions = actions(desired);
    let mut statements = Vec::new();
    if !actions.is_empty() {
        let actions: Vec<&str> = actions.iter().map(String::as_str).collect();
        statements.push(deny("OnlyExemptPrincipals", &actions, json!("*")));
    }
    if let Some(documents) = &desired.allowed_documents {
        let documents = documents.0.iter().map(|document| document.arn(partition));
        let targets = SESSION_TARGETS.iter();
        let targets = targets.map(|target| format!("arn:{partition}:{target}"));
        // StartSession is authorized on the document and on the node, each by itself: what is in the list is not denied, and
        // there is no condition, as port forwarding and SSH leave no transcript of exempt people either.
        // https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-specify-session-document.html
        let spared: Vec<String> = documents.chain(targets).collect();
        statements.push(
            json!({"Sid": "OnlyAllowedDocuments", "Effect": "Deny", "Action": [START_SESSION],
            "NotResource": spared}),
        );
    }
    if let Some(records) = &desired.protect_records {
        statements.extend(session_records::statements(records, partition));
    }
    if desired.protect_preferences {
        let preferences = format!("arn:{partition}:ssm:*:*:document/SSM-SessionManagerRunShell");
        statements.push(deny(
            "ProtectPreferences",
            &DOCUMENT_ACTIONS,
            json!(preferences),
        ));
    }
    if let Some(dhmc) = &desired.protect_dhmc {
        let setting = format!("arn:{partition}:ssm:*:*:{DHMC_SETTING}");
        statements.push(deny(
            "ProtectDefaultHostManagement",
            &SETTING_ACTIONS,
            json!(setting),
        ));
        let role = format!("arn:{partition}:iam::*:role/{}", dhmc.role.0);
        statements.push(deny(
            "ProtectDefaultHostManagementRole",
            &ROLE_ACTIONS,
            json!(role),
        ));
    }
    if desired.protect_exempt_roles {
        let patterns = exempt_patterns(desired);
        let roles: Vec<&String> = patterns
            .iter()
            .filter(|pattern| is_own_role(pattern))
            .collect();
        if !roles.is_empty() {
            statements.push(deny("ProtectExemptRoles", &ROLE_ACTIONS, json!(roles)));
        }
        let users: Vec<&String> = patterns.iter().filter(|pattern| is_user(pattern)).collect();
        if !users.is_empty() {
            statements.push(deny("ProtectExemptUsers", &USER_ACTIONS, json!(users)));
        }
    }
    ensure!(
        !statements.is_empty(),
        "$.ways: the guard denies nothing: name a way or an action"
    );
    Ok(statements)
}

/// Returns the statements that may come after the first one, but for those of records: their Sids and actions.
fn written() -> [(&'static str, Vec<&'static str>); 6] {
    [
        ("OnlyAllowedDocuments", vec![START_SESSION]),
        ("ProtectPreferences", DOCUMENT_ACTIONS.to_vec()),
        ("ProtectDefaultHostManagement", SETTING_ACTIONS.to_vec()),
        ("ProtectDefaultHostManagementRole", ROLE_ACTIONS.to_vec()),
        ("ProtectExemptRoles", ROLE_ACTIONS.to_vec()),
        ("ProtectExemptUsers", USER_ACTIONS.to_vec()),
    ]
}

/// Returns the denied actions, sorted; without any choice those of sessions and commands.
fn actions(desired: &Desired) -> Vec<String> {
    let mut actions: Vec<String> = Vec::new();
    match (&desired.ways, &desired.actions) {
        (None, None) => {
            for way in [Way::Sessions, Way::Commands] {
                actions.extend(way.actions().map(str::to_owned));
            }
        }
        (ways, named) => {
            let of_ways = ways.iter().flatten().flat_map(|way| way.actions());
            actions.extend(of_ways.map(str::to_owned));
            let named = named.iter().flat_map(|named| &named.0);
            actions.extend(named.map(|action| action.0.clone()));
        }
    }
    actions.sort_by_key(|action| action.to_ascii_lowercase());
    actions.dedup_by_key(|action| action.to_ascii_lowercase());
    actions
}

/// Several values of a negated operator mean "none of them matches", and several operators must all hold: whoever is
/// named in either list is spared.
fn exemptions(desired: &Desired) -> anyhow::Result<Value> {
    let mut condition = Map::new();
    let patterns = exempt_patterns(desired);
    if !patterns.is_empty() {
        condition.insert(
            "ArnNotLike".to_owned(),
            json!({ "aws:PrincipalArn": patterns }),
        );
    }
    let accounts: Vec<&str> = desired
        .exempt_accounts
        .iter()
        .map(|account| account.as_ref())
        .collect();
    if !accounts.is_empty() {
        condition.insert(
            "StringNotEquals".to_owned(),
            json!({ "aws:PrincipalAccount": accounts }),
        );
    }
    ensure!(
        !condition.is_empty(),
        "$.exempt_principals: name at least one principal, permission set or account: without any, nobody could start a \
         session"
    );
    Ok(Value::Object(condition))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use iam_policy::{Compiled, MAX_SCP_CHARACTERS, reference};
    use serde_json::json;

    use super::{SESSION_TARGETS, render};
    use crate::model::{Desired, Way};
    use crate::replay::is_deniable;

    /// Near misses: what has a name like it, of the same services, stays open.
    #[test]
    fn a_way_denies_its_actions_and_no_other_of_their_services() {
        for way in Way::all() {
            let desired: Desired =
                serde_json::from_value(json!({"policy_name": "guard", "targets": ["r-abcd"],
                "exempt_principals": ["arn:aws:iam::*:role/ops"], "ways": [way]}))
                .unwrap();
            let parts = render(&desired, MAX_SCP_CHARACTERS).unwrap();
            let compiled = parts
                .iter()
                .map(|part| organization::compile(&part.name, &part.document.to_string()).unwrap());
            let guard: Vec<Compiled> = compiled.collect();
            let services: BTreeSet<&str> = way
                .actions()
                .filter_map(|action| action.split(':').next())
                .collect();
            let services = services.into_iter().filter_map(reference::service);
            let known = services.flat_map(|service| &service.actions);
            let names = known.map(reference::Action::full_name);
            let denied: BTreeSet<String> = names.filter(|name| is_deniable(&guard, name)).collect();
            let expected: BTreeSet<String> = way.actions().map(str::to_owned).collect();
            assert_eq!(denied, expected, "{}", way.name());
        }
    }

    /// One that was left out would be denied to everybody wherever documents are listed.
    #[test]
    fn sessions_start_on_documents_and_on_these_targets() {
        let action = reference::action("ssm:StartSession").unwrap();
        let types = action.resources.iter().map(|one| one.of.arn);
        let mut types: Vec<&str> = types.collect();
        types.sort_unstable();
        types.dedup();
        types.retain(|one| *one != "ssm:*:*:document/*");
        assert_eq!(types, SESSION_TARGETS);
    }
}
