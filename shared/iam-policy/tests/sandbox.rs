//! Holds this evaluator and that of the local AWS to each other: they share no line, so that what one of them got wrong
//! shows. Where they differ, AWS's documentation decides.

mod cases;

use std::io::Write;
use std::process::{Command, Stdio};

use cases::{Answer, Case, Documents};
use serde::Deserialize;
use serde_json::{Value, json};

/// Any will do; a change of it shows what another 4,000 cases would.
const SEED: &str = "13";
const N_CASES: usize = 4000;

/// Runs the evaluator of the local AWS and returns the lines that it prints.
fn evaluator(arguments: &[&str], input: String) -> Vec<String> {
    let python = testbed::repository().join(".venv/bin/python");
    assert!(
        python.exists(),
        "no {}: run `make venv` first",
        python.display()
    );
    let mut child = Command::new(python)
        .arg("tests/sandbox/iam_crosscheck.py")
        .args(arguments)
        .current_dir(testbed::repository())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // Written beside the reading: neither pipe holds all.
    let writer = std::thread::spawn(move || stdin.write_all(input.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert!(output.status.success(), "{}", output.status);
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn random_cases_are_decided_alike() {
    let count = N_CASES.to_string();
    let lines = evaluator(&["--seed", SEED, "--count", &count], String::new());
    assert_eq!(lines.len(), N_CASES);
    let (mut n_allowed, mut n_unknown, mut differing) = (0, 0, Vec::new());
    for line in &lines {
        let mut random: Value = serde_json::from_str(line).unwrap();
        let documents = random.as_object_mut().unwrap().remove("policies").unwrap();
        let documents: Documents = serde_json::from_value(documents).unwrap();
        let case: Case = serde_json::from_value(random).unwrap();
        let found = cases::answer(&documents, &case);
        n_allowed += usize::from(found.verdict == "allowed");
        n_unknown += usize::from(found.verdict == "unknown");
        if found.verdict != case.expected {
            let Answer {
                verdict,
                by,
                decision,
            } = found;
            differing.push(format!("{verdict} here by {by:?}: {line}\n{decision}"));
        }
    }
    // Cases that all end in one answer would compare nothing.
    assert!(
        n_allowed > N_CASES / 8 && n_unknown > 10,
        "only {n_allowed} allowed, {n_unknown} unknown"
    );
    assert!(
        differing.is_empty(),
        "{} of {N_CASES} differ, such as\n{}",
        differing.len(),
        differing[..differing.len().min(5)].join("\n")
    );
}

#[test]
fn the_local_aws_decides_as_documented() {
    #[derive(Deserialize)]
    struct Table {
        policies: Documents,
        requests: Vec<Case>,
    }
    let (mut input, mut expected) = (String::new(), Vec::new());
    for entry in std::fs::read_dir(testbed::fixture("iam-policy/evaluate")).unwrap() {
        let path = entry.unwrap().path();
        let table: Table = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
        for (index, case) in table.requests.iter().enumerate() {
            // Who answers requests knows all of them: what only an audit record leaves open does not arise.
            if case.partial || case.expected == "unknown" {
                continue;
            }
            let mut line = json!(case);
            line["policies"] = json!(table.policies);
            input.push_str(&format!("{line}\n"));
            expected.push((path.clone(), index, case.expected.clone()));
        }
    }
    assert!(expected.len() > 100, "only {}", expected.len());
    let answers = evaluator(&["--answer"], input);
    assert_eq!(answers.len(), expected.len());
    let differing: Vec<String> = answers
        .iter()
        .zip(&expected)
        .filter(|(answer, (_, _, expected))| *answer != expected)
        .map(|(answer, (path, index, expected))| {
            format!(
                "{} request {index}: {answer}, documented is {expected}",
                path.display()
            )
        })
        .collect();
    assert!(differing.is_empty(), "{}", differing.join("\n"));
}
