//! Gathers what the lock-out guard looks at: the tree of policies as it is and as plans will leave it, who is in the accounts
//! where the two differ, and what the history says. Reads only.

use std::path::Path;

use anyhow::{Context, bail, ensure};
use aws_sdk_organizations::Client;
use awsconf::Session;
use cli::{Plan, Reading};
use futures_util::StreamExt;
use iam_policy::{MAX_SCP_CHARACTERS, PolicyType, Problem, Rule, Severity, lint};

use crate::lockout::{
    Evidence, Risk, Shift, Step, carry_out, may_allow, midway, parsed, risks as judge,
};
use crate::model::{Action, AttachmentState, PolicyState};
use crate::observe::{self, Through};
use crate::replay::Replay;

/// Returns what speaks against plans, which are of one organization and carried out one after another.
pub(crate) async fn risks(
    history: Option<&Path>,
    through: &Through,
    session: &Session,
    client: &Client,
    plans: &[&Plan<Action>],
) -> anyhow::Result<Vec<Risk>> {
    for change in plans.iter().flat_map(|plan| &plan.changes) {
        if let super::Step::Policy(Some(state)) = super::step(change)? {
            forbidden(&state).with_context(|| format!("`to` of {}", change.id))?;
        }
    }
    if only_frees(client, plans).await {
        return Ok(Vec::new());
    }
    let before = observe::organization(client)
        .await
        .context("look for who would be locked out")?;
    let mut after = before.clone();
    for change in plans.iter().flat_map(|plan| &plan.changes) {
        if change.action == Action::AttachPolicy {
            let target = parsed::<AttachmentState>(&change.to)
                .with_context(|| format!("`to` of {}", change.id))?
                .target_id
                .0;
            // AWS would say so, too, after the policy was made.
            ensure!(
                before.entities.iter().any(|entity| entity.id == target),
                "{}: {target} is not in the organization",
                change.id
            );
        }
        carry_out(&mut after, change.action, &change.from, &change.to)
            .with_context(|| format!("`to` of {}", change.id))?;
    }
    let shift = Shift::of(&before, &after);
    let steps: Vec<Step<'_>> = plans
        .iter()
        .flat_map(|plan| &plan.changes)
        .map(|change| Step {
            id: &change.id,
            action: change.action,
            from: &change.from,
            to: &change.to,
        })
        .collect();
    let midway = midway(&shift, &before, &after, &steps)?;
    let mut accounts = shift.accounts();
    accounts.extend(
        midway
            .iter()
            .flat_map(|state| state.accounts.iter().cloned()),
    );
    let (caller, unread_path) = match accounts.contains(&session.target.account) {
        true => {
            let (arn, unread) = observe::caller_arn(session).await;
            (Some(arn), unread.map(|error| format!("{error:#}")))
        }
        false => (None, None),
    };
    let history = match history {
        Some(path) => observe::history(path, &shift.coming())?,
        None => Vec::new(),
    };
    let mut replays = history.iter();
    let unread_history = replays.find_map(|replay| replay.counts.unread());
    let history: Vec<_> = history.into_iter().flat_map(Replay::into_denied).collect();
    let accounts: Vec<_> = through.each(session, &accounts).collect().await;
    Ok(judge(&Evidence {
        shift: &shift,
        midway: &midway,
        accounts: &accounts,
        caller: caller.as_deref(),
        unread_path: unread_path.as_deref(),
        history: &history,
        unread_history: unread_history.as_deref(),
    }))
}

/// What AWS refuses, by the errors of the linter. Its other errors are about what a policy does.
const STRUCTURE: [Rule; 12] = [
    Rule::Action,
    Rule::ConflictingElements,
    Rule::Effect,
    Rule::EmptyList,
    Rule::ForbiddenElement,
    Rule::Json,
    Rule::MissingElement,
    Rule::Operator,
    Rule::Sid,
    Rule::Size,
    Rule::UnknownElement,
    Rule::WrongType,
];

/// Refuses what AWS refuses in a service control policy, before it has done other changes of the plan: nobody else reads an edited
/// document as a whole. With NotPrincipal it would seem to spare somebody.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html>
fn forbidden(state: &PolicyState) -> anyhow::Result<()> {
    let max_characters = MAX_SCP_CHARACTERS;
    let problems = lint(
        &state.document.to_string(),
        PolicyType::ServiceControl { max_characters },
    );
    let mut problems = problems.into_iter();
    let is_refused = |problem: &Problem| {
        problem.severity == Severity::Error && STRUCTURE.contains(&problem.rule)
    };
    match problems.find(is_refused) {
        None => Ok(()),
        Some(problem) => bail!(
            "policy {}: {}: {}; {}",
            state.name,
            problem.position,
            problem.message,
            problem.fix
        ),
    }
}

/// Returns whether plans only take denials back. The way back must not depend on whether the whole organization can be read.
async fn only_frees(client: &Client, plans: &[&Plan<Action>]) -> bool {
    for change in plans.iter().flat_map(|plan| &plan.changes) {
        match change.action {
            Action::DeletePolicy => {}
            Action::DetachPolicy => {
                let Ok(state) = parsed::<AttachmentState>(&change.from) else {
                    return false;
                };
                match observe::policy(client, &state.policy_name).await {
                    Reading::Present(policy) if may_allow(&policy.state.document) => return false,
                    Reading::Present(_) | Reading::Absent => {}
                    Reading::Unknown(_) => return false,
                }
            }
            Action::EnablePolicyType
            | Action::CreatePolicy
            | Action::UpdatePolicy
            | Action::AttachPolicy => return false,
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{PolicyState, forbidden};

    #[track_caller]
    fn check(statement: Value, expected: Option<&str>) {
        let state = PolicyState {
            name: "guard".to_owned(),
            description: String::new(),
            document: json!({"Version": "2012-10-17", "Statement": [statement]}),
        };
        let refused = forbidden(&state).err().map(|error| error.to_string());
        match expected {
            None => assert_eq!(refused, None),
            Some(part) => assert!(
                refused.as_ref().is_some_and(|why| why.contains(part)),
                "{refused:?}"
            ),
        }
    }

    #[test]
    fn what_aws_refuses_is_refused_before_the_first_write() {
        let deny = |changes: Value| {
            let mut statement =
                json!({"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*"});
            let fields = statement.as_object_mut().unwrap();
            fields.extend(changes.as_object().unwrap().clone());
            fields.retain(|_, value| !value.is_null());
            statement
        };
        let long: Vec<String> = (0..600)
            .map(|one| format!("arn:aws:s3:::bucket-{one}"))
            .collect();
        check(deny(json!({})), None);
        // What nobody should deny is for the judgement, not for AWS to refuse.
        check(deny(json!({"Action": "*"})), None);
        check(deny(json!({"Principal": "*"})), Some("Principal"));
        check(deny(json!({"Sid": "not so"})), Some("Sid"));
        check(deny(json!({"Resource": null})), Some("Resource"));
        check(deny(json!({"Effect": "Maybe"})), Some("Effect"));
        check(deny(json!({"Resource": long})), Some("10240"));
    }
}
