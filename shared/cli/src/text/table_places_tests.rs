//! Tables of several accounts and regions, and of what is not there.

use serde_json::json;

use super::Table;
use super::tests::of;
use crate::screen::Screen;

/// Which of several places a node is in, nothing else in its row says.
#[test]
fn where_a_row_is_of_is_left_out_last_where_rows_are_of_several_places() {
    let node = |number: usize, region: &str, account: &str| {
        json!({"kind": "node", "target": {"account": account, "region": region}, "instance_id": format!("i-0{number:016}"),
            "tags": {"Name": format!("web-server-{number}")}, "state": "running", "imds": {"tokens": "required"},
            "agent": {"ping": "ConnectionLost", "version": "3.3.987.0"}, "managed_by": "instance-profile",
            "problems": ["version outdated"]})
    };
    let (here, there) = ("111122223333", "444455556666");
    for (kind, second, width, titles) in [
        (
            "node",
            node(2, "eu-central-1", there),
            80,
            "NODE NAME STATE REGION ACCOUNT",
        ),
        (
            "node",
            node(2, "us-east-1", there),
            80,
            "NODE NAME STATE PING ACCOUNT",
        ),
        (
            "node",
            node(2, "eu-central-1", here),
            80,
            "NODE NAME STATE PING REGION",
        ),
        (
            "node",
            node(2, "us-east-1", here),
            80,
            "NODE NAME STATE PING AGENT IMDS",
        ),
        (
            "node",
            node(2, "eu-central-1", there),
            50,
            "NODE REGION ACCOUNT",
        ),
        (
            "checked_node",
            node(2, "eu-central-1", there),
            80,
            "NODE NAME WHY REGION ACCOUNT",
        ),
    ] {
        let mut table = Table::of(kind).unwrap();
        table.add(&node(1, "us-east-1", here));
        table.add(&second);
        let text = table.render(of(width));
        let head: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(head.join(" "), titles, "{width}: {text}");
        assert!(table.is_narrowed(of(width)) && !table.is_narrowed(of(400)));
        assert!(!table.is_narrowed(Screen::default()));
    }
}

/// What is empty is not there, and a list that was not read is not empty.
#[test]
fn one_sign_says_that_there_is_nothing() {
    let target = json!({"account": "1", "region": "r"});
    let inputs = json!({"kmsKeyId": "", "s3BucketName": "logs"});
    let document = json!({"value": {"default": {"version": "1", "content": {"inputs": inputs}}}});
    let operators = json!({"target": target, "of_operators": true, "roles": [{}], "instances": []});
    for (kind, record, expected) in [
        (
            "preferences",
            json!({"target": target, "document": document}),
            "r,1,1,,logs,,",
        ),
        ("host_management", operators, "r,1,,1,"),
        (
            "host_management",
            json!({"target": target, "instances": []}),
            "r,1,,,0",
        ),
    ] {
        let mut table = Table::of(kind).unwrap();
        table.add(&record);
        let csv = table.csv().unwrap();
        assert_eq!(csv.lines().nth(1).unwrap(), expected, "{kind}");
        let lines = table.render(of(80));
        let is_empty = |line: &str| line.split_whitespace().count() < 2;
        assert!(!lines.lines().any(is_empty), "{lines}");
        assert!(
            lines.lines().all(|line| line == line.trim_end()),
            "{lines:?}"
        );
    }
}

/// Two regions in four accounts are not eight regions.
#[test]
fn regions_of_several_accounts_are_counted_with_them() {
    for (second, expected) in [
        ("111122223333", "2 regions"),
        ("444455556666", "2 accounts and regions"),
    ] {
        for kind in ["preferences", "host_management", "alerts"] {
            let mut table = Table::of(kind).unwrap();
            for account in ["111122223333", second] {
                table.add(&json!({"target": {"account": account, "region": "us-east-1"}}));
            }
            assert_eq!(crate::count(2, table.noun()), expected, "{kind}");
        }
    }
}
