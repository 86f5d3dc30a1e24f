//! Just-in-time node access under a guard, on the local AWS with IAM enforced: who asks starts no session, the token does where the
//! guard exempts its role.

use serde_json::{Value, json};
use testbed::{Account, Output, repository};

use super::ways::desired;
use super::{EXE, Organization, READER, organization, run};

const NODE: &str = "i-0a000000000000001";
const TOKEN_ROLE: &str = "SSM-JustInTimeAccessTokenRole";
const REGION: &str = "us-east-1";

fn aws(account: &Account, credentials: &Value, words: &[&str]) -> Output {
    // The stand-in for session-manager-plugin is beside the local AWS.
    let plugin = repository().join("tests/sandbox");
    let aws = account.aws_cli(Some(credentials));
    aws.env("PATH", format!("{}:/usr/bin:/bin", plugin.display()))
        .stdin("exit\n")
        .args(words)
        .run()
}

/// Returns an answer that the AWS CLI prints over several lines.
fn answer(output: &Output) -> Value {
    serde_json::from_str(&output.stdout).unwrap()
}

/// Returns whether a session starts; one that does not is refused by a service control policy.
fn starts(account: &Account, keys: &Value) -> bool {
    let document = ["--document-name", "SSM-SessionManagerRunShell"];
    let tried = aws(
        account,
        keys,
        &[&["ssm", "start-session", "--target", NODE][..], &document].concat(),
    );
    let refused = tried.stderr.contains("AccessDenied");
    assert!(
        !refused || tried.stderr.contains("service control policy"),
        "{}",
        tried.stderr
    );
    assert!(refused || tried.status == 0, "{}", tried.stderr);
    !refused
}

/// Asks for access as a role, has it approved, and returns the token.
fn token(account: &Account, asker: &Value) -> Value {
    let targets = format!("Key=InstanceIds,Values={NODE}");
    let ask = [
        "ssm",
        "start-access-request",
        "--reason",
        "INC-1",
        "--targets",
        &targets,
    ];
    let asked = aws(account, asker, &ask);
    asked.assert_status(0);
    let request = answer(&asked)["AccessRequestId"]
        .as_str()
        .unwrap()
        .to_owned();
    let get = ["ssm", "get-access-token", "--access-request-id", &request];
    let waiting = answer(&aws(account, asker, &get));
    assert_eq!(waiting, json!({"AccessRequestStatus": "Pending"}));
    account.decide_access(&request, "Approved");
    answer(&aws(account, asker, &get))["Credentials"].take()
}

#[test]
fn a_guard_lets_just_in_time_access_through_where_it_says_so() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let everything = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    member.seed(&json!({
        "roles": [
            {"account": member.id(), "name": "node", "trust": "ec2.amazonaws.com", "instance_profile": true,
                "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]},
            {"account": member.id(), "name": TOKEN_ROLE, "trust": "ssm.amazonaws.com",
                "managed_policies": ["arn:aws:iam::aws:policy/AWSSystemsManagerJustInTimeAccessTokenPolicy"]},
            {"account": member.id(), "name": "dev", "trust": format!("arn:aws:iam::{}:root", member.id()), "inline": {"p": everything}}],
        "nodes": [{"account": member.id(), "region": REGION, "instance_id": NODE, "profile": "node",
            "agent": {"version": "3.3.987.0"}}],
        "enforce_iam": [member.id()],
    }));
    let content = json!({"schemaVersion": "1.0", "description": "", "sessionType": "Standard_Stream", "inputs": {}});
    member.call("AmazonSSM.CreateDocument",
        &json!({"Name": "SSM-SessionManagerRunShell", "DocumentType": "Session", "Content": content.to_string()}));
    let dev = member.assume("dev");
    assert!(starts(&member, &dev) && starts(&member, &token(&member, &dev)));
    let says = "just-in-time node access does not work under this guard";
    for (exempts, fields) in [
        (false, json!({"targets": [unit]})),
        (
            true,
            json!({"targets": [unit], "exempt_just_in_time": true}),
        ),
    ] {
        let input = desired(&fields);
        let plan = run(&account, "plan", &input);
        assert_eq!(plan.stderr.contains(says), !exempts, "{}", plan.stderr);
        let applied = account.tool(EXE).args(["apply"]).args(READER);
        applied.stdin(&plan.stdout).run().assert_status(0);
        let found = run(&account, "check", &input).records();
        let reported = found
            .iter()
            .any(|one| one["id"] == "scp.just_in_time.denied");
        assert_eq!(reported, !exempts, "{found:?}");
        // Asking is denied to nobody; what the token is good for depends on the guard.
        assert!(!starts(&member, &dev));
        assert_eq!(starts(&member, &token(&member, &dev)), exempts);
    }
}
