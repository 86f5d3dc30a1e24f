//! `apply` over many accounts: plans meet the credentials that they name, and one that fails leaves the others alone.

use serde_json::{Value, json};
use testbed::Account;

use super::{Organization, ROLE, desired_of, kinds, targets};

const TOOLS: [&str; 3] = ["ssm-prefs", "ssm-role", "ssm-events"];

/// Puts the webhook where functions and API destinations read it.
fn keep_webhook(account: &Account) {
    for region in ["us-east-1", "eu-central-1"] {
        account.aws(&[
            "ssm",
            "put-parameter",
            "--region",
            region,
            "--type",
            "SecureString",
            "--name",
            "/slack",
            "--cli-input-json",
            r#"{"Value": "https://hooks.slack.com/services/T0/B0/fleet"}"#,
        ]);
    }
}

#[test]
fn plans_of_all_accounts_are_applied_once_and_undone_by_their_results() {
    let organization = Organization::of(2);
    organization.members.iter().for_each(keep_webhook);
    for tool in TOOLS {
        let plan = organization.over_members(tool, &["plan"], desired_of(tool));
        plan.assert_status(0);
        assert_eq!(kinds(&plan), ["plan"; 4]);
        let apply = |plan: &str| {
            let arguments = ["apply", "--assume-role", ROLE];
            organization.run(tool, &arguments).stdin(plan).run()
        };
        organization.forget_calls();
        let applied = apply(&plan.stdout);
        applied.assert_status(0);
        // An account is entered once for all of its regions.
        let operations = organization.accounts().flat_map(Account::operations);
        let n_entered = operations.filter(|one| one == "sts:AssumeRole").count();
        assert_eq!(n_entered, organization.members.len(), "{tool}");
        let mut reported = targets(&applied);
        reported.sort();
        let mut planned = targets(&plan);
        planned.sort();
        assert_eq!(reported, planned, "{tool}");
        let again = organization.over_members(tool, &["plan", "--exit-code"], desired_of(tool));
        again.assert_status(0);
        let mut undo: Vec<String> = applied
            .records()
            .iter()
            .rev()
            .filter(|result| !result["undo"].is_null())
            .map(|result| result["undo"].to_string())
            .collect();
        undo.push(String::new());
        apply(&undo.join("\n")).assert_status(0);
        let back = organization.over_members(tool, &["plan"], desired_of(tool));
        // What was made and stays for good, as a log that holds data, is all that may differ from the first plan.
        for (before, after) in plan.records().iter().zip(back.records()) {
            let n_changes = |plan: &Value| plan["changes"].as_array().unwrap().len();
            assert!(
                n_changes(&after) > 0 && n_changes(&after) <= n_changes(before),
                "{tool}"
            );
        }
        for account in organization.accounts() {
            assert_eq!(account.problems(), Vec::<Value>::new(), "{tool}");
        }
    }
}

#[test]
fn an_account_that_fails_does_not_stop_the_others() {
    let organization = Organization::of(3);
    let plan = organization.over_members("ssm-prefs", &["plan"], "{}");
    let failing = &organization.members[1];
    failing.fault(
        json!({"service": "ssm", "operation": "CreateDocument", "kind": "denied", "times": -1}),
    );
    let apply = ["apply", "--assume-role", ROLE];
    let applied = organization
        .run("ssm-prefs", &apply)
        .stdin(plan.stdout.as_str())
        .run();
    applied.assert_status(2);
    for result in applied.records() {
        let expected = match result["target"]["account"] == failing.id() {
            true => "failed",
            false => "done",
        };
        assert_eq!(result["results"][0]["status"], expected, "{result}");
    }
    // Once the cause is gone, the same command finishes what is left.
    failing.clear_faults();
    organization.forget_calls();
    let plan = organization.over_members("ssm-prefs", &["plan"], "{}");
    let applied = organization
        .run("ssm-prefs", &apply)
        .stdin(plan.stdout.as_str())
        .run();
    applied.assert_status(0);
    for member in &organization.members {
        assert_eq!(
            member.writes().len(),
            if member.id() == failing.id() { 2 } else { 0 }
        );
    }
}

#[test]
fn what_could_not_be_planned_is_passed_on_and_ends_with_two() {
    let organization = Organization::of(2);
    organization.members[0].fault(json!({"service": "ssm", "kind": "denied", "times": -1}));
    let plan = organization.over_members("ssm-role", &["plan"], desired_of("ssm-role"));
    plan.assert_status(2);
    assert_eq!(kinds(&plan), ["unreachable", "unreachable", "plan", "plan"]);
    let apply = ["apply", "--assume-role", ROLE];
    let applied = organization
        .run("ssm-role", &apply)
        .stdin(plan.stdout.as_str())
        .run();
    applied.assert_status(2);
    assert_eq!(
        kinds(&applied),
        ["unreachable", "unreachable", "result", "result"]
    );
}

#[test]
fn plans_for_other_accounts_are_refused_before_the_first_write() {
    let organization = Organization::of(1);
    let own = organization.run("ssm-prefs", &["plan"]).stdin("{}").run();
    let others = organization.over_members("ssm-prefs", &["plan"], "{}");
    organization.forget_calls();
    let both = format!("{}{}", own.stdout, others.stdout);
    let refused = organization.run("ssm-prefs", &["apply"]).stdin(both).run();
    refused
        .assert_status(2)
        .assert_complains("but the credentials belong to account");
    assert!(
        organization
            .accounts()
            .all(|account| account.writes().is_empty())
    );
}
