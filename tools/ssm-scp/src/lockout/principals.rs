//! Whom the lock-out guard asks about in an account: everybody who was found, and for each class of principals that policies
//! name and nobody found is in, one who may come. Pure.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use iam_policy::{Arn, Compiled, Context, arn_like, arn_like_in, glob, with_variables};

use super::actions::Caller;
use super::who::{Traits, Who};
use crate::model::PrincipalPolicies;
use crate::principal_arn::context;

/// Principals of an account whom no condition distinguishes.
pub(super) struct PrincipalClass<'a> {
    /// One of them: who was found, or who may come.
    pub(super) example: Who,
    /// Everybody of it who was found.
    pub(super) found: Vec<Found<'a>>,
    pub(super) caller: Caller,
    /// Whether somebody may come into it of whom nothing is known but that no policy names them.
    pub(super) is_unnamed: bool,
    /// The pattern that brought it, where nobody was found.
    pub(super) pattern: Option<String>,
    /// What those of it have or lack beside their name, in words.
    traits: String,
}

/// Somebody who was found, as one of a class.
pub(super) struct Found<'a> {
    pub(super) principal: &'a PrincipalPolicies,
    /// What is known of them there.
    pub(super) who: Who,
}

impl PrincipalClass<'_> {
    /// Returns whether they call AWS themselves.
    pub(super) fn calls_itself(&self) -> bool {
        self.caller == Caller::Themselves
    }

    /// Returns who is in it, for people.
    pub(super) fn in_words(&self) -> String {
        let traits = &self.traits;
        match (&self.pattern, self.is_unnamed) {
            (_, true) => format!("a role that no policy names{traits}"),
            (Some(pattern), _) => format!("a principal that matches {pattern}{traits}"),
            (None, _) => format!("{}{traits}", self.example.arn),
        }
    }
}

/// Returns the classes, first that of whom no policy names and who has no trait that policies compare.
pub(super) fn classes<'a>(
    account: (&str, &str),
    found: impl Iterator<Item = &'a PrincipalPolicies>,
    policies: &[&Compiled],
    patterns: &[String],
    traits: &Traits,
) -> Vec<PrincipalClass<'a>> {
    let (partition, id) = account;
    let mut classes: Vec<PrincipalClass<'a>> = Vec::new();
    let mut by_marks: HashMap<Vec<Option<bool>>, usize> = HashMap::new();
    let mut add = |class: PrincipalClass<'a>| {
        let policies = policies.iter();
        let marks = policies.flat_map(|policy| policy.conditions_in(&class.example.context));
        match by_marks.entry(marks.collect()) {
            Entry::Occupied(index) => classes[*index.get()].found.extend(class.found),
            Entry::Vacant(free) => {
                free.insert(classes.len());
                classes.push(class);
            }
        }
    };
    let coming = |arn: &str, pattern: Option<&String>| -> Vec<PrincipalClass<'a>> {
        let variants = traits.coming(arn).into_iter();
        let classes = variants.map(|variant| PrincipalClass {
            example: variant.who,
            found: Vec::new(),
            caller: variant.caller,
            is_unnamed: pattern.is_none(),
            pattern: pattern.cloned(),
            traits: variant.in_words,
        });
        classes.collect()
    };
    let stranger = stranger(partition, id, "role", patterns);
    coming(&stranger, None).into_iter().for_each(&mut add);
    for principal in found {
        for variant in traits.found(principal) {
            add(PrincipalClass {
                example: variant.who.clone(),
                found: vec![Found {
                    principal,
                    who: variant.who,
                }],
                caller: variant.caller,
                is_unnamed: false,
                pattern: None,
                traits: variant.in_words,
            });
        }
    }
    for pattern in patterns {
        if let Some(arn) = member(partition, id, &stranger, pattern) {
            coming(&arn, Some(pattern)).into_iter().for_each(&mut add);
        }
    }
    classes
}

/// Returns a `role` or `user` that as few patterns as possible match. No single name would do: a policy may name it.
pub(crate) fn stranger(partition: &str, account: &str, kind: &str, patterns: &[String]) -> String {
    let letters = || ('a'..='z').chain('0'..='9');
    let names = letters().flat_map(|first| letters().map(move |last| format!("{first}7zkw{last}")));
    let arns = names.map(|name| format!("arn:{partition}:iam::{account}:{kind}/{name}"));
    let n_matching = |arn: &String| {
        let patterns = patterns.iter();
        patterns.filter(|pattern| matches(pattern, arn)).count()
    };
    let mut fewest: Option<(usize, String)> = None;
    for arn in arns {
        let n_patterns = n_matching(&arn);
        if fewest.as_ref().is_none_or(|(least, _)| n_patterns < *least) {
            fewest = Some((n_patterns, arn));
        }
        if n_patterns == 0 {
            break;
        }
    }
    fewest.map(|(_, arn)| arn).unwrap_or_default()
}

/// Returns a role or user of an account that a pattern matches, if there can be one.
pub(super) fn member(
    partition: &str,
    account: &str,
    stranger: &str,
    pattern: &str,
) -> Option<String> {
    let name = stranger.rsplit('/').next().unwrap_or_default();
    let open = in_account(pattern, account);
    let resource = match Arn::parse(&open) {
        Some(arn) => arn.resource.to_owned(),
        // A pattern whose wildcards reach across colons.
        None => open.rsplit(':').next().unwrap_or_default().to_owned(),
    };
    let filled = resource.replace('*', name).replace('?', "q");
    let within = [
        filled.clone(),
        format!("role/{filled}"),
        format!("user/{filled}"),
    ];
    let arns = within
        .iter()
        .map(|resource| format!("arn:{partition}:iam::{account}:{resource}"));
    arns.filter(|arn| arn.contains(":role/") || arn.contains(":user/") || arn.ends_with(":root"))
        .find(|arn| matches(pattern, arn))
}

/// Returns a pattern with an account for the variable, and wildcards for the others, such as `${aws:username}`.
pub(crate) fn in_account(pattern: &str, account: &str) -> String {
    let context = Context::partial().with("aws:PrincipalAccount", account);
    with_variables(pattern, &context)
}

/// Conditions compare ARNs as such, or as texts, and fill in variables first.
fn matches(pattern: &str, arn: &str) -> bool {
    if !pattern.contains("${") {
        return arn_like(pattern, arn) || glob(pattern, arn);
    }
    let context = context(arn);
    let is_arn = Arn::parse(pattern).is_some();
    arn_like_in(pattern, arn, &context) || !is_arn && glob(&with_variables(pattern, &context), arn)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use organization::compile;
    use serde_json::json;

    use super::{Traits, classes, member, stranger};
    use crate::model::PrincipalPolicies;

    const ACCOUNT: &str = "111122223333";

    #[test]
    fn a_pattern_has_a_member_in_the_account_if_it_can() {
        let member = |pattern: &str| {
            let found = member(
                "aws",
                ACCOUNT,
                "arn:aws:iam::111122223333:role/a7zkwa",
                pattern,
            );
            found.map(|arn| arn.split_off_account())
        };
        assert_eq!(
            member("arn:aws:iam::*:role/ssm/*").as_deref(),
            Some("role/ssm/a7zkwa")
        );
        assert_eq!(
            member("arn:aws:iam::111122223333:user/a?c").as_deref(),
            Some("user/aqc")
        );
        assert_eq!(member("arn:aws:iam::999988887777:role/ops"), None);
        assert_eq!(
            member("arn:*:iam::${aws:PrincipalAccount}:root").as_deref(),
            Some("root")
        );
        assert_eq!(
            member("arn:aws:iam::${aws:principalaccount}:user/${aws:username}").as_deref(),
            Some("user/a7zkwa")
        );
        assert_eq!(
            member("arn:aws:iam::${aws:PrincipalAccount}:role/${aws:username}"),
            None,
            "roles have no such name"
        );
        assert_eq!(member("arn:aws:iam::*:*").as_deref(), Some("role/a7zkwa"));
        assert_eq!(member("*:role/web-*").as_deref(), Some("role/web-a7zkwa"));
        assert_eq!(member("arn:aws:sts::*:assumed-role/ops/*"), None);
    }

    trait OffAccount {
        fn split_off_account(self) -> String;
    }

    impl OffAccount for String {
        fn split_off_account(self) -> String {
            self.rsplit(':').next().unwrap_or_default().to_owned()
        }
    }

    #[test]
    fn whom_no_policy_names_has_a_name_that_no_policy_has() {
        let patterns = |names: &[&str]| -> Vec<String> {
            let names = names.iter();
            names
                .map(|name| format!("arn:aws:iam::*:role/{name}"))
                .collect()
        };
        let of =
            |names: &[&str]| stranger("aws", ACCOUNT, "role", &patterns(names)).split_off_account();
        assert_eq!(of(&["*"]), "role/a7zkwa");
        assert_eq!(of(&["a*", "*a", "?7zkwb", "*"]), "role/b7zkwc");
    }

    #[test]
    fn principals_whom_no_condition_distinguishes_are_one_class() {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/ops", "arn:aws:iam::*:role/web-*"]}}},
            {"Effect": "Deny", "Action": "s3:*", "Resource": "*",
            "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/web-*"}}}]});
        let policy = compile("p", &policy.to_string()).unwrap();
        let found: Vec<PrincipalPolicies> = ["ops", "dev", "intern"]
            .iter()
            .map(|name| PrincipalPolicies {
                arn: format!("arn:aws:iam::{ACCOUNT}:role/{name}"),
                unique_id: None,
                policies: Vec::new(),
                boundary: None,
                trust: None,
                tags: BTreeMap::new(),
            })
            .collect();
        let patterns = [
            "arn:aws:iam::*:role/ops".to_owned(),
            "arn:aws:iam::*:role/web-*".to_owned(),
        ];
        let traits = Traits::default();
        let classes = classes(
            ("aws", ACCOUNT),
            found.iter(),
            &[&policy],
            &patterns,
            &traits,
        );
        let named: Vec<(String, usize)> = classes
            .iter()
            .map(|class| (class.in_words(), class.found.len()))
            .collect();
        assert_eq!(
            named,
            [
                ("a role that no policy names".to_owned(), 2),
                (format!("arn:aws:iam::{ACCOUNT}:role/ops"), 1),
                (
                    "a principal that matches arn:aws:iam::*:role/web-*".to_owned(),
                    0
                ),
            ]
        );
    }
}
