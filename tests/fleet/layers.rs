//! Desired state in layers: who gets what, and what is said of overrides.

use serde_json::{Value, json};

use super::{Organization, ROLE, targets};

fn write(organization: &Organization, name: &str, value: &Value) {
    let directory = organization.management.home().join("layers");
    std::fs::create_dir_all(&directory).unwrap();
    std::fs::write(directory.join(name), value.to_string()).unwrap();
}

fn layer(scope: &Value, expires: Option<&str>, desired: &Value) -> Value {
    let mut layer = json!({"for": scope, "reason": "a long job", "desired": desired});
    if let Some(day) = expires {
        layer["expires"] = json!(day);
    }
    layer
}

fn over_all(organization: &Organization, verb: &str) -> testbed::Output {
    organization
        .run(
            "ssm-prefs",
            &[
                verb,
                "-f",
                "layers",
                "--accounts",
                "org",
                "--assume-role",
                ROLE,
            ],
        )
        .args(["--region", "us-east-1,eu-central-1"])
        .run()
}

#[test]
fn a_plan_follows_the_nearest_layer_and_check_says_of_one_that_is_over() {
    let organization = Organization::of(2);
    let base = json!({"idle_timeout_minutes": 20});
    write(&organization, "a-organization.json", &base);
    let unit = json!({"organizational_unit": organization.unit});
    write(
        &organization,
        "b-unit.json",
        &layer(&unit, None, &json!({"idle_timeout_minutes": 30})),
    );
    let account = json!({"account": organization.members[0].id()});
    write(
        &organization,
        "c-account.json",
        &layer(
            &account,
            Some("2026-01-31"),
            &json!({"idle_timeout_minutes": 40}),
        ),
    );
    let region = json!({"account": organization.members[0].id(), "region": "eu-central-1"});
    write(
        &organization,
        "d-region.json",
        &layer(
            &region,
            Some("9999-12-31"),
            &json!({"idle_timeout_minutes": 50}),
        ),
    );

    let plan = over_all(&organization, "plan");
    plan.assert_status(0);
    let minutes = |text: &str| {
        let start = text.find("idleSessionTimeout").unwrap();
        let digits = text[start..].chars().skip_while(|c| !c.is_ascii_digit());
        digits.take_while(char::is_ascii_digit).collect::<String>()
    };
    let planned: Vec<(String, String)> = targets(&plan)
        .into_iter()
        .zip(plan.stdout.lines().map(minutes))
        .collect();
    let mut expected = Vec::new();
    for (account, minutes) in [
        (&organization.management, ["20", "20"]),
        (&organization.members[0], ["40", "50"]),
        (&organization.members[1], ["30", "30"]),
    ] {
        for (region, minutes) in ["us-east-1", "eu-central-1"].iter().zip(minutes) {
            expected.push((format!("{}/{region}", account.id()), minutes.to_owned()));
        }
    }
    let mut planned = planned;
    planned.sort();
    expected.sort();
    assert_eq!(planned, expected);

    let check = over_all(&organization, "check");
    check.assert_status(1);
    let over: Vec<Value> = check
        .records()
        .into_iter()
        .filter(|finding| finding["id"] == "prefs.override.expired")
        .collect();
    assert_eq!(over.len(), 2);
    assert_eq!(over[0]["target"]["account"], organization.members[0].id());
    assert!(over[0]["message"].as_str().unwrap().contains("2026-01-31"));
}

#[test]
fn wrong_layers_are_reported_with_their_file_before_any_call() {
    let organization = Organization::of(0);
    write(&organization, "a.json", &json!({}));
    let account = json!({"account": "111122223333"});
    let unknown = layer(&account, None, &json!({"idle_timeout": 1}));
    let no_reason = json!({"for": account, "reason": "", "desired": {}});
    for (wrong, complaint) in [
        (unknown, "idle_timeout"),
        (no_reason, "layers/b.json: $.reason"),
        (json!({}), "expected one JSON value, found 2"),
    ] {
        write(&organization, "b.json", &wrong);
        let output = organization
            .run("ssm-prefs", &["plan", "-f", "layers"])
            .run();
        output.assert_status(2).assert_complains(complaint);
    }
    assert!(organization.management.calls().is_empty());
}

#[test]
fn a_unit_needs_to_be_known() {
    let organization = Organization::of(0);
    write(&organization, "a.json", &json!({}));
    let unit = json!({"organizational_unit": "ou-ab12-12345678"});
    write(&organization, "b.json", &layer(&unit, None, &json!({})));
    let output = organization
        .run("ssm-prefs", &["plan", "-f", "layers"])
        .run();
    output.assert_status(2).assert_complains("--accounts org");
}
