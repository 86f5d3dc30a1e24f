//! What advisories cover, and how old they are: what has no usable advisory, or is old, is never an all-clear.

use std::fs::File;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use testbed::Output;

use crate::containers::packed;
use crate::{Directory, judged, listed, matched, node, osv, run};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn alpine() -> String {
    node("alpine", "3.20.3", &["apk\ta\t1-r0"])
}

fn secdb(repository: &str, secfixes: &Value) -> Value {
    json!({"distroversion": "v3.20", "reponame": repository, "packages": [{"pkg": {"name": "b", "secfixes": secfixes}}]})
}

fn fixes() -> Value {
    json!({"1-r0": ["CVE-2024-0001"]})
}

/// Matches within the usual age.
fn of_any_day(path: &Path, input: &str) -> Output {
    run(&["match", "--advisories", path.to_str().unwrap()], input).run()
}

#[test]
fn an_empty_secdb_and_main_alone_are_gaps() {
    let (none, unread) = ("vulns.advisories.none", "vulns.advisories.unread");
    let partial = "vulns.advisories.partial";
    let (main, community) = (secdb("main", &fixes()), secdb("community", &fixes()));
    for (what, advisories, expected) in [
        (
            "an empty secdb",
            vec![json!({"distroversion": "v3.20", "reponame": "main", "packages": []})],
            &[none, unread][..],
        ),
        (
            "a secdb without fixes",
            vec![secdb("main", &Value::Null)],
            &[none, unread],
        ),
        (
            "what never was affected",
            vec![secdb("main", &json!({"0": ["CVE-2024-0001"]}))],
            &[none, unread],
        ),
        ("main alone", vec![main.clone()], &[partial]),
        ("community alone", vec![community.clone()], &[partial]),
        (
            "community without a fix",
            vec![main.clone(), secdb("community", &json!({}))],
            &[partial],
        ),
        ("both", vec![main.clone(), community], &[]),
        (
            "OSV, which has both",
            vec![main, osv("A-1", "Alpine:v3.20", "b", "1-r0", json!({}))],
            &[],
        ),
    ] {
        let output = judged(&advisories, &alpine());
        output.assert_status(if expected.is_empty() { 0 } else { 2 });
        assert_eq!(listed(&output), expected, "{what}");
    }
    let output = judged(&[secdb("main", &fixes())], &alpine());
    let message = "the advisories given about Alpine:v3.20 are not those of community";
    assert!(output.stdout.contains(message), "{}", output.stdout);
}

#[test]
fn advisories_that_say_nothing_of_versions_cover_nothing() {
    let with = |about: Value| {
        let mut advisory = osv("A-1", "Alpine:v3.20", "b", "1-r0", json!({}));
        let about = about.as_object().unwrap().clone();
        let affected = advisory["affected"][0].as_object_mut().unwrap();
        affected.remove("ranges");
        affected.extend(about);
        advisory
    };
    let commits =
        json!([{"type": "GIT", "repo": "r", "events": [{"introduced": "0"}, {"fixed": "abc"}]}]);
    let tracker =
        |release: Value| json!({"linux": {"CVE-2026-1": {"releases": {"bookworm": release}}}});
    let debian = node("debian", "12", &["deb\ta\t1"]);
    for (what, advisory, input, is_covered) in [
        ("no range", with(json!({})), alpine(), false),
        (
            "empty ones",
            with(json!({"ranges": [], "versions": []})),
            alpine(),
            false,
        ),
        (
            "commits",
            with(json!({ "ranges": commits })),
            alpine(),
            false,
        ),
        (
            "versions",
            with(json!({"ranges": commits, "versions": ["1-r0"]})),
            alpine(),
            true,
        ),
        (
            "undetermined",
            tracker(json!({"status": "undetermined"})),
            debian.clone(),
            false,
        ),
        (
            "resolved",
            tracker(json!({"status": "resolved", "fixed_version": "1"})),
            debian,
            true,
        ),
    ] {
        let output = judged(&[advisory], &input);
        output.assert_status(if is_covered { 0 } else { 2 });
        let is_none = listed(&output).contains(&"vulns.advisories.none".to_owned());
        assert_eq!(is_none, !is_covered, "{what}");
    }
}

fn updateinfo(attributes: &str, date: &str) -> String {
    format!(
        r#"<updates><update {attributes} type="security"><id>SUSE-SLE-Module-Basesystem-15-SP5-2024-1</id><title>t</title>
        <issued date="{date}"/><references/><pkglist><collection><package name="a" epoch="0" version="2" release="150500.1" arch="x86_64"/>
        </collection></pkglist></update></updates>"#
    )
}

/// As `withdrawn` in OSV.
#[test]
fn what_suse_has_taken_back_is_no_row_and_covers_nothing() {
    let directory = Directory::new();
    let input = node("sles", "15.5", &["rpm\ta\t\t1\t150500.1"]);
    for (status, expected) in [
        (
            "stable",
            &["SUSE-SLE-Module-Basesystem-15-SP5-2024-1 a 2-150500.1"][..],
        ),
        (
            "retracted",
            &["vulns.advisories.none", "vulns.advisories.unread"],
        ),
    ] {
        let text = updateinfo(&format!("status=\"{status}\""), "1593505741");
        let path = directory.write("updateinfo.xml", text);
        assert_eq!(listed(&matched(&path, &input, &[])), expected, "{status}");
    }
    // Half a file, with or without an advisory in it.
    let whole = updateinfo("", "2026-01-01");
    let half = directory.write("updateinfo.xml", whole.replace("</updates>", ""));
    let found = listed(matched(&half, &input, &[]).assert_status(2));
    assert!(
        found.contains(&"vulns.advisories.unread".to_owned()),
        "{found:?}"
    );
}

/// SUSE and openSUSE write seconds.
#[test]
fn the_age_of_an_updateinfo_is_known_by_its_seconds() {
    let directory = Directory::new();
    let input = node("sles", "15.5", &["rpm\ta\t\t2\t150500.1"]);
    let path = directory.write("updateinfo.xml", updateinfo("", "1593505741"));
    let output = of_any_day(&path, &input);
    assert_eq!(listed(output.assert_status(2)), ["vulns.advisories.stale"]);
    let message = "the newest advisory about SUSE:15.5 is of 2020-06-30, ";
    assert!(output.stdout.contains(message), "{}", output.stdout);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap().as_secs().to_string();
    let path = directory.write("updateinfo.xml", updateinfo("", &now));
    of_any_day(&path, &input)
        .assert_status(0)
        .assert_stderr("ssm-vulns: 0 advisories on 0 of 1 node, 0 gaps\n");
    // What has no day has no age, and may be older than any; so has what is of the year 2999.
    for date in ["", "yesterday", "soon, or not at all", "32472144000"] {
        let path = directory.write("updateinfo.xml", updateinfo("", date));
        let output = of_any_day(&path, &input);
        assert_eq!(
            listed(output.assert_status(2)),
            ["vulns.advisories.undated"]
        );
        let message = "the advisories about SUSE:15.5 have no date, or one in the future: how old they are is not known";
        assert!(output.stdout.contains(message), "{}", output.stdout);
        matched(&path, &input, &[]).assert_status(0);
    }
}

/// A secdb and Debian's tracker have no days in them: their files do.
#[test]
fn the_age_of_a_form_without_days_is_that_of_its_file() {
    let directory = Directory::new();
    let both = format!(
        "{}\n{}",
        secdb("main", &fixes()),
        secdb("community", &fixes())
    );
    let tracker = json!({"linux": {"CVE-2026-1": {"releases": {"bookworm": {"status": "resolved", "fixed_version": "1"}}}}});
    let debian = node("debian", "12", &["deb\ta\t1"]);
    for (content, input) in [(both.clone(), alpine()), (tracker.to_string(), debian)] {
        let path = directory.write("database", content);
        of_any_day(&path, &input).assert_status(0);
        let changed = |time: SystemTime| {
            let file = File::options().append(true).open(&path).unwrap();
            file.set_modified(time).unwrap();
            of_any_day(&path, &input)
        };
        let output = changed(SystemTime::now() - 40 * DAY);
        assert_eq!(listed(output.assert_status(2)), ["vulns.advisories.stale"]);
        assert!(output.stdout.contains(", 40 days ago"), "{}", output.stdout);
        let output = changed(SystemTime::now() + 40 * DAY);
        let undated = "vulns.advisories.undated";
        assert_eq!(listed(output.assert_status(2)), [undated]);
    }
    // In an archive, that of the part; an archive that is to be the same each time has the first day that the form knows.
    let zip = |day: &str| {
        let program = format!(
            "import io, sys, zipfile\nb = io.BytesIO()\nwith zipfile.ZipFile(b, 'w') as z:\n z.writestr(zipfile.ZipInfo('a.json', ({day}, 0, 0, 0)), sys.stdin.read())\nsys.stdout.buffer.write(b.getvalue())"
        );
        directory.write("a.zip", packed(&program, &both))
    };
    let output = of_any_day(&zip("2020, 1, 2"), &alpine());
    assert_eq!(listed(output.assert_status(2)), ["vulns.advisories.stale"]);
    assert!(
        output.stdout.contains(" is of 2020-01-02, "),
        "{}",
        output.stdout
    );
    of_any_day(&zip("1980, 1, 1"), &alpine()).assert_status(0);
}
