//! Overrides go over the base, nearest last, and are refused where they stand.

use serde_json::{Value, json};

use super::{Layers, Origin, Override, from_value};
use crate::Target;

#[derive(Debug, PartialEq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Desired {
    shell: Option<String>,
    timeout: Option<u32>,
}

fn layers(overrides: &[Value]) -> anyhow::Result<Layers<Desired>> {
    let mut layers = Layers {
        what: "desired",
        base: json!({ "shell": "bash", "timeout": 20 }),
        origin: Origin::default(),
        overrides: Vec::new(),
        desired: std::marker::PhantomData,
    };
    let origin = |value: &Value| Origin {
        name: "layers/over.json".to_owned(),
        text: Some(format!("{value:#}")),
    };
    overrides
        .iter()
        .try_for_each(|one| layers.push(one, origin(one)))?;
    layers.all()?;
    Ok(layers)
}

fn layer(scope: Value, desired: Value) -> Value {
    json!({ "for": scope, "reason": "a test", "desired": desired })
}

fn target() -> Target {
    "111122223333/eu-central-1".parse().unwrap()
}

#[test]
fn the_nearest_layer_wins() {
    let overrides = [
        layer(json!({ "region": "eu-central-1" }), json!({ "timeout": 4 })),
        layer(
            json!({ "account": "111122223333" }),
            json!({ "timeout": 3, "shell": null }),
        ),
        layer(
            json!({ "organizational_unit": "ou-below" }),
            json!({ "timeout": 2, "shell": "zsh" }),
        ),
        layer(
            json!({ "organizational_unit": "ou-above" }),
            json!({ "timeout": 1, "shell": "sh" }),
        ),
        layer(
            json!({ "account": "999999999999" }),
            json!({ "timeout": 9 }),
        ),
    ];
    let units = [
        "r-root".to_owned(),
        "ou-above".to_owned(),
        "ou-below".to_owned(),
    ];
    for (n_layers, timeout, shell) in [(1, 4, Some("bash")), (2, 4, None), (5, 4, None)] {
        let desired = layers(&overrides[..n_layers]).unwrap();
        let desired = desired.at(&target(), Some(&units)).unwrap();
        assert_eq!(desired.timeout, Some(timeout));
        assert_eq!(desired.shell.as_deref(), shell);
    }
    let units_only = layers(&overrides[2..]).unwrap();
    let below = units_only.at(&target(), Some(&units)).unwrap();
    assert_eq!(
        (below.timeout, below.shell.as_deref()),
        (Some(2), Some("zsh"))
    );
}

#[test]
fn an_unknown_place_in_the_tree_is_no_reason_to_leave_a_layer_out() {
    let one = layer(json!({ "organizational_unit": "ou-a" }), json!({}));
    let refused = layers(&[one]).unwrap().at(&target(), None).unwrap_err();
    assert!(refused.to_string().contains("--accounts org"), "{refused}");
}

#[test]
fn an_override_names_its_reason_place_and_known_keys() {
    let account = json!({ "account": "111122223333" });
    let complaints = [
        (
            json!({ "for": account, "reason": " ", "desired": {} }),
            "$.reason",
        ),
        (json!({ "for": {}, "reason": "x", "desired": {} }), "$.for"),
        (json!({ "for": account, "desired": {} }), "reason"),
        (
            json!({ "for": account, "reason": "x", "expires": "2027-02-31", "desired": {} }),
            "expires",
        ),
        (layer(account.clone(), json!({ "shel": "x" })), "shel"),
    ];
    for (value, expected) in complaints {
        let complaint = format!("{:#}", layers(&[value]).unwrap_err());
        assert!(complaint.contains(expected), "{complaint}");
    }
    let twice = [layer(account.clone(), json!({})), layer(account, json!({}))];
    assert!(layers(&twice).is_err());
}

/// Who corrects it needs the file, and the path that the file has.
#[test]
fn a_mistake_in_an_override_is_where_it_stands() {
    let one = |desired: Value| layers(&[layer(json!({ "region": "r" }), desired)]);
    for (desired, expected) in [
        (
            json!({ "shel": "x" }),
            "read desired from layers/over.json: $.desired.shel: unknown field `shel`, expected `shell` or `timeout` at line 7 column 5",
        ),
        (
            json!({ "timeout": "x" }),
            "read desired from layers/over.json: $.desired.timeout: invalid type: string \"x\", expected u32 at line 7 column 5",
        ),
        (
            json!({ "timeout": [1] }),
            "read desired from layers/over.json: $.desired.timeout: invalid type: sequence, expected u32 at line 7 column 5",
        ),
    ] {
        assert_eq!(format!("{:#}", one(desired).unwrap_err()), expected);
    }
    let check = |desired: &Desired| {
        let long = desired.timeout.filter(|timeout| *timeout > 60);
        long.map(|timeout| ("$.timeout".to_owned(), format!("{timeout} is too long")))
    };
    assert!(
        one(json!({ "timeout": 60 }))
            .unwrap()
            .checked(check)
            .is_ok()
    );
    let refused = one(json!({ "timeout": 61 })).unwrap().checked(check);
    assert_eq!(
        refused.unwrap_err().to_string(),
        "read desired from layers/over.json: $.desired.timeout: 61 is too long at line 7 column 5"
    );
}

#[test]
fn an_override_past_its_last_day_is_a_finding_and_stays_in_force() {
    let mut one = layer(
        json!({ "account": "111122223333" }),
        json!({ "timeout": 5 }),
    );
    one["expires"] = json!("2020-01-31");
    let desired = layers(&[one.clone()]).unwrap();
    assert_eq!(desired.at(&target(), None).unwrap().timeout, Some(5));
    let found = desired
        .expired("x.override.expired", &target(), None)
        .unwrap();
    assert_eq!(found.len(), 1);
    assert!(found[0].message.contains("2020-01-31"));
    one["expires"] = json!("9999-12-31");
    let desired = layers(&[one]).unwrap();
    assert!(desired.expired("x", &target(), None).unwrap().is_empty());
    assert!(from_value::<Override>(&json!({})).is_err());
}
