//! Verdicts about several things at once.

use iam_policy::Verdict;

/// Returns whether one of two ways is open.
#[must_use]
pub fn either(left: Verdict, right: Verdict) -> Verdict {
    match (left, right) {
        (Verdict::Allowed, _) | (_, Verdict::Allowed) => Verdict::Allowed,
        (Verdict::Denied, Verdict::Denied) => Verdict::Denied,
        _ => Verdict::Unknown,
    }
}

/// Returns whether both of two things are allowed.
#[must_use]
pub fn both(left: Verdict, right: Verdict) -> Verdict {
    match (left, right) {
        (Verdict::Denied, _) | (_, Verdict::Denied) => Verdict::Denied,
        (Verdict::Allowed, Verdict::Allowed) => Verdict::Allowed,
        _ => Verdict::Unknown,
    }
}
