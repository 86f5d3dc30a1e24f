//! The resources of a statement, and whether they cover that of a request.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>

use super::condition::unknown_key;
use super::{Asker, RESOURCE, Truth};
use crate::Version;
use crate::pattern::{Template, arn_parts};
use crate::reference;
use crate::request::Request;
use crate::value::arn_matches;

/// What an answer depends on where AWS does not say whether a pattern matches.
const WILDCARD: &str = "a wildcard in the type of the resource";
const INCOMPLETE: &str = "an incomplete ARN";

/// A value of `Resource` or `NotResource`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Resource {
    Everything,
    /// What no resource is: a variable stands where none may.
    Nothing,
    /// The six parts, those that are left out as wildcards, and the text as a whole: a `*` at the end of a part may match
    /// beyond the colon.
    Arn {
        parts: Box<[Template; 6]>,
        whole: Template,
        is_complete: bool,
        has_doubtful_type: bool,
    },
}

impl Resource {
    /// Compiles a value.
    ///
    /// # Errors
    /// It is malformed; the text says how.
    pub(super) fn compile(text: &str, version: Version) -> Result<Resource, &'static str> {
        if text.bytes().all(|byte| byte == b'*') && !text.is_empty() {
            return Ok(Resource::Everything);
        }
        let mut parts = arn_parts(text, version);
        // "You can't use a variable to replace parts of the ARN before the fifth colon."
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-wheretouse
        let before = parts.iter().take(5);
        if version == Version::Of2012 && before.into_iter().any(|part| part.contains("${")) {
            Template::parse(text, version, true)?;
            return Ok(Resource::Nothing);
        }
        let is_complete = parts.len() >= 6;
        let has_doubtful_type = matches!(parts.as_slice(), [_, _, service, _, _, name] if has_doubtful_type(service, name));
        parts.resize(6, "*");
        let templates: Result<Vec<Template>, _> = parts
            .iter()
            .map(|part| Template::parse(part, version, true))
            .collect();
        let templates: Result<[Template; 6], _> = templates?.try_into();
        match templates {
            Ok(parts) => Ok(Resource::Arn {
                parts: Box::new(parts),
                whole: Template::parse(text, version, true)?.bounded_by_segments(),
                is_complete,
                has_doubtful_type,
            }),
            Err(_) => Err("an ARN of more than six parts"),
        }
    }

    fn covers<'p>(
        &'p self,
        request: &Request,
        given: Option<[&str; 6]>,
        asker: Asker,
    ) -> Truth<'p> {
        let Resource::Arn {
            parts,
            whole,
            is_complete,
            has_doubtful_type,
        } = self
        else {
            return Truth::of(matches!(self, Resource::Everything));
        };
        let Some(text) = request.resource.as_deref() else {
            return Truth::Unknown(RESOURCE);
        };
        if let Some(key) = unknown_key(whole.keys(), &request.context) {
            return Truth::Unknown(key);
        }
        let as_written = || given.is_some() && whole.covers(text, &request.context);
        let by_parts = arn_matches(parts, &given, &request.context);
        if !by_parts && !as_written() {
            Truth::No
        } else if *has_doubtful_type {
            Truth::Unknown(WILDCARD)
        } else if by_parts && !is_complete && !asker.completes_arns && !as_written() {
            Truth::Unknown(INCOMPLETE)
        } else {
            Truth::Yes
        }
    }
}

/// Returns whether some resources cover that of a request.
pub(super) fn cover<'p>(resources: &'p [Resource], request: &Request, asker: Asker) -> Truth<'p> {
    let given = request.resource_parts();
    let mut covered = Truth::No;
    for resource in resources {
        match resource.covers(request, given, asker) {
            Truth::Yes => return Truth::Yes,
            unknown if covered == Truth::No => covered = unknown,
            _ => {}
        }
    }
    covered
}

/// Returns whether AWS leaves open what the last part of an ARN matches, because a wildcard is in the type of the resource: its
/// guide does not allow that, and managed policies of AWS have `security-group*/*`. `*` alone and `*/*` are for all types, as
/// examples of AWS have it. Services like S3 and SQS have no types.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns>
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/supported-iam-actions-tagging.html>
pub(crate) fn has_doubtful_type(service: &str, name: &str) -> bool {
    let kind = name.split(['/', ':']).next().unwrap_or_default();
    kind.contains(['*', '?'])
        && !kind.contains("${")
        && name.bytes().any(|byte| !matches!(byte, b'*' | b'/' | b':'))
        && has_types(service)
}

/// Returns whether the name of every resource of a service begins with its type.
fn has_types(service: &str) -> bool {
    let Some(service) = reference::service(service) else {
        return false;
    };
    let own = service.resource_types.iter().filter_map(|one| {
        let mut parts = one.arn.splitn(4, ':');
        let is_own = parts.next() == Some(service.prefix);
        parts.nth(2).filter(|_| is_own)
    });
    let mut n_types = 0;
    for name in own {
        let end = name.find(['/', ':']).unwrap_or_default();
        if end == 0 || name[..end].contains('*') {
            return false;
        }
        n_types += 1;
    }
    n_types > 0
}

#[cfg(test)]
mod tests {
    use super::has_doubtful_type;

    #[test]
    fn a_wildcard_is_in_the_type_where_names_begin_with_one() {
        for (service, name, expected) in [
            ("ec2", "instanc?/*", true),
            ("ec2", "*/i-0123456789abcdef0", true),
            ("ec2", "i*/*", true),
            ("iam", "u*", true),
            ("lambda", "functi*:my-function", true),
            ("ssm", "doc*", true),
            ("ec2", "*", false),
            ("ec2", "*/*", false),
            ("ec2", "instance/*", false),
            ("iam", "role/*/ops", false),
            ("iam", "role/${aws:username}*", false),
            ("s3", "b*/x", false),
            ("s3", "*/x", false),
            ("sqs", "queue-*", false),
            ("sns", "*:x", false),
            ("nobody", "typ?/x", false),
        ] {
            assert_eq!(
                has_doubtful_type(service, name),
                expected,
                "{service} {name}"
            );
        }
    }
}
