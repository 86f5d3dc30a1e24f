//! Accounts and regions: by records, by tags, by a resource group, by roles.

use serde_json::{Value, json};
use testbed::Sandbox;

use super::{account, column, id, ids, invocations, node, requests, runs, seed, tool};

#[test]
fn tags_name_nodes_without_stdin() {
    let tagged = |number: usize, environment: &str, ping: &str| {
        json!({"instance_id": id(number), "tags": {"Env": environment, "Team": "a"},
            "agent": {"version": "3.3.987.0", "ping": ping}})
    };
    let account = account(&[
        tagged(1, "prod", "Online"),
        tagged(2, "test", "Online"),
        tagged(3, "dev", "Online"),
        tagged(4, "prod", "ConnectionLost"),
        node(5),
    ]);
    let output = tool(
        &account,
        &[
            "--tag", "Env=prod", "--tag", "Env=test", "--tag", "Team=a", "--", "id",
        ],
    )
    .run();
    output.assert_status(2);
    let found = invocations(&output);
    assert_eq!(column(&found, "instance_id"), json!([id(1), id(2), id(4)]));
    assert_eq!(
        column(&found, "status"),
        json!(["Success", "Success", "Unreachable"])
    );
    tool(&account, &["--tag", "Env=none", "--", "id"])
        .run()
        .assert_status(2)
        .assert_complains("no node that SSM knows has these tags here");
    let place = json!({"target": {"account": account.id(), "region": "us-east-1"}}).to_string();
    let file = account.home().join("places.jsonl");
    std::fs::write(&file, &place).unwrap();
    let file = file.to_str().unwrap();
    let output = tool(&account, &["--tag", "Env=dev", "-f", file, "--", "id"]).run();
    output.assert_status(0);
    assert_eq!(column(&invocations(&output), "instance_id"), json!([id(3)]));
    tool(&account, &["-f", file, "--", "id"])
        .run()
        .assert_status(2)
        .assert_complains("names no node: pass --tag or --resource-group");
}

#[test]
fn every_page_of_tagged_nodes_is_read() {
    let tagged = |number: usize| json!({"instance_id": id(number), "tags": {"Env": "prod"}, "agent": {"version": "3.3.987.0"}});
    let account = account(&(0..51).map(tagged).collect::<Vec<_>>());
    let output = tool(&account, &["--tag", "Env=prod", "--", "id"]).run();
    output.assert_status(0);
    assert_eq!(invocations(&output).len(), 51);
}

#[test]
fn records_of_two_regions_are_run_in_both() {
    let account = account(&[node(1)]);
    seed(&account, "eu-central-1", &[node(2)]);
    let place = |region: &str, number: usize| {
        json!({"target": {"account": account.id(), "region": region}, "instance_id": id(number)})
            .to_string()
    };
    let nodes = format!("{}\n{}\n", place("us-east-1", 1), place("eu-central-1", 2));
    let output = tool(&account, &["--", "id"]).stdin(nodes.as_str()).run();
    output
        .assert_status(0)
        .assert_stderr("ssm-run: 2 nodes: 2 Success\n");
    let targets = column(&invocations(&output), "target");
    assert_eq!(targets[0]["region"], "us-east-1");
    assert_eq!(targets[1]["region"], "eu-central-1");
    let operations = account.operations();
    let identities = operations
        .iter()
        .filter(|call| *call == "sts:GetCallerIdentity");
    assert_eq!(identities.count(), 1);
    // Only one of them is allowed.
    let output = tool(&account, &["--region", "us-east-1", "--", "id"])
        .stdin(nodes)
        .run();
    output.assert_status(2);
    let found = invocations(&output);
    assert_eq!(column(&found, "status"), json!(["Success", "NotSent"]));
    assert_eq!(found[1]["reason"]["id"], "run.target.unreachable");
}

#[test]
fn a_node_of_an_account_that_cannot_be_reached_is_a_record() {
    let account = account(&[node(1)]);
    let other = Sandbox::start().account();
    let place =
        json!({"target": {"account": other.id(), "region": "us-east-1"}, "instance_id": id(2)});
    let nodes = format!("{}{place}", ids([1]));
    let output = tool(&account, &["--", "id"]).stdin(nodes).run();
    output.assert_status(2);
    let records = output.records();
    assert_eq!(records[0]["kind"], "unreachable");
    let found = invocations(&output);
    assert_eq!(column(&found, "status"), json!(["Success", "NotSent"]));
    assert!(other.calls().is_empty());
}

#[test]
fn a_resource_group_is_left_to_ssm() {
    let tagged = |number: usize| {
        json!({"instance_id": id(number), "tags": {"Env": "prod"},
            "agent": {"version": "3.3.987.0", "run_output": [{"stdout": "x", "seconds": 0.2 + 0.6 * f64::from(number as u32)}]}})
    };
    let account = account(&[tagged(1), tagged(2), node(3)]);
    let query = json!({"ResourceTypeFilters": ["AWS::EC2::Instance"], "TagFilters": [{"Key": "Env", "Values": ["prod"]}]});
    let query = json!({"Type": "TAG_FILTERS_1_0", "Query": query.to_string()}).to_string();
    account.aws(&[
        "resource-groups",
        "create-group",
        "--name",
        "web",
        "--resource-query",
        &query,
    ]);
    let document = [
        "--document",
        "AWS-RunShellScript",
        "--parameter",
        "commands=id",
    ];
    let run_on = |group: &str| {
        tool(
            &account,
            &[&["--resource-group", group], &document[..]].concat(),
        )
        .run()
    };
    let output = run_on("web");
    output
        .assert_status(0)
        .assert_stderr("ssm-run: 2 nodes: 2 Success\n");
    let command = &output.records()[0];
    assert_eq!(
        command["targets"],
        json!([{"Key": "resource-groups:Name", "Values": ["web"]}])
    );
    assert_eq!(
        (&command["n_nodes"], command.get("instance_ids")),
        (&json!(null), None)
    );
    let found = invocations(&output);
    assert_eq!(column(&found, "instance_id"), json!([id(1), id(2)]));
    let call = &requests(&account, "SendCommand")[0];
    assert_eq!(
        (&call["MaxConcurrency"], &call["MaxErrors"]),
        (&json!("100%"), &json!("100%"))
    );
    run_on("nobody")
        .assert_status(2)
        .assert_complains("SSM has chosen no node for");
    let refused = tool(
        &account,
        &["--resource-group", "web", "--waves", "100%", "--", "id"],
    )
    .run();
    refused
        .assert_status(2)
        .assert_complains("--waves: only SSM knows the nodes");
    let refused = tool(&account, &["--resource-group", "web", "--", "id"]).run();
    refused
        .assert_status(2)
        .assert_complains("name one script or one document");
    assert_eq!(account.problems(), Vec::<Value>::new());
}

#[test]
fn an_organization_is_entered_by_roles() {
    let (management, member) = (Sandbox::start().account(), Sandbox::start().account());
    let unit = json!({"id": "ou-run1-00000001", "name": "all", "accounts": [member.id()]});
    management.seed(&json!({
        "accounts": [{"id": management.id(), "name": "management"}, {"id": member.id(), "name": "member"}],
        "organization": {"management_account": management.id(), "id": "o-run0000001", "root_id": "r-run1", "ous": [unit]},
    }));
    let tagged = |number: usize| json!({"instance_id": id(number), "tags": {"Env": "prod"}, "agent": {"version": "3.3.987.0"}});
    seed(&management, "us-east-1", &[tagged(1)]);
    seed(&member, "us-east-1", &[tagged(2)]);
    let role = [
        "--assume-role",
        "arn:{partition}:iam::{account}:role/OrganizationAccountAccessRole",
    ];
    let arguments = [
        &["--tag", "Env=prod", "--accounts", "org"],
        &role[..],
        &["--", "id"],
    ]
    .concat();
    let output = tool(&management, &arguments).run();
    output.assert_status(0);
    let mut accounts: Vec<String> = invocations(&output)
        .iter()
        .map(|one| one["target"]["account"].as_str().unwrap().to_owned())
        .collect();
    accounts.sort();
    let mut expected = [management.id().to_owned(), member.id().to_owned()];
    expected.sort();
    assert_eq!(accounts, expected);
    // Its own records lead back to the same nodes.
    let arguments = [
        &role[..],
        &["--jq", "select(.kind == \"invocation\")", "--", "id"],
    ]
    .concat();
    let lines: Vec<String> = invocations(&output).iter().map(Value::to_string).collect();
    let again = tool(&management, &arguments).stdin(lines.concat()).run();
    again.assert_status(0);
    assert_eq!(invocations(&again).len(), 2);
    assert_eq!(runs(&member), [(id(2), 1), (id(2), 1)]);
}
