//! A request as policies see it: who, what, on what, and the context keys that are known of it.

use std::collections::BTreeMap;

use crate::arn::split;
use crate::governed_services::RCP_SERVICES;
use crate::pattern::Values;

/// What the aliases of keys that AWS manages begin with, and no other may.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html>
const ALIAS_OF_AWS: &str = "alias/aws/";

/// Who asks; only resource-based policies look at it, the others go by the context key `aws:PrincipalArn`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Principal {
    /// A user, a role or a root user, and the session when a role was assumed.
    Aws {
        /// ARN of the user, the role or the root user.
        arn: String,
        /// `arn:aws:sts::123456789012:assumed-role/NAME/SESSION`.
        session: Option<String>,
    },
    /// A service: `ssm.amazonaws.com`.
    Service(String),
}

/// The context keys of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Whether a key that is not named is known to be missing; otherwise nobody knows.
    complete: bool,
    /// By key in lower case; no value means that the key is known to be missing.
    keys: BTreeMap<Box<str>, Vec<String>>,
}

/// What is known of a key.
pub(crate) enum Known<'a> {
    /// The values; none means that the key is missing.
    Values(&'a [String]),
    /// Nothing.
    Nothing,
}

impl Context {
    /// Returns a context in which every key that is not set is missing.
    #[must_use]
    pub fn complete() -> Context {
        Context {
            complete: true,
            keys: BTreeMap::new(),
        }
    }

    /// Returns a context in which nothing is known of keys that are not set, as in an audit record.
    #[must_use]
    pub fn partial() -> Context {
        Context {
            complete: false,
            keys: BTreeMap::new(),
        }
    }

    /// Sets a key; case does not matter. Without values it is known to be missing.
    pub fn set(&mut self, key: &str, values: Vec<String>) {
        self.keys.insert(key.to_ascii_lowercase().into(), values);
    }

    /// Sets a key to one value.
    #[must_use]
    pub fn with(mut self, key: &str, value: impl Into<String>) -> Context {
        self.set(key, vec![value.into()]);
        self
    }

    /// Returns what is known of a key, given in lower case.
    pub(crate) fn get(&self, key: &str) -> Known<'_> {
        match self.keys.get(key) {
            Some(values) => Known::Values(values),
            None if self.complete => Known::Values(&[]),
            None => Known::Nothing,
        }
    }
}

impl Values for Context {
    fn single(&self, key: &str) -> Option<&str> {
        match self.keys.get(key).map(Vec::as_slice) {
            Some([value]) => Some(value),
            _ => None,
        }
    }
}

/// A request to be judged.
#[derive(Clone, Debug)]
pub struct Request {
    /// Who asks, where a resource-based policy is to be judged.
    pub principal: Option<Principal>,
    /// `service:Action` in lower case.
    pub(crate) action: Box<str>,
    /// The ARN, or `*` for an action that is not about a resource; `None` when it is not known.
    pub(crate) resource: Option<Box<str>>,
    /// What else is known.
    pub context: Context,
}

impl Request {
    /// Returns a request by nobody in particular.
    #[must_use]
    pub fn new(action: &str, resource: &str, context: Context) -> Request {
        Request {
            principal: None,
            action: action.to_ascii_lowercase().into(),
            resource: Some(resource.into()),
            context,
        }
    }

    /// Returns a request on a resource that is not known: statements about some resources only may apply or not.
    #[must_use]
    pub fn on_unknown_resource(action: &str, context: Context) -> Request {
        Request {
            resource: None,
            ..Request::new(action, "", context)
        }
    }

    /// Returns the same request on another resource.
    #[must_use]
    pub fn on(&self, resource: &str) -> Request {
        Request {
            resource: Some(resource.into()),
            ..self.clone()
        }
    }

    /// Returns whether resource control policies govern the request, wherever they are attached: by its service, and neither to
    /// retire a grant nor on a key that AWS manages. That one is known by its alias: that of the resource, or, where the resource
    /// is a key by its ID, one of `kms:ResourceAliases`. Service-linked roles and the management account are for the caller to
    /// look at.
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/resource-control-policies.html>
    #[must_use]
    pub fn is_resource_controlled(&self) -> bool {
        let service = self.action.split(':').next().unwrap_or_default();
        let is_of_aws = || {
            let named = self.resource_parts().map(|parts| parts[5]);
            let aliases = match self.context.get("kms:resourcealiases") {
                Known::Values(aliases) => aliases,
                Known::Nothing => &[],
            };
            let mut names = named.into_iter().chain(aliases.iter().map(String::as_str));
            service == "kms" && names.any(|name| name.starts_with(ALIAS_OF_AWS))
        };
        RCP_SERVICES.contains(&service) && &*self.action != "kms:retiregrant" && !is_of_aws()
    }

    /// Returns the parts of the resource's ARN; `None` for `*` and when it is not known.
    pub(crate) fn resource_parts(&self) -> Option<[&str; 6]> {
        self.resource.as_deref().and_then(split)
    }
}

#[cfg(test)]
mod tests {
    use super::{Context, Request};

    #[test]
    fn resource_control_policies_govern_neither_keys_of_aws_nor_the_end_of_grants() {
        let key = |name: &str| format!("arn:aws:kms:eu-central-1:111122223333:{name}");
        for (action, resource, expected) in [
            ("kms:Decrypt", key("key/1234"), true),
            ("kms:Decrypt", key("alias/sessions"), true),
            ("kms:Decrypt", key("alias/aws/s3"), false),
            ("kms:RetireGrant", key("key/1234"), false),
            ("KMS:CreateGrant", key("key/1234"), true),
            ("s3:GetObject", "arn:aws:s3:::alias/aws/s3".to_owned(), true),
            (
                "sts:AssumeRole",
                "arn:aws:iam::111122223333:role/ops".to_owned(),
                true,
            ),
            ("ssm:StartSession", "*".to_owned(), false),
        ] {
            let request = Request::new(action, &resource, Context::partial());
            assert_eq!(
                request.is_resource_controlled(),
                expected,
                "{action} {resource}"
            );
        }
        let unknown = Request::on_unknown_resource("kms:Decrypt", Context::partial());
        assert!(unknown.is_resource_controlled());
        // A key by its ID is known by its aliases.
        for (alias, expected) in [("alias/aws/s3", false), ("alias/sessions", true)] {
            let context = Context::partial().with("kms:ResourceAliases", alias);
            for request in [
                Request::new("kms:Decrypt", &key("key/1234"), context.clone()),
                Request::on_unknown_resource("kms:Decrypt", context.clone()),
            ] {
                assert_eq!(request.is_resource_controlled(), expected, "{alias}");
            }
            let bucket = Request::new("s3:GetObject", "arn:aws:s3:::b/x", context);
            assert!(bucket.is_resource_controlled());
        }
    }
}
