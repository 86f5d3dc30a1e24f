//! What is said of each kind of risk: who loses what by which statement at which level, and what to change; and of past calls those
//! that the policies of their own accounts would deny.

use serde_json::{Value, json};

use super::cases::{ALL, SESSIONS, but, check, deny, guard, on_w, only, with};
use super::scene::{
    A, B, BREAK_GLASS, C, FULL, ROOT, S, Scene, W, attach, create, detach, lettered, role, trust,
    update,
};
use crate::lockout::Risk;

const AT_W: &str = " at ou-org1-workload (Root/ou-org1-workload)";
const UNNAMED: &str = "a role that no policy names";

/// The parts that a refusal has to name.
struct Parts<'a> {
    principal: &'a str,
    action: &'a str,
    statement: &'a str,
    level: &'a str,
    fix: &'a str,
}

#[track_caller]
fn said(kind: &str, risks: &[Risk], parts: &Parts<'_>) {
    let mut risks = risks.iter();
    let risk = risks.find(|risk| risk.id == kind || risk.id.starts_with(&format!("{kind}:")));
    let risk = risk.unwrap_or_else(|| panic!("{kind}"));
    let Parts {
        principal,
        action,
        statement,
        level,
        fix,
    } = parts;
    for part in [principal, action, statement, level] {
        assert!(
            risk.message.contains(part),
            "{kind}: {part}: {}",
            risk.message
        );
    }
    assert!(risk.fix.contains(fix), "{kind}: {}", risk.fix);
}

fn call(account: &str, action: &str) -> Value {
    let (service, name) = action.split_once(':').unwrap();
    json!({"eventTime": "2026-11-01T00:00:00Z", "eventID": "e", "eventSource": format!("{service}.amazonaws.com"), "eventName": name,
        "userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": role(account, "dev")}}}})
}

#[test]
fn every_refusal_names_who_what_by_which_statement_where_and_what_to_change() {
    let everything = Scene::new().judged(&on_w(json!([deny(json!("*"), Value::Null)])));
    let mut named: Vec<String> = Vec::new();
    let cure = "leave it out of statement Deny of guard, or exempt them there with ArnNotLike aws:PrincipalArn";
    for (kind, action) in [
        ("break_glass", "ec2-instance-connect:OpenTunnel"),
        ("nodes_offline", "ec2messages"),
        ("assume_role", "of sts"),
        ("logging", "kms:GenerateDataKey"),
        ("repair", "of organizations"),
        ("assign_access", "of sso"),
        ("other", "more services"),
    ] {
        named.push(kind.to_owned());
        let kind = format!("{kind}:{A}");
        said(
            &kind,
            &everything,
            &Parts {
                principal: UNNAMED,
                action,
                statement: "denied by statement Deny of guard",
                level: AT_W,
                fix: match kind.starts_with("break_glass") {
                    true => "have a break-glass role there whose ARN the exemptions match",
                    false => cure,
                },
            },
        );
    }
    assert_eq!(named, ALL);
    let office = json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    let conditional = Scene::new().judged(&with(deny(json!("iam:*"), office)));
    said(
        "conditional",
        &conditional,
        &Parts {
            principal: &format!("anybody in account {A}"),
            action: "of iam",
            statement: "statement Deny of guard",
            level: AT_W,
            fix: cure,
        },
    );
    let protected = json!({"Sid": "Protect", "Effect": "Deny", "Action": "iam:DeleteRole", "Resource": BREAK_GLASS});
    said(
        "beyond_repair",
        &Scene::new().judged(&with(protected)),
        &Parts {
            principal: &format!("nobody in account {A}"),
            action: "iam:DeleteRole on arn:aws:iam::200000000002:role/ssm/BreakGlass",
            statement: "statement Protect of guard",
            level: AT_W,
            fix: "exempt the same principals in that statement",
        },
    );
    let inverted = Scene::new().judged(&on_w(json!([deny(json!(SESSIONS), only(&[BREAK_GLASS]))])));
    said(
        "singled_out",
        &inverted,
        &Parts {
            principal: &role(A, "ssm/BreakGlass"),
            action: "ssm:",
            statement: "statement Deny of guard",
            level: AT_W,
            fix: "write ArnNotLike with the principals that should keep access",
        },
    );
    let mut scene = Scene::new();
    scene.caller = Some(role(A, "dev"));
    said(
        "caller",
        &scene.judged(&on_w(json!([guard(&[BREAK_GLASS])]))),
        &Parts {
            principal: &role(A, "dev"),
            action: "of ssm",
            statement: "statement Deny of guard",
            level: AT_W,
            fix: "exempt your role",
        },
    );
    let past = on_w(json!([guard(&[BREAK_GLASS])]));
    let past = Scene::new().judged_after(&past, &[call(A, "ssm:SendCommand")]);
    said(
        "history",
        &past,
        &Parts {
            principal: &role(A, "dev"),
            action: "called ssm:SendCommand 1 time until 2026-11-01T00:00:00Z",
            statement: "denied by statement Deny of guard",
            level: AT_W,
            fix: "exempt it in statement Deny of guard with ArnNotLike aws:PrincipalArn, or accept that it ends",
        },
    );
}

#[test]
fn what_is_lost_by_what_allows_names_the_level_and_the_statement() {
    let mut scene = Scene::new();
    let allow = |condition: Value| json!([{"Sid": "Office", "Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}]);
    scene.attached("allow", allow(json!({})), &[W]);
    scene.organization.attach(FULL, W, false);
    let office = json!({"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    said(
        "nodes_offline",
        &scene.judged(&[update("allow", allow(office))]),
        &Parts {
            principal: UNNAMED,
            action: "ssmmessages",
            statement: "statement Office of allow",
            level: " at ou-org1-workload (Root/ou-org1-workload) allows it only depending on aws:sourceip",
            fix: "keep a statement without that condition in a policy at ou-org1-workload (Root/ou-org1-workload)",
        },
    );
    said(
        "nodes_offline",
        &scene.judged(&[detach("allow", W)]),
        &Parts {
            principal: UNNAMED,
            action: "ssmmessages",
            statement: "no policy of",
            level: "ou-org1-workload (Root/ou-org1-workload) allows it",
            fix: "keep a policy that allows it at ou-org1-workload",
        },
    );
}

#[test]
fn what_closes_a_role_is_named() {
    let mut statement = deny(json!("sts:AssumeRole"), but(&["arn:aws:iam::*:role/dev"]));
    statement["Resource"] = json!(BREAK_GLASS);
    statement["Sid"] = json!("Roles");
    let mut scene = Scene::new();
    scene.principal(A, "BreakGlass").trust = Some(trust(json!({"AWS": role(A, "Admin")})));
    let parts = |fix| Parts {
        principal: "arn:aws:iam::200000000002:role/ssm/BreakGlass",
        action: "sts:AssumeRole by arn:aws:iam::200000000002:role/Admin",
        statement: "denied by statement Roles of",
        level: AT_W,
        fix,
    };
    let at_once = scene.judged(&with(statement.clone()));
    said("break_glass", &at_once, &parts("which somebody may assume"));
    scene.attached("older", json!([guard(&[BREAK_GLASS])]), &[W]);
    let alone = scene.judged(&on_w(json!([statement])));
    said(
        "assume_role",
        &alone,
        &parts(
            "exempt there, with ArnNotLike aws:PrincipalArn, those whom a break-glass role trusts",
        ),
    );
}

#[test]
fn what_is_open_on_the_way_names_both_statements() {
    let mut scene = Scene::new();
    scene.attached("older", json!([guard(&[BREAK_GLASS])]), &[W]);
    let mut changes = vec![detach("older", W)];
    changes.extend(on_w(json!([guard(&[BREAK_GLASS])])));
    let risks = scene.judged(&changes);
    for statement in [
        "denied by statement Deny of older",
        "in the end denied by statement Deny of guard",
    ] {
        said(
            "guard_off",
            &risks,
            &Parts {
                principal: UNNAMED,
                action: "ssm:StartSession",
                statement: &format!("{statement}{AT_W}"),
                level: "between detach_policy:ou-org1-workload and the end",
                fix: "attached before the one that it replaces",
            },
        );
    }
    let locked = Scene::new();
    let all = json!([deny(json!("*"), Value::Null)]);
    let changes = [create("all", all), attach("all", W), detach("all", W)];
    said(
        "midway",
        &locked.judged(&changes),
        &Parts {
            principal: UNNAMED,
            action: "ec2-instance-connect:OpenTunnel",
            statement: "denied by statement Deny of all",
            level: AT_W,
            fix: "change the order",
        },
    );
}

/// Two plans on one stdin, each for a unit of its own.
#[test]
fn past_calls_are_replayed_by_the_policies_of_their_own_account() {
    let one = |name: &str, action: &str, unit: &str| {
        let statements = json!([deny(json!(action), but(&[BREAK_GLASS]))]);
        [create(name, statements), attach(name, unit)]
    };
    let changes = [
        one("of-w", "ssm:SendCommand", W),
        one("of-s", "ssm:StartSession", S),
    ]
    .concat();
    let calls = [
        call(A, "ssm:StartSession"),
        call(B, "ssm:SendCommand"),
        call(C, "ssm:SendCommand"),
        call(C, "ssm:StartSession"),
    ];
    let risks = Scene::new().judged_after(&changes, &calls);
    assert_eq!(
        lettered(risks),
        [
            "history:arn:aws:iam::C:role/dev:ssm:StartSession",
            "history:arn:aws:iam::B:role/dev:ssm:SendCommand",
        ]
    );
    // Not by what a later change of the plan replaces, nor by what was there before.
    let replaced = |scene: &mut Scene| {
        scene.attached(
            "older",
            json!([deny(json!("ssm:StartSession"), but(&[BREAK_GLASS]))]),
            &[ROOT],
        );
        let both = json!([deny(json!(SESSIONS), but(&[BREAK_GLASS]))]);
        let less = json!([deny(json!("ssm:ResumeSession"), but(&[BREAK_GLASS]))]);
        vec![
            create("guard", both),
            update("guard", less),
            attach("guard", W),
        ]
    };
    let mut scene = Scene::new();
    let changes = replaced(&mut scene);
    assert_eq!(lettered(scene.judged_after(&changes, &calls)), [""; 0]);
    check("the same without calls", &[], replaced);
}

/// One account whose policies cannot be judged does not hide the calls of those that get the same ones.
#[test]
fn past_calls_are_replayed_beside_an_account_that_cannot_be_judged() {
    let mut scene = Scene::new();
    scene.attached("broken", json!([{"Effect": "Maybe"}]), &[A]);
    let changes = on_w(json!([guard(&[BREAK_GLASS])]));
    let risks = scene.judged_after(&changes, &[call(B, "ssm:SendCommand")]);
    let risks = lettered(risks);
    let history = "history:arn:aws:iam::B:role/dev:ssm:SendCommand".to_owned();
    assert!(risks.contains(&history), "{risks:?}");
    assert!(risks.contains(&"unjudged:A".to_owned()), "{risks:?}");
}

#[test]
fn calls_that_are_certain_do_not_depend_on_anything() {
    let office = json!({"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}});
    let changes = on_w(json!([deny(json!("ssm:SendCommand"), office)]));
    let from = |address: Option<&str>| {
        let mut call = call(A, "ssm:SendCommand");
        if let Some(address) = address {
            call["sourceIPAddress"] = json!(address);
        }
        call
    };
    let said = |calls: &[Value]| {
        let risks = Scene::new().judged_after(&changes, calls);
        let mut risks = risks.into_iter();
        let risk = risks.find(|risk| risk.id.starts_with("history:"));
        risk.unwrap().message
    };
    let certain = said(&[from(Some("198.51.100.7")), from(None)]);
    assert!(
        certain.contains("2 times") && certain.contains("and would be denied by"),
        "{certain}"
    );
    assert!(!certain.contains("depending"), "{certain}");
    let open = said(&[from(None)]);
    assert!(
        open.contains("1 time") && open.contains("and may be denied by"),
        "{open}"
    );
    assert!(open.ends_with("depending on aws:sourceip"), "{open}");
}
