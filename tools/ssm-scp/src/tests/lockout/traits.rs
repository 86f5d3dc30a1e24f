//! Denials that go by more than names: tags and kinds of principals part people into classes, and what depends on the request is
//! named with its key.

use serde_json::{Value, json};

use super::cases::{SESSIONS, both, but, check, deny, on_w, with};
use super::scene::{A, B, BREAK_GLASS, Scene, trust};

fn unless_ops() -> Value {
    json!([deny(
        json!(SESSIONS),
        json!({"StringNotEquals": {"aws:PrincipalTag/Team": "ops"}})
    )])
}

/// Gives the break-glass role of an account a tag.
fn tagged(scene: &mut Scene, account: &str, value: &str) {
    let tags = &mut scene.principal(account, "BreakGlass").tags;
    tags.insert("team".to_owned(), value.to_owned());
}

#[test]
fn whoever_is_exempt_by_a_tag_must_have_it() {
    check("nobody has it", &both(&["break_glass"]), |_| {
        on_w(unless_ops())
    });
    check("both have it", &[], |scene| {
        tagged(scene, A, "ops");
        tagged(scene, B, "ops");
        on_w(unless_ops())
    });
    check(
        "one has another value",
        &both(&["break_glass"])[1..],
        |scene| {
            tagged(scene, A, "ops");
            tagged(scene, B, "dev");
            on_w(unless_ops())
        },
    );
    check("one could be passed", &both(&["break_glass"]), |scene| {
        for account in [A, B] {
            let mut passing = Value::clone(&trust(json!({"AWS": "100000000001"})));
            passing["Statement"][0]["Action"] = json!(["sts:AssumeRole", "sts:TagSession"]);
            scene.principal(account, "BreakGlass").trust = Some(passing.into());
        }
        on_w(unless_ops())
    });
}

#[test]
fn kinds_of_principals_are_known() {
    let by_kind = |kind: &str| {
        deny(
            json!(SESSIONS),
            json!({"StringEquals": {"aws:PrincipalType": kind}}),
        )
    };
    check("users, where there are none", &[], |_| {
        on_w(json!([by_kind("User")]))
    });
    check("roles", &both(&["break_glass"]), |_| {
        on_w(json!([by_kind("AssumedRole")]))
    });
}

/// Returns what is said of a statement beside a guard, in A.
fn said(statement: Value) -> String {
    let risks = Scene::new().judged(&with(statement));
    risks[0].message.clone()
}

#[test]
fn a_class_is_named_by_what_it_has_and_lacks() {
    let offline = |condition: Value| said(deny(json!("ssmmessages:*"), condition));
    for (condition, class) in [
        (
            json!({"StringNotEquals": {"aws:PrincipalTag/node": "yes"}}),
            "a role that no policy names, without the tag node would lose",
        ),
        (
            json!({"StringEquals": {"aws:PrincipalTag/quarantine": "true"}}),
            "a role that no policy names, with the tag quarantine = true would lose",
        ),
        (
            json!({"StringNotEquals": {"aws:PrincipalTag/node": "yes"}, "Null": {"aws:PrincipalTag/node": "false"}}),
            "a role that no policy names, with another value of the tag node would lose",
        ),
        (
            json!({"StringEquals": {"aws:PrincipalTag/node": "no"}, "ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/web-*"}}),
            "a principal that matches arn:aws:iam::*:role/web-*, with the tag node = no would lose",
        ),
    ] {
        let message = offline(condition);
        assert!(message.contains(class), "{message}");
    }
}

#[test]
fn what_depends_on_the_request_is_named_with_its_key() {
    let office = json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    let no_mfa = json!({"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}});
    let no_endpoint = json!({"StringNotEquals": {"aws:SourceVpce": "vpce-1"}});
    for (condition, key) in [
        (office, "aws:sourceip"),
        (no_mfa, "aws:multifactorauthpresent"),
        (no_endpoint, "aws:sourcevpce"),
    ] {
        let statement = || deny(json!("iam:*"), condition.clone());
        check(key, &both(&["conditional"]), |_| with(statement()));
        let message = said(statement());
        assert!(
            message.ends_with(&format!("depending on {key}"))
                && message.contains("statement Deny of guard"),
            "{message}"
        );
        // Whoever is spared whatever the request is keeps it.
        check(key, &[], |_| {
            let mut spared = statement();
            spared["Condition"]["ArnNotLike"] = but(&[BREAK_GLASS])["ArnNotLike"].clone();
            with(spared)
        });
        let message = said(deny(json!("ssm:StartSession"), condition.clone()));
        assert!(
            message.contains(&format!("depending on {key}")),
            "{message}"
        );
    }
}
