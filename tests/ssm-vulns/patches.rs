//! What Patch Manager says: the state of each node, and where advisories say otherwise.

use serde_json::{Value, json};
use testbed::Output;

use crate::{Directory, invocation, listed, matched, node, osv, run};

const ONE: &str = "i-0123456789abcdef0";

/// How a scan ended on a node.
fn scan(instance_id: &str, more: Value) -> Value {
    let mut record = invocation(instance_id, "");
    record["document"] = json!("AWS-RunPatchBaseline");
    record["started"] = json!("2026-11-27T06:00:00.250Z");
    with(record, more)
}

/// What a scan found on a node.
fn state(instance_id: &str, more: Value) -> Value {
    let record = json!({"kind": "patch_state", "target": {"account": "111111111111", "region": "us-east-1"},
        "instance_id": instance_id, "missing_count": 0, "operation_end_time": "2026-11-27T06:00:00Z"});
    with(record, more)
}

fn with(mut record: Value, more: Value) -> Value {
    let more = more.as_object().unwrap().clone();
    record.as_object_mut().unwrap().extend(more);
    record
}

fn judged(records: &[Value]) -> Output {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    run(&["patches"], &lines.join("\n")).run()
}

/// Returns `NODE true`, `NODE false` or `NODE ID` of each node.
fn said(output: &Output) -> Vec<String> {
    let line = |record: &Value| {
        let what = match record["kind"].as_str().unwrap() {
            "patch_state" => record["is_patched"].to_string(),
            _ => record["reason"]["id"].as_str().unwrap().to_owned(),
        };
        format!("{} {what}", record["instance_id"].as_str().unwrap_or("-"))
    };
    output.records().iter().map(line).collect()
}

#[test]
fn a_node_lacks_what_is_missing_has_failed_or_waits_for_a_reboot() {
    for (more, status) in [
        (json!({}), 0),
        (json!({"installed_count": 7, "not_applicable_count": 3}), 0),
        (json!({"missing_count": 1}), 1),
        (json!({"failed_count": 1}), 1),
        (json!({"installed_pending_reboot_count": 1}), 1),
    ] {
        let output = judged(&[scan(ONE, json!({})), state(ONE, more.clone())]);
        output.assert_status(status);
        assert_eq!(said(&output), [format!("{ONE} {}", status == 0)], "{more}");
    }
}

/// No state is never a node without anything missing.
#[test]
fn a_node_without_a_state_of_its_last_scan_is_a_gap() {
    let unread = json!({"missing_count": null, "reason": {"id": "run.patch_state.unreadable", "message": "m", "fix": "f"}});
    let unreachable = json!({"command_id": null, "status": "Unreachable",
        "reason": {"id": "agentcheck.node.offline", "message": "m", "fix": "f"}});
    let failed = json!({"status": "Failed", "status_details": "TimedOut"});
    for (records, expected) in [
        (vec![scan(ONE, json!({}))], "vulns.patch_scan.failed"),
        (
            vec![scan(ONE, json!({})), state(ONE, unread.clone())],
            "run.patch_state.unreadable",
        ),
        (vec![state(ONE, unread)], "run.patch_state.unreadable"),
        (
            vec![state(ONE, json!({"missing_count": null}))],
            "vulns.patch_scan.failed",
        ),
        // What an earlier scan left is old.
        (
            vec![scan(ONE, failed.clone()), state(ONE, json!({}))],
            "vulns.patch_scan.failed",
        ),
        (
            vec![scan(ONE, unreachable.clone())],
            "agentcheck.node.offline",
        ),
    ] {
        let mut all = records.clone();
        all.extend([scan("i-2", json!({})), state("i-2", json!({}))]);
        let output = judged(&all);
        output.assert_status(2);
        assert_eq!(
            said(&output),
            ["i-2 true".to_owned(), format!("{ONE} {expected}")],
            "{records:?}"
        );
    }
    // The last scan counts, and one that reached the node before one that did not.
    let good = [scan(ONE, json!({})), state(ONE, json!({}))];
    for before in [failed, unreachable] {
        let output = judged(&[&[scan(ONE, before)], &good[..]].concat());
        assert_eq!(said(output.assert_status(0)), [format!("{ONE} true")]);
    }
}

/// SSM may still give what an earlier scan left, and files may hold states of any age.
#[test]
fn a_state_that_is_older_than_its_scan_is_a_gap() {
    let patched = |records: &[Value], flags: &[&str]| {
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        let arguments = [&["patches"], flags].concat();
        let output = run(&arguments, &lines.join("\n")).run();
        match said(&output)[0].rsplit_once(' ').unwrap().1 {
            "true" => output.assert_status(0),
            _ => output.assert_status(2).assert_complains("0 patched"),
        };
        said(&output)[0].rsplit_once(' ').unwrap().1.to_owned()
    };
    let at = |time: &str| state(ONE, json!({"operation_end_time": time}));
    let (scan, stale) = (scan(ONE, json!({})), "vulns.patch_scan.stale");
    let days_ago = |n_days: i64| {
        let moment = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24 * n_days);
        at(&moment.to_string())
    };
    for (records, flags, expected) in [
        (
            vec![scan.clone(), at("2026-10-27T06:00:00Z")],
            &[][..],
            stale,
        ),
        (
            vec![at("2026-10-27T06:00:00Z"), scan.clone()],
            &["--max-age", "0"],
            stale,
        ),
        (vec![scan.clone(), at("2026-11-27T05:59:59Z")], &[], stale),
        (
            vec![
                scan.clone(),
                state(ONE, json!({"operation_end_time": null})),
            ],
            &[],
            stale,
        ),
        (vec![scan.clone(), at("2026-11-27T06:00:09Z")], &[], "true"),
        // The newest state counts, wherever it is.
        (
            vec![
                at("2026-11-27T06:00:09Z"),
                scan.clone(),
                at("2026-10-27T06:00:00Z"),
            ],
            &[],
            "true",
        ),
        // Without its scan, it may be of any day.
        (vec![days_ago(1)], &[], "true"),
        (vec![days_ago(29)], &[], "true"),
        (vec![days_ago(32)], &[], stale),
        (vec![days_ago(32)], &["--max-age", "40"], "true"),
        (vec![days_ago(32)], &["--max-age", "0"], "true"),
        (vec![days_ago(3)], &["--max-age", "1"], stale),
        (
            vec![state(ONE, json!({"operation_end_time": null}))],
            &["--max-age", "0"],
            stale,
        ),
    ] {
        assert_eq!(patched(&records, flags), expected, "{flags:?} {records:?}");
    }
    // It does not take part in `match` either.
    let installed = node("debian", "12", &["deb\ta\t9"]);
    let input = format!("{scan}\n{}\n{installed}", at("2026-10-27T06:00:00Z"));
    let output = matched(&database().path().join("db"), &input, &[]);
    assert_eq!(listed(output.assert_status(2)), [stale]);
}

/// A gap has no time: whichever comes first, it is not answered by a state of which no scan is known.
#[test]
fn a_gap_and_a_state_are_a_gap_in_any_order() {
    let today = jiff::Timestamp::now().to_string();
    let unreachable = scan(
        ONE,
        json!({"command_id": null, "status": "Unreachable",
            "reason": {"id": "agentcheck.node.offline", "message": "m", "fix": "f"}}),
    );
    let gap = judged(&[unreachable]).records()[0].clone();
    let state = state(ONE, json!({"operation_end_time": today}));
    for records in [[gap.clone(), state.clone()], [state.clone(), gap.clone()]] {
        let output = judged(&records);
        assert_eq!(
            said(output.assert_status(2)),
            [format!("{ONE} agentcheck.node.offline")]
        );
    }
    // A scan that reached the node answers it, and of two the later one, in any order.
    let mut records = [
        gap,
        state,
        scan(ONE, json!({})),
        scan(
            ONE,
            json!({"started": "2026-11-26T06:00:00Z", "status": "Failed"}),
        ),
    ];
    for _ in 0..records.len() {
        records.rotate_left(1);
        let output = judged(&records);
        assert_eq!(said(output.assert_status(0)), [format!("{ONE} true")]);
    }
}

/// An inventory does not answer for a scan that did not reach the node.
#[test]
fn match_keeps_each_gap_of_a_scan_beside_the_inventory() {
    let directory = database();
    let installed = node("debian", "12", &["deb\ta\t9"]);
    let unread = state(
        ONE,
        json!({"missing_count": null, "reason": {"id": "run.patch_state.unreadable", "message": "m", "fix": "f"}}),
    );
    for (record, id) in [
        (
            scan(
                ONE,
                json!({"command_id": null, "status": "Unreachable",
                    "reason": {"id": "agentcheck.node.offline", "message": "m", "fix": "f"}}),
            ),
            "agentcheck.node.offline",
        ),
        (
            scan(
                ONE,
                json!({"status": "NotSent", "reason": {"id": "run.send.failed", "message": "m", "fix": "f"}}),
            ),
            "run.send.failed",
        ),
        (unread, "run.patch_state.unreadable"),
    ] {
        let gap = &judged(std::slice::from_ref(&record)).records()[0];
        for of_scan in [gap, &record] {
            for input in [
                format!("{of_scan}\n{installed}"),
                format!("{installed}\n{of_scan}"),
            ] {
                let output = matched(&directory.path().join("db"), &input, &[]);
                assert_eq!(listed(output.assert_status(2)), [id]);
                assert_eq!(&output.records()[0], gap);
            }
        }
    }
}

#[test]
fn an_input_without_a_scan_is_an_error() {
    run(&["patches"], "")
        .run()
        .assert_status(2)
        .assert_complains("the input is empty");
    judged(&[json!({"kind": "command"})])
        .assert_status(2)
        .assert_complains("there is no scan for patches in the input");
    let unreachable = json!({"kind": "unreachable", "tool": "ssm-run",
        "target": {"account": "111111111111", "region": "eu-west-1"}, "error": "denied"});
    let output = judged(&[unreachable, scan(ONE, json!({})), state(ONE, json!({}))]);
    assert_eq!(
        said(output.assert_status(2)),
        [
            format!("{ONE} true"),
            "- vulns.target.unreachable".to_owned()
        ]
    );
}

#[test]
fn states_are_a_table_for_people() {
    let records = [
        scan(ONE, json!({})),
        state(ONE, json!({"missing_count": 2, "baseline_id": "pb-1"})),
    ];
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    let output = run(&["patches", "-o", "text"], &lines.join("\n")).run();
    let table = format!(
        "NODE                 MISSING  BASELINE  SCANNED               REGION     ACCOUNT\n{ONE}  2        pb-1      2026-11-27T06:00:00Z  us-east-1  111111111111\n"
    );
    assert_eq!(output.stdout, table);
    output
        .assert_status(1)
        .assert_complains("ssm-vulns: 1 node: 0 patched, 1 lacking patches, 0 gaps");
}

fn database() -> Directory {
    let directory = Directory::new();
    directory.write(
        "db/a",
        osv("DSA-1", "Debian:12", "a", "2", json!({})).to_string(),
    );
    directory
}

/// What Systems Manager's own compliance says stands beside it.
#[test]
fn patch_compliance_that_says_otherwise_is_reported() {
    let directory = database();
    for (missing, version, expected) in [
        (0, "1", Some((0, 1))),
        (2, "9", Some((2, 0))),
        (2, "1", None),
        (0, "9", None),
    ] {
        let installed = node("debian", "12", &[&format!("deb\ta\t{version}")]);
        let state = state(ONE, json!({"missing_count": missing}));
        let input = format!("{}\n{state}\n{installed}", scan(ONE, json!({})));
        let db = directory.path().join("db");
        let output = matched(&db, &input, &[]);
        let records = output.records();
        let difference = records.iter().find(|one| one["kind"] == "patch_difference");
        let found = difference.map(|one| {
            (
                one["n_missing_patches"].as_i64().unwrap(),
                one["n_fixable_packages"].as_i64().unwrap(),
            )
        });
        assert_eq!(found, expected, "{missing} {version}");
        // No report keeps it to itself, and none takes it for a gap.
        for form in ["text", "csv", "sarif"] {
            let report = matched(&db, &input, &["-o", form]);
            report.assert_status(i32::from(version == "1"));
            let all = format!("{}{}", report.stdout, report.stderr);
            let word = if missing == 0 {
                "Patch Manager reports no missing patch"
            } else {
                "no advisory given covers the missing patches"
            };
            assert_eq!(
                all.contains(word),
                expected.is_some(),
                "{form} {missing} {version}: {all}"
            );
        }
    }
}

/// A patch that has failed is not installed, one that waits for a reboot is, and an advisory that is accepted is there.
#[test]
fn a_difference_is_not_made_of_what_failed_waits_or_is_accepted() {
    let directory = database();
    let accepted = directory.write(
        "accepted.json",
        r#"[{"id": "vulns.DSA-1", "reason": "r", "expires": "2999-01-01"}]"#,
    );
    let accepted = ["--suppressions", accepted.to_str().unwrap()];
    for (counts, version, flags, expected) in [
        (json!({"failed_count": 3}), "1", &[][..], None),
        (json!({"failed_count": 3}), "9", &[], Some((3, 0))),
        (json!({"installed_pending_reboot_count": 1}), "1", &[], None),
        (json!({"installed_pending_reboot_count": 1}), "9", &[], None),
        (json!({"missing_count": 2}), "1", &accepted, None),
    ] {
        let installed = node("debian", "12", &[&format!("deb\ta\t{version}")]);
        let state = state(ONE, counts.clone());
        let input = format!("{}\n{state}\n{installed}", scan(ONE, json!({})));
        let output = matched(&directory.path().join("db"), &input, flags);
        let records = output.records();
        let difference = records.iter().find(|one| one["kind"] == "patch_difference");
        let found = difference.map(|one| {
            (
                one["n_missing_patches"].as_i64().unwrap(),
                one["n_fixable_packages"].as_i64().unwrap(),
            )
        });
        assert_eq!(found, expected, "{counts} {version}: {}", output.stdout);
    }
}

/// An output of AWS-RunPatchBaseline is not an inventory that is damaged.
#[test]
fn match_counts_a_scan_that_failed_as_a_gap_beside_the_inventory() {
    let directory = database();
    let installed = node("debian", "12", &["deb\ta\t9"]);
    let failed = scan(ONE, json!({"status": "Failed"}));
    let gap = &judged(std::slice::from_ref(&failed)).records()[0];
    for before in [&failed, gap] {
        let output = matched(
            &directory.path().join("db"),
            &format!("{before}\n{installed}"),
            &[],
        );
        assert_eq!(listed(output.assert_status(2)), ["vulns.patch_scan.failed"]);
    }
    let good = format!(
        "{}\n{}\n{installed}",
        scan(ONE, json!({})),
        state(ONE, json!({}))
    );
    matched(&directory.path().join("db"), &good, &[]).assert_status(0);
}
