//! Whether a principal calls AWS itself, or a service that it has called does so for it, as S3 asks KMS and CloudFormation makes
//! what a template says. Policies distinguish the two by `aws:ViaAWSService` and `aws:CalledVia`. Pure.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_forward_access_sessions.html>

use std::collections::BTreeSet;

use iam_policy::{Condition, Context, Family, glob};

use super::actions::{Caller, filled};

const VIA: &str = "aws:ViaAWSService";
/// Present only where a service calls, and then by those services only that the page lists.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-calledvia>
const CALLED_VIA: [&str; 3] = ["aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast"];

/// Services that ask KMS for the keys of sessions and transcripts.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/services-s3.html>
const KEEPERS: [&str; 3] = [
    "logs.amazonaws.com",
    "s3.amazonaws.com",
    "ssm.amazonaws.com",
];

/// Who calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Through<'t> {
    Itself,
    /// A service that a policy names.
    Service(&'t str),
    /// A service that no policy names.
    Another,
}

/// Returns the services that conditions name; `None` where they do not ask who calls.
pub(super) fn services<'p>(
    conditions: impl Iterator<Item = &'p Condition>,
) -> Option<BTreeSet<String>> {
    let mut services = None;
    for condition in conditions {
        let is = |key: &&str| condition.key.value.eq_ignore_ascii_case(key);
        let names = CALLED_VIA.iter().any(&is);
        if !names && !is(&VIA) {
            continue;
        }
        let services = services.get_or_insert_with(BTreeSet::new);
        if names && condition.operator.test.family != Family::Null {
            services.extend(condition.values.iter().map(|value| value.value.clone()));
        }
    }
    services
}

/// Returns who may call, the principal itself first.
pub(super) fn callers(services: Option<&BTreeSet<String>>) -> Vec<Option<Through<'_>>> {
    let Some(services) = services else {
        return vec![None];
    };
    let services = services.iter().map(|name| Through::Service(name));
    let callers = std::iter::once(Through::Itself)
        .chain(services)
        .chain([Through::Another]);
    callers.map(Some).collect()
}

impl Through<'_> {
    /// Writes down what requests have of it.
    pub(super) fn set(self, context: &mut Context) {
        let service = match self {
            Through::Itself => None,
            Through::Service(name) => Some(filled(name)),
            Through::Another => Some(filled("*.amazonaws.com")),
        };
        context.set(VIA, vec![service.is_some().to_string()]);
        for key in CALLED_VIA {
            context.set(key, service.iter().cloned().collect());
        }
    }

    /// Returns what it means for a class of principals.
    pub(super) fn caller(self) -> Caller {
        let keeps_records = match self {
            Through::Itself => return Caller::Themselves,
            Through::Service(name) => KEEPERS.iter().any(|keeper| glob(name, keeper)),
            Through::Another => true,
        };
        Caller::Service { keeps_records }
    }

    /// Returns it as what follows the name of a class.
    pub(super) fn in_words(self) -> String {
        match self {
            Through::Itself => String::new(),
            Through::Service(name) => format!(", where {name} calls for it"),
            Through::Another => ", where a service calls for it".to_owned(),
        }
    }
}
