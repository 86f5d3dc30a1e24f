//! Tells what an earlier run of a plan did, and how to take it back. Reads only.

use aws_sdk_organizations::Client;
use toolio::{ChangeStatus, Found, Outcome, Plan, ResultKind, ResultRecord};

use super::{applied, inverse, pending};
use crate::model::Action;

/// Looks only: what is there tells what an earlier run did.
pub(super) async fn recover(
    client: &Client,
    plan: Plan<Action>,
) -> (ResultRecord<Action>, Outcome) {
    let (mut results, mut undo) = (Vec::new(), Vec::new());
    let mut outcome = Outcome::Fine;
    for change in &plan.changes {
        let found = match pending(client, change).await {
            Ok(true) => Found::NotDone,
            Ok(false) => {
                undo.splice(0..0, inverse(change));
                Found::Done
            }
            Err(error) => Found::Other(format!("{error:#}")),
        };
        let (status, error) = found.told();
        if status == ChangeStatus::Failed {
            outcome = Outcome::Trouble;
        }
        results.push(applied(change, status, error));
    }
    let undo = (!undo.is_empty()).then(|| Plan::new(&plan.tool, plan.target.clone(), undo));
    let record = ResultRecord {
        kind: ResultKind::Result,
        tool: plan.tool,
        target: plan.target,
        results,
        undo,
    };
    (record, outcome)
}
