//! Exemptions by name, and the risks for which they are refused: whoever is exempt must exist and get in.

use cli::Reading;
use serde_json::{Value, json};

use super::cases::{
    ADMIN, SESSIONS, both, but, check, deny, guard, nobody_matches, on_w, only, with,
};
use super::scene::{
    A, B, BREAK_GLASS, C, MANAGEMENT, ROOT, Scene, W, allow, attach, create, role, trust, update,
};
use crate::model::AccountPrincipals;

#[test]
fn a_pattern_that_spares_nobody_is_named() {
    for (name, pattern) in [
        (
            "01 role name in other case",
            "arn:aws:iam::*:role/ssm/breakglass",
        ),
        (
            "03 resource type in upper case",
            "arn:aws:iam::*:Role/ssm/BreakGlass",
        ),
        ("04 path forgotten", "arn:aws:iam::*:role/BreakGlass"),
        (
            "05 wildcard that matches nothing",
            "arn:aws:iam::*:role/zz*",
        ),
        (
            "09 permission set without a role",
            "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Nope_*",
        ),
        (
            "10 session in place of the role",
            "arn:aws:sts::*:assumed-role/BreakGlass/*",
        ),
        (
            "11 other partition",
            "arn:aws-cn:iam::*:role/ssm/BreakGlass",
        ),
        (
            "41 service-linked roles",
            "arn:aws:iam::*:role/aws-service-role/*",
        ),
        ("67 root users", "arn:aws:iam::*:root"),
        ("68 users where there are none", "arn:aws:iam::*:user/*"),
    ] {
        check(name, &nobody_matches(pattern), |_| {
            on_w(json!([guard(&[pattern])]))
        });
    }
    let typo = "arn:aws:iam::*:role/ssm/BreakGlas";
    let expected = [format!("unmatched:{typo}")];
    check("06 one good pattern and one typo", &expected, |_| {
        on_w(json!([guard(&[BREAK_GLASS, typo])]))
    });
}

#[test]
fn whoever_is_exempt_must_get_in() {
    let plan = || on_w(json!([guard(&[BREAK_GLASS])]));
    check("00 control", &[], |_| plan());
    check(
        "07 break-glass in A only",
        &both(&["break_glass"])[1..],
        |scene| {
            scene.principals(B).remove(0);
            plan()
        },
    );
    check(
        "08 break-glass in the management account only",
        &nobody_matches(BREAK_GLASS),
        |scene| {
            let mut break_glass = scene.principals(A).remove(0);
            scene.principals(B).remove(0);
            break_glass.arn = role(MANAGEMENT, "ssm/BreakGlass");
            scene.accounts.push(AccountPrincipals {
                account: MANAGEMENT.to_owned(),
                principals: Reading::Present(vec![break_glass]),
            });
            plan()
        },
    );
    check(
        "14 pattern with roles in A only",
        &both(&["break_glass"])[1..],
        |scene| {
            scene.principal(A, "dev").arn = role(A, "quick");
            on_w(json!([guard(&["arn:aws:iam::*:role/q*"])]))
        },
    );
    check(
        "39 root, and nobody exempt in C",
        &["break_glass:C".to_owned()],
        |scene| {
            scene.principals(C).remove(0);
            vec![
                create("guard", json!([guard(&[BREAK_GLASS])])),
                attach("guard", ROOT),
            ]
        },
    );
    check(
        "40 account moved below the guard",
        &["break_glass:C".to_owned()],
        |scene| {
            scene.principals(C).remove(0);
            let mut entities = scene.organization.entities.iter_mut();
            entities.find(|one| one.id == C).unwrap().parent = Some(W.to_owned());
            plan()
        },
    );
    for (name, action, expected) in [
        (
            "resource control policy that closes break-glass",
            "sts:*",
            "break_glass:B",
        ),
        ("resource control policy about something else", "kms:*", ""),
    ] {
        let expected: Vec<String> = [expected]
            .iter()
            .filter(|one| !one.is_empty())
            .map(|one| (*one).to_owned())
            .collect();
        check(name, &expected, |scene| {
            let statement =
                json!([{"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "*"}]);
            scene.governed("perimeter", statement, B);
            plan()
        });
    }
    type Spoil = fn(&mut crate::model::PrincipalPolicies);
    let spoils: [(&str, Spoil); 10] = [
        ("42 no policy", |one| one.policies.clear()),
        ("42 policies of something else", |one| {
            one.policies = vec![allow(&["s3:*"])]
        }),
        ("43 instance role", |one| {
            one.trust = Some(trust(json!({"Service": "ec2.amazonaws.com"})))
        }),
        ("44 trusts a role that is gone", |one| {
            one.trust = Some(trust(json!({"AWS": role(B, "gone")})))
        }),
        ("44 trusts nobody but itself", |one| {
            one.trust = Some(trust(json!({"AWS": role(B, "ssm/BreakGlass")})))
        }),
        (
            "44 trusts the role of the nodes, which EC2 alone assumes",
            |one| one.trust = Some(trust(json!({"AWS": role(B, "Nodes")}))),
        ),
        ("44 trusts a session of the nodes", |one| {
            let session = format!("arn:aws:sts::{B}:assumed-role/Nodes/i-0123456789abcdef0");
            one.trust = Some(trust(json!({"AWS": session})))
        }),
        ("boundary of something else", |one| {
            one.boundary = Some(allow(&["s3:*"]))
        }),
        ("denied by its own policy", |one| {
            one.policies.push(
                json!({"Version": "2012-10-17",
                "Statement": [{"Effect": "Deny", "Action": "ssm:*", "Resource": "*"}]})
                .into(),
            );
        }),
        ("policy that is not understood", |one| {
            one.policies.push(json!({"Statement": 7}).into())
        }),
    ];
    for (name, spoil) in spoils {
        check(name, &both(&["break_glass"])[1..], |scene| {
            spoil(scene.principal(B, "BreakGlass"));
            plan()
        });
    }
    check(
        "exempt role that may do less than sessions and commands",
        &both(&["break_glass"])[1..],
        |scene| {
            scene.principal(B, "BreakGlass").policies = vec![allow(&["ssm:StartSession"])];
            plan()
        },
    );
    check("exempt role that federation lets in", &[], |scene| {
        let saml = json!({"Federated": format!("arn:aws:iam::{B}:saml-provider/AWSSSO")});
        scene.principal(B, "BreakGlass").trust = Some(trust(saml));
        plan()
    });
    for (name, pattern) in [
        ("exempt user", "arn:aws:iam::*:user/breakglass"),
        ("68 every user exempt", "arn:aws:iam::*:user/*"),
    ] {
        check(name, &[], |scene| {
            for account in [A, B] {
                let user = scene.principal(account, "BreakGlass");
                (user.arn, user.trust) = (format!("arn:aws:iam::{account}:user/breakglass"), None);
            }
            on_w(json!([guard(&[pattern])]))
        });
    }
    for account in [
        "aws:PrincipalAccount",
        "aws:principalaccount",
        "aws:PrincipalAccount, 'none'",
    ] {
        check("exempt by a variable", &[], |_| {
            let pattern = format!("arn:aws:iam::${{{account}}}:role/ssm/BreakGlass");
            on_w(json!([guard(&[&pattern])]))
        });
    }
    let by_name = "arn:aws:iam::*:user/${aws:username}";
    check("users by their own names", &[], |scene| {
        for account in [A, B] {
            let user = scene.principal(account, "BreakGlass");
            (user.arn, user.trust) = (format!("arn:aws:iam::{account}:user/breakglass"), None);
        }
        on_w(json!([guard(&[by_name])]))
    });
    check(
        "users by their own names, and there are none",
        &nobody_matches(by_name),
        |_| on_w(json!([guard(&[by_name])])),
    );
    let by_tag = "arn:aws:iam::*:role/ssm/${aws:PrincipalTag/glass}";
    check("by a tag that names the role", &[], |scene| {
        for account in [A, B] {
            let tags = &mut scene.principal(account, "BreakGlass").tags;
            tags.insert("glass".to_owned(), "BreakGlass".to_owned());
        }
        on_w(json!([guard(&[by_tag])]))
    });
    check("by a tag that nobody has", &nobody_matches(by_tag), |_| {
        on_w(json!([guard(&[by_tag])]))
    });
}

#[test]
fn exemptions_by_account_reach_no_further() {
    let by_account = |operator: &str, account: &str| {
        deny(
            json!(SESSIONS),
            json!({operator: {"aws:PrincipalAccount": account}}),
        )
    };
    for (name, expected, statement) in [
        (
            "12, 20b account of a template",
            both(&["break_glass"]),
            by_account("StringNotEquals", "000000000000"),
        ),
        (
            "13 account that is not in the organization",
            both(&["break_glass"]),
            by_account("StringNotEquals", "999999999999"),
        ),
        (
            "20 denied in A alone",
            both(&["break_glass"])[..1].to_vec(),
            by_account("StringEquals", A),
        ),
        (
            "63 A exempt, B not",
            both(&["break_glass"])[1..].to_vec(),
            by_account("StringNotEquals", A),
        ),
        (
            "21 denied by ARN of A",
            both(&["break_glass"])[..1].to_vec(),
            deny(json!(SESSIONS), only(&[&format!("arn:aws:iam::{A}:*")])),
        ),
    ] {
        check(name, &expected, |_| on_w(json!([statement])));
    }
    check(
        "12b break-glass in A and an account of a template",
        &both(&["break_glass"])[1..],
        |scene| {
            scene.principals(B).remove(0);
            let mut condition = but(&[BREAK_GLASS]);
            condition["StringNotEquals"] = json!({"aws:PrincipalAccount": "000000000000"});
            on_w(json!([deny(json!(SESSIONS), condition)]))
        },
    );
}

#[test]
fn whoever_applies_may_not_shut_themselves_out() {
    let user = format!("arn:aws:iam::{A}:user/ann");
    for (name, caller, expected) in [
        ("51 user of an account that is bound", user, "caller"),
        (
            "52 exempt role with its path",
            role(A, "ssm/BreakGlass"),
            "",
        ),
        (
            "53 exempt role whose path could not be read",
            role(A, "BreakGlass"),
            "caller",
        ),
        ("54 another role", role(A, "dev"), "caller"),
        ("of an account that is not bound", role(C, "dev"), ""),
    ] {
        let expected: Vec<String> = match expected {
            "" => Vec::new(),
            risk => vec![risk.to_owned()],
        };
        check(name, &expected, |scene| {
            scene.caller = Some(caller.clone());
            on_w(json!([guard(&[BREAK_GLASS])]))
        });
    }
}

#[test]
fn what_was_not_read_is_a_risk_of_its_account() {
    let unread = |scene: &mut Scene| {
        let mut accounts = scene.accounts.iter_mut();
        let account = accounts.find(|one| one.account == B).unwrap();
        account.principals = Reading::Unknown("denied".to_owned());
    };
    check("55 B cannot be read", &["unread:B".to_owned()], |scene| {
        unread(scene);
        on_w(json!([guard(&[BREAK_GLASS])]))
    });
    let expected = ["unread:B", "logging:A", "logging:B"].map(str::to_owned);
    check(
        "what B would lose is known all the same",
        &expected,
        |scene| {
            unread(scene);
            with(deny(json!("s3:PutObject"), Value::Null))
        },
    );
}

#[test]
fn who_is_singled_out_is_named() {
    let named = |name: &str| -> Vec<String> {
        let accounts = ["A", "B"].iter();
        accounts
            .map(|account| format!("singled_out:arn:aws:iam::{account}:role/{name}"))
            .collect()
    };
    for (name, statement) in [
        ("24 inverted", deny(json!(SESSIONS), only(&[BREAK_GLASS]))),
        (
            "21b by path",
            deny(json!(SESSIONS), only(&["arn:aws:iam::*:role/ssm/*"])),
        ),
    ] {
        check(name, &named("ssm/BreakGlass"), |_| on_w(json!([statement])));
    }
    check(
        "exemption handed to another",
        &named("ssm/BreakGlass"),
        |scene| {
            scene.attached("guard", json!([guard(&[BREAK_GLASS])]), &[W]);
            vec![update("guard", json!([guard(&[ADMIN])]))]
        },
    );
}

/// An account that could not be read is a risk of its own; what everybody loses there is another one.
#[test]
fn accepting_that_an_account_is_unread_accepts_nothing_else() {
    let unread = |scene: &mut Scene| {
        let account = scene.accounts.iter_mut().find(|one| one.account == A);
        account.unwrap().principals = Reading::Unknown("denied".to_owned());
    };
    check("unread", &["unread:A".to_owned()], |scene| {
        unread(scene);
        on_w(json!([guard(&[BREAK_GLASS])]))
    });
    let expected = ["unread:A", "break_glass:A", "break_glass:B"];
    check(
        "38 unread, and nobody is exempt",
        &expected.map(str::to_owned),
        |scene| {
            unread(scene);
            on_w(json!([deny(json!(["ssm:StartSession"]), json!({}))]))
        },
    );
}
