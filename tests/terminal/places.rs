//! Rows of several accounts and regions: each says of which it is.

use serde_json::json;

use super::guarding::organization;
use super::{looks_as_recorded, on_terminal};

#[test]
fn rows_of_several_accounts_and_regions_say_of_which_they_are() {
    let (account, member) = organization();
    let node = |of: &str, region: &str, number: u32| {
        json!({"account": of, "region": region, "instance_id": format!("i-02a000000000000{number:02}"),
            "name": format!("web-server-{number}"), "profile": "web", "agent": {"version": "3.1.1732.0"}})
    };
    let (first, second) = (account.id(), member.id());
    let role = |of: &str| {
        json!({"account": of, "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true,
            "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]})
    };
    let nodes = [
        node(first, "eu-central-1", 1),
        node(first, "us-east-1", 2),
        node(second, "eu-central-1", 3),
        node(second, "us-east-1", 4),
    ];
    account.seed(&json!({"roles": [role(first), role(second)], "nodes": nodes}));
    let accounts = vec![first.to_owned(), second.to_owned()];
    let everywhere = "--accounts org --assume-role arn:aws:iam::{account}:role/Audit --region eu-central-1,us-east-1";
    for (name, command) in [
        ("fleet_nodes", "ssm-agentcheck show"),
        ("fleet_checked_nodes", "ssm-agentcheck check"),
        ("fleet_preferences", "ssm-prefs show"),
        // Of people neither the nodes were read nor their setting.
        ("fleet_operators", "ssm-role show --operators"),
    ] {
        let command = format!("{command} {everywhere}");
        looks_as_recorded(name, |columns| {
            (on_terminal(&account, columns, &command), accounts.clone())
        });
    }
}
