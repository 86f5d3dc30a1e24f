//! The only writes: step by step, each against its `from`, each read back, with the plan that leads back.

use std::time::Duration;

use anyhow::{anyhow, bail};
use aws_sdk_iam::error::{ProvideErrorMetadata, SdkError};
use awsconf::{Interrupt, Session, describe};
use serde_json::Value;
use toolio::{Applied, Change, ChangeStatus, Outcome, Plan, ResultKind, ResultRecord};

use crate::TOOL;
use crate::current::{Clients, PAUSE, current, read_back};
use crate::model::{Action, SETTING};
use crate::observe;
use crate::step::{RoleState, SettingState, Subject};
use crate::undo::inverse;

/// IAM is eventually consistent: for some seconds a new role exists for one server and not for the next.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot.html#troubleshoot_general_eventual-consistency>
const PATIENCE: Duration = Duration::from_secs(30);
/// What IAM and Systems Manager say of a role that has not reached them yet.
const NOT_THERE_YET: [&str; 3] = [
    "NoSuchEntity",
    "ValidationException",
    "InvalidParameterValue",
];

/// What became of one change, and the state it left if that is not the one it found.
struct Tried {
    status: ChangeStatus,
    error: Option<String>,
    left: Option<Value>,
}

/// Carries out one plan; tells everything that was done, also when something failed.
pub(crate) async fn apply(
    session: &Session,
    plan: &Plan<Action>,
    subjects: &[Subject],
    interrupt: &Interrupt,
) -> (ResultRecord<Action>, Outcome) {
    let (iam, ssm) = (
        aws_sdk_iam::Client::new(&session.config),
        aws_sdk_ssm::Client::new(&session.config),
    );
    let mut clients = Clients {
        iam,
        ssm,
        made_role: false,
    };
    let (mut results, mut undo, mut outcome) = (Vec::new(), Vec::new(), Outcome::Fine);
    for (change, subject) in plan.changes.iter().zip(subjects) {
        if outcome == Outcome::Fine && interrupt.requested() {
            outcome = Outcome::Interrupted;
        }
        let tried = match outcome {
            Outcome::Fine => one(&mut clients, change, subject).await,
            Outcome::Interrupted => skipped("not tried: interrupted"),
            _ => skipped("not tried: an earlier change failed"),
        };
        if tried.status == ChangeStatus::Failed {
            outcome = Outcome::Trouble;
        }
        if let Some(left) = tried.left {
            undo.insert(0, inverse(change, left));
        }
        let (id, action, resource) = (change.id.clone(), change.action, change.resource.clone());
        results.push(Applied {
            id,
            action,
            resource,
            status: tried.status,
            error: tried.error,
        });
    }
    let target = plan.target.clone();
    let undo = (!undo.is_empty()).then(|| Plan::new(TOOL, target.clone(), undo));
    (
        ResultRecord {
            kind: ResultKind::Result,
            tool: TOOL.to_owned(),
            target,
            results,
            undo,
        },
        outcome,
    )
}

async fn one(clients: &mut Clients, change: &Change<Action>, subject: &Subject) -> Tried {
    let before = match current(clients, subject).await {
        Ok(before) => before,
        Err(error) => return failed(format!("{error:#}"), None),
    };
    if before == change.to {
        return Tried {
            status: ChangeStatus::Unchanged,
            error: None,
            left: None,
        };
    }
    if before != change.from {
        return failed(
            format!(
                "the plan expects {}, but {before} is there: plan again",
                change.from
            ),
            None,
        );
    }
    let written = write(clients, change, subject).await;
    clients.made_role |= change.action == Action::CreateRole;
    // A call that failed may have worked: the answer can be lost, and CreateRole is followed by attachments.
    let patience = if written.is_ok() {
        PATIENCE
    } else {
        Duration::ZERO
    };
    let after = read_back(clients, subject, &change.to, patience).await;
    match (written, after) {
        (_, Ok(after)) if after == change.to => Tried {
            status: ChangeStatus::Done,
            error: None,
            left: Some(after),
        },
        (Ok(()), Ok(after)) => {
            let left = (after != before).then_some(after.clone());
            failed(
                format!("written, but {after} is there instead of {}", change.to),
                left,
            )
        }
        (Ok(()), Err(error)) => failed(
            format!("written, but not read back: {error:#}"),
            Some(change.to.clone()),
        ),
        (Err(error), Ok(after)) => failed(format!("{error:#}"), (after != before).then_some(after)),
        (Err(error), Err(unread)) => failed(
            format!("{error:#}; whether it was written is unknown: {unread:#}"),
            None,
        ),
    }
}

async fn write(
    clients: &Clients,
    change: &Change<Action>,
    subject: &Subject,
) -> anyhow::Result<()> {
    match (change.action, subject) {
        (Action::CreateRole, Subject::Role { name }) => {
            create_role(clients, name, &change.to).await
        }
        (Action::DeleteRole, Subject::Role { name }) => {
            delete_role(clients, name, &change.from).await
        }
        (Action::AttachPolicy, Subject::Attachment { role, policy_arn }) => {
            attach(clients, role, policy_arn, clients.made_role).await
        }
        (Action::DetachPolicy, Subject::Attachment { role, policy_arn }) => {
            detach(clients, role, policy_arn).await
        }
        (Action::UpdateServiceSetting, Subject::Setting) => {
            let SettingState { role } = serde_json::from_value(change.to.clone())?;
            let call = async || {
                let call = clients
                    .ssm
                    .update_service_setting()
                    .setting_id(SETTING)
                    .setting_value(&role);
                call.send().await
            };
            let answer = patiently(clients.made_role, call).await;
            answer
                .map(drop)
                .map_err(|error| describe(format!("UpdateServiceSetting {SETTING}"), error))
        }
        (Action::ResetServiceSetting, Subject::Setting) => {
            let answer = clients
                .ssm
                .reset_service_setting()
                .setting_id(SETTING)
                .send()
                .await;
            answer
                .map(drop)
                .map_err(|error| describe(format!("ResetServiceSetting {SETTING}"), error))
        }
        (action, subject) => bail!("{action:?} does not fit {subject:?}"),
    }
}

async fn create_role(clients: &Clients, name: &str, to: &Value) -> anyhow::Result<()> {
    let to: RoleState = serde_json::from_value(to.clone())?;
    let call = clients
        .iam
        .create_role()
        .role_name(name)
        .path(&to.path)
        .description(&to.description);
    let answer = call
        .assume_role_policy_document(to.trust.to_string())
        .send()
        .await;
    answer.map_err(|error| describe(format!("CreateRole {name}"), error))?;
    for policy in &to.managed_policies {
        attach(clients, name, policy, true).await?;
    }
    Ok(())
}

/// The caller has compared the role with `from`: nobody has added anything to it since it was made.
async fn delete_role(clients: &Clients, name: &str, from: &Value) -> anyhow::Result<()> {
    let setting = observe::setting(&clients.ssm).await?;
    if setting.role().and_then(|value| value.rsplit('/').next()) == Some(name) {
        return Err(anyhow!(
            "Default Host Management uses the role: turn that off first"
        ));
    }
    let from: RoleState = serde_json::from_value(from.clone())?;
    for policy in &from.managed_policies {
        detach(clients, name, policy).await?;
    }
    let answer = clients.iam.delete_role().role_name(name).send().await;
    answer
        .map(drop)
        .map_err(|error| describe(format!("DeleteRole {name}"), error))
}

async fn attach(clients: &Clients, role: &str, policy: &str, is_new: bool) -> anyhow::Result<()> {
    let call = async || {
        clients
            .iam
            .attach_role_policy()
            .role_name(role)
            .policy_arn(policy)
            .send()
            .await
    };
    let answer = patiently(is_new, call).await;
    answer
        .map(drop)
        .map_err(|error| describe(format!("AttachRolePolicy {role} {policy}"), error))
}

async fn detach(clients: &Clients, role: &str, policy: &str) -> anyhow::Result<()> {
    let answer = clients
        .iam
        .detach_role_policy()
        .role_name(role)
        .policy_arn(policy)
        .send()
        .await;
    answer
        .map(drop)
        .map_err(|error| describe(format!("DetachRolePolicy {role} {policy}"), error))
}

/// Calls again for a while when the answer is that a role of a moment ago is not there.
async fn patiently<T, E: ProvideErrorMetadata, R>(
    is_new: bool,
    call: impl AsyncFn() -> Result<T, SdkError<E, R>>,
) -> Result<T, SdkError<E, R>> {
    let mut waited = Duration::ZERO;
    loop {
        match call().await {
            Err(error)
                if is_new
                    && waited < PATIENCE
                    && error
                        .code()
                        .is_some_and(|code| NOT_THERE_YET.contains(&code)) =>
            {
                tokio::time::sleep(PAUSE).await;
                waited += PAUSE;
            }
            answer => return answer,
        }
    }
}

fn failed(error: String, left: Option<Value>) -> Tried {
    Tried {
        status: ChangeStatus::Failed,
        error: Some(error),
        left,
    }
}

fn skipped(reason: &str) -> Tried {
    Tried {
        status: ChangeStatus::Skipped,
        error: Some(reason.to_owned()),
        left: None,
    }
}
