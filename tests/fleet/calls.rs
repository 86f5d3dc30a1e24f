//! The table in `docs/calls.md` is what the call log says: `BLESS=1` writes it, otherwise it is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use testbed::{Account, Output, Run, Sandbox, expect_text, repository};

use super::{Organization, ROLE, bin, desired_of};

const TOOLS: [&str; 4] = ["ssm-agentcheck", "ssm-role", "ssm-prefs", "ssm-events"];
const VERBS: [&str; 3] = ["show", "plan", "check"];
const HEAD: &str = "# Calls to AWS

What each verb asks of AWS, for accounts that are empty yet: once a run, once an account, and once an account and region.
Made from the call log of the tests; `ListAccounts` comes once more per 20 accounts with `--accounts org`, and
`DescribeRegions` once an account with `--region all`. What there is to look at adds to it: `DescribeInstances` has 1,000
instances a page and `DescribeInstanceInformation` is asked about 50 at a time; each role costs `GetRole` and its lists, each
customer managed policy two calls, once an account; `ssm-role show --operators` asks for `GetAccountAuthorizationDetails`, 1,000 roles a
page, once an account instead; `exclude` costs a list for each tag, and
`imds.require_v2` one `GetInstanceMetadataDefaults` an account and region; each key, bucket and log group that preferences name costs what shows its
state. `ssm-scp` has one organization and no regions: what it asks once an account is for each member. What `ssm-run` asks depends
on how long commands take: see [Run a command on many nodes](run.md).

| verb | once | an account | an account and region |
|---|---|---|---|
";

const HEAD_OF_APPLY: &str = "
`apply` enters an account once for all of its regions, and before and after each change looks at what the change is about. In one
account and region, with all that the least desired state wants still to be made:

| verb | calls |
|---|---|
";

const HEAD_OF_PROBE: &str = "
A probe of a node whose transcript is found at the first look, beside what the session-manager-plugin asks itself. Looks for
the transcript are repeated every two seconds; what keeps it away is read as `check` does.

| verb | calls |
|---|---|
";

type Counts = BTreeMap<String, usize>;

/// What is run over which part of an organization.
#[derive(Clone, Copy)]
struct Part {
    n_accounts: usize,
    regions: &'static str,
}

const ONE: Part = Part {
    n_accounts: 1,
    regions: "us-east-1",
};
const REGIONS: Part = Part {
    n_accounts: 1,
    regions: "us-east-1,eu-central-1",
};
const BOTH: Part = Part {
    n_accounts: 2,
    regions: "us-east-1,eu-central-1",
};

/// Returns an organization whose members have what the desired states name.
fn organization(n_members: usize, tool: &str) -> Organization {
    let organization = Organization::of(n_members);
    for member in organization.members.iter().filter(|_| tool == "ssm-events") {
        for region in ["us-east-1", "eu-central-1"] {
            let value = r#"{"Value": "https://hooks.slack.com/services/T0/B0/calls"}"#;
            let name = [
                "--type",
                "SecureString",
                "--name",
                "/slack",
                "--cli-input-json",
                value,
            ];
            member.aws(&[&["ssm", "put-parameter", "--region", region], &name[..]].concat());
        }
    }
    organization
}

fn over(organization: &Organization, tool: &str, verb: &str, part: Part) -> Output {
    let members = organization.members.iter().take(part.n_accounts);
    let list: Vec<&str> = members.map(Account::id).collect();
    let desired = match tool {
        "ssm-agentcheck" => r#"{"update": {}, "association": {}}"#,
        _ => desired_of(tool),
    };
    std::fs::write(organization.management.home().join("desired.json"), desired).unwrap();
    let run = organization.management.tool(bin(tool));
    run.args([verb, "--accounts", "-", "--assume-role", ROLE])
        .args(["--region", part.regions, "-f", "desired.json"])
        .stdin(list.join("\n"))
        .run()
}

/// Returns how often each operation is called by a verb over some members and regions.
fn count(organization: &Organization, tool: &str, verb: &str, part: Part) -> Counts {
    counted(organization, || over(organization, tool, verb, part))
}

/// Returns what `apply` asks of one account and region in which all is still to be made.
fn count_apply(organization: &Organization, tool: &str) -> Counts {
    let plans = over(organization, tool, "plan", ONE).stdout;
    let apply = organization.management.tool(bin(tool));
    let apply = apply.args(["apply", "--assume-role", ROLE]).stdin(plans);
    counted(organization, || apply.run())
}

/// Returns what a probe asks of an account in which sessions are logged.
fn count_probe() -> Counts {
    let sandbox = Sandbox::start();
    let account = sandbox.account();
    let made = account
        .session_table()
        .args(["--account", account.id()])
        .args(["--place", "strict/whole/delegates/kms/encrypted"])
        .run();
    let node = made.json()["instance_id"].as_str().unwrap().to_owned();
    account.forget_calls();
    let plugin = repository().join("tests/sandbox");
    let probe = account
        .tool(bin("ssm-prefs"))
        .args(["probe", "--node", &node])
        .env("PATH", format!("{}:/usr/bin:/bin", plugin.display()))
        .run();
    probe.assert_status(0);
    let mut counts = Counts::new();
    for operation in account.operations() {
        *counts.entry(operation).or_default() += 1;
    }
    counts
}

fn counted(organization: &Organization, run: impl FnOnce() -> Output) -> Counts {
    organization.forget_calls();
    let output = run();
    assert!(output.status < 2, "{}", output.stderr);
    let mut counts = Counts::new();
    for account in organization.accounts() {
        for operation in account.operations() {
            *counts.entry(operation).or_default() += 1;
        }
    }
    counts
}

/// Returns the calls of `ssm-scp` over organizations of one and two members.
fn count_scp(verb: &str, n_members: usize) -> Counts {
    let organization = Organization::of(n_members);
    let unit = &organization.unit;
    let desired = format!(
        r#"{{"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": ["{unit}"]}}"#
    );
    let scp = |verb: &str, stdin: &str| -> Run {
        organization
            .management
            .tool(bin("ssm-scp"))
            .args([verb])
            .stdin(stdin)
    };
    let reader = [
        "--assume-role",
        "arn:aws:iam::{account}:role/OrganizationAccountAccessRole",
    ];
    match verb {
        "apply" => {
            let plan = scp("plan", &desired).run().stdout;
            let accepted = ["--accept", "unmatched:arn:aws:iam::*:role/ops"];
            let lockouts = organization
                .members
                .iter()
                .map(|member| format!("--accept=break_glass:{}", member.id()));
            let run = scp("apply", &plan)
                .args(reader)
                .args(accepted)
                .args(lockouts);
            counted(&organization, || run.run())
        }
        "impact" => counted(&organization, || scp("impact", &desired).args(reader).run()),
        verb => counted(&organization, || scp(verb, &desired).run()),
    }
}

fn cell(counts: &[(String, usize)]) -> String {
    let words = counts.iter().map(|(operation, n)| match n {
        1 => operation.clone(),
        n => format!("{operation} ×{n}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

/// Returns the row of a verb from what it asks of one account in one region, of one in two regions, and of two in two.
fn row(verb: &str, one: &Counts, regions: &Counts, both: &Counts) -> String {
    let (mut once, mut account, mut target) = (Vec::new(), Vec::new(), Vec::new());
    let operations: BTreeSet<&String> = both.keys().collect();
    for operation in operations {
        let of = |counts: &Counts| counts.get(operation).copied().unwrap_or_default();
        let n_target = of(regions) - of(one);
        let n_account = of(both) - of(regions) - 2 * n_target;
        let n_once = of(one) - n_account - n_target;
        for (cell, n) in [
            (&mut once, n_once),
            (&mut account, n_account),
            (&mut target, n_target),
        ] {
            if n > 0 {
                cell.push((operation.clone(), n));
            }
        }
    }
    // IAM has no regions: asking it once a region would be asking the same again.
    let of_iam = |(operation, _): &(String, usize)| operation.starts_with("iam:");
    assert!(
        verb.ends_with("apply") || !target.iter().any(of_iam),
        "{verb}"
    );
    let cells = [cell(&once), cell(&account), cell(&target)].join(" | ");
    format!("| `{verb}` | {cells} |")
}

#[test]
fn the_table_of_calls_is_what_the_call_log_says() {
    let mut table = HEAD.to_owned();
    let mut applies = HEAD_OF_APPLY.to_owned();
    for tool in TOOLS {
        let organization = organization(2, tool);
        for verb in VERBS {
            let parts = [ONE, REGIONS, BOTH];
            let [one, regions, both] = parts.map(|part| count(&organization, tool, verb, part));
            let row = row(&format!("{tool} {verb}"), &one, &regions, &both);
            writeln!(table, "{row}").unwrap();
        }
        let calls = Vec::from_iter(count_apply(&organization, tool));
        writeln!(applies, "| `{tool} apply` | {} |", cell(&calls)).unwrap();
    }
    for verb in ["show", "plan", "check", "impact", "gaps"] {
        let [one, both] = [1, 2].map(|n_members| count_scp(verb, n_members));
        let row = row(&format!("ssm-scp {verb}"), &one, &one, &both);
        writeln!(table, "{row}").unwrap();
    }
    let calls = Vec::from_iter(count_scp("apply", 1));
    writeln!(applies, "| `ssm-scp apply` | {} |", cell(&calls)).unwrap();
    let calls = Vec::from_iter(count_probe());
    let probe = format!("{HEAD_OF_PROBE}| `ssm-prefs probe` | {} |\n", cell(&calls));
    expect_text(
        &repository().join("docs/calls.md"),
        &(table + &applies + &probe),
    );
}
