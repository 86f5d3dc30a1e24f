//! Answers of several pages.

use serde_json::{Value, json};

use super::rows::lake;
use super::{check, read, record};
use crate::unwrap;

#[test]
fn an_answer_that_is_not_the_last_is_no_whole() {
    let (a, b) = (record("a"), record("b"));
    let page = json!({"Events": [a, b], "NextToken": "t"});
    let with_metadata = json!({"Events": [a, b], "NextToken": "t", "ResponseMetadata": {"HTTPHeaders": {"x": "]"}}});
    let why = format!(
        "the answer is only a part, as its NextToken says: {}",
        awsdata::SAVE_ALL
    );
    let why = why.as_str();
    for page in [&page, &with_metadata] {
        let text = serde_json::to_string_pretty(page).unwrap();
        for text in [page.to_string(), text, format!("{page}\n")] {
            let (ids, _, ended) = read(text.as_bytes());
            assert_eq!((ids.len(), ended.as_str()), (2, why), "{text}");
        }
        assert_eq!(unwrap(page.clone()).unread, [why]);
    }
    // Whoever joins members may put the token first.
    let first = format!(r#"{{"NextToken": "t", "Events": [{a}, {b}], "other": []}}"#);
    let (ids, _, ended) = read(first.as_bytes());
    assert_eq!((ids.len(), ended.as_str()), (2, why));
    check(
        format!("{first}{}", json!({"Events": [a]})).as_bytes(),
        &["a", "b", "a"],
        0,
    );
    // What follows is not an answer of the same kind.
    for other in [a.to_string(), json!({"Records": [a]}).to_string()] {
        let (ids, _, ended) = read(format!("{first}{other}").as_bytes());
        assert_eq!((ids.len(), ended.as_str()), (3, why), "{other}");
    }
    // The last page follows.
    let pages = format!("{page}\n{}", json!({"Events": [a]}));
    check(pages.as_bytes(), &["a", "b", "a"], 0);
    // Of a record, it is what was asked for.
    let asks = json!({"eventID": "a", "eventName": "GetInventory", "eventSource": "ssm.amazonaws.com",
        "list": [], "NextToken": "t"});
    check(asks.to_string().as_bytes(), &["a"], 0);
    check(json!({"Records": [asks]}).to_string().as_bytes(), &["a"], 0);

    let row = lake(&json!({"eventID": "a"}));
    let with = |name: &str, value: &str| {
        let mut answer = row.clone();
        answer[name] = json!(value);
        answer
    };
    check(row.to_string().as_bytes(), &["a"], 0);
    let status = json!("RUNNING");
    let rows = &row["QueryResultRows"];
    let why_running = "the query is RUNNING: not all of its rows are in this answer";
    for (answer, why) in [
        (with("NextToken", "t").to_string(), why),
        (with("QueryStatus", "RUNNING").to_string(), why_running),
        (
            format!(r#"{{"QueryStatus":{status},"QueryResultRows":{rows}}}"#),
            why_running,
        ),
    ] {
        let (ids, _, ended) = read(answer.as_bytes());
        assert_eq!((ids.len(), ended.as_str()), (1, why), "{answer}");
    }
    let running = unwrap(json!({"QueryStatus": "RUNNING", "QueryResultRows": []}));
    assert_eq!(
        running.unread,
        ["the query is RUNNING: not all of its rows are in this answer"]
    );
}

/// An answer of LookupEvents with events of these minutes.
fn page(minutes: &[u32], token: Option<&str>) -> String {
    let event = |minute: &u32| {
        let mut record = record("a");
        record["eventTime"] = json!(format!("2026-11-01T10:{minute:02}:00Z"));
        json!({"EventId": "a", "EventName": "StartSession", "CloudTrailEvent": record.to_string()})
    };
    let events: Vec<Value> = minutes.iter().map(event).collect();
    json!({"Events": events, "NextToken": token}).to_string()
}

/// The events of a query come the latest first, over all of its pages.
#[test]
fn an_answer_is_followed_by_its_next_or_is_a_gap() {
    let (token, none) = (Some("t"), None);
    let whole = |pages: &[String]| read(pages.join("\n").as_bytes()).2.is_empty();
    for (pages, expected) in [
        (
            vec![
                page(&[59, 58], token),
                page(&[58, 57], token),
                page(&[50], none),
            ],
            true,
        ),
        (
            vec![page(&[59, 58], token), page(&[], token), page(&[57], none)],
            true,
        ),
        (vec![page(&[59], none), page(&[59, 58], none)], true),
        // Another query, which begins with what is later.
        (vec![page(&[59, 58], token), page(&[59, 40], none)], false),
        (
            vec![page(&[59, 58], token), page(&[], token), page(&[59], none)],
            false,
        ),
        // The same page twice, and no more.
        (vec![page(&[59, 58], token), page(&[59, 58], token)], false),
        (vec![page(&[59, 58], token), page(&[57], token)], false),
        // Records in between, or at the end.
        (
            vec![
                page(&[59], token),
                record("b").to_string(),
                page(&[58], none),
            ],
            false,
        ),
        (vec![page(&[59], none), record("b").to_string()], true),
        (
            vec![
                page(&[59], token),
                json!({"Records": [record("b")]}).to_string(),
            ],
            false,
        ),
    ] {
        assert_eq!(whole(&pages), expected, "{pages:?}");
    }
    // Each is counted.
    let cut = [
        page(&[58], token),
        page(&[59], token),
        record("b").to_string(),
    ];
    let (ids, n_damaged, ended) = read(cut.join("\n").as_bytes());
    assert_eq!((ids.len(), n_damaged), (3, 0));
    assert!(
        ended.starts_with("2 answers are not followed by their next: "),
        "{ended}"
    );
}

#[test]
fn what_stands_around_a_list_is_read_or_a_gap() {
    let a = record("a");
    for (text, why) in [
        (format!(r#"{{"Records":[{a}],"x":nul}}"#), "not JSON"),
        (
            format!(r#"{{"x":"{}","Records":[{a}]}}"#, "y".repeat(300_000)),
            "too long",
        ),
        (
            format!(r#"{{"Records":[{a}],"x":"{}"}}"#, "y".repeat(300_000)),
            "too long",
        ),
    ] {
        let (ids, _, ended) = read(text.as_bytes());
        assert_eq!(ids, ["a"]);
        assert!(ended.contains(why), "{ended}");
    }
}
