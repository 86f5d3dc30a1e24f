//! Security groups that keep a node from registering, out of the answers of EC2.

use serde_json::{Value, json};
use testbed::Account;

use super::{account, ids, tool};

const NODE: &str = "i-0000000000000000c";

/// Returns an account with a node that never registered, its VPC, and a new security group that lets all out and nothing in.
fn estate() -> (Account, String, String) {
    let account = account(&[
        json!({"instance_id": NODE, "profile": "web"}),
        json!({"instance_id": "i-0000000000000000d", "profile": "web"}),
    ]);
    let vpcs = account.aws(&["ec2", "describe-vpcs"]);
    let vpc = vpcs["Vpcs"][0]["VpcId"].as_str().unwrap().to_owned();
    let group = group(&account, &vpc, "nodes");
    let arguments = [
        "ec2",
        "modify-instance-attribute",
        "--instance-id",
        NODE,
        "--groups",
        &group,
    ];
    account.aws(&arguments);
    (account, vpc, group)
}

fn group(account: &Account, vpc: &str, name: &str) -> String {
    let arguments = [
        "ec2",
        "create-security-group",
        "--group-name",
        name,
        "--description",
        "d",
        "--vpc-id",
        vpc,
    ];
    account.aws(&arguments)["GroupId"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn check(account: &Account) -> Vec<Value> {
    let found = tool(account, &["check"]).stdin("{}").run();
    found.assert_status(1);
    found.records()
}

#[test]
fn a_group_without_a_way_out_is_the_reason() {
    let (account, _, group) = estate();
    let both = [
        ("agentcheck.agent.missing", NODE),
        ("agentcheck.agent.missing", "i-0000000000000000d"),
    ];
    assert_eq!(ids(&check(&account)), both);
    let all = r#"[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]"#;
    let revoke = [
        "ec2",
        "revoke-security-group-egress",
        "--group-id",
        &group,
        "--ip-permissions",
        all,
    ];
    account.aws(&revoke);
    account.forget_calls();
    let found = check(&account);
    assert_eq!(
        ids(&found)[0],
        ("agentcheck.unregistered.security_group", NODE)
    );
    let message = found[0]["message"].as_str().unwrap();
    assert!(
        message.contains(&format!("security groups {group} let nothing out")),
        "{message}"
    );
    // One list of the groups for all nodes.
    let asked = account.operations();
    let lists = asked
        .iter()
        .filter(|call| *call == "ec2:DescribeSecurityGroups");
    assert_eq!(lists.count(), 1);
    assert!(account.problems().is_empty());
}

#[test]
fn an_endpoint_whose_group_does_not_admit_the_node_is_the_reason() {
    let (account, vpc, nodes) = estate();
    let of_endpoint = group(&account, &vpc, "endpoint");
    for service in ["ssm", "ssmmessages"] {
        let name = format!("com.amazonaws.us-east-1.{service}");
        account.aws(&[
            "ec2",
            "create-vpc-endpoint",
            "--vpc-id",
            &vpc,
            "--service-name",
            &name,
            "--vpc-endpoint-type",
            "Interface",
            "--private-dns-enabled",
            "--security-group-ids",
            &of_endpoint,
        ]);
    }
    assert_eq!(
        ids(&check(&account))[0],
        ("agentcheck.unregistered.security_group", NODE)
    );
    account.aws(&[
        "ec2",
        "authorize-security-group-ingress",
        "--group-id",
        &of_endpoint,
        "--protocol",
        "tcp",
        "--port",
        "443",
        "--source-group",
        &nodes,
    ]);
    assert_eq!(ids(&check(&account))[0], ("agentcheck.agent.missing", NODE));
}

#[test]
fn groups_that_could_not_be_read_are_no_reason() {
    let (account, _, _) = estate();
    account.fault(
        json!({"service": "ec2", "operation": "DescribeSecurityGroups", "kind": "denied", "times": -1}),
    );
    let checked = tool(&account, &["check"]).stdin("{}").run();
    checked.assert_status(2);
    let found = checked.records();
    assert_eq!(
        ids(&found)[..2],
        [
            ("agentcheck.agent.missing", NODE),
            ("agentcheck.evidence.unknown", NODE)
        ]
    );
    let fix = found[0]["fix"].as_str().unwrap();
    assert!(
        fix.contains("look whether its security groups let it out"),
        "{fix}"
    );
    assert!(fix.contains("DescribeSecurityGroups"), "{fix}");
    let shown = tool(&account, &["show", "--evidence"]).run();
    shown.assert_status(2);
    assert_eq!(
        shown.records()[0]["evidence"]["firewall"]["state"],
        "unknown"
    );
}

#[test]
fn groups_are_read_only_for_nodes_that_never_registered() {
    let account = account(&[
        json!({"instance_id": NODE, "profile": "web", "agent": {"version": "3.3.987.0", "ping": "ConnectionLost"}}),
    ]);
    assert_eq!(ids(&check(&account)), [("agentcheck.ping.lost", NODE)]);
    let asked = account.operations();
    assert!(
        !asked.contains(&"ec2:DescribeSecurityGroups".to_owned()),
        "{asked:?}"
    );
}
