//! One action less than a run on nodes needs: whichever it is, the run says so and exits with 2; once it has begun, it has a
//! record for its node all the same.

use serde_json::json;
use testbed::{Account, Run, Sandbox};

use super::bin;
use super::denied::names;

const NODE: &str = "i-0000000000000000a";

/// A node that SSM does not know: of it EC2 is asked.
const DARK: &str = "i-0000000000000000b";

/// A node that prints little, so that SSM keeps all of it.
const QUIET: &str = "i-0000000000000000c";

/// What needs an action, and the exit status with all actions: a node that SSM does not know is never reached. $BUCKET and $COMMAND are
/// of the account, and a command that ran.
///
/// Of the other actions of the policy, `keys.rs` has kms:Decrypt, and ssm:CancelCommand, which is called when somebody interrupts, is in the
/// tests of ssm-run. Without s3:ListBucket an output is read all the same: a refused HeadBucket names the Region of the bucket as well.
const NEEDED: [(&str, &str, i32); 9] = [
    ("ssm:DescribeInstanceInformation", "-- id", 0),
    ("ec2:DescribeInstances", "-- id", 2),
    ("ssm:SendCommand", "-- id", 0),
    ("ssm:ListCommandInvocations", "-- id", 0),
    ("ssm:GetCommandInvocation", "-- id", 0),
    ("ssm:ListCommands", "--resume $COMMAND -- id", 0),
    ("s3:GetObject", "--output-s3 s3://$BUCKET/run -- id", 0),
    ("ssm:DescribeInstancePatchStates", "--patch-scan", 0),
    ("logs:GetLogEvents", "--output-log-group logs -- id", 0),
];

fn account() -> Account {
    let account = Sandbox::start().account();
    // So long that the list of invocations has not all of it.
    let long = "0123456789".repeat(5_000);
    let node = json!({"account": account.id(), "region": "us-east-1", "instance_id": NODE,
        "agent": {"version": "3.3.987.0", "run_output": [{"stdout": long}]}});
    let dark =
        json!({"account": account.id(), "region": "us-east-1", "instance_id": DARK, "agent": null});
    let quiet = json!({"account": account.id(), "region": "us-east-1", "instance_id": QUIET,
        "agent": {"version": "3.3.987.0"}});
    account.seed(&json!({"nodes": [node, dark, quiet]}));
    let bucket = format!("outputs-{}", account.id());
    account.aws(&["s3api", "create-bucket", "--bucket", &bucket]);
    account
}

#[test]
fn a_run_that_may_not_call() {
    let account = account();
    let run = |words: &str, node: &str| -> Run {
        let words: Vec<&str> = words.split(' ').collect();
        let run = account.tool(bin("ssm-run")).args(words);
        run.stdin(node)
    };
    let ran = run("-- id", NODE).run();
    ran.assert_status(0);
    let command = ran.records().into_iter().find_map(|record| {
        let id = record["command_id"].as_str();
        id.map(str::to_owned)
    });
    let mut wrong = Vec::new();
    for (action, words, status_of_whole) in NEEDED {
        let node = match action {
            "ec2:DescribeInstances" => DARK,
            "ssm:DescribeInstancePatchStates" => QUIET,
            _ => NODE,
        };
        let words = words.replace("$BUCKET", &format!("outputs-{}", account.id()));
        let words = words.replace("$COMMAND", command.as_deref().unwrap());
        let whole = run(&words, node).run();
        let output = run(&words, node).without(action).run();
        let has_record = output
            .records()
            .iter()
            .any(|record| record["kind"] == "invocation" && record["instance_id"] == node);
        // A command that cannot be looked up is nobody's: nothing has begun.
        let has_begun = action != "ssm:ListCommands";
        let as_it_must = [
            whole.status == status_of_whole,
            !output.refused.is_empty(),
            output.status == 2,
            names(&output, action),
            has_record == has_begun,
        ];
        if as_it_must.contains(&false) {
            wrong.push(format!(
                "{words} without {action}: {as_it_must:?}\n{output:?}\nwith it: {}",
                whole.status
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
