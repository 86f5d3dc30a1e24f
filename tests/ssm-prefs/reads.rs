//! How often AWS is asked about what several documents name.

use serde_json::json;

use super::{account, run};

const DESIRED: &str = r#"{"kms_key": {"alias": "alias/sessions", "create": true},
    "s3": {"bucket": "logs-{account}-{region}", "create": true}, "cloudwatch": {"log_group": "/sessions", "create": true}}"#;

#[test]
fn what_several_documents_name_is_read_once() {
    let account = account();
    let plan = run(&account, "plan", DESIRED);
    run(&account, "apply", &plan.stdout).assert_status(0);
    let (bucket, id) = (format!("logs-{}-us-east-1", account.id()), account.id());
    let key = account.aws(&["kms", "describe-key", "--key-id", "alias/sessions"]);
    let arn = key["KeyMetadata"]["Arn"].as_str().unwrap();
    let document = |name: &str, inputs: serde_json::Value| {
        json!({"account": id, "region": "us-east-1", "name": name, "type": "Session", "versions":
            [{"schemaVersion": "1.0", "sessionType": "Standard_Stream", "inputs": inputs}]})
    };
    // No two of them name the same things.
    account.seed(&json!({"documents": [
        document("Bucket", json!({"s3BucketName": bucket})),
        document("BucketAndKey", json!({"s3BucketName": bucket, "kmsKeyId": "alias/sessions"})),
        document("KeyByArn", json!({"kmsKeyId": arn})),
        document("LogGroup", json!({"cloudWatchLogGroupName": "/sessions", "kmsKeyId": "alias/sessions"})),
    ]}));
    account.forget_calls();
    let found = run(&account, "check", DESIRED);
    found.assert_status(1).assert_stderr("");
    let asked = account.operations();
    for call in [
        "s3:GetBucketEncryption",
        "s3:GetBucketPolicy",
        "kms:DescribeKey",
        "kms:GetKeyPolicy",
        "logs:DescribeLogGroups",
    ] {
        let times = asked.iter().filter(|one| *one == call).count();
        assert_eq!(times, 1, "{call} of {asked:?}");
    }
}
