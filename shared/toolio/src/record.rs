//! The records that tools exchange. Keys are in this order on the wire and never renamed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The account and region that a record speaks of. `region` is `global` for services that have none.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// 12-digit account id.
    pub account: String,
    /// Region code such as `eu-central-1`, or `global`.
    pub region: String,
}

impl std::fmt::Display for Target {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.account, self.region)
    }
}

impl std::str::FromStr for Target {
    type Err = &'static str;

    /// Reads what [`Display`](std::fmt::Display) writes: `ACCOUNT/REGION`.
    fn from_str(text: &str) -> Result<Target, &'static str> {
        match text.split_once('/') {
            Some((account, region))
                if account.len() == 12
                    && account.bytes().all(|b| b.is_ascii_digit())
                    && region.contains('-') =>
            {
                Ok(Target {
                    account: account.to_owned(),
                    region: region.to_owned(),
                })
            }
            _ => Err("expected ACCOUNT/REGION such as 111122223333/eu-central-1"),
        }
    }
}

/// How grave a finding is.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Access, encryption or the audit trail is broken or open.
    Error,
    /// It works, but not as it should, or it could not be found out whether it does.
    Warning,
    /// Worth knowing.
    Info,
}

/// The `kind` of a finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The only value.
    Finding,
}

/// One thing that is wrong, what it causes and what cures it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    /// Always `finding`.
    pub kind: FindingKind,
    /// `tool.subject.problem`; never renamed.
    pub id: String,
    /// How grave it is.
    pub severity: Severity,
    /// Where; absent for a file.
    pub target: Option<Target>,
    /// ARN, id, name or file position of what is wrong.
    pub resource: String,
    /// What is wrong and what that causes.
    pub message: String,
    /// What to do about it.
    pub fix: String,
}

impl Finding {
    /// Returns a finding about a place in a text: `place` is its name, line, column and JSON path. The resource is
    /// written as compilers do it, so that editors jump there.
    #[must_use]
    pub fn in_text(
        id: String,
        severity: Severity,
        place: (&str, usize, usize, &str),
        message: String,
        fix: String,
    ) -> Finding {
        let (source, line, column, path) = place;
        Finding {
            kind: FindingKind::Finding,
            id,
            severity,
            target: None,
            resource: format!("{source}:{line}:{column} {path}"),
            message,
            fix,
        }
    }
}

/// The `kind` of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PlanKind {
    /// The only value.
    Plan,
}

/// Everything `apply` will do in one account and region, in order. `A` is the tool's own list of actions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Plan<A> {
    /// Always `plan`.
    pub kind: PlanKind,
    /// The tool that made it and alone can apply it.
    pub tool: String,
    /// The only account and region it may be applied to.
    pub target: Target,
    /// In order of execution; empty when nothing needs to change.
    pub changes: Vec<Change<A>>,
}

impl<A> Plan<A> {
    /// Returns a plan of `tool` for `target`.
    pub fn new(tool: &str, target: Target, changes: Vec<Change<A>>) -> Plan<A> {
        Plan {
            kind: PlanKind::Plan,
            tool: tool.to_owned(),
            target,
            changes,
        }
    }
}

impl<A> Plan<A> {
    /// Returns whether an earlier change of this plan makes what a change is about: then what is found is what AWS has given
    /// to a new thing, which the plan could not know.
    #[must_use]
    pub fn is_of_new(&self, change: &Change<A>) -> bool {
        let earlier = self.changes.iter().take_while(|one| one.id != change.id);
        earlier
            .filter(|one| one.resource == change.resource)
            .any(|one| one.from.is_null())
    }
}

/// One write: what is there now, what will be there, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Change<A> {
    /// Unique within the plan, stable between runs.
    pub id: String,
    /// What is done.
    pub action: A,
    /// ARN, id or name of what is changed.
    pub resource: String,
    /// The state that `apply` must find, else it refuses; null when the resource must not exist.
    pub from: Value,
    /// The state that `apply` leaves; null when the resource is removed.
    pub to: Value,
    /// The reason, for the reader of the plan.
    pub why: String,
}

/// The `kind` of a result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ResultKind {
    /// The only value.
    Result,
}

/// What `apply` did with one plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ResultRecord<A> {
    /// Always `result`.
    pub kind: ResultKind,
    /// The tool that did it.
    pub tool: String,
    /// Where it was done.
    pub target: Target,
    /// One entry for every change of the plan, in its order.
    pub results: Vec<Applied<A>>,
    /// The plan that leads back; null when there is nothing to undo.
    pub undo: Option<Plan<A>>,
}

impl<A: Clone> ResultRecord<A> {
    /// Returns the result of a plan of which nothing was tried.
    #[must_use]
    pub fn skipped(plan: &Plan<A>, reason: &str) -> ResultRecord<A> {
        let skip = |change: &Change<A>| Applied {
            id: change.id.clone(),
            action: change.action.clone(),
            resource: change.resource.clone(),
            status: ChangeStatus::Skipped,
            error: Some(reason.to_owned()),
        };
        ResultRecord {
            kind: ResultKind::Result,
            tool: plan.tool.clone(),
            target: plan.target.clone(),
            results: plan.changes.iter().map(skip).collect(),
            undo: None,
        }
    }
}

/// What `apply` reads: plans, and what was unreachable when they were made.
#[derive(Clone, Debug, PartialEq)]
pub struct Plans<A> {
    /// In the order of the input.
    pub plans: Vec<Plan<A>>,
    /// In the order of the input.
    pub unreachable: Vec<Unreachable>,
}

/// What became of one change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Applied<A> {
    /// The change's id.
    pub id: String,
    /// The change's action.
    pub action: A,
    /// The change's resource; the id that AWS gave, where it gives one.
    pub resource: String,
    /// What became of it.
    pub status: ChangeStatus,
    /// Why it failed, was skipped or kept; null otherwise.
    pub error: Option<String>,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ChangeStatus {
    /// Written and read back.
    Done,
    /// The wished state was there already; nothing was written.
    Unchanged,
    /// Holds records, so that an undo leaves it; `error` says which.
    Kept,
    /// Not tried, because an earlier change failed or the run was interrupted.
    Skipped,
    /// Refused or failed; `error` says why.
    Failed,
    /// Whether it was done could not be found out; `error` says why.
    Unknown,
}

/// The `kind` of an unreachable record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum UnreachableKind {
    /// The only value.
    Unreachable,
}

/// A target that could not be read while others could. The exit status is 2 when there is one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Unreachable {
    /// Always `unreachable`.
    pub kind: UnreachableKind,
    /// The tool that tried.
    pub tool: String,
    /// Where.
    pub target: Target,
    /// Why, in one line.
    pub error: String,
}

impl Unreachable {
    /// Returns the record of a target that failed with `error`.
    pub fn new(tool: &str, target: &Target, error: &anyhow::Error) -> Unreachable {
        Unreachable {
            kind: UnreachableKind::Unreachable,
            tool: tool.to_owned(),
            target: target.clone(),
            error: format!("{error:#}"),
        }
    }
}

/// Something that was looked for: found, known to be absent, or unknown because it could not be read.
///
/// Unknown is never a pass and never a failure: `AccessDenied` on a read must not be taken for "absent".
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "state", content = "value", rename_all = "lowercase")]
pub enum Reading<T> {
    /// It is there.
    Present(T),
    /// It is not there.
    #[default]
    Absent,
    /// It could not be read; the text says why.
    Unknown(String),
}

impl<T> Reading<T> {
    /// Returns the value if it is there.
    pub fn present(&self) -> Option<&T> {
        match self {
            Reading::Present(value) => Some(value),
            Reading::Absent | Reading::Unknown(_) => None,
        }
    }
    /// Returns the reading of what a value is turned into.
    pub fn map<U>(self, convert: impl FnOnce(T) -> U) -> Reading<U> {
        self.and_then(|value| Reading::Present(convert(value)))
    }

    /// Returns what a value leads to, which may be absent or unknown itself.
    pub fn and_then<U>(self, convert: impl FnOnce(T) -> Reading<U>) -> Reading<U> {
        match self {
            Reading::Present(value) => convert(value),
            Reading::Absent => Reading::Absent,
            Reading::Unknown(reason) => Reading::Unknown(reason),
        }
    }
}
