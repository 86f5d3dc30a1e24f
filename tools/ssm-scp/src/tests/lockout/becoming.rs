//! Who can still become those who are spared, and what they may do there: by whom a role trusts, who keeps `sts:AssumeRole` on it,
//! and what resource control policies deny.

use serde_json::json;

use super::cases::{ADMIN, both, but, check, deny, guard, on_w, with};
use super::scene::{
    A, B, BREAK_GLASS, C, MANAGEMENT, Scene, W, attach, create, document, role, trust,
};

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

/// Who assumes roles of other accounts may be in one that the plan leaves alone and that is not read.
#[test]
fn an_account_that_is_trusted_may_be_bound_by_policies_of_its_own() {
    let no_roles = || json!([deny(json!("sts:AssumeRole"), json!(null))]);
    let plan = || on_w(json!([guard(&[BREAK_GLASS])]));
    let root = format!("arn:aws:iam::{C}:root");
    for trusted in [root.clone(), C.to_owned(), role(C, "Admin")] {
        check(&trusted, &both(&["break_glass"])[1..], |scene| {
            scene.principal(B, "BreakGlass").trust = Some(trust(json!({"AWS": trusted})));
            scene.attached("no-roles", no_roles(), &[C]);
            plan()
        });
    }
    check("somebody there may be spared", &[], |scene| {
        scene.principal(B, "BreakGlass").trust = Some(trust(json!({"AWS": root})));
        let hub = deny(json!("sts:AssumeRole"), but(&["arn:aws:iam::*:role/hub"]));
        scene.attached("no-roles", json!([hub]), &[C]);
        plan()
    });
    let mut scene = Scene::new();
    scene.principal(B, "BreakGlass").trust = Some(trust(json!({"AWS": root})));
    scene.attached("no-roles", no_roles(), &[C]);
    let message = &scene.judged(&plan())[0].message;
    assert!(
        message.contains(&format!("who is in account {C} was not read")),
        "{message}"
    );
}

/// Across accounts both sides have to allow; within one a denial of one's own counts.
#[test]
fn own_policies_say_whom_somebody_may_assume() {
    let plan = || on_w(json!([guard(&[BREAK_GLASS])]));
    let may = |effect: &str, resource: String| {
        document(
            json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"},
            {"Effect": effect, "Action": "sts:AssumeRole", "Resource": resource}]),
        )
    };
    let break_glass = || role(B, "ssm/BreakGlass");
    for (name, account, own, is_lost) in [
        (
            "of another account, allowed",
            A,
            may("Allow", break_glass()),
            false,
        ),
        (
            "of another account, another",
            A,
            may("Allow", role(B, "other")),
            true,
        ),
        (
            "of another account, denied",
            A,
            may("Deny", break_glass()),
            true,
        ),
        ("of this one, denied", B, may("Deny", break_glass()), true),
        (
            "of this one, by its trust",
            B,
            may("Allow", role(B, "other")),
            false,
        ),
    ] {
        let lost = both(&["break_glass"]);
        check(name, if is_lost { &lost[1..] } else { &[] }, |scene| {
            let trusted = json!({"AWS": role(account, "dev")});
            scene.principal(B, "BreakGlass").trust = Some(trust(trusted));
            scene.principal(account, "dev").policies = vec![own.clone().into()];
            plan()
        });
    }
    for (name, resource, is_lost) in [
        ("its account, one for it", break_glass(), false),
        ("its account, none for it", role(B, "other"), true),
    ] {
        let lost = both(&["break_glass"]);
        check(name, if is_lost { &lost[1..] } else { &[] }, |scene| {
            let root = json!({"AWS": format!("arn:aws:iam::{B}:root")});
            scene.principal(B, "BreakGlass").trust = Some(trust(root));
            scene.principal(B, "dev").policies = vec![may("Allow", resource.clone()).into()];
            // A stranger is denied, whatever their own policies are.
            let by = deny(json!("sts:AssumeRole"), but(&["arn:aws:iam::*:role/dev"]));
            scene.attached("roles", json!([by]), &[W]);
            plan()
        });
    }
}

#[test]
fn a_hub_that_loses_the_roles_of_other_accounts_is_named() {
    let denial = |resource: &str, condition| {
        let mut statement = deny(json!("sts:AssumeRole"), condition);
        statement["Resource"] = json!(resource);
        move |_: &mut Scene| vec![create("roles", json!([statement])), attach("roles", C)]
    };
    let repair = || "beyond_repair:C".to_owned();
    let named = ["assume_role:C".to_owned(), repair()];
    check("all", &named, denial(BREAK_GLASS, json!(null)));
    let of_b = role(B, "ssm/BreakGlass");
    check("of one account", &named, denial(&of_b, json!(null)));
    let own = role(C, "other");
    check("its own", &[repair()], denial(&own, json!(null)));
    check("but for somebody", &[], denial(BREAK_GLASS, but(&[ADMIN])));
    let nobody = "arn:aws:iam::*:role/nobody";
    let named = [format!("unmatched:{nobody}"), "assume_role:C".to_owned()];
    check(
        "but for nobody there",
        &named,
        denial(BREAK_GLASS, but(&[nobody])),
    );
}
