//! Sessions on containers of ECS, which are not nodes.

use serde_json::json;
use testbed::offline;

use super::EXE;

#[test]
fn a_report_calls_a_container_of_ecs_what_it_is() {
    let target = "ecs:prod_0123456789abcdef0123456789abcdef_0123456789abcdef-1234567890";
    let record = json!({"eventVersion": "1.11", "eventTime": "2026-11-24T10:00:00Z", "eventSource": "ssm.amazonaws.com",
        "eventName": "StartSession", "eventID": "00000000-0000-4000-8000-000000000001", "awsRegion": "eu-central-1",
        "recipientAccountId": "111122223333", "requestParameters": {"target": target},
        "responseElements": {"sessionId": "ann-1"}});
    let report = offline(EXE)
        .args(["report"])
        .stdin(record.to_string())
        .run();
    report.assert_status(0);
    let session = report.json();
    assert_eq!(session["node"], target);
    assert_eq!(
        session["node_name"],
        "container of ECS task 0123456789abcdef0123456789abcdef in cluster prod"
    );
}
