//! Whether a statement applies to nothing but what others apply to, so that a change from one to the others takes nothing
//! away, or adds nothing, even where nobody knows to what they apply.

use super::CompiledStatement;
use super::condition::CompiledCondition;
use super::resource::Resource;

impl CompiledStatement {
    /// Returns whether, of requests of an action that all are about, it applies to none to which none of the others does. In doubt
    /// it returns `false`.
    pub(crate) fn is_within(&self, others: &[&CompiledStatement]) -> bool {
        let others = others.iter().copied();
        let wider: Vec<&CompiledStatement> = others.filter(|one| self.is_narrower(one)).collect();
        // One resource may be in one of them, the next in another: statements are joined and parted.
        let together = |own: &Resource| {
            let mut wider = wider.iter().filter(|other| !other.not_resources);
            wider.any(|other| other.resources.iter().flatten().any(|one| one == own))
        };
        let own = self.resources.as_ref().filter(|_| !self.not_resources);
        wider.iter().any(|other| self.resources_are_within(other))
            || own.is_some_and(|own| own.iter().all(together))
    }

    /// Returns whether it applies to fewer requests than another one, whatever their resources are.
    fn is_narrower(&self, other: &CompiledStatement) -> bool {
        let mut conditions = other.conditions.iter();
        self.principal == other.principal
            && conditions.all(|one| self.conditions.iter().any(|own| own.is_within(one)))
    }

    fn resources_are_within(&self, other: &CompiledStatement) -> bool {
        let (Some(own), Some(all)) = (&self.resources, &other.resources) else {
            return other.resources.is_none();
        };
        match (self.not_resources, other.not_resources) {
            (_, false) if all.contains(&Resource::Everything) => true,
            (false, false) => own.iter().all(|one| all.contains(one)),
            (true, true) => all.iter().all(|one| own.contains(one)),
            _ => false,
        }
    }
}

impl CompiledCondition {
    /// Returns whether it holds only where the other does: of values that may be there it has fewer, of those that may not be there
    /// more.
    fn is_within(&self, other: &CompiledCondition) -> bool {
        let (fewer, more) = match self.operator.test.negated {
            true => (other, self),
            false => (self, other),
        };
        let mut fewer = fewer.comparands.iter();
        self.operator == other.operator
            && self.key == other.key
            && fewer.all(|one| more.comparands.contains(one))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use crate::{Compiled, Context, Effect, Policy, Request, applying, denies};

    fn policy(statements: Value) -> Compiled {
        let text = json!({"Version": "2012-10-17", "Statement": statements}).to_string();
        Compiled::new("p", &Policy::parse(&text).policy().unwrap()).unwrap()
    }

    fn statement(resources: Value, condition: Value) -> Value {
        json!({"Effect": "Deny", "Action": "s3:*", "Resource": resources, "Condition": condition})
    }

    #[track_caller]
    fn check(one: Value, other: Value, expected: bool) {
        let both = [policy(json!([one])), policy(json!([other]))];
        let request = Request::on_unknown_resource("s3:PutObject", Context::partial());
        let said = both.iter().map(|policy| {
            let mut said = applying(policy, Effect::Deny, &request);
            said.next().unwrap().statement.unwrap()
        });
        let said: Vec<_> = said.collect();
        assert_eq!(said[0].is_within(&said[1..]), expected, "{one} {other}");
    }

    #[test]
    fn a_statement_is_within_those_into_which_it_is_parted() {
        let bucket = |name: &str| format!("arn:aws:s3:::{name}/*");
        let here = || json!({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}});
        let joined = |condition: Value| statement(json!([bucket("a"), bucket("b")]), condition);
        let one = |name: &str, condition: Value| statement(json!(bucket(name)), condition);
        let everywhere = || json!({});
        for (parted, expected) in [
            (
                json!([one("a", everywhere()), one("b", everywhere())]),
                true,
            ),
            (json!([one("a", here()), one("b", everywhere())]), true),
            (json!([one("a", here())]), false),
        ] {
            let (whole, parts) = (policy(json!([joined(here())])), policy(parted.clone()));
            let request = Request::on_unknown_resource("s3:PutObject", Context::partial());
            let said = |policy| {
                let said = applying(policy, Effect::Deny, &request);
                said.map(|one| one.statement.unwrap()).collect::<Vec<_>>()
            };
            let whole = said(&whole)[0].is_within(&said(&parts));
            assert_eq!(whole, expected, "{parted}");
        }
        check(joined(everywhere()), one("a", everywhere()), false);
        check(joined(everywhere()), joined(here()), false);
    }

    #[test]
    fn a_statement_is_within_another_by_more_conditions_and_fewer_resources() {
        let bucket = |name: &str| format!("arn:aws:s3:::{name}/*");
        let region =
            |operator: &str, values: Value| json!({operator: {"aws:RequestedRegion": values}});
        let all = || statement(json!("*"), json!({}));
        let one = || statement(json!(bucket("a")), json!({}));
        let two = || statement(json!([bucket("b"), bucket("a")]), json!({}));
        let here = || statement(json!("*"), region("StringEquals", json!("eu-central-1")));
        check(all(), all(), true);
        check(one(), all(), true);
        check(all(), one(), false);
        check(one(), two(), true);
        check(two(), one(), false);
        check(here(), all(), true);
        check(all(), here(), false);
        check(one(), here(), false);
        let but = |resources: Value| {
            let mut statement = statement(json!("*"), json!({}));
            statement["NotResource"] = resources;
            statement.as_object_mut().unwrap().remove("Resource");
            statement
        };
        check(
            but(json!([bucket("a"), bucket("b")])),
            but(json!(bucket("b"))),
            true,
        );
        check(
            but(json!(bucket("b"))),
            but(json!([bucket("a"), bucket("b")])),
            false,
        );
        check(but(json!(bucket("b"))), all(), true);
        let values = [json!(["a", "b"]), json!("a")];
        for (operator, more_is_within) in [("StringEquals", false), ("StringNotEquals", true)] {
            let [more, fewer] = values
                .clone()
                .map(|values| statement(json!("*"), region(operator, values)));
            check(more.clone(), fewer.clone(), more_is_within);
            check(fewer, more, !more_is_within);
        }
        let not_here = statement(json!("*"), region("StringNotEquals", json!("eu-central-1")));
        check(here(), not_here, false);
        let mut named = here();
        named["Sid"] = json!("Here");
        check(named, here(), true);
    }

    /// What is denied on one bucket leaves the others; a condition may deny all of them.
    #[test]
    fn the_gravest_doubt_is_said_in_either_order() {
        let bucket = statement(json!("arn:aws:s3:::a/*"), json!({}));
        let region = statement(
            json!("*"),
            json!({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}),
        );
        let request = Request::on_unknown_resource("s3:PutObject", Context::partial());
        for statements in [[&bucket, &region], [&region, &bucket]] {
            let policy = policy(json!(statements));
            let said = denies(&policy, &request).unwrap();
            assert_eq!(
                said.unknown_key,
                Some("aws:requestedregion"),
                "{statements:?}"
            );
        }
        let policy = policy(json!([bucket]));
        assert_eq!(
            denies(&policy, &request).unwrap().unknown_key,
            Some("resource")
        );
    }
}
