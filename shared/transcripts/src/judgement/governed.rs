//! What resource control policies add to a judgement: they govern what a role uses, whoever owns it. Pure.

use iam_policy::{Request, Verdict};

use super::{Judgement, Side, statement};
use crate::needs::Need;
use crate::role::Own;

/// Adds what the resource control policies of the resource's account say. What the organization denies comes first: nobody below it
/// can mend that.
pub(super) fn governed(
    own: &Own,
    need: &Need,
    request: &Request,
    judgement: Judgement,
) -> Judgement {
    let by_organization = Judgement {
        side: Side::ResourceControl,
        statement: None,
        unread: None,
        ..judgement.clone()
    };
    let is_denied = judgement.verdict == Verdict::Denied;
    match own.above.denial(need.owner.as_deref(), request) {
        Ok(Some(denial)) if denial.verdict == Verdict::Denied => match judgement.side {
            Side::ServiceControl if is_denied => judgement,
            _ => Judgement {
                verdict: Verdict::Denied,
                statement: statement(&denial),
                is_ungranted: false,
                ..by_organization
            },
        },
        Ok(Some(doubt)) if judgement.verdict == Verdict::Allowed => Judgement {
            verdict: Verdict::Unknown,
            statement: statement(&doubt),
            ..by_organization
        },
        Err(reason) if judgement.verdict == Verdict::Allowed => Judgement {
            verdict: Verdict::Unknown,
            unread: Some(reason),
            ..by_organization
        },
        _ => judgement,
    }
}
