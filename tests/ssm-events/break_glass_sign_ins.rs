//! `check --routes`: who assumes a role for emergencies, or signs in as a user for emergencies, whatever is called then.

use serde_json::{Value, json};
use testbed::Output;

use crate::break_glass::{ROLE, Scene, ids, used};

/// A sign-in of some days ago, in a Region.
fn sign_in(id: &str, name: &str, region: &str, more: &Value) -> Value {
    let source = match name.starts_with("Assume") {
        true => "sts.amazonaws.com",
        false => "signin.amazonaws.com",
    };
    let mut record = used(
        id,
        "Ops",
        2,
        &json!({"eventName": name, "eventSource": source, "awsRegion": region,
        "requestParameters": null, "responseElements": null}),
    );
    record
        .as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    record
}

fn assumed(id: &str, name: &str, region: &str, role: &str) -> Value {
    sign_in(
        id,
        name,
        region,
        &json!({"readOnly": true, "requestParameters": {"roleArn": role, "roleSessionName": "anna"},
            "responseElements": {"credentials": {"sessionToken": "t0ken"},
                "assumedRoleUser": {"arn": format!("arn:aws:sts::111122223333:assumed-role/{}/anna", role.rsplit('/').next().unwrap())}},
            "resources": [{"ARN": role, "accountId": "111122223333", "type": "AWS::IAM::Role"}]}),
    )
}

fn user(name: &str) -> Value {
    json!({"type": "IAMUser", "accountId": "111122223333", "userName": name, "arn": format!("arn:aws:iam::111122223333:user/{name}")})
}

fn routes(principals: &[&str]) -> Value {
    json!({"break_glass": {"principals": principals, "to": ["ops"]}})
}

/// Returns what was found of break-glass principals, with the Region of each.
fn uses(output: &Output) -> Vec<String> {
    let all = output.records().into_iter().zip(ids(output));
    let all = all.filter(|(_, id)| id.starts_with("events.break_glass.used "));
    let text = |(finding, id): (Value, String)| {
        let id = id.rsplit(' ').next().unwrap().to_owned();
        format!("{id} {}", finding["target"]["region"].as_str().unwrap())
    };
    all.map(text).collect()
}

#[test]
fn who_assumes_a_role_for_emergencies_is_found_in_the_region_and_at_home() {
    let scene = Scene::new(&[
        assumed(
            "e-ops",
            "AssumeRole",
            "us-east-1",
            "arn:aws:iam::111122223333:role/Ops",
        ),
        // Of another account, whose own check finds it.
        assumed("e-other", "AssumeRole", "us-east-1", ROLE),
    ]);
    let of_account = format!("arn:aws:iam::{}:role/break-glass", scene.account.id());
    scene.add(&[
        assumed("e-own", "AssumeRole", "us-east-1", &of_account),
        assumed("e-here", "AssumeRole", "eu-central-1", &of_account),
    ]);
    let asked = routes(&[ROLE, &of_account]);
    let check = |regions: &str| scene.check(&asked, &json!([]), &["--region", regions]);
    let found = check("us-east-1");
    found.assert_status(1).assert_stderr("");
    assert_eq!(
        uses(&found),
        ["e-own us-east-1"],
        "roles of the account that is asked"
    );
    let message = found.records()[0]["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains(&format!("called AssumeRole of {of_account}")),
        "{message}"
    );
    assert!(!found.stdout.contains("t0ken"));
    // Global sign-ins are in the records of one Region, whichever the flags name; and once, however many they name.
    let both = ["e-here eu-central-1", "e-own us-east-1"];
    assert_eq!(uses(&check("eu-central-1")), both);
    assert_eq!(uses(&check("eu-central-1,us-east-1")), both);
    assert!(
        scene.account.problems().is_empty(),
        "{:?}",
        scene.account.problems()
    );
}

/// What the first Region of an account looks up for all of them as well.
#[test]
fn a_test_event_that_is_refused_takes_away_nothing_that_is_found() {
    let scene = Scene::new(&[]);
    let of_account = format!("arn:aws:iam::{}:role/break-glass", scene.account.id());
    scene.add(&[
        assumed("e-own", "AssumeRole", "us-east-1", &of_account),
        assumed("e-here", "AssumeRole", "eu-central-1", &of_account),
    ]);
    scene.account.fault(
        json!({"service": "events", "operation": "PutEvents", "kind": "denied", "times": -1}),
    );
    let flags = ["--send-test", "--region", "eu-central-1,us-east-1"];
    let found = scene.check(&routes(&[&of_account]), &json!([]), &flags);
    found.assert_status(2).assert_stderr("");
    assert_eq!(uses(&found), ["e-here eu-central-1", "e-own us-east-1"]);
    let all = ids(&found);
    let n_of = |start: &str| all.iter().filter(|id| id.starts_with(start)).count();
    assert_eq!(n_of("events.test.unknown "), 2, "{all:?}");
    assert_eq!(n_of("events.rule.missing "), 1, "{all:?}");
}

/// What `check` asks to be acknowledged, `send` brings to the destinations for emergencies, whatever the rules say.
#[test]
fn who_becomes_a_principal_for_emergencies_cannot_be_muted() {
    let scene = crate::routes::Scene::new();
    let file = scene.routes(&json!({"break_glass": {"to": ["security"],
            "principals": [ROLE, "arn:aws:iam::111122223333:user/bg"]},
        "rules": [{"name": "quiet", "mute": {"reason": "all"}}]}));
    let without_arn = json!({"type": "IAMUser", "accountId": "111122223333", "userName": "bg"});
    let signed_in = |id: &str, identity: &Value| {
        let more = json!({"userIdentity": identity, "recipientAccountId": "111122223333"});
        sign_in(id, "ConsoleLogin", "us-east-1", &more)
    };
    let records = [
        assumed("e-role", "AssumeRole", "us-east-1", ROLE),
        signed_in("e-user", &without_arn),
        assumed(
            "e-ops",
            "AssumeRole",
            "us-east-1",
            "arn:aws:iam::111122223333:role/Ops",
        ),
        signed_in("e-anna", &user("anna")),
    ];
    let input: String = records.iter().map(|record| format!("{record}\n")).collect();
    let explained = scene.tool(&file, &["--explain"]).stdin(&*input).run();
    explained.assert_status(0).assert_stderr("");
    let decided = explained.records().into_iter().map(|one| {
        let to = one["to"].as_array().unwrap().len();
        json!([one["event_id"], one["decided_by"], one["severity"], to])
    });
    let expected = [
        json!(["e-role", "break_glass", "error", 1]),
        json!(["e-user", "break_glass", "error", 1]),
        json!(["e-ops", "rule", "info", 0]),
        json!(["e-anna", "rule", "info", 0]),
    ];
    assert_eq!(decided.collect::<Vec<_>>(), expected);
    scene.send(&file, &input).assert_status(0);
    assert_eq!(scene.counts(), [0, 2, 0]);
}

#[test]
fn a_role_is_found_by_a_pattern_and_with_its_path() {
    let scene = Scene::new(&[]);
    scene.account.aws(&[
        "iam",
        "create-role",
        "--role-name",
        "break-glass-2",
        "--path",
        "/security/",
        "--assume-role-policy-document",
        r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}]}"#,
    ]);
    let arn = format!(
        "arn:aws:iam::{}:role/security/break-glass-2",
        scene.account.id()
    );
    scene.add(&[assumed("e-1", "AssumeRoleWithSAML", "us-east-1", &arn)]);
    scene.add(&[assumed(
        "e-2",
        "AssumeRoleWithWebIdentity",
        "us-east-1",
        &arn,
    )]);
    for pattern in [
        "arn:aws:iam::*:role/break-glass-*",
        "arn:aws:iam::*:role/*/break-glass-2",
        "arn:aws:sts::*:assumed-role/break-glass-2/*",
    ] {
        let found = scene.check(&routes(&[pattern]), &json!([]), &[]);
        found.assert_status(1);
        assert_eq!(
            uses(&found),
            ["e-1 us-east-1", "e-2 us-east-1"],
            "{pattern}"
        );
    }
    // Which roles there are cannot be read: then nobody knows.
    scene
        .account
        .fault(json!({"service": "iam", "operation": "ListRoles", "kind": "denied", "times": -1}));
    let unknown = scene.check(
        &routes(&["arn:aws:iam::*:role/break-glass-*"]),
        &json!([]),
        &[],
    );
    unknown.assert_status(2);
    assert!(unknown.stdout.contains("ListRoles"), "{}", unknown.stdout);
}

#[test]
fn who_signs_in_as_a_user_for_emergencies_or_switches_to_a_role_is_found_page_by_page() {
    let emergency = "arn:aws:iam::111122223333:user/emergency";
    let as_user = |name: &str| json!({"userIdentity": user(name)});
    let mut failed = as_user("emergency");
    failed["errorMessage"] = json!("Failed authentication");
    failed["userIdentity"]
        .as_object_mut()
        .unwrap()
        .remove("arn");
    let switched = json!({"userIdentity": user("anna"), "additionalEventData": {"SwitchTo": ROLE}});
    let from = json!({"additionalEventData": {"SwitchFrom": emergency}});
    let mut records = vec![
        sign_in(
            "e-in",
            "ConsoleLogin",
            "eu-central-1",
            &as_user("emergency"),
        ),
        sign_in("e-failed", "ConsoleLogin", "us-east-1", &failed),
        sign_in("e-switch", "SwitchRole", "us-east-1", &switched),
        sign_in("e-from", "SwitchRole", "us-east-1", &from),
        sign_in(
            "e-root",
            "ConsoleLogin",
            "us-east-1",
            &json!({"userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root"}}),
        ),
    ];
    let of_anna = (0..60).map(|n| {
        sign_in(
            &format!("e-anna-{n}"),
            "ConsoleLogin",
            "us-east-1",
            &as_user("anna"),
        )
    });
    records.extend(of_anna);
    let scene = Scene::new(&records);
    let asked = routes(&[emergency, ROLE]);
    let found = scene.check(&asked, &json!([]), &["--region", "eu-central-1"]);
    let mut all = uses(&found);
    all.sort();
    assert_eq!(
        all,
        [
            "e-failed us-east-1",
            "e-from us-east-1",
            "e-in eu-central-1",
            "e-switch us-east-1"
        ]
    );
    assert!(
        found
            .stdout
            .contains("called ConsoleLogin (Failed authentication)"),
        "{}",
        found.stdout
    );
    let root = scene.check(&routes(&["arn:aws:iam::*:root"]), &json!([]), &[]);
    assert_eq!(uses(&root), ["e-root us-east-1"]);
    // Acknowledged as any other use.
    let seen = json!({"event_id": "e-root", "who": "berta", "when": jiff::Timestamp::now().to_string(), "why": "INC-1"});
    scene
        .check(&routes(&["arn:aws:iam::*:root"]), &json!([seen]), &[])
        .assert_status(0);
    scene.account.fault(json!({"service": "cloudtrail", "operation": "LookupEvents", "kind": "denied", "times": -1, "after": 53}));
    let part = scene.check(&routes(&["arn:aws:iam::*:root"]), &json!([]), &[]);
    part.assert_status(2);
    assert!(
        part.stdout.contains("events.history.unread"),
        "{}",
        part.stdout
    );
}
