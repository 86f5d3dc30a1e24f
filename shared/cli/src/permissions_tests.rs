//! Policies out of a made-up table.

use serde_json::{Value, json};

use super::{Grant, Names, Permissions, Scope, When, fill};

const TABLE: Permissions = Permissions {
    reads: &["show", "post"],
    writes: &["apply"],
    grants: &[
        &[
            Grant::new("Enter", &[], &["a:Enter"], &["{assumed_role}"], "to enter")
                .when(When::AssumeRole),
            Grant::new("Tag", &[], &["a:Tag"], &["{assumed_role}"], "to tag")
                .when(When::SessionTag),
            Grant::new("List", &[], &["a:List"], &["*"], "to list").when(When::AccountsOrg),
            Grant::new("Regions", &[], &["a:Regions"], &["*"], "to know regions")
                .when(When::RegionAll),
        ],
        &[
            Grant::new("Look", &["show", "apply"], &["a:Look"], &["*"], "to look"),
            Grant::new(
                "Write",
                &["apply"],
                &["a:Write"],
                &["arn:{partition}:a:{region}:*:{thing}"],
                "to write",
            )
            .under("StringEquals", "a:To", "b"),
            Grant::new("Test", &["show"], &["a:Test"], &["*"], "to test")
                .when(When::Flag("--test")),
            Grant::new("Send", &["post"], &["a:Send"], &["{thing}"], "to send"),
            Grant::new("SendAll", &["post"], &["a:Send"], &["*"], "to send more")
                .when(When::AnyFlag(&["--all", "--some x"])),
        ],
    ],
    names: |_| Ok(Names::new()),
};

/// Returns what a desired state names; nothing without one.
fn names(desired: Option<&str>) -> Names {
    let thing = |text: &str| {
        let things = Some(text.to_owned()).filter(|text| !text.is_empty());
        ("thing", things.into_iter().collect())
    };
    desired.map(thing).into_iter().collect()
}

fn sids(scope: &Scope, desired: Option<&str>) -> Vec<Value> {
    let is_verb = |verb: &str| ["show", "apply", "lint", "post"].contains(&verb);
    let policy = TABLE.policy(scope, names(desired), is_verb).unwrap();
    let statements = policy["Statement"].as_array().unwrap();
    statements.iter().map(|one| one["Sid"].clone()).collect()
}

fn of(verb: &str) -> Scope {
    Scope::default().of_verb(verb)
}

#[test]
fn a_policy_has_what_its_verbs_need() {
    assert_eq!(sids(&of("show"), None), ["Look"]);
    assert_eq!(sids(&of("read"), None), ["Look", "Send"]);
    assert_eq!(sids(&of("apply"), None), ["Look", "Write"]);
    assert_eq!(sids(&Scope::default(), None), ["Look", "Write", "Send"]);
    assert!(sids(&of("lint"), None).is_empty());
    let error = TABLE
        .policy(&of("sing"), Names::new(), |_| false)
        .unwrap_err();
    assert!(error.to_string().starts_with("--for 'sing'"), "{error}");
}

#[test]
fn flags_add_what_they_need() {
    let scope = Scope {
        assume_roles: vec!["arn:{partition}:iam::{account}:role/r".to_owned()],
        partition: "aws-cn".to_owned(),
        ..of("show")
    };
    let policy = TABLE.policy(&scope, Names::new(), |_| true).unwrap();
    let entry = &policy["Statement"][0];
    assert_eq!(entry["Resource"], "arn:aws-cn:iam::*:role/r");
}

#[test]
fn a_flag_of_the_tool_is_named_by_with() {
    let with = |flag: &str| Scope {
        with: vec![flag.to_owned()],
        ..of("show")
    };
    assert_eq!(sids(&with("test"), None), ["Look", "Test"]);
    let error = TABLE
        .policy(&with("best"), Names::new(), |_| true)
        .unwrap_err();
    assert!(error.to_string().starts_with("--with best"), "{error}");
    // What has a flag of its own here would add nothing.
    for (flag, expected) in [
        ("assume-role", "pass --assume-role in its place"),
        ("region", "pass --region all in its place"),
        ("accounts", "pass --accounts org in its place"),
        ("session-tag", "pass --session-tag in its place"),
    ] {
        let error = TABLE
            .policy(&with(flag), Names::new(), |_| true)
            .unwrap_err();
        assert_eq!(error.to_string(), format!("--with {flag}: {expected}"));
    }
}

#[test]
fn what_two_statements_would_allow_is_in_one() {
    for (with, narrow, expected) in [
        ("", None, &["Send"][..]),
        ("all", None, &["Send"]),
        ("some", None, &["Send"]),
        ("", Some("t"), &["Send"]),
        ("all", Some("t"), &["Send", "SendAll"]),
        ("some", Some(""), &["SendAll"]),
    ] {
        let scope = Scope {
            with: vec![with.to_owned()],
            ..of("post")
        };
        let scope = if with.is_empty() { of("post") } else { scope };
        assert_eq!(sids(&scope, narrow), expected, "{with}");
    }
    let rows = TABLE.rows();
    let row = rows.iter().find(|row| row["sid"] == "SendAll").unwrap();
    assert_eq!(row["when"], "--all or --some x");
}

#[test]
fn a_desired_state_narrows_it() {
    let write = |desired: Option<&str>| {
        let scope = Scope {
            regions: vec!["r1".to_owned(), "r2".to_owned()],
            partition: "aws".to_owned(),
            ..of("apply")
        };
        TABLE.policy(&scope, names(desired), |_| true).unwrap()["Statement"][1].clone()
    };
    let any = ["arn:aws:a:r1:*:*", "arn:aws:a:r2:*:*"];
    assert_eq!(write(None)["Resource"], json!(any));
    let condition = json!({"StringEquals": {"a:To": "b"}});
    assert_eq!(write(None)["Condition"], condition);
    let named = ["arn:aws:a:r1:*:t", "arn:aws:a:r2:*:t"];
    assert_eq!(write(Some("t"))["Resource"], json!(named));
    assert_eq!(write(Some("")), Value::Null);
}

#[test]
fn every_combination_is_filled_in() {
    let names = Names::from([
        ("a", vec!["1".to_owned(), "2".to_owned()]),
        ("b", vec!["x".to_owned()]),
    ]);
    assert_eq!(fill("{a}/{b}/{c}", &names), ["1/x/*", "2/x/*"]);
    assert_eq!(fill("{b}/${aws:userid}-{c}", &names), ["x/${aws:userid}-*"]);
    assert!(fill("{a}", &Names::from([("a", vec![])])).is_empty());
}

#[test]
fn statements_about_the_same_are_one_where_a_policy_is_too_long() {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "A", "Effect": "Allow", "Action": ["a:X", "a:Y"], "Resource": "*"},
        {"Sid": "B", "Effect": "Allow", "Action": ["a:Z"], "Resource": "*", "Condition": {"StringEquals": {"a:To": "b"}}},
        {"Sid": "C", "Effect": "Allow", "Action": ["a:Y", "a:Z"], "Resource": "*"},
    ]});
    let joined = super::joined(policy);
    assert_eq!(
        joined["Statement"][0]["Action"],
        json!(["a:X", "a:Y", "a:Z"])
    );
    assert_eq!(joined["Statement"][1]["Sid"], "B");
    assert_eq!(joined["Statement"].as_array().unwrap().len(), 2);
}
