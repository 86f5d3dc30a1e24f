//! Rows of CloudTrail Lake and Athena as AWS documents them.

use serde_json::{Value, json};

use crate::unwrap;

/// Returns an answer of one row.
pub(super) fn lake(columns: &Value) -> Value {
    let mut row = vec![
        json!({"eventName": "StartSession"}),
        json!({"eventSource": "ssm.amazonaws.com"}),
    ];
    let columns = columns.as_object().unwrap().iter();
    row.extend(columns.map(|(name, cell)| json!({name.as_str(): cell})));
    json!({"QueryStatus": "FINISHED", "QueryResultRows": [row]})
}

#[test]
fn free_text_in_a_structure_hides_no_member() {
    for (text, expected) in [
        (
            "{reason=fix [prod], target=i-0}",
            json!({"reason": "fix [prod]", "target": "i-0"}),
        ),
        (
            "{reason=[INC-1] fix, target=i-0}",
            json!({"reason": "[INC-1] fix", "target": "i-0"}),
        ),
        (
            "{reason=fix {prod}, target=i-0}",
            json!({"reason": "fix {prod}", "target": "i-0"}),
        ),
        (
            "{reason={prod}, target=i-0}",
            json!({"reason": "{prod}", "target": "i-0"}),
        ),
        (
            "{reason=now, asap, target=i-0}",
            json!({"reason": "now, asap", "target": "i-0"}),
        ),
        (
            "{reason=why = not known, target=i-0}",
            json!({"reason": "why = not known", "target": "i-0"}),
        ),
        (
            "{reason=, target=i-0}",
            json!({"reason": null, "target": "i-0"}),
        ),
        (
            "{target=i-0, parameters={\"portNumber\":[\"22\"]}}",
            json!({"target": "i-0", "parameters": {"portNumber": ["22"]}}),
        ),
        (
            "{parameters={\"command\":[\"echo ]}, a=b\"]}, target=i-0}",
            json!({"parameters": {"command": ["echo ]}, a=b"]}, "target": "i-0"}),
        ),
        (
            "{targets=[{key=tag:a, values=[x, y]}, {key=b, values=[]}], x-amz-acl=null}",
            json!({"targets": [{"key": "tag:a", "values": ["x", "y"]}, {"key": "b", "values": []}], "x-amz-acl": null}),
        ),
        ("{}", json!({})),
    ] {
        let unwrapped = unwrap(lake(&json!({"requestParameters": text})));
        assert_eq!(
            (unwrapped.objects.len(), unwrapped.unread),
            (1, vec![]),
            "{text}"
        );
        assert_eq!(
            unwrapped.objects[0]["requestParameters"], expected,
            "{text}"
        );
    }
}

#[test]
fn a_structure_that_cannot_be_known_from_text_is_unread() {
    let deep = format!("{}{}", "{a=".repeat(40), "}".repeat(40));
    for text in [
        "{reason=fix ], target=i-0}",
        "{reason=fix [prod, target=i-0}",
        "{parameters={reason=x}, documentName=y}, target=i-0}",
        // One of the two is a text of the caller's, and nothing says which.
        "{reason=x, target=i-1, target=i-0}",
        "{\"target\":\"i-1\",\"target\":\"i-0\"}",
        "{not a key=i-0}",
        "{i-0}",
        "{target=i-0",
        "target=i-0",
        "{parameters={\"portNumber\":[\"22\"}}",
        deep.as_str(),
    ] {
        let unwrapped = unwrap(lake(&json!({"requestParameters": text})));
        assert_eq!(
            (unwrapped.objects, unwrapped.unread.len()),
            (vec![], 1),
            "{text}"
        );
    }
}

#[test]
fn a_later_page_of_athena_takes_its_names_from_the_columns() {
    let row = |cells: [&str; 3]| json!({"Data": cells.map(|cell| json!({"VarCharValue": cell}))});
    let names = ["eventid", "eventname", "eventsource"];
    let columns = json!({"ColumnInfo": names.map(|name| json!({"Name": name, "Type": "varchar"}))});
    let header = row(names);
    let [a, b] = ["a", "b"].map(|id| row([id, "StartSession", "ssm.amazonaws.com"]));
    for (rows, columns, ids, n_unread) in [
        (json!([header, a, b]), columns.clone(), vec!["a", "b"], 0),
        (json!([a, b]), columns.clone(), vec!["a", "b"], 0),
        (json!([]), columns, vec![], 0),
        (json!([header, a]), json!({}), vec!["a"], 0),
        (json!([]), json!({}), vec![], 0),
        (json!([a, b]), json!({}), vec![], 1),
    ] {
        let unwrapped = unwrap(json!({"ResultSet": {"Rows": rows, "ResultSetMetadata": columns}}));
        let found: Vec<&Value> = unwrapped
            .objects
            .iter()
            .map(|one| &one["eventID"])
            .collect();
        assert_eq!(
            (found, unwrapped.unread.len()),
            (
                ids.iter()
                    .map(|id| json!(id))
                    .collect::<Vec<_>>()
                    .iter()
                    .collect(),
                n_unread
            )
        );
    }
}

#[test]
fn rows_of_lake_and_athena_are_records() {
    let who = "{type=AssumedRole, principalid=AROAEXAMPLE:ann, arn=arn:aws:sts::111122223333:assumed-role/dev/ann, \
               accountid=111122223333, \
               sessioncontext={attributes={mfaauthenticated=false, creationdate=2026-11-01T09:00:00Z}, sessionissuer={type=Role, \
               arn=arn:aws:iam::111122223333:role/dev}}, username=null}";
    let lake = json!({"QueryStatus": "FINISHED", "QueryResultRows": [[
        {"eventID": "a"}, {"eventName": "StartSession"}, {"eventSource": "ssm.amazonaws.com"},
        {"eventTime": "2026-11-01 09:00:00.000"},
        {"userIdentity": who}, {"requestParameters": "{target=i-0123456789abcdef0}"}]]});
    let columns = [
        "eventid",
        "eventname",
        "eventsource",
        "eventtime",
        "useridentity",
        "requestparameters",
    ];
    let cells = [
        "a",
        "StartSession",
        "ssm.amazonaws.com",
        "2026-11-01T09:00:00Z",
        who,
        "{\"target\":\"i-0123456789abcdef0\"}",
    ];
    let row = |cells: &[&str]| json!({"Data": cells.iter().map(|cell| json!({"VarCharValue": cell})).collect::<Vec<_>>()});
    let athena = json!({"ResultSet": {"Rows": [row(&columns), row(&cells)], "ResultSetMetadata": {}}, "UpdateCount": 0});
    let exported: Value = columns
        .iter()
        .zip(cells)
        .map(|(name, cell)| ((*name).to_owned(), json!(cell)))
        .collect();
    for value in [lake, athena, exported] {
        let unwrapped = unwrap(value);
        assert_eq!(unwrapped.objects.len(), 1);
        let record = &unwrapped.objects[0];
        assert_eq!(record["eventTime"], "2026-11-01T09:00:00Z");
        assert_eq!(record["requestParameters"]["target"], "i-0123456789abcdef0");
        assert_eq!(
            record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"],
            "arn:aws:iam::111122223333:role/dev"
        );
        assert_eq!(
            record["userIdentity"]["sessionContext"]["attributes"]["mfaAuthenticated"],
            "false"
        );
        assert_eq!(record["userIdentity"]["userName"], Value::Null);
    }
}

#[test]
fn a_time_in_another_zone_is_left_as_it_is() {
    for (text, expected) in [
        ("2026-11-01 09:00:00.000", "2026-11-01T09:00:00Z"),
        ("2026-11-01 09:00:00", "2026-11-01T09:00:00Z"),
        ("2026-11-01 09:00:00.000 UTC", "2026-11-01T09:00:00Z"),
        ("2026-11-01T09:00:00Z", "2026-11-01T09:00:00Z"),
        (
            "2026-11-01 09:00:00.000 Europe/Berlin",
            "2026-11-01 09:00:00.000 Europe/Berlin",
        ),
        ("2026-11-01 09:00:00+01:00", "2026-11-01 09:00:00+01:00"),
        (
            "2026-11-01 09:00 AM and later",
            "2026-11-01 09:00 AM and later",
        ),
    ] {
        let unwrapped = unwrap(lake(&json!({"eventTime": text})));
        assert_eq!(unwrapped.objects[0]["eventTime"], expected);
    }
}

#[test]
fn a_long_text_takes_no_long_time() {
    for part in [
        "[",
        "{",
        "[[",
        "{\"a\":",
        "[{\"a\":[",
        "{a={\"",
        ", a={\"a\":[\"",
        ", a=[",
        "{a=",
        "é, ",
        "a, ",
    ] {
        let text = part.repeat(100_000);
        for text in [format!("{{a={text}}}"), format!("[{text}]"), text] {
            let begin = std::time::Instant::now();
            let unwrapped = unwrap(lake(&json!({"requestParameters": text})));
            assert_eq!(unwrapped.objects.len() + unwrapped.unread.len(), 1);
            assert!(begin.elapsed().as_secs() < 5, "{part}");
        }
    }
}
