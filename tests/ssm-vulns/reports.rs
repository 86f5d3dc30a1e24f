//! Reports, suppressions, and what decides the exit status.

use serde_json::{Value, json};

use crate::{Directory, inventory, invocation, listed, matched, osv};

/// Two nodes with one package, and one advisory that is severe and one that is not.
fn scene() -> (Directory, String) {
    let directory = Directory::new();
    let advisories = [
        osv(
            "DSA-1",
            "Debian:12",
            "a",
            "2",
            json!({"aliases": ["CVE-2024-0001", "CVE-2024-0002"], "summary": "=high, \"quoted\"",
            "database_specific": {"severity": "high"}}),
        ),
        osv(
            "DSA-2",
            "Debian:12",
            "a",
            "3",
            json!({"database_specific": {"severity": "low"}}),
        ),
    ];
    directory.write("db/a.json", json!(advisories).to_string());
    let nodes = ["i-1", "i-2"]
        .map(|id| invocation(id, &inventory("debian", "12", &["deb\ta\t1"])).to_string());
    (directory, nodes.join("\n"))
}

#[test]
fn a_table_has_a_line_for_each_advisory_with_counts_of_nodes() {
    let (directory, input) = scene();
    let db = directory.path().join("db");
    let output = matched(&db, &input, &["-o", "text"]);
    // The table names a few nodes; the file has all.
    let next = format!(
        "ssm-vulns match --max-age 0 --advisories {} -f FILE --report csv=vulns.csv",
        db.display()
    );
    output.assert_status(1).assert_stderr(&format!(
        "ssm-vulns: 2 advisories on 2 of 2 nodes, 0 gaps\nssm-vulns: FILE is a file with the input\nssm-vulns: next: {next}\n"
    ));
    assert_eq!(output.stdout, "\
ADVISORY  SEVERITY  CVES              PACKAGE  INSTALLED  FIXED  NODES  SUCH AS
DSA-1     high      CVE-2024-0001 +1  a        1          2      2      111111111111/us-east-1/i-1 111111111111/us-east-1/i-2
DSA-2     low       -                 a        1          3      2      111111111111/us-east-1/i-1 111111111111/us-east-1/i-2
");
}

#[test]
fn reports_are_written_beside_the_records() {
    let (directory, input) = scene();
    let file = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    let flags = [
        format!("--report=csv={}", file("c")),
        format!("--report=sarif={}", file("s")),
        format!("--report=text={}", file("t")),
    ];
    let flags: Vec<&str> = flags.iter().map(String::as_str).collect();
    let output = matched(&directory.path().join("db"), &input, &flags);
    assert_eq!(output.assert_status(1).records().len(), 4);
    let read = |name: &str| std::fs::read_to_string(file(name)).unwrap();
    let csv = read("c");
    let line = csv.lines().nth(1).unwrap();
    assert_eq!(
        line,
        "DSA-1,high,,,CVE-2024-0001 CVE-2024-0002,Debian:12,a,1,2,,false,2,111111111111/us-east-1/i-1 111111111111/us-east-1/i-2,\"'=high, \"\"quoted\"\"\""
    );
    assert!(read("t").starts_with("ADVISORY"));
    let sarif: Value = serde_json::from_str(&read("s")).unwrap();
    let run = &sarif["runs"][0];
    assert_eq!(run["invocations"][0]["executionSuccessful"], true);
    assert_eq!(
        run["results"][0]["message"]["text"],
        "a 1 is affected by DSA-1; fixed in 2; on 2 nodes"
    );
    assert_eq!(run["results"][0]["level"], "error");
    assert_eq!(
        run["tool"]["driver"]["rules"][0]["properties"]["tags"][2],
        "CVE-2024-0001"
    );
    let unwritable = matched(
        &directory.path().join("db"),
        &input,
        &["--report=csv=/proc/nope"],
    );
    unwritable
        .assert_status(2)
        .assert_complains("write the report /proc/nope");
    matched(&directory.path().join("db"), &input, &["--report=pdf=x"])
        .assert_status(2)
        .assert_complains("expected text, csv or sarif");
}

/// One mechanism: what `-o` prints is what `--report` writes.
#[test]
fn reports_are_what_o_prints() {
    let (directory, input) = scene();
    let db = directory.path().join("db");
    for form in ["csv", "sarif", "text"] {
        let file = directory.path().join(form);
        let flag = format!("--report={form}={}", file.display());
        let output = matched(&db, &input, &["-o", form, &flag]);
        output
            .assert_status(1)
            .assert_stderr("ssm-vulns: 2 advisories on 2 of 2 nodes, 0 gaps\n");
        assert_eq!(
            output.stdout,
            std::fs::read_to_string(file).unwrap(),
            "{form}"
        );
    }
    matched(&db, &input, &["-o", "junit"])
        .assert_status(2)
        .assert_complains("-o junit is for none of the verbs here");
}

/// What a report has no row for is on stderr, as it decides the exit status.
#[test]
fn a_report_hides_neither_gaps_nor_findings() {
    let (directory, input) = scene();
    let db = directory.path().join("db");
    let input = format!("{input}\n{}", invocation("i-3", "nonsense"));
    for (form, has_gap) in [("csv", false), ("sarif", true)] {
        let output = matched(&db, &input, &["-o", form]);
        output.assert_status(2);
        assert_eq!(output.stdout.contains("vulns.inventory.damaged"), has_gap);
        assert_eq!(
            output
                .stderr
                .contains("i-3: vulns.inventory.damaged: the output does not begin"),
            !has_gap
        );
    }
    let accepted = directory.write(
        "accepted.json",
        json!([{"id": "vulns.DSA-1", "reason": "r", "expires": "2020-01-01"}]).to_string(),
    );
    let flags = ["-o", "csv", "--suppressions", accepted.to_str().unwrap()];
    matched(&db, &input, &flags).assert_complains("ssm-vulns: vulns.suppression.expired: ");
}

/// GitHub takes a thousand locations of a result.
#[test]
fn a_result_of_sarif_names_a_thousand_nodes() {
    let (directory, _) = scene();
    let nodes: Vec<String> = (0..1001)
        .map(|n| {
            invocation(
                &format!("i-{n}"),
                &inventory("debian", "12", &["deb\ta\t1"]),
            )
            .to_string()
        })
        .collect();
    let sarif = directory.path().join("s");
    matched(
        &directory.path().join("db"),
        &nodes.join("\n"),
        &[&format!("--report=sarif={}", sarif.display())],
    )
    .assert_status(1);
    let sarif: Value = serde_json::from_str(&std::fs::read_to_string(sarif).unwrap()).unwrap();
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["locations"].as_array().unwrap().len(), 1000);
    assert!(
        result["message"]["text"]
            .as_str()
            .unwrap()
            .ends_with("on 1001 nodes, of which 1000 are listed here"),
        "{result}"
    );
}

#[test]
fn severity_fix_and_cisa_decide() {
    let (directory, input) = scene();
    let db = directory.path().join("db");
    matched(&db, &input, &["--fail-on", "high"]).assert_status(1);
    matched(&db, &input, &["--fail-on", "critical"]).assert_status(0);
    let unrated = directory.write(
        "u.json",
        osv("DSA-3", "Debian:12", "a", "3", json!({})).to_string(),
    );
    matched(&unrated, &input, &["--fail-on", "medium"]).assert_status(1);
    matched(&unrated, &input, &["--fail-on", "high"]).assert_status(0);
    let mut unfixed = osv("DSA-4", "Debian:12", "a", "3", json!({}));
    unfixed["affected"][0]["ranges"][0]["events"] = json!([{"introduced": "0"}]);
    let unfixed = directory.write("n.json", unfixed.to_string());
    matched(&unfixed, &input, &[]).assert_status(1);
    matched(&unfixed, &input, &["--fixed-only"]).assert_status(0);
    let kev = directory.write(
        "kev.json",
        json!({"vulnerabilities": [{"cveID": "CVE-2024-0002", "dueDate": "2024-07-01"}]})
            .to_string(),
    );
    let output = matched(&db, &input, &["--kev", kev.to_str().unwrap()]);
    let exploited: Vec<Value> = output
        .records()
        .iter()
        .map(|one| one["known_exploited"].clone())
        .collect();
    assert_eq!(
        exploited,
        [json!(true), json!(true), json!(false), json!(false)]
    );
    assert_eq!(
        matched(&db, &input, &[]).records()[0]["known_exploited"],
        Value::Null
    );
    let empty = directory.write("empty.json", json!({"vulnerabilities": []}).to_string());
    matched(&db, &input, &["--kev", empty.to_str().unwrap()])
        .assert_status(2)
        .assert_complains("the list is empty");
}

#[test]
fn what_is_accepted_is_left_out_until_its_last_day() {
    let (directory, input) = scene();
    let db = directory.path().join("db");
    let with = |entries: Value| {
        let file = directory.write("accepted.json", entries.to_string());
        matched(&db, &input, &["--suppressions", file.to_str().unwrap()])
    };
    let entry = |more: Value| {
        let mut entry =
            json!({"id": "vulns.DSA-1", "reason": "not reachable", "expires": "2999-01-01"});
        for (key, value) in more.as_object().unwrap() {
            entry[key] = value.clone();
        }
        entry
    };
    let low = ["DSA-2 a 3", "DSA-2 a 3"];
    let all = ["DSA-1 a 2", "DSA-1 a 2", "DSA-2 a 3", "DSA-2 a 3"];
    for (more, expected) in [
        (json!({}), &low[..]),
        (json!({"id": "vulns.CVE-2024-0002"}), &low),
        (json!({"package": "a"}), &low),
        (json!({"node": "111111111111/us-east-1/*"}), &low),
        (
            json!({"node": "i-1"}),
            &["DSA-1 a 2", "DSA-2 a 3", "DSA-2 a 3"],
        ),
    ] {
        let output = with(
            json!([entry(more.clone()), {"id": "scp.x", "file": "f", "reason": "another tool's", "expires": "2999-01-01"}]),
        );
        assert_eq!(listed(output.assert_status(1)), expected, "{more}");
        output.assert_complains("switched off by");
    }
    // An entry that has ended, or accepts nothing, is a finding itself.
    for (more, id) in [
        (
            json!({"expires": "2020-01-01"}),
            "vulns.suppression.expired",
        ),
        (json!({"package": "b"}), "vulns.suppression.unused"),
    ] {
        let output = with(json!([entry(more)]));
        output.assert_status(1);
        let records = output.records();
        let (findings, matches): (Vec<_>, Vec<_>) =
            records.iter().partition(|one| one["kind"] == "finding");
        assert_eq!(
            findings.iter().map(|one| &one["id"]).collect::<Vec<_>>(),
            [id]
        );
        assert_eq!(matches.len(), all.len());
    }
    with(json!([{"id": "vulns.DSA-1", "reason": " ", "expires": "2999-01-01"}]))
        .assert_status(2)
        .assert_complains("$[0].reason: it is empty");
    let accepted = with(json!([
        entry(json!({})),
        entry(json!({"id": "vulns.DSA-2"}))
    ]));
    accepted.assert_status(0);
}
