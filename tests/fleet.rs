//! Many accounts and regions at once: who is asked what, what happens when some cannot be reached, and in which order
//! it is given.

#[path = "fleet/calls.rs"]
mod calls;
#[path = "fleet/layers.rs"]
mod layers;
#[path = "fleet/long.rs"]
mod long;
#[path = "fleet/writing.rs"]
mod writing;

use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::{Account, Output, Run, Sandbox, repository};

const ROLE: &str = "arn:{partition}:iam::{account}:role/OrganizationAccountAccessRole";
const REGIONS: &str = "us-east-1,eu-central-1";

/// An organization whose management account runs the tools; members have the role that AWS creates in them.
struct Organization {
    management: Account,
    members: Vec<Account>,
    unit: String,
}

impl Organization {
    fn of(n_members: usize) -> Organization {
        let management = Sandbox::start().account();
        let members: Vec<Account> = (0..n_members).map(|_| Sandbox::start().account()).collect();
        let suffix = management.id()[8..].to_owned();
        let (root, unit) = (format!("r-{suffix}"), format!("ou-{suffix}-workloads"));
        let ids: Vec<&str> = members.iter().map(Account::id).collect();
        let mut accounts = vec![json!({"id": management.id(), "name": "management"})];
        accounts.extend(ids.iter().map(|id| json!({"id": id, "name": "member"})));
        management.seed(&json!({
            "accounts": accounts,
            "organization": {"management_account": management.id(), "id": format!("o-org{suffix}"), "root_id": root,
                "ous": [{"id": unit, "name": "workloads", "accounts": ids}]},
        }));
        let organization = Organization {
            management,
            members,
            unit,
        };
        organization.forget_calls();
        organization
    }

    fn accounts(&self) -> impl Iterator<Item = &Account> {
        std::iter::once(&self.management).chain(&self.members)
    }

    fn forget_calls(&self) {
        self.accounts().for_each(Account::forget_calls);
    }

    /// Prepares a run with the credentials of the management account.
    fn run(&self, tool: &str, arguments: &[&str]) -> Run {
        self.management.tool(bin(tool)).args(arguments)
    }

    /// Runs a tool over all members, from a list on stdin, so that no list is asked for.
    fn over_members(&self, tool: &str, verb: &[&str], desired: &str) -> Output {
        let path = self.management.home().join("desired.json");
        std::fs::write(&path, desired).unwrap();
        let list: Vec<&str> = self.members.iter().map(Account::id).collect();
        self.run(tool, verb)
            .args([
                "--accounts",
                "-",
                "--assume-role",
                ROLE,
                "--region",
                REGIONS,
            ])
            .args(["-f", "desired.json"])
            .stdin(list.join("\n"))
            .run()
    }
}

fn bin(tool: &str) -> PathBuf {
    repository().join("target/debug").join(tool)
}

fn targets(output: &Output) -> Vec<String> {
    let records = output.records();
    let targets = records.iter().map(|record| &record["target"]);
    let words = targets.map(|target| {
        format!(
            "{}/{}",
            target["account"].as_str().unwrap(),
            target["region"].as_str().unwrap()
        )
    });
    words.collect()
}

fn kinds(output: &Output) -> Vec<Value> {
    let records = output.records();
    records
        .iter()
        .map(|record| record["kind"].clone())
        .collect()
}

#[test]
fn every_account_of_the_organization_and_every_region_is_reported_in_order() {
    let organization = Organization::of(3);
    let arguments = [
        "show",
        "--accounts",
        "org",
        "--assume-role",
        ROLE,
        "--region",
        REGIONS,
    ];
    let output = organization.run("ssm-prefs", &arguments).run();
    output.assert_status(0).assert_stderr("");
    let mut ids: Vec<&str> = organization.accounts().map(Account::id).collect();
    ids.sort_unstable();
    let mut reported = targets(&output);
    assert_eq!(reported.len(), 8);
    let again = organization.run("ssm-prefs", &arguments).run();
    assert_eq!(again.stdout, output.stdout);
    reported.sort();
    let expected = ids
        .iter()
        .flat_map(|id| [format!("{id}/eu-central-1"), format!("{id}/us-east-1")]);
    assert_eq!(reported, expected.collect::<Vec<_>>());
    for account in organization.accounts() {
        assert_eq!(account.problems(), Vec::<Value>::new());
    }
}

#[test]
fn all_regions_are_those_that_are_enabled() {
    let organization = Organization::of(0);
    let output = organization
        .run("ssm-agentcheck", &["plan", "--region", "all"])
        .stdin("{}")
        .run();
    output.assert_status(0);
    let reported = targets(&output);
    let enabled = organization.management.aws(&["ec2", "describe-regions"]);
    assert_eq!(reported.len(), enabled["Regions"].as_array().unwrap().len());
    assert!(
        reported.iter().all(|target| !target.contains("/cn-")),
        "{reported:?}"
    );
    let more = organization
        .run("ssm-prefs", &["show", "--region", "all,eu-central-1"])
        .run();
    more.assert_status(2).assert_complains("name no other");
}

#[test]
fn an_account_that_cannot_be_entered_is_a_record_and_the_others_are_done() {
    let organization = Organization::of(2);
    let outsider = Sandbox::start().account();
    let trust = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"ec2.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#;
    let role = ["--role-name", "own", "--assume-role-policy-document", trust];
    outsider.aws(&[&["iam", "create-role"], &role[..]].concat());
    let (first, last) = (organization.members[0].id(), organization.members[1].id());
    for (tool, verb) in [
        ("ssm-prefs", "show"),
        ("ssm-role", "show"),
        ("ssm-agentcheck", "plan"),
        ("ssm-events", "show"),
    ] {
        let home = organization.management.home();
        std::fs::write(home.join("desired.json"), desired_of(tool)).unwrap();
        let output = organization
            .run(tool, &[verb, "--accounts", "-", "--assume-role", ROLE])
            .args(["--region", REGIONS, "-f", "desired.json"])
            .stdin(format!("{first}\n{}\n{last}\n", outsider.id()))
            .run();
        output.assert_status(2).assert_stderr("");
        let expected = [first, outsider.id(), last];
        let expected = expected
            .iter()
            .flat_map(|id| [format!("{id}/us-east-1"), format!("{id}/eu-central-1")]);
        assert_eq!(targets(&output), expected.collect::<Vec<_>>(), "{tool}");
        let lost: Vec<bool> = kinds(&output)
            .iter()
            .map(|kind| kind == "unreachable")
            .collect();
        assert_eq!(lost, [false, false, true, true, false, false], "{tool}");
        let error = output.records()[2]["error"].as_str().unwrap().to_owned();
        assert!(
            error.contains("AccessDenied")
                || error.contains("NoSuchEntity")
                || error.contains("not"),
            "{error}"
        );
    }
}

/// A desired state that needs nothing on this machine.
fn desired_of(tool: &str) -> &'static str {
    match tool {
        "ssm-events" => r#"{"webhook":{"parameter":"/slack"}}"#,
        "ssm-role" => r#"{"default_host_management":{}}"#,
        _ => "{}",
    }
}

#[test]
fn a_region_that_fails_is_a_record_whatever_the_order_of_answers() {
    let organization = Organization::of(2);
    organization.members[0]
        .fault(json!({"service": "ssm", "region": "us-east-1", "kind": "denied", "times": -1}));
    organization.members[0].fault(json!({"service": "ssm", "region": "eu-central-1", "kind": "latency", "milliseconds": 700, "times": -1}));
    let output = organization.over_members("ssm-prefs", &["show"], "{}");
    output.assert_status(2);
    assert_eq!(
        kinds(&output),
        ["unreachable", "preferences", "preferences", "preferences"]
    );
    let serial = organization.over_members("ssm-prefs", &["show", "--max-concurrency", "1"], "{}");
    assert_eq!(serial.stdout, output.stdout);
}

#[test]
fn throttling_slows_a_fleet_down_but_loses_nothing() {
    let organization = Organization::of(3);
    for member in &organization.members {
        member.fault(json!({"service": "ssm", "kind": "throttle", "times": 1}));
    }
    let list: Vec<&str> = organization.members.iter().map(Account::id).collect();
    let output = organization
        .run(
            "ssm-prefs",
            &["show", "--accounts", "-", "--assume-role", ROLE],
        )
        .env_remove("AWS_MAX_ATTEMPTS")
        .stdin(list.join("\n"))
        .run();
    output.assert_status(0);
    assert_eq!(
        kinds(&output),
        ["preferences", "preferences", "preferences"]
    );
}

#[test]
fn wrong_lists_of_accounts_and_missing_roles_are_reported_before_any_call() {
    let organization = Organization::of(0);
    let home = organization.management.home();
    std::fs::write(home.join("accounts"), "111111111111\nshop\n").unwrap();
    let role = ["--assume-role", ROLE];
    let cases: [(&[&str], &[&str], &str); 5] = [
        (
            &["--accounts", "accounts"],
            &role,
            "line 2: expected an account ID",
        ),
        (
            &["--accounts", "nowhere"],
            &role,
            "read accounts from nowhere",
        ),
        (&["--accounts", "-"], &role, "no active account"),
        (&[], &role, "pass --accounts"),
        (
            &["--external-id", "secret"],
            &role,
            "expected env:NAME or file:PATH",
        ),
    ];
    for (arguments, role, complaint) in cases {
        let output = organization
            .run("ssm-prefs", &["show"])
            .args(arguments)
            .args(role)
            .run();
        output.assert_status(2).assert_complains(complaint);
        assert_eq!(output.stdout, "");
    }
    let roleless = organization
        .run("ssm-prefs", &["show", "--accounts", "-"])
        .run();
    roleless.assert_status(2).assert_complains("--assume-role");
    let fixed = [
        "--assume-role",
        "arn:aws:iam::111111111111:role/x",
        "--accounts",
        "-",
    ];
    let fixed = organization.run("ssm-prefs", &["show"]).args(fixed).run();
    fixed.assert_status(2).assert_complains("{account}");
}

#[test]
fn roles_are_assumed_with_external_id_and_tags_and_nobody_sees_the_id() {
    let organization = Organization::of(1);
    let member = organization.members[0].id();
    let output = organization
        .run(
            "ssm-prefs",
            &["show", "--accounts", "-", "--assume-role", ROLE],
        )
        .args([
            "--external-id",
            "env:PARTNER",
            "--session-tag",
            "Team=ops",
            "--session-tag",
            "Run=7",
        ])
        .env("PARTNER", "canary-external-id")
        .stdin(member)
        .run();
    output.assert_status(0);
    assert!(!format!("{}{}", output.stdout, output.stderr).contains("canary"));
    let calls: Vec<Value> = organization
        .accounts()
        .flat_map(Account::calls)
        .filter(|call| call["operation"] == "AssumeRole")
        .collect();
    assert_eq!(calls.len(), 1);
    let parameters = calls[0]["params"].to_string();
    for part in ["canary-external-id", "Team", "ops", "Run"] {
        assert!(parameters.contains(part), "{part} in {parameters}");
    }
    let unset = organization
        .run(
            "ssm-prefs",
            &[
                "show",
                "--accounts",
                "-",
                "--assume-role",
                ROLE,
                "--external-id",
                "env:PARTNER",
            ],
        )
        .stdin(member)
        .run();
    unset
        .assert_status(2)
        .assert_complains("PARTNER is not set");
}

#[test]
fn the_trail_of_every_account_is_one_history() {
    let organization = Organization::of(2);
    let records: Vec<Value> = organization.members.iter().map(|member| {
        json!({"account": member.id(), "region": "eu-central-1", "record": {"eventVersion": "1.11", "eventID": format!("e-{}", member.id()),
            "eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": "2026-11-23T10:00:00Z",
            "awsRegion": "eu-central-1", "recipientAccountId": member.id()}})
    }).collect();
    organization
        .management
        .seed(&json!({"cloudtrail_records": records}));
    let list: Vec<&str> = organization.members.iter().map(Account::id).collect();
    let output = organization
        .run(
            "ssm-events",
            &[
                "history",
                "--event",
                "StartSession",
                "--since",
                "2026-11-20",
            ],
        )
        .args([
            "--accounts",
            "-",
            "--assume-role",
            ROLE,
            "--region",
            REGIONS,
        ])
        .stdin(list.join("\n"))
        .run();
    output.assert_status(0);
    let owners: Vec<String> = output
        .records()
        .iter()
        .map(|one| one["recipientAccountId"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(owners, list);
}
