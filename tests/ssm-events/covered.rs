//! `check` in a Region of which no trail of these tools has the calls.

use serde_json::json;

use crate::{DESIRED, account, run};

#[test]
fn check_asks_whether_a_trail_covers_the_region_whoever_made_it() {
    let account = account();
    let of_trail = |status: i32| {
        let found = run(&account, "check", DESIRED);
        found.assert_status(status);
        let ids = found.records().into_iter();
        let ids = ids.map(|one| one["id"].as_str().unwrap().to_owned());
        ids.filter(|id| id.starts_with("events.trail."))
            .collect::<Vec<_>>()
    };
    assert_eq!(of_trail(1), ["events.trail.none"]);
    account.start_trail();
    assert_eq!(of_trail(1), [""; 0]);
    let selectors = |kind: &str| {
        let selector =
            json!([{"ReadWriteType": kind, "IncludeManagementEvents": true}]).to_string();
        account.aws(&[
            "cloudtrail",
            "put-event-selectors",
            "--trail-name",
            "all",
            "--event-selectors",
            &selector,
        ]);
    };
    selectors("ReadOnly");
    assert_eq!(of_trail(1), ["events.trail.none"]);
    selectors("WriteOnly");
    assert_eq!(of_trail(1), [""; 0]);
    account.aws(&["cloudtrail", "stop-logging", "--name", "all"]);
    assert_eq!(of_trail(1), ["events.trail.none"]);
    account
        .fault(json!({"service": "cloudtrail", "operation": "DescribeTrails", "kind": "denied"}));
    assert_eq!(of_trail(2), ["events.trail.unknown"]);
}
