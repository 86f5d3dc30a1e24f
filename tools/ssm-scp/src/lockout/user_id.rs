//! `aws:userid`: the unique ID of a user, or that of a role with the name of its session, which whoever assumes it chooses. Pure.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#principaltable>

use std::collections::BTreeSet;

use iam_policy::{Arn, glob};

use super::actions::filled;

pub(super) const KEY: &str = "aws:userid";

/// Returns what the key is for somebody who was found, first that of a session whose name no policy compares.
pub(super) fn of_found(arn: &str, unique_id: &str, compared: &BTreeSet<String>) -> Vec<String> {
    if !is_role(arn) {
        return vec![unique_id.to_owned()];
    }
    let names = compared
        .iter()
        .filter_map(|value| match value.split_once(':') {
            Some((id, name)) => glob(id, unique_id).then_some(name),
            // A wildcard may reach across the colon.
            None => value.strip_prefix('*'),
        });
    let names = names.filter(|name| !name.is_empty()).map(filled);
    let ids = std::iter::once(filled("*")).chain(names);
    ids.map(|name| format!("{unique_id}:{name}")).collect()
}

/// Returns what the key is for somebody who may come, with the value that is compared with it, first that which no policy compares.
/// Of unique IDs that are written out in full each is that of somebody who exists or has existed, and of nobody who may come.
pub(super) fn of_coming<'t>(
    arn: &str,
    compared: &'t BTreeSet<String>,
) -> Vec<(String, Option<&'t str>)> {
    let resource = Arn::parse(arn).map_or("", |arn| arn.resource);
    let (own, others) = match resource.split('/').next() {
        Some("role") => (
            format!("AROA{0}:{0}", filled("*").to_ascii_uppercase()),
            "AIDA",
        ),
        Some("user") => (format!("AIDA{}", filled("*").to_ascii_uppercase()), "AROA"),
        // "The AWS account root user: the AWS account ID"
        _ => {
            let account = Arn::parse(arn).map_or("", |arn| arn.account);
            return vec![(account.to_owned(), None)];
        }
    };
    let may_be = |value: &&String| {
        let id = value.split(':').next().unwrap_or_default();
        id.contains(['*', '?']) && !id.starts_with(others)
    };
    let values = compared.iter().filter(may_be);
    let ids = values.map(|value| (filled(value), Some(value.as_str())));
    std::iter::once((own, None)).chain(ids).collect()
}

fn is_role(arn: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| arn.resource.starts_with("role/"))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{of_coming, of_found};

    const ROLE: &str = "arn:aws:iam::111122223333:role/ops";
    const USER: &str = "arn:aws:iam::111122223333:user/ann";

    fn compared() -> BTreeSet<String> {
        let values = [
            "AROAOPS:ann",
            "AROADEV:bob",
            "AROA*:i-*",
            "AIDAANN",
            "*admin",
            "AROAOPS:*",
        ];
        values.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn a_role_that_was_found_has_each_session_that_is_compared_with_it() {
        let mut ids = of_found(ROLE, "AROAOPS", &compared());
        assert_eq!(ids.remove(0), "AROAOPS:q7zkw4");
        ids.sort();
        let expected = [
            "AROAOPS:admin",
            "AROAOPS:ann",
            "AROAOPS:i-q7zkw4",
            "AROAOPS:q7zkw4",
        ];
        assert_eq!(ids, expected);
        assert_eq!(of_found(USER, "AIDAANN", &compared()), ["AIDAANN"]);
    }

    #[test]
    fn whoever_comes_has_no_id_that_is_written_out_in_full() {
        let compared = compared();
        let ids = |arn: &str| -> Vec<(String, Option<&str>)> { of_coming(arn, &compared) };
        let role = [
            ("AROAQ7ZKW4:Q7ZKW4".to_owned(), None),
            ("q7zkw4admin".to_owned(), Some("*admin")),
            ("AROAq7zkw4:i-q7zkw4".to_owned(), Some("AROA*:i-*")),
        ];
        assert_eq!(ids(ROLE), role);
        let user = [
            ("AIDAQ7ZKW4".to_owned(), None),
            ("q7zkw4admin".to_owned(), Some("*admin")),
        ];
        assert_eq!(ids(USER), user);
        let root = "arn:aws:iam::111122223333:root";
        assert_eq!(ids(root), [("111122223333".to_owned(), None)]);
    }
}
