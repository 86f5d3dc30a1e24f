//! What statements about some resources leave, and what takes nothing where they are written in another way.

use serde_json::{Value, json};

use super::cases::{ADMIN, both, but, check, deny, guard, with};
use super::scene::{B, BREAK_GLASS, FULL, Scene, W, trust, update};

const DOCUMENTS: &str = "arn:aws:ssm:*:*:document/*";

/// Returns what allows sessions on some resources, and all else.
fn sessions_on(resources: &[&str]) -> Value {
    json!([{"Sid": "Others", "Effect": "Allow", "NotAction": "ssm:StartSession", "Resource": "*"},
        {"Sid": "Sessions", "Effect": "Allow", "Action": "ssm:StartSession", "Resource": resources}])
}

#[test]
fn a_session_needs_a_node_on_which_it_could_be_started_before() {
    let node = "arn:aws:ec2:eu-central-1:*:instance/*";
    let lost = both(&["break_glass"]);
    for (name, resources, expected) in [
        (
            "another Region",
            &[DOCUMENTS, "arn:aws:ec2:eu-centrl-1:*:instance/*"][..],
            &lost[..],
        ),
        ("no node", &[DOCUMENTS], &lost),
        ("no document", &[node], &lost),
        (
            "the same, and another",
            &[DOCUMENTS, node, "arn:aws:ecs:*:*:task/*"],
            &[],
        ),
    ] {
        check(name, expected, |scene: &mut Scene| {
            scene.attached("allow", sessions_on(&[DOCUMENTS, node]), &[W]);
            scene.organization.attach(FULL, W, false);
            vec![update("allow", sessions_on(resources))]
        });
    }
}

fn document(name: &str) -> String {
    format!("arn:aws:ssm:*:*:document/{name}")
}

#[test]
fn statements_that_are_joined_or_parted_take_nothing() {
    let joined = |effect: &str, resources: Value| json!({"Effect": effect, "Action": "ssm:StartSession", "Resource": resources});
    let both = |effect: &str| json!([joined(effect, json!([document("A"), document("B")]))]);
    let each = |effect: &str| {
        let of = |name: &str| joined(effect, json!(document(name)));
        json!([of("A"), of("B")])
    };
    for effect in ["Deny", "Allow"] {
        let whole = |statements: Value| {
            let mut statements = statements.as_array().unwrap().clone();
            statements.push(match effect {
                "Deny" => guard(&[BREAK_GLASS]),
                _ => json!({"Effect": "Allow", "NotAction": "ssm:StartSession", "Resource": "*"}),
            });
            json!(statements)
        };
        for (name, before, after) in [
            ("joined", each(effect), both(effect)),
            ("parted", both(effect), each(effect)),
        ] {
            check(&format!("{effect} {name}"), &[], |scene: &mut Scene| {
                scene.attached("rules", whole(before.clone()), &[W]);
                if effect == "Allow" {
                    scene.organization.attach(FULL, W, false);
                }
                vec![update("rules", whole(after.clone()))]
            });
        }
    }
}

/// What was denied on all other buckets before is lost where the one that was spared is denied as well.
#[test]
fn the_bucket_that_was_spared_is_the_one_that_counts() {
    let spared = json!({"Effect": "Deny", "Action": "s3:*", "NotResource": "arn:aws:s3:::audit/*"});
    let buckets =
        |resource: &str| json!({"Effect": "Deny", "Action": "s3:PutObject", "Resource": resource});
    for (name, resource, expected) in [
        ("all buckets", "arn:aws:s3:::*", &both(&["logging"])[..]),
        ("another bucket", "arn:aws:s3:::other/*", &[]),
    ] {
        check(name, expected, |scene: &mut Scene| {
            scene.attached("perimeter", json!([spared]), &[W]);
            vec![update("perimeter", json!([spared, buckets(resource)]))]
        });
    }
}

#[test]
fn what_nobody_keeps_on_any_resource_is_lost() {
    // Whoever is spared keeps most of what others lose, but nothing of S3.
    check(
        "resource control policy about a part of what is lost",
        &["other:B".to_owned()],
        |scene| {
            let objects =
                json!([{"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*"}]);
            scene.governed("perimeter", objects, B);
            with(deny(
                json!(["s3:GetObject", "iam:DeleteRole"]),
                but(&[BREAK_GLASS]),
            ))
        },
    );
    // Who was denied it before loses nothing, and keeps nothing either: no policy is detached from a bucket.
    check(
        "whoever is spared was denied it before",
        &["repair:B".to_owned()],
        |scene| {
            let before = deny(json!("organizations:DetachPolicy"), but(&[ADMIN]));
            scene.attached("old", json!([before]), &[B]);
            scene.principal(B, "Admin").trust =
                Some(trust(json!({"Service": "ec2.amazonaws.com"})));
            let mut after = deny(json!("organizations:DetachPolicy"), Value::Null);
            after.as_object_mut().unwrap().remove("Resource");
            after["NotResource"] = json!("arn:aws:s3:::*");
            vec![update("old", json!([after]))]
        },
    );
}
