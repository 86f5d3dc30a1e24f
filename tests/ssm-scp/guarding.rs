//! What `apply` refuses, so that nobody is locked out, and how a person takes a risk.

use serde_json::{Value, json};
use testbed::{Account, Home, Output};

use super::{EXE, Organization, READER, desired, organization, run, statuses};

pub(super) fn apply(account: &Account, plan: &str, arguments: &[&str]) -> Output {
    account
        .tool(EXE)
        .args(["apply"])
        .args(arguments)
        .stdin(plan)
        .run()
}

pub(super) fn risks(output: &Output) -> Vec<String> {
    let records = output.records();
    let risks = records
        .iter()
        .filter(|record| record["id"] == "scp.lockout.risk");
    risks
        .map(|risk| risk["resource"].as_str().unwrap().to_owned())
        .collect()
}

/// Asserts that a plan is refused for these risks and that nothing is written, and applies it once they are accepted.
fn refused_until_accepted(account: &Account, plan: &str, arguments: &[&str], expected: &[&str]) {
    account.forget_calls();
    let refused = apply(account, plan, arguments);
    refused
        .assert_status(2)
        .assert_complains("nothing was written");
    assert_eq!(risks(&refused), expected);
    assert!(account.writes().is_empty());
    let mut accepting = arguments.to_vec();
    for id in expected {
        // All but the last: no single acceptance turns the guard off.
        let still = apply(account, plan, &accepting);
        still.assert_status(2);
        accepting.extend(["--accept", id]);
    }
    let applied = apply(account, plan, &accepting);
    applied.assert_status(0).assert_stderr("");
    assert!(
        statuses(&applied)
            .iter()
            .all(|status| status.starts_with("done"))
    );
}

#[test]
fn refuses_when_no_account_can_be_read() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let plan = run(&account, "plan", &desired(&[&unit])).stdout;
    let unread = format!("unread:{}", member.id());
    refused_until_accepted(&account, &plan, &[], &[&unread]);
}

#[test]
fn refuses_patterns_that_match_nobody_and_accounts_without_an_exempt_role() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let desired = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/nobody"], "targets": [unit]});
    let plan = run(&account, "plan", &desired.to_string()).stdout;
    let break_glass = format!("break_glass:{}", member.id());
    refused_until_accepted(
        &account,
        &plan,
        &READER,
        &["unmatched:arn:aws:iam::*:role/nobody", &break_glass],
    );
}

/// Whoever asks about a made-up role of one account only takes a guard that spares that account for harmless.
#[test]
fn refuses_a_guard_that_goes_by_the_account() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    super::create_role(&member, "BreakGlass", "/ssm/");
    let id = member.id();
    let break_glass = format!("break_glass:{id}");
    let ops = format!("arn:aws:iam::{id}:role/ops");
    let singled_out = format!("singled_out:arn:aws:iam::{id}:role/ssm/BreakGlass");
    let plan = run(&account, "plan", &desired(&[&unit])).json();
    for (condition, expected) in [
        (
            json!({"StringNotEquals": {"aws:PrincipalAccount": ["000000000000"]}}),
            &break_glass,
        ),
        (
            json!({"StringEquals": {"aws:PrincipalAccount": [id]}}),
            &break_glass,
        ),
        (
            json!({"ArnLike": {"aws:PrincipalArn": [format!("arn:aws:iam::{id}:*")]}}),
            &break_glass,
        ),
        (
            json!({"ArnLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/ssm/*"]}}),
            &singled_out,
        ),
    ] {
        let mut plan = plan.clone();
        plan["changes"][0]["to"]["document"]["Statement"][0]["Condition"] = condition.clone();
        let document = plan["changes"][0]["to"]["document"].to_string();
        account.forget_calls();
        let refused = apply(&account, &plan.to_string(), &READER);
        refused
            .assert_status(2)
            .assert_complains("nothing was written");
        assert_eq!(risks(&refused), [expected.as_str()], "{condition}");
        assert!(account.writes().is_empty());
        // The linter, which knows no organization, does not call it clean either.
        let linted = account.tool(EXE).args(["lint"]).stdin(&document).run();
        linted.assert_status(1);
    }
    let desired =
        json!({"policy_name": "guard", "exempt_accounts": ["000000000000"], "targets": [unit]})
            .to_string();
    let plan = run(&account, "plan", &desired).stdout;
    let refused = apply(&account, &plan, &READER);
    refused.assert_status(2);
    assert_eq!(risks(&refused), [break_glass.as_str()]);
    let impact = account
        .tool(EXE)
        .args(["impact"])
        .args(READER)
        .stdin(&desired)
        .run();
    impact.assert_status(1).assert_stderr("");
    assert_eq!(risks(&impact), [break_glass]);
    let of_member = impact
        .records()
        .into_iter()
        .filter(|one| one["account"] == id);
    let classes: Vec<String> = of_member
        .filter(|one| one["principal"] == ops)
        .map(|one| one["class"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(classes, ["newly_denied"]);
}

/// Case 61 of the table of lock-outs.
#[test]
fn refuses_what_the_history_shows_to_be_needed() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let role = format!("arn:aws:iam::{}:role/dev", member.id());
    let record = json!({"eventTime": "2026-11-01T00:00:00Z", "eventID": "e", "eventSource": "ssm.amazonaws.com",
        "eventName": "SendCommand", "userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": role}}}});
    let home = Home::create();
    let history = home.path().join("history.jsonl");
    std::fs::write(&history, record.to_string()).unwrap();
    let plan = run(&account, "plan", &desired(&[&unit])).stdout;
    let arguments = [&READER[..], &["--history", history.to_str().unwrap()]].concat();
    refused_until_accepted(
        &account,
        &plan,
        &arguments,
        &[&format!("history:{role}:ssm:SendCommand")],
    );
}

/// Case 62 of the table of lock-outs: what is not JSON, and what says nothing.
#[test]
fn refuses_a_history_that_does_not_say() {
    let no_caller = json!({"eventSource": "ssm.amazonaws.com", "eventName": "SendCommand"});
    let digest = json!({"digestStartTime": "2026-11-01T00:00:00Z"});
    let fine = json!({"eventSource": "s3.amazonaws.com", "eventName": "GetObject"});
    let gap = json!({"kind": "finding", "id": "events.history.unread", "severity": "error", "target": null, "resource": "x.json.gz",
        "message": "could not be read to its end", "fix": "", "is_unread": true});
    let with_gap = format!("{fine}\n{gap}\n");
    let cut = format!("{fine}\n{{\"eventSource\":");
    for records in [
        String::new(),
        "StartSession by ann\n".to_owned(),
        digest.to_string(),
        no_caller.to_string(),
        with_gap,
        cut,
    ] {
        let Organization { account, unit, .. } = organization();
        let home = Home::create();
        let history = home.path().join("history.jsonl");
        std::fs::write(&history, records).unwrap();
        let plan = run(&account, "plan", &desired(&[&unit])).stdout;
        let arguments = [&READER[..], &["--history", history.to_str().unwrap()]].concat();
        refused_until_accepted(&account, &plan, &arguments, &["history:unread"]);
    }
}

#[test]
fn the_way_back_is_never_refused() {
    let Organization { account, unit, .. } = organization();
    let plan = run(&account, "plan", &desired(&[&unit])).stdout;
    let undo = run(&account, "apply", &plan).json()["undo"].to_string();
    // Nor does it depend on whether the organization can be read as a whole.
    account.fault(json!({"operation": "ListAccountsForParent", "kind": "denied", "times": -1}));
    let undone = apply(&account, &undo, &[]);
    undone.assert_status(0).assert_stderr("");
    assert_eq!(
        statuses(&undone),
        ["done detach_policy", "done delete_policy"]
    );
}

#[test]
fn a_divided_guard_is_attached_and_taken_back_whole() {
    let Organization { account, unit, .. } = organization();
    let desired = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": [unit],
        "protect_preferences": true, "protect_dhmc": {}});
    let plan = account
        .tool(EXE)
        .args(["plan", "--quota", "900"])
        .stdin(desired.to_string())
        .run();
    let applied = run(&account, "apply", &plan.stdout);
    applied.assert_status(0);
    assert_eq!(
        statuses(&applied),
        [
            "done create_policy",
            "done create_policy",
            "done attach_policy",
            "done attach_policy"
        ]
    );
    let again = account
        .tool(EXE)
        .args(["plan", "--quota", "900"])
        .stdin(desired.to_string())
        .run();
    assert_eq!(again.json()["changes"], json!([]));
    let undone = apply(&account, &applied.json()["undo"].to_string(), &[]);
    undone.assert_status(0);
    let shown = account.tool(EXE).args(["show"]).run().records();
    let policies: Vec<&Value> = shown
        .iter()
        .filter(|record| record["policy_type"] == "service_control_policy")
        .collect();
    assert_eq!(policies.len(), 1, "only FullAWSAccess is left");
}

/// What the second part denied by old exemptions goes once the first one says all, and can be taken back.
#[test]
fn a_part_that_the_guard_no_longer_has_is_named_and_detached() {
    let Organization { account, unit, .. } = organization();
    let mut desired = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": [unit],
        "protect_preferences": true, "protect_dhmc": {}});
    let plan = account.tool(EXE).args(["plan", "--quota", "900"]);
    let plan = plan.stdin(desired.to_string()).run().stdout;
    run(&account, "apply", &plan).assert_status(0);
    let object = desired.as_object_mut().unwrap();
    object.retain(|key, _| !key.starts_with("protect_"));
    let planned = run(&account, "plan", &desired.to_string());
    let note = format!("guard-2, a part that the guard no longer has, stays attached to {unit}");
    planned.assert_status(0).assert_complains(&note);
    let of_part = |output: &Output| {
        let found = output.records().into_iter();
        let mut found = found.filter(|one| one["id"] == "scp.policy.left_over");
        found.next().map(|one| one["resource"].clone())
    };
    let checked = run(&account, "check", &desired.to_string());
    checked.assert_status(1);
    assert_eq!(of_part(&checked), Some(json!("guard-2")));
    desired["exact"] = json!(true);
    let planned = run(&account, "plan", &desired.to_string());
    let applied = run(&account, "apply", &planned.stdout);
    applied.assert_status(0);
    let done = statuses(&applied);
    assert!(done.contains(&"done detach_policy".to_owned()), "{done:?}");
    let checked = run(&account, "check", &desired.to_string());
    checked.assert_status(0);
    assert_eq!(of_part(&checked), None);
    let undo = applied.json()["undo"].to_string();
    apply(&account, &undo, &READER).assert_status(0);
    let checked = run(&account, "check", &desired.to_string());
    assert_eq!(of_part(&checked), Some(json!("guard-2")));
}

/// Both policies have the name that a second part of the guard would have.
#[test]
fn policies_of_others_with_the_name_of_a_part_are_left_alone() {
    let trail = json!({"Version": "2012-10-17", "Statement": [{"Sid": "ProtectCloudTrail", "Effect": "Deny",
        "Action": ["cloudtrail:DeleteTrail", "cloudtrail:StopLogging"], "Resource": "*"}]});
    let Organization { account, unit, .. } = organization();
    let records = json!({"policy_name": "guard-2", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": [unit],
        "ways": [], "protect_records": {"exempt_principals": ["arn:aws:iam::*:role/keeper"], "trails": ["organization"]}});
    let rendered = account
        .tool(EXE)
        .args(["render"])
        .stdin(records.to_string())
        .run();
    let rendered = rendered.json();
    assert!(
        rendered["Statement"][0]["Sid"] == "ProtectTrails",
        "{rendered}"
    );
    run(&account, "plan", &records.to_string())
        .assert_status(0)
        .assert_complains("a second part of a guard named guard would have this name");
    for document in [trail, rendered] {
        let Organization { account, unit, .. } = organization();
        let created = account.aws(&[
            "organizations",
            "create-policy",
            "--name",
            "guard-2",
            "--description",
            "another team",
            "--type",
            "SERVICE_CONTROL_POLICY",
            "--content",
            &document.to_string(),
        ]);
        let id = created["Policy"]["PolicySummary"]["Id"].as_str().unwrap();
        account.aws(&[
            "organizations",
            "attach-policy",
            "--policy-id",
            id,
            "--target-id",
            &unit,
        ]);
        let desired = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": [unit],
            "exact": true});
        let plan = run(&account, "plan", &desired.to_string());
        plan.assert_status(0);
        assert!(!plan.stdout.contains("guard-2"), "{}", plan.stdout);
        run(&account, "apply", &plan.stdout).assert_status(0);
        run(&account, "check", &desired.to_string()).assert_status(0);
    }
}

#[test]
fn the_policy_type_is_enabled_where_that_is_asked_for() {
    let Organization { account, unit, .. } = organization();
    let root = format!("r-{}", &account.id()[8..]);
    let disable = [
        "organizations",
        "disable-policy-type",
        "--policy-type",
        "SERVICE_CONTROL_POLICY",
        "--root-id",
        &root,
    ];
    account.aws(&disable);
    let refused = run(&account, "plan", &desired(&[&unit]));
    refused
        .assert_status(2)
        .assert_complains("\"enable_policy_type\": true");
    let desired = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ops"], "targets": [unit],
        "enable_policy_type": true});
    let plan = run(&account, "plan", &desired.to_string());
    let applied = run(&account, "apply", &plan.stdout);
    applied.assert_status(0);
    assert_eq!(statuses(&applied)[0], "done enable_policy_type");
}
