//! `lint --suppressions` and `--fail-on`: what is accepted, by whom and until when.

use serde_json::{Value, json};
use testbed::{Home, Output, offline};

use super::EXE;

/// A guard whose exemption any account can take, which is one warning, `scp.guard.takeable`; and what another statement denies.
fn guard(home: &Home, name: &str, action: &str) -> String {
    let policy = json!({"Version": "2012-10-17", "Statement": [
        {"Sid": "Other", "Effect": "Deny", "Action": action, "Resource": "*"},
        {"Sid": "OnlyOperators", "Effect": "Deny", "Action": "ssm:StartSession", "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ops-*"}}},
    ]});
    write(home, name, &policy)
}

fn write(home: &Home, name: &str, value: &Value) -> String {
    let path = home.path().join(name);
    std::fs::write(&path, format!("{value:#}")).unwrap();
    path.to_str().unwrap().to_owned()
}

fn ids(output: &Output) -> Vec<Value> {
    let records = output.records();
    records.iter().map(|record| record["id"].clone()).collect()
}

/// What one entry does to one guard: exit status, IDs and the note on stderr.
fn check(entry: Value, status: i32, expected: &[&str], switched_off: bool) {
    let home = Home::create();
    let guard = guard(&home, "guard.json", "s3:DeleteBucket");
    let accepted = write(&home, "accepted.json", &json!([entry]));
    let linted = offline(EXE)
        .args(["lint", "--suppressions", &accepted, &guard])
        .run();
    let note = format!("ssm-scp: 1 finding switched off by {accepted}\n");
    linted
        .assert_status(status)
        .assert_stderr(if switched_off { &note } else { "" });
    assert_eq!(ids(&linted), expected, "{entry}: {}", linted.stdout);
}

const TAKEABLE: &str = "scp.guard.takeable";

fn entry(more: Value) -> Value {
    let mut entry = json!({"id": TAKEABLE, "reason": "moves in January", "expires": "9999-12-31"});
    for (key, value) in more.as_object().unwrap() {
        entry[key] = value.clone();
    }
    entry
}

#[test]
fn an_accepted_finding_is_counted_and_not_printed() {
    for more in [
        json!({}),
        json!({"file": "guard.json"}),
        json!({"sid": "OnlyOperators"}),
        json!({"path": "$.Statement[1]"}),
        json!({"path": "$.Statement[1].Condition.ArnNotLike", "sid": "OnlyOperators", "file": "guard.json"}),
    ] {
        check(entry(more), 0, &[], true);
    }
}

/// People write the file, and say why.
#[test]
fn a_list_of_what_is_accepted_may_have_comments() {
    let home = Home::create();
    let guard = guard(&home, "guard.json", "s3:DeleteBucket");
    let text = format!(
        "[\n  // Until January.\n  {}, /* the last */\n]",
        entry(json!({}))
    );
    let accepted = home.path().join("accepted.json");
    std::fs::write(&accepted, text).unwrap();
    let accepted = accepted.to_str().unwrap();
    let linted = offline(EXE)
        .args(["lint", "--suppressions", accepted, &guard])
        .run();
    linted
        .assert_status(0)
        .assert_stderr(&format!("ssm-scp: 1 finding switched off by {accepted}\n"));
}

#[test]
fn an_entry_about_something_else_is_unused() {
    let unused = [TAKEABLE, "scp.suppression.unused"];
    for more in [
        json!({"sid": "Other"}),
        json!({"path": "$.Statement[0]"}),
        json!({"id": "scp.agents.denied"}),
    ] {
        check(entry(more), 1, &unused, false);
    }
    // A file that was not judged says nothing about its entries, nor does one tool about those of another.
    check(entry(json!({"file": "other.json"})), 1, &[TAKEABLE], false);
    check(
        entry(json!({"id": "role.sid.invalid"})),
        1,
        &[TAKEABLE],
        false,
    );
    check(
        entry(json!({"id": "CVE-2026-1234", "package": "openssl"})),
        1,
        &[TAKEABLE],
        false,
    );
}

#[test]
fn an_expired_entry_switches_nothing_off_and_is_a_finding() {
    let expired = [TAKEABLE, "scp.suppression.expired"];
    check(entry(json!({"expires": "2026-01-31"})), 1, &expired, false);
}

/// A text that is not JSON was not judged: nobody can accept that.
#[test]
fn nobody_can_accept_that_nothing_was_judged() {
    let home = Home::create();
    let text = home.path().join("any.txt");
    std::fs::write(&text, "no policy").unwrap();
    let accepted = write(
        &home,
        "accepted.json",
        &json!([entry(json!({"id": "scp.json.syntax"}))]),
    );
    let linted = offline(EXE).args(["lint", "--suppressions", &accepted]);
    let linted = linted.args([text]).run();
    linted.assert_status(2).assert_complains("scp.json.syntax");
}

#[test]
fn an_entry_without_reason_day_or_known_id_is_refused() {
    let home = Home::create();
    let guard = guard(&home, "guard.json", "s3:DeleteBucket");
    for (bad, complaint) in [
        (
            json!([{"id": TAKEABLE, "expires": "9999-12-31"}]),
            "$[0]: missing field `reason`",
        ),
        (
            json!([{"id": TAKEABLE, "reason": "x"}]),
            "$[0]: missing field `expires`",
        ),
        (
            json!([entry(json!({})), entry(json!({"reason": " "}))]),
            "$[1].reason: it is empty",
        ),
        (json!([entry(json!({"expires": "soon"}))]), "$[0].expires"),
        (
            json!([entry(json!({"id": "scp.guard.takable"}))]),
            "'scp.guard.takable' is not the ID",
        ),
        (
            json!([entry(json!({"path": "Statement[0]"}))]),
            "is not a JSON path",
        ),
        (
            json!([entry(json!({"until": "x"}))]),
            "unknown field `until`",
        ),
        (json!({"suppressions": []}), "expected a sequence"),
    ] {
        let accepted = write(&home, "accepted.json", &bad);
        let refused = offline(EXE)
            .args(["lint", "--suppressions", &accepted, &guard])
            .run();
        refused.assert_status(2).assert_complains(complaint);
        assert_eq!(refused.stdout, "", "{bad}");
    }
}

#[test]
fn fail_on_error_prints_warnings_and_ends_well() {
    let home = Home::create();
    let warns = guard(&home, "warns.json", "s3:DeleteBucket");
    let fails = guard(&home, "fails.json", "StartSession");
    let lint = |arguments: &[&str]| offline(EXE).args(["lint"]).args(arguments).run();
    let mild = lint(&["--fail-on", "error", &warns]);
    mild.assert_status(0).assert_stderr("");
    assert_eq!(ids(&mild), [TAKEABLE]);
    lint(&[&warns]).assert_status(1);
    lint(&["--fail-on", "warning", &warns]).assert_status(1);
    lint(&["--fail-on", "error", &warns, &fails]).assert_status(1);
    // An expired entry is a warning as well.
    let accepted = write(
        &home,
        "accepted.json",
        &json!([entry(json!({"expires": "2026-01-31"}))]),
    );
    let expired = lint(&["--fail-on", "error", "--suppressions", &accepted, &warns]);
    assert_eq!(ids(expired.assert_status(0)).len(), 2);
}
