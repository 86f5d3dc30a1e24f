//! What nobody could read is neither granted nor fine.

use serde_json::json;

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
