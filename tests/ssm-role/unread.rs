//! What nobody could read is neither granted nor fine.

use serde_json::json;
use testbed::Sandbox;

use super::granting::{estate, prefs, with_prefs};
use super::{run, tool};

#[test]
fn a_bucket_that_could_not_be_looked_at_is_never_fine() {
    let account = estate();
    let path = account.home().join("role.json");
    std::fs::write(&path, r#"{"instance_profiles": {}}"#).unwrap();
    let applied = with_prefs(&account, "plan", r#"{"instance_profiles": {}}"#);
    run(&account, "apply", &applied.stdout).assert_status(0);
    for unread in [
        json!({"transcripts": {"state": "unknown", "value": "denied"}}),
        json!({}),
    ] {
        let mut prefs = prefs(&account);
        prefs["bucket_encryption"] = unread;
        let with = |verb: &str| {
            let arguments = [verb, "-f", path.to_str().unwrap(), "--prefs", "-"];
            tool(&account, &arguments).stdin(prefs.to_string()).run()
        };
        // A grant that nobody can judge any more stays, and nothing says that all is well.
        let plan = with("plan");
        plan.assert_status(0).assert_complains(
            "how bucket transcripts is encrypted is not known, so nothing is granted on its key",
        );
        assert_eq!(plan.json()["changes"], json!([]));
        let found = with("check");
        found.assert_status(1);
        assert_eq!(found.json()["id"], "role.s3_kms.unknown");
    }
}

#[test]
fn hybrid_nodes_that_could_not_be_read_are_never_fine() {
    const HYBRID: &str = r#"{"hybrid_activations": {}}"#;
    let account = Sandbox::start().account();
    let none = run(&account, "plan", HYBRID);
    none.assert_status(0).assert_stderr("");
    assert_eq!(none.json()["changes"], json!([]));
    let none = run(&account, "check", HYBRID);
    none.assert_status(0).assert_stderr("");
    assert_eq!(none.stdout, "");

    let id = account.id();
    account.seed(&json!({
        "roles": [{"account": id, "name": "hybrid", "trust": "ssm.amazonaws.com"}],
        "nodes": [{"account": id, "region": "us-east-1", "instance_id": "mi-0000000000000000a",
            "agent": {"version": "3.3.987.0", "iam_role": "hybrid"}}],
    }));
    let plan = run(&account, "plan", HYBRID);
    plan.assert_status(0);
    assert_eq!(plan.json()["changes"][0]["action"], "attach_policy");
    account.fault(
        json!({"service": "ssm", "operation": "DescribeInstanceInformation", "kind": "denied", "times": -1}),
    );
    for verb in ["plan", "show"] {
        let refused = run(&account, verb, HYBRID);
        refused
            .assert_status(2)
            .assert_complains("DescribeInstanceInformation");
        assert_eq!(refused.stdout, "", "{verb}");
    }
    let unknown = run(&account, "check", HYBRID);
    unknown.assert_status(2).assert_stderr("");
    assert_eq!(unknown.json()["id"], "role.hybrid.unknown");
}
