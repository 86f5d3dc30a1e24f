//! Tables at many widths.

use serde_json::{Value, json};

use super::Table;
use crate::screen::Screen;

pub(super) fn of(width: usize) -> Screen {
    Screen {
        width: Some(width),
        has_colors: false,
    }
}

#[test]
fn a_row_each_without_empty_columns_and_cut_at_the_width() {
    let mut table = Table::of("node").unwrap();
    for (id, name) in [
        ("i-1", json!("web\u{1b} of a long name")),
        ("i-0222", json!(null)),
    ] {
        table.add(&json!({"kind": "node", "instance_id": id, "tags": {"Name": name}, "state": "running",
                "agent": {"version": "3.3.987.0"}, "platform": {"type": "Linux", "name": "Amazon Linux"}}));
    }
    let expected = "NODE    NAME                      STATE    AGENT      PLATFORM\n\
                        i-1     web\\u{1b} of a long name  running  3.3.987.0  Amazon Linux\n\
                        i-0222  -                         running  3.3.987.0  Amazon Linux";
    assert_eq!(table.render(Screen::default()), expected);
    assert_eq!(table.render(of(80)), expected);
    let without_platform = "NODE    NAME                      STATE    AGENT\n\
                                i-1     web\\u{1b} of a long name  running  3.3.987.0\n\
                                i-0222  -                         running  3.3.987.0";
    assert_eq!(table.render(of(53)), without_platform);
    let cut = "NODE    NAME                 STATE    AGENT\n\
                   i-1     web\\u{1b} of a lon…  running  3.3.987.0\n\
                   i-0222  -                    running  3.3.987.0";
    assert_eq!(table.render(of(47)), cut);
    assert!(Table::of("plan").is_none());
}

/// IDs of nodes begin alike, and so do names of roles.
#[test]
fn ids_and_names_are_never_cut() {
    let time = "2026-11-27T06:00:00Z";
    let call = |nodes: &[&str]| {
        json!({"kind": "call", "time": time, "session_name": "ann", "event": "TerminateSession", "nodes": nodes,
            "result": "denied: AccessDenied", "reason": "TICKET-123: a long reason"})
    };
    let mut calls = Table::of("call").unwrap();
    calls.add(&call(&["i-02a00000000000001", "i-02a00000000000002"]));
    calls.add(&call(&["i-02a00000000000003"]));
    let expected = "TIME                  WHO  CALL              NODE                   RESULT\n\
        2026-11-27T06:00:00Z  ann  TerminateSession  i-02a00000000000001,   denied:\n\
        \x20                                            i-02a00000000000002    AccessDenied\n\
        2026-11-27T06:00:00Z  ann  TerminateSession  i-02a00000000000003    denied:\n\
        \x20                                                                   AccessDenied";
    assert_eq!(calls.render(of(80)), expected);
    // What was sent to a thousand nodes is one row all the same.
    let ids: Vec<String> = (1..=1000).map(|number| format!("i-{number:017}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let mut many = Table::of("call").unwrap();
    many.add(&call(&ids));
    let text = many.render(of(80));
    assert_eq!(text.lines().count(), 6, "{text}");
    assert!(
        text.contains(" i-00000000000000004,") && text.contains(" and 996 more"),
        "{text}"
    );

    let mut impacts = Table::of("impact").unwrap();
    for name in [
        "OrganizationAccountAccessRole",
        "OrganizationAccountAuditRole",
    ] {
        impacts.add(&json!({"class": "newly_denied", "principal": format!("arn:aws:iam::111122223333:role/{name}"),
            "account": "111122223333", "actions": ["ssm:StartSession", "ssm:SendCommand"], "why": "denied by a statement of a policy"}));
    }
    let text = impacts.render(of(80));
    assert!(!text.contains('…') && !text.contains("ACTIONS"), "{text}");
    assert!(text.contains("111122223333"), "{text}");
    let words: String = text
        .lines()
        .map(|line| line.get(14..40).unwrap_or_default().trim())
        .collect();
    for name in [
        "OrganizationAccountAccessRole",
        "OrganizationAccountAuditRole",
    ] {
        assert!(words.contains(&name[..20]), "{text}");
    }
}

/// A setting that is off has no role, and one that was not read says nothing.
#[test]
fn a_setting_is_its_role_or_off() {
    let role = "service-role/AWSSystemsManagerDefaultEC2InstanceManagementRole";
    for (setting, expected) in [
        (json!({"status": "Customized", "role": role}), role),
        (json!({"status": "Default", "role": null}), "off"),
        (json!({"status": null, "role": null}), ""),
    ] {
        let mut table = Table::of("host_management").unwrap();
        table.add(&json!({"target": {"account": "1", "region": "r"}, "default_host_management": setting, "roles": [], "instances": []}));
        let csv = table.csv().unwrap();
        assert_eq!(
            csv,
            format!("region,account,host_management,roles,instances\nr,1,{expected},0,0\n")
        );
    }
}

#[test]
fn long_texts_share_what_is_left() {
    let mut table = Table::of("impact").unwrap();
    table.add(&json!({"class": "newly_denied", "principal": "arn:aws:iam::111122223333:role/a/dev", "account": "111122223333",
            "actions": ["ssm:StartSession", "ssm:SendCommand"], "why": "denied by a statement of a policy"}));
    let expected = "BECOMES       PRINCIPAL  ACCOUNT       ACTIONS         WHY\n\
                        newly denied  dev        111122223333  ssm:StartSess…  denied by a statement of\n\
                        \x20                                                      a policy";
    assert_eq!(table.render(of(80)), expected);
    for width in 40..140 {
        let text = table.render(of(width));
        assert!(
            text.lines().all(|line| line.chars().count() <= width),
            "{width}: {text}"
        );
    }
    let has_colors = true;
    let colored = table.render(Screen {
        has_colors,
        ..of(80)
    });
    for row in colored.lines().skip(1) {
        assert!(row.starts_with("\u{1b}[1m\u{1b}[31m"), "{row:?}");
    }
}

/// Why a node is in the table is what somebody looks for.
#[test]
fn a_reason_is_whole_before_other_columns_are() {
    let mut table = Table::of("checked_node").unwrap();
    table.add(&json!({"instance_id": "i-0123456789abcdef0", "tags": {"Name": "the-first-web-server"}, "state": "running",
            "agent": {"ping": "ConnectionLost", "version": "3.3.987.0"}, "problems": ["version outdated", "instance profile missing"]}));
    let whole = "version outdated, instance profile missing";
    for (width, titles) in [
        (200, "NODE NAME PING WHY AGENT STATE"),
        (80, "NODE NAME PING WHY"),
        (60, "NODE NAME WHY"),
        (46, "NODE WHY"),
        (24, "NODE WHY"),
    ] {
        let text = table.render(of(width));
        let mut lines = text.lines();
        let head: Vec<&str> = lines.next().unwrap().split_whitespace().collect();
        assert_eq!(head.join(" "), titles, "{width}: {text}");
        let widest = text.lines().map(|line| line.chars().count()).max();
        assert!(widest <= Some(width), "{width}: {text}");
        // In a column of three no word is whole.
        let words: String = text.split_whitespace().skip(head.len()).collect();
        let places: Vec<_> = whole.split(' ').map(|word| words.find(word)).collect();
        let is_whole = places.is_sorted() && !places.contains(&None);
        assert!(is_whole || width == 24, "{width}: {text}");
    }
}

/// A reason of nobody is none.
#[test]
fn who_and_what_a_row_is_about_is_left_out_last() {
    let principal = "arn:aws:iam::111122223333:role/a/dev";
    let time = "2026-11-27T06:00:00Z";
    for (record, width, titles) in [
        (
            json!({"kind": "impact", "class": "newly_denied", "principal": principal, "account": "111122223333",
                    "actions": ["ssm:StartSession"], "why": "denied by a statement of a policy"}),
            40,
            "BECOMES PRINCIPAL WHY",
        ),
        (
            json!({"kind": "simulation", "answer": "denied", "action": "ssm:StartSession", "principal": principal,
                    "why": "denied by a statement of a policy", "resource": "*"}),
            40,
            "ANSWER PRINCIPAL WHY",
        ),
        (
            json!({"kind": "denied_call", "n_denied": 1, "n_unknown": 0, "action": "ssm:StartSession", "principal": principal,
                    "last": time, "sid": "guard"}),
            40,
            "DENIED ACTION PRINCIPAL",
        ),
        (
            json!({"kind": "log_integrity", "status": "missing", "from": time, "to": time, "log_files": [],
                    "message": "no digest says what was written in this time", "trail": "t"}),
            40,
            "LOG FILES FROM WHY",
        ),
        (
            json!({"kind": "refused", "time": time, "event": "StartSession", "session_name": "anna.schmidt@example.com", "error": "AccessDenied",
                    "node": "i-0123456789abcdef0"}),
            60,
            "REFUSED WHO NODE",
        ),
        (
            json!({"kind": "refused", "time": time, "event": "StartSession", "session_name": "anna.schmidt@example.com", "error": "AccessDenied",
                    "node": "i-0123456789abcdef0"}),
            40,
            "REFUSED WHO",
        ),
    ] {
        let mut table = Table::of(record["kind"].as_str().unwrap()).unwrap();
        for _ in 0..2 {
            table.add(&record);
        }
        let text = table.render(of(width));
        let head: Vec<&str> = text.lines().next().unwrap().split_whitespace().collect();
        assert_eq!(head.join(" "), titles, "{text}");
        for width in 24..140 {
            let text = table.render(of(width));
            let widest = text.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(width) || width < 32, "{width}: {text}");
        }
    }
}

/// Why a state is not known, and that a node lacks something, is there at any width.
#[test]
fn patch_states_keep_what_is_wrong_where_it_is_narrow() {
    let state = |more: &Value| {
        let mut record = json!({"kind": "patch_state", "instance_id": "i-0123456789abcdef0",
                "target": {"account": "111122223333", "region": "us-east-1"}, "missing_count": 0, "failed_count": 0,
                "installed_pending_reboot_count": 0, "baseline_id": "pb-0123456789abcdef0", "operation_end_time": "2026-11-27T06:00:00Z"});
        for (key, value) in more.as_object().unwrap() {
            record[key] = value.clone();
        }
        record
    };
    let unread = json!({"missing_count": null, "failed_count": null, "installed_pending_reboot_count": null, "baseline_id": null,
            "operation_end_time": null, "reason": {"id": "run.patch_state.unreadable", "message": "AccessDenied by a policy", "fix": "f"}});
    let waits = json!({"installed_pending_reboot_count": 4});
    let screen = |width: usize| Screen {
        width: Some(width),
        has_colors: true,
    };
    let (bad, doubtful) = ("\u{1b}[1m\u{1b}[31mi-", "\u{1b}[33mi-");
    for (more, width, word, begin) in [
        (&unread, 80, "AccessDenied", doubtful),
        (&unread, 40, "run.patch_state.unreadable", doubtful),
        (&waits, 80, "REBOOT", bad),
        (&waits, 45, "REBOOT", bad),
        (&waits, 30, "i-0123456789abcdef0", bad),
        (&json!({"missing_count": 1}), 80, "REBOOT", bad),
        (&json!({"failed_count": 1}), 80, "REBOOT", bad),
        (&json!({}), 80, "REBOOT", "i-"),
    ] {
        let mut table = Table::of("patch_state").unwrap();
        table.add(&state(more));
        let text = table.render(screen(width));
        assert!(text.contains(word), "{width}: {text}");
        let row = text.lines().nth(1).unwrap();
        assert!(row.starts_with(begin), "{width}: {row:?}");
    }
    // Beside a state that is known.
    let mut table = Table::of("patch_state").unwrap();
    table.add(&state(&json!({})));
    table.add(&state(&unread));
    let text = table.render(of(80));
    assert!(
        text.contains("run.patch_state.unreadable") && text.contains("REBOOT"),
        "{text}"
    );
}

/// One role is denied and the other is not: the rows must say which.
#[test]
fn principals_of_one_name_are_of_their_accounts() {
    for (kind, expected) in [
        (
            "simulation",
            "ANSWER   ACTION            PRINCIPAL  ACCOUNT       WHY\n\
                 denied   ssm:StartSession  Admin      111122223333  by guard\n\
                 allowed  ssm:StartSession  Admin      444455556666  by guard",
        ),
        (
            "denied_call",
            "DENIED  PERHAPS  ACTION            PRINCIPAL  ACCOUNT       BY\n\
                 2       0        ssm:StartSession  Admin      111122223333  guard\n\
                 2       0        ssm:StartSession  Admin      444455556666  guard",
        ),
    ] {
        let mut table = Table::of(kind).unwrap();
        for (account, answer) in [("111122223333", "denied"), ("444455556666", "allowed")] {
            table.add(&json!({"kind": kind, "principal": format!("arn:aws:iam::{account}:role/Admin"), "answer": answer,
                    "action": "ssm:StartSession", "why": "by guard", "n_denied": 2, "n_unknown": 0, "policy": "guard"}));
        }
        assert_eq!(table.render(Screen::default()), expected);
    }
}

#[test]
fn rows_are_counted_by_what_they_are() {
    for (kind, expected) in [
        ("simulation", "2 answers"),
        ("denied_call", "2 denied actions"),
        ("entity", "2 entities"),
    ] {
        let table = Table::of(kind).unwrap();
        assert_eq!(crate::count(2, table.noun()), expected);
    }
}

#[test]
fn one_record_with_details_is_shown_in_a_few_lines() {
    let record = |region: &str| -> Value {
        json!({"kind": "alerts", "target": {"account": "111122223333", "region": region},
                "observed": {"rule": {"state": "absent"}}})
    };
    let mut table = Table::of("alerts").unwrap();
    table.add(&record("us-east-1"));
    let expected = "REGION           us-east-1\nACCOUNT          111122223333\nRULE             absent\ndetails: -o json";
    assert_eq!(table.render(of(80)), expected);
    table.add(&record("eu-west-1"));
    let expected = "REGION     ACCOUNT       RULE\nus-east-1  111122223333  absent\neu-west-1  111122223333  absent";
    assert_eq!(table.render(of(80)), expected);
    let csv = table.csv().unwrap();
    assert!(csv.starts_with("region,account,rule,connection,destination,function,trail,waiting\nus-east-1,111122223333,absent,,"), "{csv}");
}

/// Where everything was delivered there is nothing to explain.
#[test]
fn deliveries_are_a_row_a_message() {
    let delivery = |status: &str, note: Value| json!({"kind": "delivery", "event_id": "e-1", "destination": "ops", "status": status, "note": note});
    let mut table = Table::of("delivery").unwrap();
    table.add(&delivery("delivered", json!(null)));
    let row = "MESSAGE    TO   EVENT\ndelivered  ops  e-1";
    assert_eq!(table.render(of(80)), row);
    table.add(&delivery("rejected", json!("400: invalid_blocks")));
    let rows = "MESSAGE    TO   EVENT  WHY\n\
                delivered  ops  e-1    -\n\
                rejected   ops  e-1    400: invalid_blocks";
    assert_eq!(table.render(of(80)), rows);
}

#[test]
fn names_by_id_are_a_list() {
    let mut table = Table::of("command").unwrap();
    for names in [json!({"i-1": "web-1", "i-2": "web-2"}), json!({})] {
        table.add(&json!({"kind": "command", "nodes": ["i-1", "i-2"], "node_names": names}));
    }
    let rows = "NODES     NAMES\n\
                i-1, i-2  web-1, web-2\n\
                i-1, i-2  -";
    assert_eq!(table.render(of(80)), rows);
}
