//! The table in `docs/calls.md` is what the call log says: `BLESS=1` writes it, otherwise it is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use testbed::{Account, expect_text, repository};

use super::{Organization, ROLE, bin, wish};

const TOOLS: [&str; 4] = ["ssm-agentcheck", "ssm-role", "ssm-prefs", "ssm-events"];
const VERBS: [&str; 3] = ["show", "plan", "check"];
const HEAD: &str = "# Calls

What each verb asks of AWS, for accounts that are empty yet: once a run, once an account, and once an account and region.
Made from the call log of the tests; `ListAccounts` comes once more per 20 accounts with `--accounts org`, and
`DescribeRegions` once an account with `--region all`. What there is to look at adds to it: `DescribeInstances` has 1,000
instances a page and `DescribeInstanceInformation` is asked about 50 at a time; each role costs `GetRole` and its lists, each
customer managed policy two calls, once an account; each key, bucket and log group that preferences name costs what tells its
state. `apply` reads what it is about to change, writes it, and reads it back.

| verb | once | an account | an account and region |
|---|---|---|---|
";

type Counts = BTreeMap<String, usize>;

/// Returns how often each operation is called by a run over some members and regions.
fn count(
    organization: &Organization,
    (tool, verb): (&str, &str),
    n_accounts: usize,
    regions: &str,
) -> Counts {
    organization.forget_calls();
    let home = organization.management.home();
    std::fs::write(home.join("wish.json"), wish(tool)).unwrap();
    let members = organization.members.iter().take(n_accounts);
    let list: Vec<&str> = members.map(Account::id).collect();
    let run = organization.management.tool(bin(tool));
    run.args([verb, "--accounts", "-", "--assume-role", ROLE])
        .args(["--region", regions, "-f", "wish.json"])
        .stdin(list.join("\n"))
        .run();
    let mut counts = Counts::new();
    for account in organization.accounts() {
        for operation in account.operations() {
            *counts.entry(operation).or_default() += 1;
        }
    }
    counts
}

fn cell(counts: &[(String, usize)]) -> String {
    let words = counts.iter().map(|(operation, n)| match n {
        1 => operation.clone(),
        n => format!("{operation} ×{n}"),
    });
    words.collect::<Vec<_>>().join(", ")
}

#[test]
fn the_table_of_calls_is_what_the_call_log_says() {
    let organization = Organization::of(2);
    for member in &organization.members {
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
    let mut table = HEAD.to_owned();
    for tool in TOOLS {
        for verb in VERBS {
            let one = count(&organization, (tool, verb), 1, "us-east-1");
            let regions = count(&organization, (tool, verb), 1, "us-east-1,eu-central-1");
            let both = count(&organization, (tool, verb), 2, "us-east-1,eu-central-1");
            let (mut once, mut account, mut target) = (Vec::new(), Vec::new(), Vec::new());
            let operations: BTreeSet<&String> = both.keys().collect();
            for operation in operations {
                let of = |counts: &Counts| counts.get(operation).copied().unwrap_or_default();
                let n_target = of(&regions) - of(&one);
                let n_account = of(&both) - of(&regions) - 2 * n_target;
                let n_once = of(&one) - n_account - n_target;
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
            assert!(
                !target
                    .iter()
                    .any(|(operation, _)| operation.starts_with("iam:")),
                "{tool} {verb}"
            );
            let row = [cell(&once), cell(&account), cell(&target)].join(" | ");
            writeln!(table, "| `{tool} {verb}` | {row} |").unwrap();
        }
    }
    expect_text(&repository().join("docs/calls.md"), &table);
}
