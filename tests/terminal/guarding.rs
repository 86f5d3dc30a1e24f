//! What verbs say that judge an organization, lint, and write: at two widths, with and without colors.

use serde_json::json;
use testbed::{Account, Sandbox};

use super::{binary, on_terminal, without_colors};

/// Returns the management account of an organization with a guard to be, and its member.
fn organization() -> (Account, Account) {
    let (account, member) = (Sandbox::start().account(), Sandbox::start().account());
    let (id, trust) = (account.id(), format!("arn:aws:iam::{}:root", account.id()));
    let role = |name: &str, path: &str| {
        json!({"account": member.id(), "name": name, "path": path, "trust": trust,
            "managed_policies": ["arn:aws:iam::aws:policy/AdministratorAccess"]})
    };
    account.seed(&json!({
        "accounts": [{"id": id, "name": "management"}, {"id": member.id(), "name": "shop"}],
        "organization": {"management_account": id, "id": "o-terminal01", "root_id": "r-term",
            "ous": [{"id": "ou-term-workloads", "name": "workloads", "accounts": [member.id()]}]},
        "roles": [role("Audit", "/"), role("BreakGlass", "/ssm/"), role("Developer", "/")],
    }));
    let guard = json!({"policy_name": "guard", "exempt_principals": ["arn:aws:iam::*:role/ssm/BreakGlass"],
        "targets": ["ou-term-workloads"]});
    let wrong = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "ssm:StartSesion", "Resource": "*"}]}"#;
    for (name, text) in [
        ("guard.json", guard.to_string()),
        ("wrong.json", wrong.to_owned()),
        ("prefs.json", r#"{"idle_timeout_minute": 15}"#.to_owned()),
        ("role.json", r#"{"default_host_management": {}}"#.to_owned()),
    ] {
        std::fs::write(account.home().join(name), text).unwrap();
    }
    (account, member)
}

#[test]
fn what_is_judged_and_done() {
    let (account, member) = organization();
    let plan = |tool: &str, file: &str| {
        let run = account.tool(binary(tool)).args(["plan", "-f", file]);
        let output = run.run();
        output.assert_status(0);
        std::fs::write(account.home().join("plan.json"), output.stdout).unwrap();
    };
    let undo = |tool: &str| {
        let recover = ["apply", "-f", "plan.json", "--recover"];
        let result = account.tool(binary(tool)).args(recover).run();
        result.assert_status(0);
        let undo = result.json()["undo"].to_string();
        let apply = account.tool(binary(tool)).args(["apply"]).stdin(undo);
        apply.run().assert_status(0);
    };
    let reader = "--assume-role arn:aws:iam::{account}:role/Audit";
    let principal = format!("arn:aws:iam::{}:role/Developer", member.id());
    let applying = "ssm-role apply -f plan.json";
    for (name, command) in [
        ("scp_show", "ssm-scp show"),
        ("scp_gaps", "ssm-scp gaps -f guard.json"),
        ("scp_check", "ssm-scp check -f guard.json"),
        ("scp_plan", "ssm-scp plan -f guard.json"),
        (
            "scp_impact",
            &format!("ssm-scp impact -f guard.json {reader}"),
        ),
        (
            "scp_simulate",
            &format!("ssm-scp simulate --guard guard.json --principal {principal}"),
        ),
        ("scp_lint", "ssm-scp lint wrong.json"),
        ("prefs_lint", "ssm-prefs lint prefs.json"),
        ("role_apply", applying),
    ] {
        for columns in [80, 200] {
            let shown = |plain: Option<&str>| {
                if command == applying {
                    plan("ssm-role", "role.json");
                }
                let run = on_terminal(&account, columns, command);
                let output = match plain {
                    Some(value) => run.env("NO_COLOR", value).run(),
                    None => run.run(),
                };
                if command == applying {
                    undo("ssm-role");
                }
                output
            };
            let (colored, plain) = (shown(None), shown(Some("1")));
            assert_eq!(without_colors(&colored), plain.stdout, "{command}");
            assert!(!plain.stdout.contains('\u{1b}'), "{command}");
            let text = colored.stdout.replace(account.id(), "111111111111");
            let text = text.replace(member.id(), "222222222222");
            let text = text.replace('\u{1b}', "\\e");
            let golden = format!("terminal/{name}-{columns}.txt");
            testbed::expect_text(&testbed::fixture(&golden), &text);
        }
    }
}
