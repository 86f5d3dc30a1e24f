//! Changes of several policies, levels and verbs by name, and the risks for which they are refused.

use serde_json::{Value, json};

use super::cases::{ADMIN, ALL, both, check, deny, guard, on_w, with};
use super::scene::{
    BREAK_GLASS, C, FULL, MANAGEMENT, ROOT, S, Scene, W, attach, create, detach, role, update,
};

#[test]
fn policies_add_up_over_names_levels_and_plans() {
    let other = || json!([guard(&[ADMIN])]);
    check(
        "28 older guard of another name",
        &both(&["break_glass"]),
        |scene| {
            scene.attached("older", other(), &[W]);
            on_w(json!([guard(&[BREAK_GLASS])]))
        },
    );
    check(
        "28 older guard on the root",
        &both(&["break_glass"]),
        |scene| {
            scene.attached("older", other(), &[ROOT]);
            on_w(json!([guard(&[BREAK_GLASS])]))
        },
    );
    check("30 two plans", &both(&["break_glass"]), |_| {
        let mut changes = on_w(json!([guard(&[BREAK_GLASS])]));
        changes.extend([create("second", other()), attach("second", W)]);
        changes
    });
    check(
        "31 two policies in one plan",
        &both(&["break_glass"]),
        |_| {
            vec![
                create("guard", json!([guard(&[BREAK_GLASS])])),
                create("second", other()),
                attach("guard", W),
                attach("second", W),
            ]
        },
    );
    check("older guard goes with the plan", &[], |scene| {
        scene.attached(
            "older",
            json!([guard(&[BREAK_GLASS, "arn:aws:iam::*:role/old"])]),
            &[W],
        );
        let mut changes = on_w(json!([guard(&[BREAK_GLASS])]));
        changes.push(detach("older", W));
        changes
    });
    check(
        "45 protection without condition",
        &both(&["beyond_repair"]),
        |_| {
            with(
                json!({"Effect": "Deny", "Action": ["iam:DeleteRole", "iam:UpdateAssumeRolePolicy"], "Resource": BREAK_GLASS}),
            )
        },
    );
    check("a key, for everybody", &both(&["beyond_repair"]), |_| {
        with(
            json!({"Effect": "Deny", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:*:*:key/other"}),
        )
    });
    check(
        "the session document, for everybody",
        &both(&["break_glass", "beyond_repair"]),
        |_| {
            with(
                json!({"Effect": "Deny", "Action": "ssm:StartSession", "Resource": "arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell"}),
            )
        },
    );
    check(
        "58 guard that is attached elsewhere, too",
        &["break_glass:C".to_owned()],
        |scene| {
            scene.attached("guard", json!([guard(&[BREAK_GLASS, ADMIN])]), &[S]);
            scene.principal(C, "BreakGlass").policies.clear();
            scene.principal(C, "Admin").arn = role(C, "ssm/BreakGlass2");
            vec![update("guard", json!([guard(&[BREAK_GLASS])]))]
        },
    );
}

#[test]
fn neither_order_nor_verb_hides_a_denial() {
    let all = || json!([deny(json!("*"), Value::Null)]);
    for (name, order) in [
        ("27 attached, then updated", [1, 0]),
        ("updated, then attached", [0, 1]),
    ] {
        check(name, &both(&ALL), |scene| {
            scene.attached("guard", json!([guard(&[BREAK_GLASS])]), &[]);
            let changes = [update("guard", all()), attach("guard", W)];
            order.map(|index: usize| changes[index].clone()).to_vec()
        });
    }
    check("66 made, attached, then updated", &both(&ALL), |_| {
        let mut changes = on_w(json!([guard(&[BREAK_GLASS])]));
        changes.push(update("guard", all()));
        changes
    });
    check("29 all that allows is detached", &both(&ALL), |_| {
        let mut changes = on_w(json!([guard(&[BREAK_GLASS])]));
        changes.push(detach(FULL, W));
        changes
    });
    check("32 all that allows is narrowed", &both(&ALL), |scene| {
        let everything = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]);
        scene.attached("allow", everything, &[W]);
        scene.organization.attach(FULL, W, false);
        vec![update(
            "allow",
            json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]),
        )]
    });
    check("29 the same alone", &both(&ALL), |_| vec![detach(FULL, W)]);
    check("59 denial of everything by hand", &both(&ALL), |scene| {
        scene.attached("DenyAll", all(), &[]);
        vec![attach("DenyAll", W)]
    });
    check("denial that two policies allowed", &[], |scene| {
        scene.attached(
            "allow",
            json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]),
            &[W],
        );
        vec![detach(FULL, W)]
    });
    type Planned = fn(&mut Scene) -> Vec<Value>;
    let harmless: [(&str, Planned); 6] = [
        ("33 the same twice", |_| {
            [
                on_w(json!([guard(&[BREAK_GLASS])])),
                on_w(json!([guard(&[BREAK_GLASS])])),
            ]
            .concat()
        }),
        ("made and attached nowhere", |_| {
            vec![create("guard", json!([deny(json!("*"), Value::Null)]))]
        }),
        ("attached to the management account", |_| {
            vec![
                create("guard", json!([deny(json!("*"), Value::Null)])),
                attach("guard", MANAGEMENT),
            ]
        }),
        ("attached to the other unit", |_| {
            vec![
                create("guard", json!([guard(&[BREAK_GLASS])])),
                attach("guard", S),
            ]
        }),
        ("a guard goes", |scene| {
            scene.attached("guard", json!([guard(&[ADMIN])]), &[W]);
            vec![detach("guard", W)]
        }),
        ("one more is exempt", |scene| {
            scene.attached("guard", json!([guard(&[BREAK_GLASS])]), &[W]);
            vec![update("guard", json!([guard(&[BREAK_GLASS, ADMIN])]))]
        }),
    ];
    for (name, plan) in harmless {
        check(name, &[], plan);
    }
}

/// Where a denial by Region leaves every answer open an Allow is compared all the same, level by level.
#[test]
fn what_allows_is_compared_where_a_denial_leaves_open_what_is_denied() {
    let elsewhere = json!({"StringNotEquals": {"aws:RequestedRegion": "eu-central-1"}});
    let allow = |condition: Value, resources: Value| {
        let mut statement =
            json!({"Sid": "Allow", "Effect": "Allow", "Action": "*", "Resource": resources});
        if !condition.is_null() {
            statement["Condition"] = condition;
        }
        json!([statement])
    };
    let under = |name: &str, before: Value, after: Value, expected: &[&str]| {
        check(name, &both(expected), |scene| {
            scene.attached(
                "regions",
                json!([deny(json!("*"), elsewhere.clone())]),
                &[ROOT],
            );
            scene.attached("allow", before.clone(), &[W]);
            scene.organization.attach(FULL, W, false);
            vec![update("allow", after.clone())]
        });
    };
    let mfa = || json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}});
    let office = |range: &str| json!({"IpAddress": {"aws:SourceIp": range}});
    let perhaps = [
        "break_glass",
        "nodes_offline",
        "assume_role",
        "logging",
        "conditional",
    ];
    let all = || allow(Value::Null, json!("*"));
    under(
        "32 with MFA only",
        all(),
        allow(mfa(), json!("*")),
        &perhaps,
    );
    let small = || allow(office("192.0.2.0/28"), json!("*"));
    let large = || allow(office("192.0.2.0/24"), json!("*"));
    under("32 from an office only", all(), small(), &perhaps);
    under("32 from another office", large(), small(), &perhaps);
    under(
        "32 with MFA, too",
        large(),
        {
            let mut both = office("192.0.2.0/24");
            both["Bool"] = mfa()["Bool"].clone();
            allow(both, json!("*"))
        },
        &perhaps,
    );
    under(
        "32 on buckets only",
        all(),
        allow(Value::Null, json!("arn:aws:s3:::*")),
        &[
            "break_glass",
            "nodes_offline",
            "assume_role",
            "logging",
            "repair",
            "assign_access",
            "other",
        ],
    );
    under("the same", large(), large(), &[]);
    under("without its condition", large(), all(), &[]);
    let two = json!({"IpAddress": {"aws:SourceIp": ["198.51.100.0/24", "192.0.2.0/24"]}});
    under("from two offices", large(), allow(two, json!("*")), &[]);
    under(
        "and buckets by name",
        large(),
        {
            let mut more = large();
            let buckets = allow(Value::Null, json!("arn:aws:s3:::*"));
            more.as_array_mut().unwrap().push(buckets[0].clone());
            more
        },
        &[],
    );
}

#[test]
fn a_doubtful_denial_that_stays_is_no_loss() {
    let elsewhere =
        || json!({"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1"]}});
    let regions = || deny(json!("*"), elsewhere());
    for (name, expected, after) in [
        (
            "one more statement",
            &[][..],
            json!([guard(&[BREAK_GLASS]), regions()]),
        ),
        ("spares somebody", &[], {
            let mut spares = regions();
            spares["Condition"]["ArnNotLike"] = json!({"aws:PrincipalArn": BREAK_GLASS});
            json!([guard(&[BREAK_GLASS]), spares])
        }),
        ("one Region more", &[], {
            let mut more = regions();
            more["Condition"] = json!({"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1", "eu-west-1", "us-east-1"]}});
            json!([guard(&[BREAK_GLASS]), more])
        }),
        (
            "one Region less",
            &[
                "break_glass",
                "nodes_offline",
                "assume_role",
                "logging",
                "conditional",
            ],
            {
                let mut less = regions();
                less["Condition"] =
                    json!({"StringNotEquals": {"aws:RequestedRegion": ["eu-central-1"]}});
                json!([guard(&[BREAK_GLASS]), less])
            },
        ),
    ] {
        check(name, &both(expected), |scene| {
            scene.attached("guard", json!([guard(&[BREAK_GLASS]), regions()]), &[W]);
            vec![update("guard", after.clone())]
        });
    }
}
