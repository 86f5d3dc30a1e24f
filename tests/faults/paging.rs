//! A second page that fails: what was read may be printed, but never as if it were all.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox, repository};

use super::bin;

/// Makes more of everything than one page holds. AWS's own API, as only that way the pages are AWS's.
const MAKE_MANY: &str = r#"
import boto3, json
document = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}]})
client = lambda service: boto3.client(service, region_name="us-east-1")
iam, logs, organizations = client("iam"), client("logs"), client("organizations")
for number in range(101):
    iam.create_policy(PolicyName=f"p{number:03}", PolicyDocument=document)
for number in range(51):
    logs.create_log_group(logGroupName=f"/sessions-{number:02}")
for number in range(21):
    organizations.create_policy(Name=f"p{number:02}", Description="", Type="SERVICE_CONTROL_POLICY", Content=document)
"#;

/// A verb, what it reads on stdin, and the list of which it needs a second page.
struct Case {
    tool: &'static str,
    arguments: &'static [&'static str],
    stdin: &'static str,
    service: &'static str,
    operation: &'static str,
}

const ROLE: &str = "arn:{partition}:iam::{account}:role/OrganizationAccountAccessRole";
const CASES: [Case; 10] = [
    Case {
        tool: "ssm-agentcheck",
        arguments: &["show"],
        stdin: "",
        service: "ssm",
        operation: "DescribeInstanceInformation",
    },
    Case {
        tool: "ssm-agentcheck",
        arguments: &["plan"],
        stdin: r#"{"update": {}}"#,
        service: "ssm",
        operation: "DescribeInstanceInformation",
    },
    Case {
        tool: "ssm-prefs",
        arguments: &["plan"],
        stdin: r#"{"cloudwatch": {"log_group": "/sessions", "encrypted": false, "create": true}}"#,
        service: "logs",
        operation: "DescribeLogGroups",
    },
    Case {
        tool: "ssm-role",
        arguments: &["plan"],
        stdin: r#"{"instance_profiles": {}}"#,
        service: "iam",
        operation: "ListAttachedRolePolicies",
    },
    Case {
        tool: "ssm-role",
        arguments: &["plan"],
        stdin: r#"{"hybrid_activations": {}}"#,
        service: "ssm",
        operation: "DescribeInstanceInformation",
    },
    Case {
        tool: "ssm-agentcheck",
        arguments: &["plan", "--accept", "excluded-nodes"],
        stdin: r#"{"association": {}, "exclude": {"tags": {"Role": ["dc"]}}}"#,
        service: "ssm",
        operation: "DescribeInstanceInformation",
    },
    Case {
        tool: "ssm-scp",
        arguments: &["show"],
        stdin: "",
        service: "organizations",
        operation: "ListPolicies",
    },
    Case {
        tool: "ssm-scp",
        arguments: &["plan"],
        stdin: r#"{"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": ["UNIT"]}"#,
        service: "organizations",
        operation: "ListPolicies",
    },
    Case {
        tool: "ssm-events",
        arguments: &["history", "--event", "SendCommand", "--since", "2026-11-19"],
        stdin: "",
        service: "cloudtrail",
        operation: "LookupEvents",
    },
    Case {
        tool: "ssm-prefs",
        arguments: &["show", "--accounts", "org", "--assume-role", ROLE],
        stdin: "",
        service: "organizations",
        operation: "ListAccounts",
    },
];

/// Returns the management account of an organization with more of everything than one page holds.
fn crowded() -> Account {
    let account = Sandbox::start().account();
    let id = account.id();
    let suffix = &id[8..];
    let mut accounts = vec![json!({"id": id, "name": "management"})];
    accounts.extend(
        (0..21).map(|number| json!({"id": format!("7{suffix}{number:07}"), "name": "member"})),
    );
    let policies: Vec<String> = (0..101)
        .map(|number| format!("arn:aws:iam::{id}:policy/p{number:03}"))
        .collect();
    let node = |number: usize| {
        json!({"account": id, "region": "us-east-1", "instance_id": format!("mi-{number:017x}"),
        "agent": {"version": "3.3.987.0", "iam_role": "hybrid"}, "tags": {"Role": "dc"}})
    };
    let record = |number: usize| {
        json!({"account": id, "region": "us-east-1", "record": {"eventVersion": "1.11",
        "eventTime": "2026-11-20T03:00:00Z", "eventSource": "ssm.amazonaws.com", "eventName": "SendCommand",
        "eventID": format!("00000000-0000-4000-8000-{number:012}"), "awsRegion": "us-east-1", "recipientAccountId": id}})
    };
    let python = repository().join(".venv/bin/python");
    account.seed(&json!({
        "accounts": accounts,
        "organization": {"management_account": id, "id": format!("o-org{suffix}"), "root_id": format!("r-{suffix}"), "ous": [{"id": format!("ou-{suffix}-workloads"), "name": "workloads", "accounts": []}]},
    }));
    account
        .tool(python)
        .args(["-c", MAKE_MANY])
        .run()
        .assert_status(0);
    account.seed(&json!({
        "roles": [{"account": id, "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true,
            "managed_policies": policies}, {"account": id, "name": "hybrid", "trust": "ssm.amazonaws.com"}],
        "nodes": (0..51).map(node).chain([json!({"account": id, "region": "us-east-1",
            "instance_id": "i-0000000000000000a", "profile": "web"})]).collect::<Vec<Value>>(),
        "cloudtrail_records": (0..120).map(record).collect::<Vec<Value>>(),
    }));
    account
}

#[test]
fn a_second_page_that_fails_is_not_the_end_of_the_list() {
    let account = crowded();
    for (number, case) in CASES.iter().enumerate() {
        let what = format!("{} {}", case.tool, case.arguments.join(" "));
        let run = || -> Output {
            let run = account.tool(bin(case.tool)).args(case.arguments);
            let unit = format!("ou-{}-workloads", &account.id()[8..]);
            run.stdin(case.stdin.replace("UNIT", &unit)).run()
        };
        account.forget_calls();
        let all = run();
        all.assert_status(0);
        let asked = format!("{}:{}", case.service, case.operation);
        let n_pages = account
            .operations()
            .iter()
            .filter(|one| **one == asked)
            .count();
        assert!(n_pages > 1, "{what}: {n_pages} of {asked}");
        let kind = ["denied", "error"][number % 2];
        account.fault(
            json!({"service": case.service, "operation": case.operation, "kind": kind, "times": -1,
            "after": n_pages - 1}),
        );
        let cut = run();
        account.clear_faults();
        assert_eq!(cut.status, 2, "{what} {kind}: {}", cut.stderr);
        assert!(
            cut.stderr.contains(case.operation),
            "{what}: {}",
            cut.stderr
        );
        let known: BTreeSet<&str> = all.stdout.lines().collect();
        // That there is more may be a record of its own.
        let is_printed = |line: &&str| !line.contains(r#""id":"events.history.unread""#);
        let printed: BTreeSet<&str> = cut.stdout.lines().filter(is_printed).collect();
        assert!(
            printed.is_subset(&known) && printed != known,
            "{what}: {} records",
            printed.len()
        );
        let is_plan = case.arguments[0] == "plan";
        assert!(!is_plan || cut.stdout.is_empty(), "{what}: half a plan");
    }
    assert_eq!(account.problems(), Vec::<Value>::new());
}
