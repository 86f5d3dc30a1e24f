//! What `impact` prints: counts first, then a record for each principal, those who lose something before all others. Pure.

use iam_policy::Decision;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How many actions of a statement a record names: one that denies everything denies 22,000.
pub(super) const MAX_NAMED: usize = 50;

/// The `kind` of an impact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImpactKind {
    /// The only value.
    Impact,
}

/// What a principal is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum PrincipalType {
    Role,
    User,
    /// The role that IAM Identity Center made for a permission set.
    PermissionSet,
}

/// What becomes of a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Class {
    /// Exempt, IAM allows it some of the actions, be it that something else denies them today, and somebody may assume it.
    StillIn,
    /// The same, but nobody may assume it: only a service may; whoever it trusts does not exist, can be assumed by nobody itself or may
    /// not call `sts:AssumeRole` for it; or a resource control policy denies it. It lets no person in.
    NotAssumable,
    /// It may do something today that it may not do afterwards.
    NewlyDenied,
    /// Spared by the guard, but IAM does not allow it any of the actions.
    Exempt,
    /// The guard does not bind it: another account, the management account or a service-linked role.
    NotGoverned,
    /// It may not do any of the actions today.
    DeniedBefore,
    /// It depends on something that is not known.
    Unknown,
}

/// One principal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Impact {
    /// Always `impact`.
    pub(crate) kind: ImpactKind,
    pub(crate) account: String,
    pub(crate) principal: String,
    pub(crate) r#type: PrincipalType,
    pub(crate) class: Class,
    /// The actions that it loses, where it is newly denied; else those that it keeps, or gets. At most 50 of each statement.
    pub(crate) actions: Vec<String>,
    /// The actions that it loses by what denies them, then those of which that depends on more; of those who are still in what they
    /// lose on some resources, or in some sessions.
    pub(crate) losses: Vec<ImpactLoss>,
    /// Why, in one line.
    pub(crate) why: String,
}

/// Actions that are lost for the same reason.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImpactLoss {
    /// At most 50 of them.
    pub(crate) actions: Vec<String>,
    /// How many there are.
    pub(crate) n_actions: usize,
    /// Name of the policy that denies them; null where none allows them any more.
    pub(crate) policy: Option<String>,
    /// Sid of the statement; null where it has none.
    pub(crate) sid: Option<String>,
    /// The statement, its policy and where that is attached, in one line.
    pub(crate) why: String,
}

impl ImpactLoss {
    /// Adds actions to those that are lost for the same reason.
    pub(super) fn add(
        losses: &mut Vec<ImpactLoss>,
        actions: &[&str],
        decision: &Decision<'_>,
        why: String,
    ) {
        let known = losses.iter().position(|one| one.why == why);
        let at = known.unwrap_or_else(|| {
            let statement = decision.statement;
            let sid = statement.map(|one| one.sid.to_owned());
            losses.push(ImpactLoss {
                actions: Vec::new(),
                n_actions: 0,
                policy: statement.map(|one| one.policy.to_owned()),
                sid: sid.filter(|sid| !sid.is_empty()),
                why,
            });
            losses.len() - 1
        });
        let loss = &mut losses[at];
        loss.n_actions += actions.len();
        let n_free = MAX_NAMED.saturating_sub(loss.actions.len());
        let names = actions.iter().take(n_free);
        loss.actions
            .extend(names.map(|action| (*action).to_owned()));
    }
}

/// The `kind` of counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ImpactCountsKind {
    /// The only value.
    ImpactCounts,
}

/// How many risks and principals of each class there are, and how many accounts were not read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImpactCounts {
    /// Always `impact_counts`.
    pub(crate) kind: ImpactCountsKind,
    /// Findings `scp.lockout.risk`, which come next.
    pub(crate) n_risks: usize,
    pub(crate) n_newly_denied: usize,
    pub(crate) n_unknown: usize,
    pub(crate) n_still_in: usize,
    pub(crate) n_not_assumable: usize,
    pub(crate) n_exempt: usize,
    pub(crate) n_denied_before: usize,
    pub(crate) n_not_governed: usize,
    pub(crate) n_accounts_unread: usize,
}

impl ImpactCounts {
    /// Counts the classes of principals.
    pub(super) fn of(
        classes: impl Iterator<Item = Class> + Clone,
        n_risks: usize,
        n_accounts_unread: usize,
    ) -> ImpactCounts {
        let count = |class| classes.clone().filter(|one| *one == class).count();
        ImpactCounts {
            kind: ImpactCountsKind::ImpactCounts,
            n_risks,
            n_newly_denied: count(Class::NewlyDenied),
            n_unknown: count(Class::Unknown),
            n_still_in: count(Class::StillIn),
            n_not_assumable: count(Class::NotAssumable),
            n_exempt: count(Class::Exempt),
            n_denied_before: count(Class::DeniedBefore),
            n_not_governed: count(Class::NotGoverned),
            n_accounts_unread,
        }
    }
}
