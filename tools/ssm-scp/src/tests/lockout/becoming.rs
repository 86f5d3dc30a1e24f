//! Who can still become those who are spared, and what they may do there: by whom a role trusts, who keeps `sts:AssumeRole` on it,
//! and what resource control policies deny.

use serde_json::json;

use super::cases::{ADMIN, both, but, check, deny, guard, on_w, with};
use super::scene::{A, B, BREAK_GLASS, C, MANAGEMENT, Scene, W, attach, create, role, trust};

#[test]
fn whoever_is_trusted_must_be_somebody_and_may_assume() {
    let plan = || on_w(json!([guard(&[BREAK_GLASS])]));
    let lost = both(&["break_glass"])[1..].to_vec();
    let trusting = |scene: &mut Scene, of: &str, name: &str| {
        scene.principal(B, of).trust = Some(trust(json!({"AWS": name})));
    };
    check("44 two roles that trust each other", &lost, |scene| {
        trusting(scene, "BreakGlass", &role(B, "dev"));
        trusting(scene, "dev", &role(B, "ssm/BreakGlass"));
        plan()
    });
    check("a role that trusts one whom people become", &[], |scene| {
        trusting(scene, "BreakGlass", &role(B, "dev"));
        plan()
    });
    check("by three roles from another account", &[], |scene| {
        trusting(scene, "BreakGlass", &role(B, "dev"));
        trusting(scene, "dev", &role(B, "Admin"));
        trusting(scene, "Admin", &role(A, "Admin"));
        plan()
    });
    check("a user", &[], |scene| {
        scene.principal(B, "dev").trust = None;
        scene.principal(B, "dev").arn = format!("arn:aws:iam::{B}:user/dev");
        trusting(scene, "BreakGlass", &format!("arn:aws:iam::{B}:user/dev"));
        plan()
    });
    // By whom the role may still be assumed, by statement.
    let only_by = |name: &str| {
        let mut statement = deny(
            json!("sts:AssumeRole"),
            but(&[&format!("arn:aws:iam::*:role/{name}")]),
        );
        statement["Resource"] = json!(BREAK_GLASS);
        statement
    };
    let root = |account: &str| format!("arn:aws:iam::{account}:root");
    for (name, trusted, by, is_lost) in [
        ("an administrator, spared", role(B, "Admin"), "Admin", false),
        (
            "an administrator, and itself spared",
            role(B, "Admin"),
            "ssm/BreakGlass",
            true,
        ),
        (
            "an administrator, and another spared",
            role(B, "Admin"),
            "dev",
            true,
        ),
        (
            "of another account that is bound",
            role(A, "Admin"),
            "dev",
            true,
        ),
        (
            "of another account that is not",
            role(C, "Admin"),
            "dev",
            false,
        ),
        ("the management account", root(MANAGEMENT), "dev", false),
        (
            "its account, and one who may by its own policies",
            root(B),
            "Admin",
            false,
        ),
        ("its account, and one who may not", root(B), "dev", true),
        ("its account, by its ID", B.to_owned(), "dev", true),
    ] {
        let expected = |kind: &str| -> Vec<String> {
            let lost = is_lost.then(|| format!("{kind}:B"));
            lost.into_iter().collect()
        };
        check(name, &expected("break_glass"), |scene| {
            trusting(scene, "BreakGlass", &trusted);
            with(only_by(by))
        });
        // The same where sessions are fenced already.
        check(name, &expected("assume_role"), |scene| {
            trusting(scene, "BreakGlass", &trusted);
            scene.attached("guard", json!([guard(&[BREAK_GLASS])]), &[W]);
            vec![create("roles", json!([only_by(by)])), attach("roles", W)]
        });
    }
    check(
        "one of two roles, and the other lets people in",
        &[],
        |scene| {
            trusting(scene, "BreakGlass", &role(B, "Admin"));
            scene.attached("guard", json!([guard(&[BREAK_GLASS, ADMIN])]), &[W]);
            vec![create("roles", json!([only_by("dev")])), attach("roles", W)]
        },
    );
}

/// What a resource control policy denies whoever is spared is kept by nobody.
#[test]
fn whoever_is_spared_may_be_denied_on_the_side_of_the_resource() {
    let reads = || with(deny(json!("s3:GetObject"), but(&[BREAK_GLASS])));
    for (name, action, resource, spared, expected) in [
        ("it", "s3:GetObject", "*", "dev", &both(&["other"])[1..]),
        ("another", "s3:GetObject", "*", "ssm/BreakGlass", &[]),
        ("it something else", "s3:PutObject", "*", "dev", &[]),
        (
            "it one bucket",
            "s3:GetObject",
            "arn:aws:s3:::audit/*",
            "dev",
            &[],
        ),
    ] {
        check(name, expected, |scene| {
            let spared = format!("arn:aws:iam::*:role/{spared}");
            let statement = json!([{"Effect": "Deny", "Principal": "*", "Action": action, "Resource": resource,
                "Condition": but(&[&spared])}]);
            scene.governed("perimeter", statement, B);
            reads()
        });
    }
}
