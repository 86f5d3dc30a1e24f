//! Actions of `apply` that no plan needs by itself: only where somebody else is faster, interrupts, or would be locked out. Each case holds with
//! the whole policy, and without the action is failed by name.

use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Account, Output, Run, Sandbox};

use crate::bin;
use crate::rows::PREFS_CREATE;
use crate::scene::{Scene, run_of};

/// An action, and the case that needs it.
pub(super) type Case = (&'static str, fn(&str));

/// For how long the last call before the one that somebody is faster than waits.
const HELD_MILLISECONDS: u32 = 5_000;

/// Runs something with the whole policy, then without the action, each time anew.
fn hold(action: &str, run: impl Fn(&dyn Fn(Run) -> Run) -> Output) -> [Output; 2] {
    let whole = run(&|run| run);
    let lacking = run(&|run| run.without(action));
    assert!(!lacking.refused.is_empty(), "nothing needed {action}");
    [whole, lacking]
}

fn wait_for(account: &Account, operation: &str) {
    let began = Instant::now();
    while !account.operations().contains(&operation.to_owned()) {
        assert!(
            began.elapsed() < Duration::from_secs(60),
            "{operation} was not called"
        );
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The new key gets no alias, as somebody has given it to another key in the meantime.
pub(super) fn an_alias_that_somebody_takes(action: &str) {
    let outputs = hold(action, |with| {
        let scene = Scene::of(&PREFS_CREATE);
        let account = &scene.account;
        let other = account.aws(&["kms", "create-key"])["KeyMetadata"]["KeyId"].clone();
        account.forget_calls();
        account.fault(
            json!({"service": "kms", "operation": "EnableKeyRotation", "kind": "latency",
            "milliseconds": HELD_MILLISECONDS, "times": 1}),
        );
        let running = with(run_of(account, "ssm-prefs", &scene.plan)).spawn();
        wait_for(account, "kms:CreateKey");
        let alias = json!({"AliasName": "alias/sessions", "TargetKeyId": other});
        account.call("TrentService.CreateAlias", &alias);
        running.wait()
    });
    for (output, end) in outputs.iter().zip([
        "so that key is deleted again",
        "and that key is left over: ScheduleKeyDeletion",
    ]) {
        output.assert_status(2);
        let result = output.json();
        let error = result["results"][0]["error"].as_str().unwrap_or_default();
        assert!(
            error.contains("CreateAlias") && error.contains(end),
            "{}",
            output.stdout
        );
        assert_eq!(result["undo"], Value::Null);
    }
}

/// What has not begun on a node is not begun after Ctrl-C, and what goes on is said.
pub(super) fn an_update_that_somebody_interrupts(action: &str) {
    let outputs = hold(action, |with| {
        let account = Sandbox::start().account();
        let node = json!({"account": account.id(), "region": "us-east-1", "instance_id": "mi-00000000000000001",
            "agent": {"version": "3.1.1.0", "run_command": "InProgress"}});
        account.seed(&json!({"nodes": [node]}));
        let run = |verb: &str| account.tool(bin("ssm-agentcheck")).args([verb]);
        let plan = run("plan").stdin(r#"{"update": {}}"#).run();
        plan.assert_status(0);
        let running = with(run("apply").stdin(plan.stdout)).spawn();
        wait_for(&account, "ssm:SendCommand");
        let kill = Command::new("kill")
            .args(["-INT", &running.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
        running.wait()
    });
    let errors = outputs.map(|output| {
        output.assert_status(130);
        output.json()["results"][0]["error"]
            .as_str()
            .unwrap()
            .to_owned()
    });
    assert!(!errors[0].contains("CancelCommand"), "{}", errors[0]);
    assert!(errors[1].contains("CancelCommand"), "{}", errors[1]);
}

/// An organization whose member has a break-glass role, which the management account may assume.
struct Inhabited {
    management: Account,
    member: Account,
}

impl Inhabited {
    fn new() -> Inhabited {
        let (management, member) = (Sandbox::start().account(), Sandbox::start().account());
        let suffix = &management.id()[8..];
        let everything = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        let root = format!("arn:aws:iam::{}:root", management.id());
        management.seed(&json!({
            "accounts": [{"id": management.id(), "name": "management"}, {"id": member.id(), "name": "member"}],
            "organization": {"management_account": management.id(), "id": format!("o-org{suffix}"), "root_id": format!("r-{suffix}"),
                "ous": [{"id": format!("ou-{suffix}-workloads"), "name": "workloads", "accounts": [member.id()]}]},
            "roles": [{"account": member.id(), "name": "BreakGlass", "path": "/ssm/", "inline": {"everything": everything},
                "trust": root}],
        }));
        Inhabited { management, member }
    }

    /// Plans a guard over the member, which spares the break-glass role, by one of the two.
    fn plan(&self, by: &Account) -> String {
        let desired = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ssm/BreakGlass"],
            "targets": [self.member.id()]});
        let run = by.tool(bin("ssm-scp")).args(["plan"]);
        let plan = run.stdin(desired.to_string()).run();
        plan.assert_status(0);
        by.forget_calls();
        plan.stdout
    }
}

/// Nothing was written, and the record of the risk names the call.
fn assert_refused(output: &Output, account: &Account, risk: &str, call: &str) {
    output.assert_status(2);
    let records = output.records();
    let found = records.iter().find(|one| one["resource"] == risk);
    let message = found.unwrap_or_else(|| panic!("{output:?}"))["message"].to_string();
    assert!(message.contains(call), "{message}");
    assert_eq!(account.writes(), Vec::<Value>::new());
}

/// Who lives in an account is read before a guard binds it.
pub(super) fn a_member_whose_principals_are_unread(action: &str) {
    let inhabited = Inhabited::new();
    let management = &inhabited.management;
    let plan = inhabited.plan(management);
    let apply = || {
        let run = management.tool(bin("ssm-scp")).args(["apply"]);
        let role = "arn:aws:iam::{account}:role/OrganizationAccountAccessRole";
        run.args(["--assume-role", role]).stdin(plan.clone())
    };
    let refused = apply().without(action).run();
    assert!(!refused.refused.is_empty());
    let risk = format!("unread:{}", inhabited.member.id());
    assert_refused(
        &refused,
        management,
        &risk,
        "GetAccountAuthorizationDetails",
    );
    apply().run().assert_status(0);
}

/// A delegated administrator acts by a role that is exempt by its path, which only IAM knows.
pub(super) fn an_administrator_whose_path_is_unread(action: &str) {
    let inhabited = Inhabited::new();
    let (management, member) = (&inhabited.management, &inhabited.member);
    let root = format!("arn:aws:iam::{}:root", member.id());
    // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_delegate_policies.html
    let actions = [
        "organizations:AttachPolicy",
        "organizations:CreatePolicy",
        "organizations:Describe*",
        "organizations:List*",
    ];
    let content = json!({"Version": "2012-10-17", "Statement": [{"Sid": "Delegated", "Effect": "Allow",
        "Principal": {"AWS": root}, "Action": actions, "Resource": "*"}]});
    let content = content.to_string();
    let put = ["organizations", "put-resource-policy", "--content"];
    management.aws(&[&put[..], &[&content]].concat());
    let plan = inhabited.plan(member);
    let keys = member.assume("ssm/BreakGlass");
    member.forget_calls();
    let apply = || {
        let mut run = member.tool(bin("ssm-scp")).args(["apply"]);
        for (name, key) in [
            ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
            ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
            ("AWS_SESSION_TOKEN", "SessionToken"),
        ] {
            run = run.env(name, keys[key].as_str().unwrap());
        }
        run.stdin(plan.clone())
    };
    let refused = apply().without(action).run();
    assert!(!refused.refused.is_empty());
    assert_refused(&refused, member, "caller", "GetRole BreakGlass");
    apply().run().assert_status(0);
}
