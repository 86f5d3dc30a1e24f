//! Why nodes are dark, read from AWS: only what is needed is read, and what cannot be read is said.

use serde_json::json;

use super::{account, ids, node, tool};

const SETTING: &str = "/ssm/managed-instance/default-ec2-instance-management-role";

#[test]
fn every_dark_node_has_one_reason() {
    let account = account(&[
        node(1),
        json!({"instance_id": "i-0000000000000000a"}),
        json!({"instance_id": "i-0000000000000000b", "profile": "web"}),
        json!({"instance_id": "i-0000000000000000c", "profile": "web", "public_ip": false}),
        json!({"instance_id": "i-0000000000000000d", "launched_minutes_ago": 3}),
        json!({"instance_id": "i-0000000000000000e", "imds": {"endpoint": "disabled", "tokens": "required", "hop_limit": 1}}),
        json!({"instance_id": "i-0000000000000000f", "agent": {"version": "3.3.987.0", "ping": "ConnectionLost"}}),
    ]);
    let output = tool(&account, &["check"]).stdin("{}").run();
    output
        .assert_status(1)
        .assert_stderr("ssm-agentcheck: 7 nodes: 1 pass, 5 fail (1 no instance profile, 1 agent never seen by SSM, 1 no route to SSM, \
             1 instance metadata service disabled, 1 connection lost), 1 unknown\n");
    let records = output.records();
    let expected = [
        (
            "agentcheck.unregistered.no_credentials",
            "i-0000000000000000a",
        ),
        ("agentcheck.agent.missing", "i-0000000000000000b"),
        ("agentcheck.unregistered.no_route", "i-0000000000000000c"),
        (
            "agentcheck.unregistered.just_launched",
            "i-0000000000000000d",
        ),
        ("agentcheck.imds.disabled", "i-0000000000000000e"),
        ("agentcheck.ping.lost", "i-0000000000000000f"),
    ];
    assert_eq!(ids(&records), expected);
    // However many nodes are dark, the region's facts are read once.
    let operations = account.operations();
    for once in [
        "ssm:GetServiceSetting",
        "ec2:DescribeVpcEndpoints",
        "ec2:DescribeRouteTables",
        "ssm:GetConnectionStatus",
    ] {
        let n_calls = operations.iter().filter(|call| *call == once).count();
        assert_eq!(n_calls, 1, "{once}");
    }
    assert!(account.writes().is_empty() && account.problems().is_empty());
}

#[test]
fn endpoints_in_the_vpc_are_a_way() {
    let account = account(&[
        json!({"instance_id": "i-0000000000000000c", "profile": "web", "public_ip": false}),
    ]);
    let vpcs = account.aws(&["ec2", "describe-vpcs"]);
    let vpc = vpcs["Vpcs"][0]["VpcId"].as_str().unwrap();
    for service in ["ssm", "ssmmessages"] {
        let name = format!("com.amazonaws.us-east-1.{service}");
        account.aws(&[
            "ec2",
            "create-vpc-endpoint",
            "--vpc-id",
            vpc,
            "--service-name",
            &name,
            "--vpc-endpoint-type",
            "Interface",
            "--private-dns-enabled",
        ]);
    }
    let output = tool(&account, &["check"]).stdin("{}").run();
    let records = output.records();
    assert_eq!(
        ids(&records),
        [("agentcheck.agent.missing", "i-0000000000000000c")]
    );
}

/// The routes of IPv6 and those to a transit gateway come out of the answer of EC2.
#[test]
fn f7_other_ways_out_are_named() {
    let account = account(&[
        json!({"instance_id": "i-0000000000000000c", "profile": "web", "public_ip": false}),
    ]);
    let vpcs = account.aws(&["ec2", "describe-vpcs"]);
    let vpc = vpcs["Vpcs"][0]["VpcId"].as_str().unwrap();
    let tables = account.aws(&["ec2", "describe-route-tables"]);
    let table = tables["RouteTables"][0]["RouteTableId"].as_str().unwrap();
    let only = account.aws(&[
        "ec2",
        "create-egress-only-internet-gateway",
        "--vpc-id",
        vpc,
    ]);
    let only = only["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
        .as_str()
        .unwrap();
    let hub = account.aws(&["ec2", "create-transit-gateway"]);
    let hub = hub["TransitGateway"]["TransitGatewayId"].as_str().unwrap();
    let routes = [
        [
            "--destination-ipv6-cidr-block",
            "::/0",
            "--egress-only-internet-gateway-id",
            only,
        ],
        [
            "--destination-cidr-block",
            "10.0.0.0/8",
            "--transit-gateway-id",
            hub,
        ],
    ];
    for route in routes {
        let create = ["ec2", "create-route", "--route-table-id", table];
        account.aws(&[&create[..], &route[..]].concat());
    }
    let output = tool(&account, &["check"]).stdin("{}").run();
    output.assert_status(1);
    let finding = output.json();
    assert_eq!(finding["id"], "agentcheck.unregistered.route_unsure");
    let fix = finding["fix"].as_str().unwrap();
    assert!(fix.contains(&format!("10.0.0.0/8 {hub}")), "{fix}");
    assert!(fix.contains("UseDualStackEndpoint"), "{fix}");
}

#[test]
fn a_moment_after_dhmc_was_turned_on_is_no_verdict() {
    let account = account(&[json!({"instance_id": "i-0000000000000000a"})]);
    let value = ["--setting-value", "service-role/Default"];
    let update = ["ssm", "update-service-setting", "--setting-id", SETTING];
    account.aws(&[update.as_slice(), &value].concat());
    let output = tool(&account, &["check"]).stdin("{}").run();
    output
        .assert_status(1)
        .assert_stderr("ssm-agentcheck: 1 node: 0 pass, 0 fail, 1 unknown\n");
    assert_eq!(output.json()["id"], "agentcheck.unregistered.dhmc_pending");
}

#[test]
fn what_may_not_be_read_is_unknown() {
    let account = account(&[node(1), json!({"instance_id": "i-0000000000000000a"})]);
    for (service, operation, id) in [
        (
            "ssm",
            "GetServiceSetting",
            "agentcheck.unregistered.unknown",
        ),
        (
            "ssm",
            "GetConnectionStatus",
            "agentcheck.connection.unknown",
        ),
    ] {
        account.fault(
            json!({"service": service, "operation": operation, "kind": "denied", "times": -1}),
        );
        let output = tool(&account, &["check"]).stdin("{}").run();
        output.assert_status(2);
        assert!(output.stdout.contains(id), "{}", output.stdout);
        account.clear_faults();
    }
}

#[test]
fn a_node_that_only_seems_online_is_found_by_its_like() {
    let mut nodes: Vec<_> = (1..=3).map(node).collect();
    for node in &mut nodes {
        node["agent"]["connected"] = json!(false);
    }
    let account = account(&nodes);
    for (desired, n_found) in [
        ("{}", 3),
        (r#"{"connections": "all"}"#, 3),
        (r#"{"connections": "none"}"#, 0),
    ] {
        let output = tool(&account, &["check"]).stdin(desired).run();
        let found = output.records();
        assert_eq!(found.len(), n_found, "{desired}");
        let is_right = |record: &serde_json::Value| record["id"] == "agentcheck.connection.none";
        assert!(found.iter().all(is_right));
    }
}

#[test]
fn every_hybrid_node_is_asked_for_its_connection() {
    let hybrid = |number: usize, connected: bool| {
        json!({"instance_id": format!("mi-{number:017x}"),
        "agent": {"version": "3.3.987.0", "iam_role": "hybrid", "connected": connected}})
    };
    let account = account(&[hybrid(1, true), hybrid(2, false), hybrid(3, true)]);
    let output = tool(&account, &["check"]).stdin("{}").run();
    output.assert_status(1);
    assert_eq!(
        ids(&output.records()),
        [("agentcheck.connection.none", "mi-00000000000000002")]
    );
}

#[test]
fn roles_from_a_pipe_say_what_agentcheck_may_not_ask() {
    let mut blocked = node(1);
    blocked["agent"]["connected"] = json!(false);
    let account = account(&[
        blocked,
        json!({"instance_id": "i-0000000000000000a", "profile": "web"}),
    ]);
    let permission = |feature: &str, action: &str, verdict: &str| json!({"feature": feature, "action": action, "verdict": verdict});
    let record = |register: &str| {
        let permissions = [
            permission("register", "ssm:UpdateInstanceInformation", register),
            permission("channel", "ssmmessages:CreateControlChannel", "denied"),
        ];
        let profile = format!("arn:aws:iam::{}:instance-profile/web", account.id());
        json!({"kind": "host_management", "roles": [{"role": "web", "instance_profiles": [profile], "permissions": permissions}],
            "profiles_without_role": []})
    };
    let roles = account.home().join("roles.jsonl");
    let desired = account.home().join("agent.json");
    std::fs::write(&desired, "{}").unwrap();
    let arguments = [
        "check",
        "-f",
        desired.to_str().unwrap(),
        "--roles",
        roles.to_str().unwrap(),
    ];
    std::fs::write(&roles, record("allowed").to_string()).unwrap();
    let output = tool(&account, &arguments).run();
    let records = output.records();
    let expected = [
        ("agentcheck.connection.role", "i-00000000000000001"),
        ("agentcheck.agent.missing", "i-0000000000000000a"),
    ];
    assert_eq!(ids(&records), expected);
    std::fs::write(&roles, record("denied").to_string()).unwrap();
    let output = tool(&account, &arguments).run();
    assert_eq!(
        ids(&output.records())[1].0,
        "agentcheck.unregistered.profile_denied"
    );
}

#[test]
fn one_node_is_asked_for_with_its_own_calls_only() {
    let account = account(&[
        node(1),
        node(2),
        json!({"instance_id": "mi-0000000000000000e", "agent": {"version": "3.3.987.0", "iam_role": "hybrid"}}),
    ]);
    for id in ["i-00000000000000002", "mi-0000000000000000e"] {
        account.forget_calls();
        let output = tool(&account, &["show", "--instance-id", id]).run();
        output.assert_status(0);
        assert_eq!(output.json()["instance_id"], id);
        let n_calls = account
            .operations()
            .iter()
            .filter(|call| *call == "ssm:DescribeInstanceInformation")
            .count();
        assert_eq!(n_calls, 1);
    }
    let output = tool(&account, &["check", "--instance-id", "i-0000000000000dead"])
        .stdin("{}")
        .run();
    output
        .assert_status(2)
        .assert_complains("no such node in these regions: i-0000000000000dead");
}

#[test]
fn five_thousand_nodes_over_four_regions_are_all_there() {
    const REGIONS: [&str; 4] = ["us-east-1", "us-west-2", "eu-central-1", "eu-west-1"];
    let account = account(&[]);
    let nodes: Vec<_> = (0..5000)
        .map(|number| {
            // Every fiftieth was never seen by SSM, every hundredth is too old.
            let agent = match number % 100 {
                0 | 50 => json!(null),
                1 => json!({"version": "3.1.1.0"}),
                _ => json!({"version": "3.3.987.0"}),
            };
            json!({"account": account.id(), "region": REGIONS[number % 4], "agent": agent,
                "instance_id": format!("i-{number:017x}")})
        })
        .collect();
    account.seed(&json!({"nodes": nodes}));
    account.forget_calls();
    let regions = REGIONS.join(",");
    let shown = tool(&account, &["show", "--region", &regions]).run();
    shown.assert_status(0).assert_stderr("");
    let mut ids: Vec<_> = shown
        .records()
        .iter()
        .map(|node| node["instance_id"].clone().to_string())
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 5000);
    // Per region: who calls is asked once, 2 pages of EC2, 25 of SSM for 1250 instances, and one for hybrid nodes.
    // On a busy machine some take so long that they are made again.
    let (n_calls, n_needed) = (account.operations().len(), 1 + 4 * (2 + 25 + 1));
    assert!((n_needed..n_needed + 20).contains(&n_calls), "{n_calls}");
    let checked = tool(&account, &["check", "--region", &regions])
        .stdin("{}")
        .run();
    checked
        .assert_status(1)
        .assert_stderr("ssm-agentcheck: 5000 nodes: 4850 pass, 150 fail (100 no instance profile, 50 agent outdated), 0 unknown\n");
    assert!(account.problems().is_empty());
}

#[test]
fn regions_are_printed_in_the_order_asked_for() {
    let account = account(&[node(1)]);
    let mut other = node(2);
    other["account"] = json!(account.id());
    other["region"] = json!("eu-central-1");
    account.seed(&json!({"nodes": [other]}));
    for regions in ["us-east-1,eu-central-1", "eu-central-1,us-east-1"] {
        let output = tool(&account, &["show", "--region", regions]).run();
        output.assert_status(0);
        let records = output.records();
        let order: Vec<_> = records
            .iter()
            .map(|node| node["target"]["region"].as_str().unwrap())
            .collect();
        assert_eq!(order.join(","), regions);
    }
}

#[test]
fn a_container_of_ecs_is_called_what_it_is() {
    let account = account(&[]);
    let target = "ecs:prod_0123456789abcdef0123456789abcdef_0123456789abcdef-1234567890";
    let refused = tool(&account, &["show", "--instance-id", target]).run();
    refused.assert_status(2).assert_complains(
        "is a container of ECS task 0123456789abcdef0123456789abcdef in cluster prod",
    );
    assert!(account.calls().is_empty());
}
