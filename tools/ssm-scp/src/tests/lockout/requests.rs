//! Keys of a request that follow from who asks: the organization, whether a service calls for somebody, and the unique ID with the
//! name of the session. Each parts people into classes, or is known.

use serde_json::{Value, json};

use super::agreement::impacts;
use super::cases::{SESSIONS, both, check, deny, on_w, with};
use super::scene::{A, B, ORGANIZATION, ROOT, S, Scene, W, document, role, trust, unique_id};
use crate::impact::Class;
use crate::lockout::carry_out;

/// Returns a plan that denies access under a condition.
fn unless(condition: Value) -> Vec<Value> {
    on_w(json!([deny(json!(SESSIONS), condition)]))
}

fn lost() -> Vec<String> {
    both(&["break_glass"])
}

#[test]
fn everybody_is_known_to_be_in_the_organization() {
    let id = |operator: &str, id: &str| json!({operator: {"aws:PrincipalOrgID": id}});
    for operator in ["StringNotEquals", "StringNotEqualsIfExists"] {
        check("of this one", &[], |_| unless(id(operator, ORGANIZATION)));
        check("of another", &lost(), |_| {
            unless(id(operator, "o-zzzzzzzzzz"))
        });
    }
    check("in it at all", &lost(), |_| {
        unless(json!({"Null": {"aws:PrincipalOrgID": "false"}}))
    });
    let path = |unit: &str| {
        let path = format!("{ORGANIZATION}/{ROOT}/{unit}/*");
        json!({"ForAllValues:StringNotLike": {"aws:PrincipalOrgPaths": path}})
    };
    check("below its unit", &[], |_| unless(path(W)));
    check("below another unit", &lost(), |_| unless(path(S)));
}

#[test]
fn an_organization_whose_id_was_not_read_is_named_as_what_it_depends_on() {
    let mut scene = Scene::new();
    for entity in &mut scene.organization.entities {
        entity.organization_id = None;
    }
    let condition = json!({"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}});
    let risks = scene.judged(&unless(condition));
    let message = &risks[0].message;
    assert!(
        risks.len() == 2 && message.ends_with("depending on aws:principalorgid"),
        "{message}"
    );
}

#[test]
fn a_perimeter_closes_roles_to_other_organizations() {
    let perimeter = json!([{"Sid": "Perimeter", "Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole", "Resource": "*",
        "Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION},
            "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}}]);
    let plan = |scene: &mut Scene, trusted: Value| {
        scene.governed("perimeter", perimeter.clone(), B);
        scene.principal(B, "BreakGlass").trust = Some(trust(trusted));
        with(deny(
            json!("iam:DeleteRole"),
            json!({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/dev"}}),
        ))
    };
    let hub = role("999988887777", "hub");
    check("a role of the organization", &[], |scene| {
        plan(scene, json!({"AWS": role(A, "Admin")}))
    });
    check("the management account", &[], |scene| {
        plan(scene, json!({"AWS": "100000000001"}))
    });
    let closed = ["break_glass:B".to_owned()];
    check("a role of another one", &closed, |scene| {
        plan(scene, json!({"AWS": hub.clone()}))
    });
    check("one of both", &[], |scene| {
        plan(scene, json!({"AWS": [hub.clone(), role(A, "Admin")]}))
    });
}

fn via(is_service: bool) -> Value {
    json!({"Bool": {"aws:ViaAWSService": is_service.to_string()}})
}

#[test]
fn people_and_agents_call_themselves_and_s3_asks_for_keys() {
    check("sessions by a service", &[], |_| unless(via(true)));
    check("sessions by people", &lost(), |_| unless(via(false)));
    for (name, actions, is_service, expected) in [
        ("agents by a service", "ssmmessages:*", true, &[][..]),
        ("agents", "ssmmessages:*", false, &["nodes_offline"]),
        ("roles by a service", "sts:AssumeRole", true, &[]),
        ("roles", "sts:AssumeRole", false, &["assume_role"]),
        ("uploads by a service", "s3:PutObject", true, &[]),
        ("uploads", "s3:PutObject", false, &["logging"]),
        (
            "keys by a service",
            "kms:GenerateDataKey",
            true,
            &["logging"],
        ),
        ("keys", "kms:GenerateDataKey", false, &["logging"]),
        ("others by a service", "iam:DeleteRole", true, &[]),
        ("others", "iam:DeleteRole", false, &["other"]),
        (
            "repair by a service",
            "organizations:DetachPolicy",
            true,
            &[],
        ),
        ("repair", "organizations:DetachPolicy", false, &["repair"]),
    ] {
        check(name, &both(expected), |_| {
            with(deny(json!(actions), via(is_service)))
        });
    }
    let risks = Scene::new().judged(&with(deny(json!("kms:GenerateDataKey"), via(true))));
    let who = "a role that no policy names, where a service calls for it would lose";
    assert!(risks[0].message.contains(who), "{}", risks[0].message);
}

#[test]
fn services_are_classes_by_their_names() {
    let named = |operator: &str, service: &str| json!({operator: {"aws:CalledVia": service}});
    let keys = |condition: Value| with(deny(json!("kms:Decrypt"), condition));
    let any = "ForAnyValue:StringLike";
    check("keys for Athena", &[], |_| {
        keys(named(any, "athena.amazonaws.com"))
    });
    check("keys for any service", &both(&["logging"]), |_| {
        keys(named(any, "*.amazonaws.com"))
    });
    // The usual way to have everything made by stacks; nobody is spared.
    let but = |service: &str| named("ForAllValues:StringNotEquals", service);
    check("only by stacks", &both(&["other"]), |_| {
        with(deny(
            json!("iam:DeleteRole"),
            but("cloudformation.amazonaws.com"),
        ))
    });
    check("sessions only by a service", &lost(), |_| {
        unless(but("ssm-guiconnect.amazonaws.com"))
    });
    let first = json!({"StringEquals": {"aws:CalledViaFirst": "cloudformation.amazonaws.com"}});
    check("sessions by stacks", &[], |_| unless(first.clone()));
    let last = json!({"Null": {"aws:CalledViaLast": "true"}});
    check("sessions by nothing", &lost(), |_| unless(last.clone()));
}

fn session(role: &str, name: &str) -> String {
    format!("{}:{name}", unique_id(role))
}

#[test]
fn a_role_is_known_by_its_unique_id() {
    let spared = |operator: &str, id: &str| unless(json!({operator: {"aws:userid": id}}));
    check("every session", &[], |_| {
        spared("StringNotLike", &session("ssm/BreakGlass", "*"))
    });
    check("one session, whose name anybody may choose", &[], |_| {
        spared("StringNotEquals", &session("ssm/BreakGlass", "ann"))
    });
    check("a role that is gone", &lost(), |_| {
        spared("StringNotLike", "AROAGONE:*")
    });
    check("sessions of instances, which nobody begins", &[], |_| {
        spared("StringNotLike", "*:i-*")
    });
    let denied = |action: &str, id: &str| {
        with(deny(
            json!(action),
            json!({"StringLike": {"aws:userid": id}}),
        ))
    };
    check("nodes by their role", &both(&["nodes_offline"]), |_| {
        denied("ssmmessages:*", &session("Nodes", "*"))
    });
    check("nodes by their sessions", &both(&["nodes_offline"]), |_| {
        denied("ssmmessages:*", "*:i-*")
    });
    check("agents' calls by a role that makes none", &[], |_| {
        denied("ssmmessages:*", &session("dev", "*"))
    });
    let eve = [A, B].map(|account| format!("singled_out:{}", role(account, "dev")));
    let eve = eve.map(|id| id.replace(A, "A").replace(B, "B"));
    check("one session of one role", &eve, |_| {
        unless(json!({"StringEquals": {"aws:userid": session("dev", "eve")}}))
    });
}

#[test]
fn a_unique_id_that_was_not_read_is_named_as_what_it_depends_on() {
    let mut scene = Scene::new();
    for account in [A, B] {
        scene.principal(account, "BreakGlass").unique_id = None;
    }
    let condition = json!({"StringNotLike": {"aws:userid": session("ssm/BreakGlass", "*")}});
    let risks = scene.judged(&unless(condition));
    let message = &risks[0].message;
    assert!(
        risks.len() == 2 && message.contains("depending on aws:userid"),
        "{message}"
    );
}

/// A session that is denied already is not one that keeps access.
#[test]
fn whoever_loses_all_sessions_that_there_are_is_newly_denied() {
    let by_session = |operator: &str, name: &str| {
        let id = format!("{}:{name}", unique_id("ssm/BreakGlass"));
        deny(json!(SESSIONS), json!({operator: {"aws:userid": id}}))
    };
    for (name, plan, class) in [
        (
            "all",
            deny(json!(SESSIONS), Value::Null),
            Class::NewlyDenied,
        ),
        (
            "all but bob",
            by_session("StringNotEquals", "bob"),
            Class::StillIn,
        ),
        (
            "all but ann",
            by_session("StringNotEquals", "ann"),
            Class::NewlyDenied,
        ),
    ] {
        let mut scene = Scene::new();
        scene.attached("older", json!([by_session("StringEquals", "ann")]), &[W]);
        let mut after = scene.organization.clone();
        let changes = on_w(json!([plan]));
        for change in &changes {
            let action = serde_json::from_value(change["action"].clone()).unwrap();
            carry_out(&mut after, action, &change["from"], &change["to"]).unwrap();
        }
        let impact = &impacts(&scene, &changes, &after)[A][0];
        assert_eq!(impact.class, class, "{name}: {impact:?}");
    }
}

/// What its own policies deny a session the guard cannot spare.
#[test]
fn whoever_has_no_session_left_that_iam_allows_is_newly_denied() {
    let id = |name: &str| session("ssm/BreakGlass", name);
    let denied = |actions: &[&str]| {
        let condition = json!({"StringEquals": {"aws:userid": id("ann")}});
        document(json!([deny(json!(actions), condition)]))
    };
    for (own, guard, class, actions) in [
        (
            denied(&SESSIONS),
            json!({"StringNotEquals": {"aws:userid": id("ann")}}),
            Class::NewlyDenied,
            &SESSIONS[..],
        ),
        (
            denied(&SESSIONS[..1]),
            json!({"StringNotEquals": {"aws:userid": id("ann")}}),
            Class::NewlyDenied,
            &SESSIONS[..],
        ),
        (
            denied(&SESSIONS),
            json!({"StringEquals": {"aws:userid": id("ann")}}),
            Class::StillIn,
            &SESSIONS[..0],
        ),
    ] {
        let mut scene = Scene::new();
        scene.principal(A, "BreakGlass").policies.push(own.into());
        let mut after = scene.organization.clone();
        let changes = unless(guard);
        for change in &changes {
            let action = serde_json::from_value(change["action"].clone()).unwrap();
            carry_out(&mut after, action, &change["from"], &change["to"]).unwrap();
        }
        let impact = &impacts(&scene, &changes, &after)[A][0];
        let lost = impact.losses.iter().flat_map(|loss| &loss.actions);
        assert_eq!(impact.class, class, "{impact:?}");
        assert!(lost.eq(actions), "{impact:?}");
    }
}
