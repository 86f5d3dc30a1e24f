//! Pipes that end in what other programs read.

use serde_json::json;

use super::{GATE, REPORT, SCAN, account, example, record, run};

#[test]
fn counts_errors() {
    let (account, example) = (account(), example(GATE));
    let output = run(&account, &example);
    let n_errors = output.stdout.trim().strip_prefix("errors: ");
    let n_errors: usize = n_errors.and_then(|n| n.parse().ok()).expect("errors: N");
    assert!(n_errors > 5, "{n_errors}");
}

#[test]
fn reports_to_other_programs() {
    let (account, example) = (account(), example(REPORT));
    run(&account, &example);
    let sarif = record(&account, "agent.sarif");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let junit = std::fs::read_to_string(account.home().join("agent.xml")).unwrap();
    let n_failures = results.iter().filter(|one| one["level"] != "note").count();
    let failures = format!("failures=\"{n_failures}\"");
    assert!(results.len() > 5 && junit.contains(&failures), "{junit}");
}

#[test]
fn scans_for_vulnerabilities() {
    let (account, example) = (account(), example(SCAN));
    let inventory = "ssm-inventory 1 plain\nos\tdebian\t12\t\tbookworm\tDebian\narch\tamd64\nkernel\t6.1.0-18-amd64\t\n\
        deb\topenssh-server\t1:9.2p1-2+deb12u2\t\topenssh\t\nend\t4\t-\n";
    let node = json!({"account": account.id(), "region": "us-east-1", "instance_id": "i-0123456789abcdef0",
        "agent": {"version": "3.3.987.0", "run_output": [{"match": "ssm-inventory", "stdout": inventory}]}});
    account.seed(&json!({"nodes": [node]}));
    let advisory = json!({"schema_version": "1.6.0", "id": "DSA-5724-1", "modified": testbed::today(), "aliases": ["CVE-2024-6387"],
        "affected": [{"package": {"ecosystem": "Debian:12", "name": "openssh"},
            "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "1:9.2p1-2+deb12u3"}]}]}]});
    std::fs::create_dir(account.home().join("osv")).unwrap();
    std::fs::write(account.home().join("osv/a.json"), advisory.to_string()).unwrap();
    run(&account, &example);
    let sarif = record(&account, "vulns.sarif");
    let run = &sarif["runs"][0];
    let result = &run["results"][0];
    assert_eq!(result["ruleId"], "DSA-5724-1");
    let place = &result["locations"][0]["logicalLocations"][0];
    assert_eq!(place["name"], "i-0123456789abcdef0");
    // The other nodes have no inventory, which is not the same as nothing found.
    assert_eq!(run["invocations"][0]["executionSuccessful"], false);
}
