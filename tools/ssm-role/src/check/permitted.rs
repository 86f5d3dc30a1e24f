//! What a role may not do, or may or may not, by what it is needed for and by whose policy decides. Pure.

use cli::Severity;
use records::{By, Feature, Verdict};
use transcripts::{Consequence, Preferences, Side};

use super::Findings;
use crate::TOOL;
use crate::model::Role;
use crate::required_permissions::{FEATURES, Judged, effect, ids, is_preference, judged};

/// In the order of their findings.
const SIDES: [Side; 6] = [
    Side::Identity,
    Side::Boundary,
    Side::ServiceControl,
    Side::ResourceControl,
    Side::KeyPolicy,
    Side::BucketPolicy,
];

/// Reports what a role may not do: in one finding when the managed policy would help, else by what it is needed for.
pub(super) fn permitted(role: &Role, missing: &str, message: &str, findings: &mut Findings<'_>) {
    let judged = judged(role, findings.above, findings.needs);
    let is_core = |one: &&Judged<'_>| !is_preference(one.need.feature);
    let lacks_core = judged
        .iter()
        .filter(is_core)
        .any(|one| one.need.feature == Feature::Register && one.permission.is_missing())
        && judged
            .iter()
            .filter(is_core)
            .all(|one| one.permission.verdict != Verdict::Allowed);
    if lacks_core {
        let fix = format!("let {TOOL} plan and apply it");
        findings.push(missing, Severity::Error, &role.arn, message, &fix);
    }
    let of = |feature: Feature, verdict: Verdict| -> Vec<&Judged<'_>> {
        let mine = judged.iter();
        mine.filter(|one| one.need.feature == feature && one.permission.verdict == verdict)
            .collect()
    };
    for feature in FEATURES {
        if !lacks_core || is_preference(feature) {
            let denied = of(feature, Verdict::Denied);
            for side in SIDES {
                let by_side = denied.iter().filter(|one| one.judgement.side == side);
                let by_side: Vec<&Judged<'_>> = by_side.copied().collect();
                if !by_side.is_empty() {
                    not_allowed(role, feature, &by_side, findings);
                }
            }
        }
        let unknown = of(feature, Verdict::Unknown);
        let is_unread_encryption =
            |one: &&Judged<'_>| one.need.feature == Feature::S3Kms && one.need.is_doubtful;
        let doubts: Vec<&Judged<'_>> = unknown
            .iter()
            .copied()
            .filter(|one| !is_unread_encryption(one))
            .collect();
        if !doubts.is_empty() {
            not_known(role, feature, &doubts, findings);
        }
        if unknown.iter().any(is_unread_encryption) {
            unread_encryption(role, feature, findings);
        }
    }
}

fn not_known(role: &Role, feature: Feature, doubts: &[&Judged<'_>], findings: &mut Findings<'_>) {
    let by = doubts.iter().find_map(|one| one.permission.by.as_ref());
    let unread = doubts.iter().find_map(|one| one.judgement.unread.as_ref());
    let (reason, fix) = match (by, unread) {
        (Some(by), Some(reason)) => {
            let of = by.layer.replace('_', " ");
            (
                format!("; the {of} of {} is not known: {reason}", by.policy),
                "allow kms:GetKeyPolicy and s3:GetBucketPolicy to the caller of `ssm-prefs show`, then check with its new record",
            )
        }
        (Some(by), None) => (
            format!("; it depends on {}", place(by)),
            "look at the conditions of that statement",
        ),
        (None, Some(reason)) => (
            format!("; what resource control policies say is not: {reason}"),
            "pass to --organization what `ssm-scp show` prints in the organization of that account",
        ),
        (None, None) => (String::new(), "look at the conditions of that statement"),
    };
    let ungranted = match doubts.iter().any(|one| one.is_grantable()) {
        true => "; no policy of the role allows it",
        false => "",
    };
    let message = format!(
        "whether the role allows {} is not known{reason}{ungranted}; if not, {}",
        list(doubts),
        effect(doubts)
    );
    let (_, id) = ids(feature);
    findings.push(id, Severity::Warning, &role.arn, &message, fix);
}

/// Reports buckets whose key nobody knows: the role may need it.
fn unread_encryption(role: &Role, feature: Feature, findings: &mut Findings<'_>) {
    let buckets = findings.preferences.into_iter();
    let buckets: Vec<String> = buckets
        .flat_map(Preferences::unknown_encryption)
        .map(|(name, reason)| format!("{name} ({reason})"))
        .collect();
    let message = format!(
        "how the bucket is encrypted is not known: {}; if with a customer managed key that the role may not use, its transcripts are lost",
        buckets.join(", ")
    );
    let fix = "allow s3:GetEncryptionConfiguration on the bucket and kms:DescribeKey on its key to the caller of `ssm-prefs show`, \
               then check with its new record";
    let (_, id) = ids(feature);
    findings.push(id, Severity::Warning, &role.arn, &message, fix);
}

fn not_allowed(role: &Role, feature: Feature, denied: &[&Judged<'_>], findings: &mut Findings<'_>) {
    let by = denied.iter().find_map(|one| one.permission.by.as_ref());
    let side = denied.first().map(|one| one.judgement.side);
    let (reason, fix) = match (side, by) {
        (Some(Side::KeyPolicy), Some(by)) if by.path.is_none() => (
            format!("the key policy of {} lets neither the role nor the account in", by.policy),
            "add a statement for the role to the key policy, or one that leaves the key to the account's own policies".to_owned(),
        ),
        (Some(Side::KeyPolicy), Some(by)) => (
            format!("{} denies it", place(by)),
            "correct that statement of the key policy; no policy on the role helps".to_owned(),
        ),
        (Some(Side::BucketPolicy), Some(by)) if by.path.is_none() => (
            format!("the policy of {} lets neither the role nor the account in", by.policy),
            "have its owner add the statements that `ssm-prefs plan` prints (for_owners)".to_owned(),
        ),
        (Some(Side::BucketPolicy), Some(by)) => (
            format!("{} denies it", place(by)),
            "correct that statement of the bucket policy; no policy on the role helps".to_owned(),
        ),
        (Some(Side::ServiceControl), Some(by)) => (
            format!("{} denies it", place(by)),
            "have the administrators of the organization except the role from that service control policy; no policy on the role helps".to_owned(),
        ),
        (Some(Side::ResourceControl), Some(by)) => (
            format!("{} denies it", place(by)),
            "have the administrators of the organization except the role from that resource control policy; no policy on the role, key or bucket helps".to_owned(),
        ),
        (Some(Side::ServiceControl), None) => (
            "no service control policy of a level of its organization allows it".to_owned(),
            "have the administrators of the organization allow it there; no policy on the role helps".to_owned(),
        ),
        (_, Some(by)) if by.path.is_none() => (
            format!("the permissions boundary {} does not allow it", by.policy),
            "widen the boundary; no policy on the role helps".to_owned(),
        ),
        (_, Some(by)) => (
            format!("{} denies it", place(by)),
            "correct that statement; no policy on the role helps".to_owned(),
        ),
        (_, None) => (
            "no policy allows it".to_owned(),
            match is_preference(feature) {
                true => format!("let {TOOL} plan and apply it, with --prefs"),
                false => format!("let {TOOL} plan and apply it"),
            },
        ),
    };
    let is_minor = |one: &&Judged<'_>| one.need.consequence == Consequence::LongNotUploaded;
    let severity = match feature {
        Feature::StateManager => Severity::Warning,
        _ if denied.iter().all(is_minor) => Severity::Warning,
        _ => Severity::Error,
    };
    let message = format!(
        "the role may not {}: {reason}; {}",
        list(denied),
        effect(denied)
    );
    let (id, _) = ids(feature);
    findings.push(id, severity, &role.arn, &message, &fix);
}

/// Names actions, the first three of many.
fn list(judged: &[&Judged<'_>]) -> String {
    let actions: Vec<&str> = judged.iter().map(|one| one.need.action).take(3).collect();
    let more = match judged.len() {
        0..=3 => String::new(),
        n_all => format!(" and {} more", n_all - 3),
    };
    format!("{}{more}", actions.join(", "))
}

fn place(by: &By) -> String {
    let sid = by
        .sid
        .as_ref()
        .map_or_else(String::new, |sid| format!(" ({sid})"));
    match &by.path {
        Some(path) => format!("{path}{sid} of {}", by.policy),
        None => by.policy.clone(),
    }
}
