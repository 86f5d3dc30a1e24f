//! What a policy distinguishes: two actions that the same statements are about, and two contexts in which the same conditions
//! hold, get the same answers, so that one question is enough for all of them.

use super::resource::Resource;
use super::{Compiled, Truth};
use crate::pattern::{self, Template};
use crate::request::Context;

impl Compiled {
    /// Returns for each statement whether it is about an action, given as `service:Action`.
    pub fn statements_about<'p>(&'p self, action: &str) -> impl Iterator<Item = bool> + 'p {
        let lower = action.to_ascii_lowercase();
        self.statements.iter().map(move |statement| {
            let mut patterns = statement.actions.iter();
            let covered = patterns.any(|pattern| match pattern {
                Template::Fixed(pattern) => pattern::matches(pattern, lower.as_bytes()),
                Template::Variable(_) => false,
            });
            covered != statement.not_actions
        })
    }

    /// Returns for each statement whether it is about some resources only.
    pub fn statements_about_some_resources(&self) -> impl Iterator<Item = bool> {
        self.statements.iter().map(|statement| {
            let everything = |resources: &Vec<Resource>| resources.contains(&Resource::Everything);
            statement.not_resources || !statement.resources.as_ref().is_none_or(everything)
        })
    }

    /// Returns for each condition whether it holds in a context, `None` where that is not known. Nothing else distinguishes two
    /// contexts apart in a request whose resource is not known.
    pub fn conditions_in<'p>(
        &'p self,
        context: &'p Context,
    ) -> impl Iterator<Item = Option<bool>> + 'p {
        let conditions = self.statements.iter().flat_map(|one| &one.conditions);
        conditions.map(|condition| match condition.holds(context) {
            Truth::Yes => Some(true),
            Truth::No => Some(false),
            Truth::Unknown(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::{Compiled, Context, Policy};

    #[test]
    fn a_policy_distinguishes_what_its_statements_and_conditions_do() {
        let text = r#"{"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "Action": ["ssm:Start*"], "Resource": "*",
                "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops"}, "Bool": {"aws:SecureTransport": "true"}}},
            {"Effect": "Deny", "NotAction": "ssm:*", "Resource": "arn:aws:s3:::${aws:PrincipalAccount}/*"}]}"#;
        let policy = Policy::parse(text).policy().unwrap();
        let compiled = Compiled::new("p", &policy).unwrap();
        let about = |action: &str| compiled.statements_about(action).collect::<Vec<bool>>();
        assert_eq!(about("SSM:startSession"), [true, true, false]);
        assert_eq!(about("ssm:SendCommand"), [true, false, false]);
        let some = compiled.statements_about_some_resources();
        assert!(some.eq([false, false, true]));
        assert_eq!(about("s3:GetObject"), [true, false, true]);
        let of = |role: &str| {
            let arn = format!("arn:aws:iam::111122223333:role/{role}");
            let context = Context::partial().with("aws:PrincipalArn", arn);
            compiled
                .conditions_in(&context)
                .collect::<Vec<Option<bool>>>()
        };
        assert_eq!(of("ops"), [Some(false), None]);
        assert_eq!(of("dev"), [Some(true), None]);
    }
}
