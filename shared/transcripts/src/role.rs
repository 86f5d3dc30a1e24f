//! A role with the policies that are known of it, ready to be asked.

use std::sync::Arc;

use iam_policy::{Compiled, Policy};
use serde_json::Value;

use crate::above::Above;

/// A role, its own policies and its boundary.
#[derive(Clone, Debug)]
pub struct Role {
    /// Its ARN.
    pub arn: String,
    /// The policies, or the name of the first that was not understood.
    pub(crate) policies: Result<Own, String>,
}

/// The policies of a role.
#[derive(Clone, Debug)]
pub(crate) struct Own {
    pub(crate) identity: Vec<Compiled>,
    pub(crate) boundary: Option<Compiled>,
    pub(crate) above: Arc<Above>,
}

impl Role {
    /// Returns a role with its policies and its boundary, each with its name or ARN.
    #[must_use]
    pub fn new<'p>(
        arn: &str,
        policies: impl IntoIterator<Item = (&'p str, &'p Value)>,
        boundary: Option<(&'p str, &'p Value)>,
    ) -> Role {
        let ready = || -> Result<Own, String> {
            let policies = policies.into_iter();
            let boundary = boundary.map(|(name, document)| compiled(name, document));
            Ok(Own {
                identity: policies
                    .map(|(name, document)| compiled(name, document))
                    .collect::<Result<_, _>>()?,
                boundary: boundary.transpose()?,
                above: Arc::default(),
            })
        };
        Role {
            arn: arn.to_owned(),
            policies: ready(),
        }
    }

    /// Returns the role as the policies of its organization bear on it and on what it uses.
    #[must_use]
    pub fn under(mut self, above: &Arc<Above>) -> Role {
        if let Ok(own) = &mut self.policies {
            own.above = Arc::clone(above);
        }
        self
    }
}

/// Returns a policy ready to be asked, or its name when it is not understood.
pub(crate) fn compiled(name: &str, document: &Value) -> Result<Compiled, String> {
    let policy = Policy::parse(&document.to_string())
        .policy()
        .map_err(|_| name.to_owned())?;
    Compiled::new(name, &policy).map_err(|_| name.to_owned())
}
