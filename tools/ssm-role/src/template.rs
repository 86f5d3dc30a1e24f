//! A CloudFormation template that makes what a plan for an empty account and region would make. Never touches the world.
//!
//! The role is of the whole account: the stack in the home region makes it, those in other regions name it.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use cli::{Change, Reading};
use cloudformation::{Resource, Template, reference};
use serde_json::{Value, json};
use transcripts::Preferences;

use crate::model::{Action, Desired, Observed};
use crate::plan::{self, PlanContext};
use crate::validated_change::{InlineState, RoleState, SettingState};

/// The logical IDs. CloudFormation would replace a resource whose ID changes.
const ROLE: &str = "HostManagementRole";
const PREFERENCES: &str = "HostManagementPreferences";
const SETTING: &str = "HostManagement";

/// Returns the template; the preferences are those of whichever account and region a stack is in.
///
/// # Errors
/// The desired state asks for what is not a stack's to make.
pub(crate) fn template(
    desired: &Desired,
    preferences: Option<&Preferences>,
) -> anyhow::Result<Value> {
    if let Some((path, message)) = mistake(desired) {
        bail!("desired roles: {path}: {message}");
    }
    let empty = Observed {
        target: cloudformation::target(),
        partition: cloudformation::partition(),
        setting: Reading::Absent,
        bare_instances: Vec::new(),
        excluded: Reading::Absent,
        enrolled: Reading::Absent,
        profiles: Reading::Absent,
        hybrid_nodes: Reading::Absent,
        roles: BTreeMap::new(),
        assigned: Reading::Absent,
    };
    let given = PlanContext {
        preferences,
        ..PlanContext::default()
    };
    let mut template = Template::new("Default Host Management, and the role it gives to nodes");
    let home = template.home_region(None);
    for change in plan::plan(desired, &empty, given)?.changes {
        add(&mut template, home, &change)?;
    }
    template.finish().context("desired roles")
}

/// Returns the path of what a stack cannot make, and what to do about it. What is on instances that are there already, or goes on new
/// ones, only `apply` sees; leaving it out without a word would leave nodes out.
pub(crate) fn mistake(desired: &Desired) -> Option<(String, String)> {
    let of_apply = [
        (".instance_profiles", desired.instance_profiles.is_some()),
        (".hybrid_activations", desired.hybrid_activations.is_some()),
        (".assign_profile", desired.assign_profile.is_some()),
    ];
    let of_apply = of_apply.into_iter().filter(|(_, is_there)| *is_there);
    let of_apply: Vec<&str> = of_apply.map(|(field, _)| field).collect();
    let found = |path: &str, message: &str| Some((path.to_owned(), message.to_owned()));
    if let Some(first) = of_apply.first() {
        let message = format!(
            "a stack cannot change roles that are there already: leave that to plan and apply, and render what \
             `jq 'del({})' FILE` prints",
            of_apply.join(", ")
        );
        return Some((format!("${first}"), message));
    }
    if !desired.exclude.is_empty() {
        return found(
            "$.exclude",
            "a stack enrolls every instance of its region and cannot see tags: leave it to plan and apply",
        );
    }
    match &desired.default_host_management {
        None => found(
            "$.default_host_management",
            "there is nothing for a stack to make",
        ),
        Some(required) if !required.enabled => found(
            "$.default_host_management.enabled",
            "a stack turns it on; delete the stack, and it is off",
        ),
        Some(required) if !required.create_role => found(
            "$.default_host_management.create_role",
            "a template cannot know the path of a role that is there already",
        ),
        Some(_) => None,
    }
}

fn add(template: &mut Template, home: &'static str, change: &Change<Action>) -> anyhow::Result<()> {
    let name = change.resource.rsplit('/').next().unwrap_or_default();
    let resource = change.resource.as_str();
    match change.action {
        Action::CreateRole => {
            let role: RoleState = serde_json::from_value(change.to.clone())?;
            let role = json!({
                "RoleName": name,
                "Path": role.path,
                "Description": role.description,
                "AssumeRolePolicyDocument": role.trust,
                "ManagedPolicyArns": role.managed_policies,
            });
            template.resource(ROLE, Resource::new("AWS::IAM::Role", role).when(home));
        }
        Action::PutRolePolicy => {
            let policy: InlineState = serde_json::from_value(change.to.clone())?;
            // A policy of its own, for every region adds one to the same role.
            let policy = json!({
                "RoleName": { "Fn::If": [home, reference(ROLE), name] },
                "PolicyName": policy.policy_name,
                "PolicyDocument": policy.document,
            });
            template.resource(PREFERENCES, Resource::new("AWS::IAM::RolePolicy", policy));
        }
        Action::UpdateServiceSetting => {
            let SettingState { role } = serde_json::from_value(change.to.clone())?;
            let arn = format!(
                "arn:{}:iam::{}:role/{role}",
                cloudformation::partition(),
                cloudformation::target().account
            );
            // https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-defaulthostmanagementconfiguration.html
            let setting = json!({
                "PermissionModel": "SELF_MANAGED",
                "CustomerManagedRoleArn": { "Fn::If": [home, reference(&format!("{ROLE}.Arn")), arn] },
            });
            let kind = "AWS::SSM::DefaultHostManagementConfiguration";
            let setting = Resource::new(kind, setting).new_to_cfn_lint();
            template.resource(SETTING, setting);
        }
        Action::AttachPolicy
        | Action::CreateInstanceProfile
        | Action::AssociateInstanceProfile
        | Action::ResetServiceSetting
        | Action::DetachPolicy
        | Action::DeleteRolePolicy
        | Action::DeleteInstanceProfile
        | Action::DisassociateInstanceProfile
        | Action::DeleteRole => bail!("{}: a new account has no {resource}", change.id),
    }
    Ok(())
}
