//! Nothing read is never nothing wrong.

use serde_json::{Value, json};
use testbed::repository;

use crate::{Directory, inventory, invocation, judged, listed, matched, node, osv, run};

const OPENSSH: &str = "rpm\topenssh\t0\t8.7p1\t38.el9\t\topenssh-8.7p1-38.el9.src.rpm\tV\t";

fn alma() -> String {
    node("almalinux", "9.4", &[OPENSSH])
}

fn harmless(more: Value) -> Value {
    osv("ALSA-1", "AlmaLinux:9", "openssh", "8.7p1-38.el9", more)
}

/// 1: each of these gave an all-clear once. The last one is one.
#[test]
fn advisories_about_nothing_are_a_gap_and_not_an_all_clear() {
    let updateinfo =
        std::fs::read_to_string(repository().join("tests/fixtures/vulnscan/updateinfo.xml"))
            .unwrap();
    let of_nothing = ["vulns.advisories.none", "vulns.advisories.unread"];
    let withdrawn = json!({"withdrawn": "2026-02-01T00:00:00Z"});
    let no_advisory = [
        "vulns.advisories.none",
        "vulns.advisories.unread",
        "vulns.advisories.unread",
    ];
    for (what, content, expected) in [
        ("an empty file", String::new(), &no_advisory[..]),
        ("white space", " \n".to_owned(), &no_advisory),
        (
            "a web page",
            "<html><body>404</body></html>".to_owned(),
            &no_advisory,
        ),
        (
            "bug fixes",
            updateinfo.replace(r#"type="security""#, r#"type="bugfix""#),
            &of_nothing,
        ),
        (
            "a withdrawn advisory",
            harmless(withdrawn).to_string(),
            &of_nothing,
        ),
        (
            "advisories of another distribution",
            osv("DSA-1", "Debian:12", "a", "1", json!({})).to_string(),
            &["vulns.advisories.none"],
        ),
        (
            "something else in JSON",
            r#"{"a": 1}"#.to_owned(),
            &no_advisory,
        ),
        ("an array of nothing", "[]".to_owned(), &of_nothing),
        (
            "half a tracker",
            r#"{"linux": {"CVE-1": {"a": 1}}}"#.to_owned(),
            &no_advisory,
        ),
        ("text", "\"text\"".to_owned(), &no_advisory),
        (
            "the beginning of JSON",
            r#"{"id": "#.to_owned(),
            &no_advisory,
        ),
        ("an all-clear", harmless(json!({})).to_string(), &[]),
    ] {
        let directory = Directory::new();
        let path = directory.write("advisories", content);
        let output = matched(&path, &alma(), &[]);
        output.assert_status(if expected.is_empty() { 0 } else { 2 });
        assert_eq!(listed(&output), expected, "{what}");
    }
    let empty = Directory::new();
    std::fs::create_dir(empty.path().join("nothing")).unwrap();
    let output = matched(&empty.path().join("nothing"), &alma(), &[]);
    output.assert_status(2);
    assert_eq!(listed(&output), of_nothing, "an empty directory");
}

/// 1: AlmaLinux's own updateinfo.xml is the natural thing to give.
#[test]
fn packages_of_a_distribution_that_is_not_known_are_a_gap() {
    let path = repository().join("tests/fixtures/vulnscan/updateinfo_el9.xml");
    let output = matched(&path, &alma(), &[]);
    output.assert_status(2);
    assert_eq!(
        listed(&output),
        [
            "vulns.advisories.none",
            "vulns.advisories.unread",
            "vulns.advisories.unread"
        ]
    );
    assert!(
        output.stdout.contains(
            "1 fixed package is not for a distribution that is known here, such as bash-9-1.el9"
        ),
        "{}",
        output.stdout
    );
}

#[test]
fn what_lies_beside_advisories_and_is_not_read_is_a_gap() {
    let directory = Directory::new();
    directory.write("db/a.json", harmless(json!({})).to_string());
    for beside in [
        "db/.git/objects/pack",
        "db/README.md",
        "db/LICENSE",
        "db/a.json.asc",
        "db/a.json.sha512",
        "db/changes.csv",
    ] {
        directory.write(beside, "x");
    }
    let db = directory.path().join("db");
    matched(&db, &alma(), &[]).assert_status(0);
    for (name, content) in [
        ("oval.xml", &b"<oval/>"[..]),
        ("b.json", b""),
        ("a.json.bz2", b"BZh91AY"),
        ("c.json.gz", &[0x1f, 0x8b, 8, 0, 1]),
    ] {
        let path = directory.write(&format!("db/{name}"), content);
        let output = matched(&db, &alma(), &[]);
        output.assert_status(2);
        assert_eq!(listed(&output), ["vulns.advisories.unread"], "{name}");
        assert!(
            output
                .stdout
                .contains(&format!("1 file in it is not read: {}", path.display())),
            "{}",
            output.stdout
        );
        std::fs::remove_file(path).unwrap();
    }
    let missing = matched(&directory.path().join("nowhere"), &alma(), &[]);
    missing
        .assert_status(2)
        .assert_complains("nowhere: No such file or directory");
}

#[test]
fn old_advisories_are_a_gap_that_says_how_old() {
    let directory = Directory::new();
    let path = directory.write(
        "a.json",
        harmless(json!({"modified": "2020-01-01T00:00:00Z"})).to_string(),
    );
    let path = path.to_str().unwrap();
    let old = run(&["match", "--advisories", path], &alma()).run();
    old.assert_status(2);
    assert_eq!(listed(&old), ["vulns.advisories.stale"]);
    let message = "the newest advisory about AlmaLinux:9 is of 2020-01-01, ";
    assert!(
        old.stdout.contains(message) && old.stdout.contains(" days ago"),
        "{}",
        old.stdout
    );
    run(&["match", "--max-age", "0", "--advisories", path], &alma())
        .run()
        .assert_status(0);
    // A day in the future says nothing of the age; that of another time zone does.
    let today: jiff::civil::Date = testbed::today().parse().unwrap();
    let tomorrow = today.tomorrow().unwrap();
    for (day, expected) in [
        (today.to_string(), &[][..]),
        (tomorrow.to_string(), &[]),
        (
            tomorrow.tomorrow().unwrap().to_string(),
            &["vulns.advisories.stale"],
        ),
        ("2999-01-01".to_owned(), &["vulns.advisories.stale"]),
    ] {
        let other = harmless(json!({"modified": format!("{day}T00:00:00Z")}));
        let other = directory.write("b.json", other.to_string());
        let other = other.to_str().unwrap();
        let both = ["match", "--advisories", path, "--advisories", other];
        assert_eq!(listed(&run(&both, &alma()).run()), expected, "{day}");
    }
}

#[test]
fn a_node_that_was_not_asked_or_is_not_known_is_a_gap_and_the_others_are_judged() {
    let failed = json!({"status": "Failed", "status_details": "Failed", "exit_code": 1, "stderr": "collector: rpm cannot list the packages\nfailed to run commands: exit status 1\n"});
    let offline = json!({"status": "Unreachable", "reason": {"id": "agentcheck.node.offline", "message": "m", "fix": "f"}});
    let cut = json!({"truncated": {"stdout": true, "stderr": false}});
    for (more, expected) in [
        (failed, "vulns.inventory.failed"),
        (offline, "agentcheck.node.offline"),
        (cut, "vulns.inventory.cut"),
        (json!({"stdout": "hello\n"}), "vulns.inventory.damaged"),
        (
            json!({"stdout": inventory("debian", "12", &["deb\ta\t1"]).replace("end\t4\t-", "end\t4\t1234567")}),
            "vulns.inventory.damaged",
        ),
        (
            json!({"stdout": "ssm-inventory 1 gzip\nH4sIAAAA\n"}),
            "vulns.inventory.damaged",
        ),
        (
            json!({"stdout": inventory("gentoo", "2", &["deb\ta\t1"])}),
            "vulns.advisories.none",
        ),
        (json!({"kind": "node"}), "vulns.input.unknown"),
        (json!({"stdout": 7}), "vulns.input.unknown"),
    ] {
        let mut other = invocation("i-00000000000000002", "");
        for (key, value) in more.as_object().unwrap() {
            other[key] = value.clone();
        }
        let input = format!("{other}\n{}", alma());
        let output = judged(
            &[osv("ALSA-1", "AlmaLinux:9", "openssh", "9-1", json!({}))],
            &input,
        );
        output.assert_status(2);
        assert_eq!(listed(&output), ["ALSA-1 openssh 9-1", expected], "{more}");
    }
    let unreachable = json!({"kind": "unreachable", "tool": "ssm-run", "target": {"account": "111111111111", "region": "eu-west-1"}, "error": "denied"});
    let output = judged(
        &[harmless(json!({}))],
        &format!("{unreachable}\n{}", alma()),
    );
    output.assert_status(2);
    assert_eq!(listed(&output), ["vulns.target.unreachable"]);
}

#[test]
fn a_node_that_answered_when_it_was_asked_again_is_judged_by_that() {
    let mut failed = invocation("i-0123456789abcdef0", "");
    failed["status"] = json!("TimedOut");
    let fixed = node("almalinux", "9.4", &["rpm\topenssh\t0\t9\t1.el9"]);
    let advisory = osv("ALSA-1", "AlmaLinux:9", "openssh", "9-1.el9", json!({}));
    judged(
        std::slice::from_ref(&advisory),
        &format!("{failed}\n{}\n{fixed}", alma()),
    )
    .assert_status(0);
    judged(&[advisory], &format!("{fixed}\n{}", alma())).assert_status(1);
}

#[test]
fn an_input_that_is_none_is_an_error() {
    for (input, part) in [
        ("", "the input is empty"),
        ("{", "EOF while parsing"),
        (r#"{"surprise": 1}"#, "$.surprise: unknown field"),
        (r#"{"bomFormat": "SPDX"}"#, "'SPDX' is not read"),
    ] {
        let output = judged(&[harmless(json!({}))], input);
        output.assert_status(2).assert_complains(part);
        assert_eq!(output.stdout, "", "{input}");
    }
}

/// Records that a command was sent, or of a scan for patches, are not nodes without anything wrong.
#[test]
fn an_input_without_an_inventory_is_an_error() {
    let mut scan = invocation("i-1", "");
    scan["document"] = json!("AWS-RunPatchBaseline");
    scan["started"] = json!("2026-11-27T06:00:00Z");
    let state = json!({"kind": "patch_state", "target": {"account": "111111111111", "region": "us-east-1"},
        "instance_id": "i-1", "missing_count": 0, "operation_end_time": "2026-11-27T06:00:01Z"});
    for input in [
        json!({"kind": "command"}).to_string(),
        format!("{scan}\n{state}"),
    ] {
        for output in [
            judged(&[harmless(json!({}))], &input),
            run(&["sbom"], &input).run(),
        ] {
            output
                .assert_status(2)
                .assert_complains("there is no inventory in the input");
        }
    }
}

#[test]
fn a_version_that_is_none_is_a_gap() {
    let output = judged(
        &[osv("A-1", "Alpine:v3.20", "a", "not a version", json!({}))],
        &node("alpine", "3.20.3", &["apk\ta\t1-r0"]),
    );
    output.assert_status(2);
    assert_eq!(listed(&output), ["vulns.advisory.unjudged"]);
}
