//! The verbs that look at the organization and change nothing.

use serde_json::{Value, json};
use testbed::{Home, Output};

use super::{
    EXE, N_OTHER_POLICIES, Organization, READER, create_other_policies, create_role, desired, ids,
    organization, run,
};

fn column(output: &Output, key: &str) -> Vec<String> {
    let records = output.records();
    records
        .iter()
        .filter_map(|record| record[key].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn show_prints_the_tree_and_the_policies_of_every_page() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    create_other_policies(&account);
    account.forget_calls();
    let shown = account.tool(EXE).args(["show"]).run();
    shown.assert_status(0).assert_stderr("");
    let of_kind = |kind: &str| -> Vec<Value> {
        shown
            .records()
            .into_iter()
            .filter(|record| record["kind"] == kind)
            .collect()
    };
    let service_control = of_kind("policy").into_iter();
    let service_control =
        service_control.filter(|policy| policy["policy_type"] == "service_control_policy");
    assert_eq!(
        service_control.count(),
        1 + N_OTHER_POLICIES,
        "FullAWSAccess and the others"
    );
    let entity = |id: &str| {
        of_kind("entity")
            .into_iter()
            .find(|entity| entity["id"] == id)
            .unwrap()
    };
    assert_eq!(entity(member.id())["parent"], json!(unit));
    assert_eq!(entity(member.id())["path"], "Root/workloads/member");
    assert_eq!(entity(account.id())["management"], true);
    assert_eq!(entity(&unit)["policies"], json!(["FullAWSAccess"]));
    assert!(account.writes().is_empty());
    assert!(account.problems().is_empty(), "{:?}", account.problems());
}

#[test]
fn simulate_asks_the_live_organization_and_a_saved_one_alike() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let plan = run(&account, "plan", &desired(&[&unit]));
    run(&account, "apply", &plan.stdout).assert_status(0);
    account.forget_calls();
    let developer = format!("arn:aws:iam::{}:role/dev", member.id());
    let manager = format!("arn:aws:iam::{}:role/dev", account.id());
    let question = [
        "simulate",
        "--action",
        "ssm:StartSession",
        "--principal",
        &developer,
        "--principal",
        &manager,
    ];
    let live = account.tool(EXE).args(question).run();
    live.assert_status(0).assert_stderr("");
    assert_eq!(column(&live, "answer"), ["denied", "allowed"]);
    assert_eq!(column(&live, "policy"), ["guard"]);
    let home = Home::create();
    let saved = home.path().join("organization.jsonl");
    std::fs::write(&saved, account.tool(EXE).args(["show"]).run().stdout).unwrap();
    let offline = testbed::offline(EXE)
        .args(question)
        .args(["--organization", saved.to_str().unwrap()])
        .run();
    assert_eq!(offline.stdout, live.stdout);
    assert!(account.writes().is_empty());
    let stranger = [
        "simulate",
        "--principal",
        "arn:aws:iam::999999999999:role/dev",
    ];
    let refused = account.tool(EXE).args(stranger).run();
    refused
        .assert_status(2)
        .assert_complains("999999999999 is not in the organization");
}

#[test]
fn impact_classes_every_principal_that_can_be_read() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    create_role(&member, "dev", "/team/");
    let allow = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:StartSession","Resource":"*"}]}"#;
    for role in ["dev", "ops"] {
        let put = [
            "iam",
            "put-role-policy",
            "--role-name",
            role,
            "--policy-name",
            "sessions",
            "--policy-document",
            allow,
        ];
        member.aws(&put);
    }
    account.forget_calls();
    member.forget_calls();
    let impact = account
        .tool(EXE)
        .args(["impact"])
        .args(READER)
        .stdin(desired(&[&unit]))
        .run();
    impact.assert_status(0).assert_stderr("");
    let class = |name: &str| {
        let records = impact.records();
        let arn = format!("arn:aws:iam::{}:role/{name}", member.id());
        let found = records
            .iter()
            .find(|record| record["principal"] == json!(arn));
        found.unwrap_or_else(|| panic!("no {arn} in {}", impact.stdout))["class"].clone()
    };
    // Counts come first, then those who lose something, with the statement, its policy and where that is attached.
    let records = impact.records();
    let counts = &records[0];
    let n_of = |class: &str| {
        let of_class = records.iter().filter(|record| record["class"] == class);
        json!(of_class.count())
    };
    assert_eq!(counts["kind"], "impact_counts");
    assert_eq!(counts["n_newly_denied"], n_of("newly_denied"));
    assert_eq!(counts["n_still_in"], n_of("still_in"));
    assert_eq!(records[1]["class"], "newly_denied");
    let why =
        format!("denied by statement OnlyExemptPrincipals of guard at {unit} (Root/workloads)");
    assert_eq!(records[1]["losses"][0]["why"], why);
    assert_eq!(
        records[1]["losses"][0]["actions"][0],
        records[1]["actions"][0]
    );
    assert_eq!(class("team/dev"), "newly_denied");
    assert_eq!(class("ops"), "still_in");
    assert!(account.writes().is_empty() && member.writes().is_empty());
    assert!(account.problems().is_empty(), "{:?}", account.problems());
    let blind = account
        .tool(EXE)
        .args(["impact"])
        .stdin(desired(&[&unit]))
        .run();
    blind.assert_status(2);
    assert_eq!(blind.records()[0]["n_accounts_unread"], 1);
    let unreachable = blind
        .records()
        .into_iter()
        .find(|record| record["kind"] == "unreachable");
    assert_eq!(
        unreachable.unwrap()["target"]["account"],
        json!(member.id())
    );
}

#[test]
fn a_principal_of_whom_nothing_is_known_makes_the_status_2() {
    let Organization { account, unit, .. } = organization();
    let home = Home::create();
    let path = home.path().join("organization.json");
    // A policy that is not understood, above all accounts.
    let shown = account.tool(EXE).args(["show"]).run().stdout;
    let allow = r#""Effect":"Allow""#;
    assert!(shown.contains(allow), "{shown}");
    let odd = r#""Effect":"Allow","Condition":{"StringMatches":{"aws:username":"x"}}"#;
    std::fs::write(&path, shown.replace(allow, odd)).unwrap();
    let impact = account
        .tool(EXE)
        .args(["impact", "--organization", path.to_str().unwrap()])
        .args(READER)
        .stdin(desired(&[&unit]))
        .run();
    impact.assert_status(2).assert_stderr("");
    let counts = &impact.records()[0];
    assert_eq!(counts["n_accounts_unread"], 0);
    assert!(counts["n_unknown"].as_u64() > Some(0), "{counts}");
}

/// A policy that has nothing to do with nodes, and that nobody can judge: what it leaves open is below it, and nothing else.
#[test]
fn a_policy_that_is_not_understood_leaves_the_answers_elsewhere_as_they_are() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let plan = run(&account, "plan", &desired(&[&unit]));
    run(&account, "apply", &plan.stdout).assert_status(0);
    let shown = account.tool(EXE).args(["show"]).run().records();
    let other = "999988887777";
    let root = format!("r-{}", &account.id()[8..]);
    let deny = |action: &str, condition: Value| {
        json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Deny", "Action": action, "Resource": "*", "Condition": condition}]})
    };
    let token = json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::${Account}:role/admin"}});
    let home = Home::create();
    let path = home.path().join("organization.jsonl");
    for odd in [
        deny("s3:DeleteBucket", token),
        deny(
            "s3:DeleteBucket ",
            json!({"Bool": {"aws:SecureTransport": "true"}}),
        ),
    ] {
        // One more account has it, beside the unit with the guard.
        let mut records = shown.clone();
        let entity = shown.iter().find(|one| one["id"] == json!(member.id()));
        let mut entity = entity.unwrap().clone();
        for (key, value) in [
            ("id", json!(other)),
            ("name", json!("other")),
            ("path", json!("Root/other")),
            ("parent", json!(root)),
            ("policies", json!(["FullAWSAccess", "odd"])),
        ] {
            entity[key] = value;
        }
        records.push(entity);
        let policy = shown.iter().find(|one| one["name"] == "guard").unwrap();
        let mut policy = policy.clone();
        policy["name"] = json!("odd");
        policy["document"] = odd.clone();
        policy["attached_to"] = json!([other]);
        records.push(policy);
        let lines: Vec<String> = records.iter().map(Value::to_string).collect();
        std::fs::write(&path, lines.join("\n")).unwrap();

        let role = |account: &str, name: &str| format!("arn:aws:iam::{account}:role/{name}");
        let asked = [
            (role(member.id(), "dev"), "denied"),
            (role(member.id(), "ops"), "allowed"),
            (role(account.id(), "dev"), "allowed"),
            (role(other, "dev"), "unknown"),
        ];
        let mut simulate = testbed::offline(EXE)
            .args(["simulate", "--action", "ssm:StartSession"])
            .args(["--organization", path.to_str().unwrap()]);
        for (principal, _) in &asked {
            simulate = simulate.args(["--principal", principal]);
        }
        let simulated = simulate.run();
        simulated.assert_status(0).assert_stderr("");
        let expected: Vec<&str> = asked.iter().map(|(_, answer)| *answer).collect();
        assert_eq!(column(&simulated, "answer"), expected, "{odd}");
        let unknown = &simulated.records()[3];
        let why = unknown["why"].as_str().unwrap();
        assert!(
            why.starts_with("policy odd: ") && why.contains("$.Statement[0]"),
            "{why}"
        );
    }
}

#[test]
fn check_finds_accounts_that_no_guard_covers() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let plan = run(&account, "plan", &desired(&[&unit]));
    run(&account, "apply", &plan.stdout).assert_status(0);
    let covered = run(&account, "check", &desired(&[&unit]));
    covered.assert_status(0);
    let root = format!("r-{}", &account.id()[8..]);
    let mv = [
        "organizations",
        "move-account",
        "--account-id",
        member.id(),
        "--source-parent-id",
        &unit,
    ];
    account.aws(&[&mv[..], &["--destination-parent-id", &root]].concat());
    let found = run(&account, "check", &desired(&[&unit]));
    found.assert_status(1);
    assert!(
        ids(&found).contains(&"scp.account.not_covered".to_owned()),
        "{}",
        found.stdout
    );
}

#[test]
fn plan_attaches_as_far_as_the_canary() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let both = desired(&[member.id(), &unit]);
    let canary = account
        .tool(EXE)
        .args(["plan", "--until", member.id()])
        .stdin(both.clone())
        .run();
    let resources = |output: &Output| -> Vec<Value> {
        let changes = output.json()["changes"].clone();
        changes
            .as_array()
            .unwrap()
            .iter()
            .map(|change| change["resource"].clone())
            .collect()
    };
    assert_eq!(resources(&canary), [json!("guard"), json!(member.id())]);
    run(&account, "apply", &canary.stdout).assert_status(0);
    let rest = run(&account, "plan", &both);
    assert_eq!(resources(&rest), [json!(unit)]);
    let nowhere = account
        .tool(EXE)
        .args(["plan", "--until", "r-abcd"])
        .stdin(both)
        .run();
    nowhere
        .assert_status(2)
        .assert_complains("--until r-abcd: it is not among $.targets");
}
