//! What `gaps` must not call closed: denials that are about other resources, other sorts of principals or other accounts.

use serde_json::{Value, json};
use testbed::{Home, offline};

use super::EXE;
use super::ways::desired;

const MANAGEMENT: &str = "100000000001";
const MEMBER: &str = "111122223333";

/// Returns what `show` prints of an organization with one member, and with a policy of this statement on its root.
fn organization(statement: &Value) -> String {
    let full = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let policy = |name: &str, statement: &Value| {
        json!({"kind": "policy", "id": "p-1", "name": name, "aws_managed": false, "n_characters": 1, "attached_to": ["r-abcd"],
            "document": {"Version": "2012-10-17", "Statement": [statement]}})
    };
    let entity = |id: &str, kind: &str, policies: &[&str]| {
        let parent = (kind != "root").then_some("r-abcd");
        json!({"kind": "entity", "id": id, "type": kind, "name": id, "parent": parent, "path": id,
            "management": id == MANAGEMENT, "policies": policies})
    };
    let records = [
        entity("r-abcd", "root", &["FullAWSAccess", "perimeter"]),
        entity(
            "ou-abcd-elsewhere",
            "organizational_unit",
            &["FullAWSAccess"],
        ),
        entity(MANAGEMENT, "account", &["FullAWSAccess"]),
        entity(MEMBER, "account", &["FullAWSAccess"]),
        policy("FullAWSAccess", &full),
        policy("perimeter", statement),
    ];
    records.map(|record| format!("{record}\n")).concat()
}

/// Returns the gaps of such an organization, a desired state joined to it.
fn gaps_in(statement: &Value, desired: Option<&str>) -> Vec<Value> {
    let home = Home::create();
    let path = home.path().join("organization.jsonl");
    std::fs::write(&path, organization(statement)).unwrap();
    let run = offline(EXE).args(["gaps", "-q", "--organization", path.to_str().unwrap()]);
    let output = match desired {
        Some(desired) => run.args(["-f", "-"]).stdin(desired).run(),
        None => run.run(),
    };
    output.assert_status(0).assert_stderr("");
    output.records()
}

fn gaps_under(desired: &str) -> Vec<Value> {
    let output = offline(EXE).args(["gaps", "-f", "-"]).stdin(desired).run();
    output.assert_status(0);
    output.records()
}

/// Returns whether a gap has an action, and how sure that is.
fn answer<'a>(gaps: &'a [Value], gap: &str, action: &str) -> Option<&'a str> {
    let mut gaps = gaps.iter().filter(|record| record["gap"] == gap);
    let found = gaps.find(|record| {
        record["actions"]
            .as_array()
            .unwrap()
            .contains(&action.into())
    });
    found.map(|record| record["answer"].as_str().unwrap())
}

fn deny_sessions(condition: &Value) -> Value {
    json!({"Effect": "Deny", "Action": ["ssm:StartSession", "ssm:ResumeSession"], "Resource": "*", "Condition": condition})
}

#[test]
fn a_denial_on_other_log_groups_does_not_close_those_of_sessions() {
    let control_tower = json!({"Effect": "Deny", "Action": ["logs:DeleteLogGroup"],
        "Resource": "arn:aws:logs:*:*:log-group:*aws-controltower*"});
    let found = gaps_in(&control_tower, None);
    let of =
        |found: &[Value], action: &str| answer(found, "session_records", action).map(str::to_owned);
    assert_eq!(
        of(&found, "logs:DeleteLogGroup").as_deref(),
        Some("unknown")
    );
    assert_eq!(of(&found, "logs:DeleteLogStream").as_deref(), Some("open"));
    // A desired state names the groups: whether they are protected depends on where it is attached.
    let joined = |target: &str| {
        let records = json!({"exempt_principals": ["arn:aws:iam::*:role/keeper"], "log_groups": ["/sessions"]});
        let desired = desired(&json!({"targets": [target], "protect_records": records}));
        of(
            &gaps_in(&control_tower, Some(&desired)),
            "logs:DeleteLogGroup",
        )
    };
    assert_eq!(joined("ou-abcd-elsewhere").as_deref(), Some("open"));
    assert_eq!(joined("r-abcd"), None);
}

#[test]
fn credentials_of_exempt_users_are_open_until_they_are_protected() {
    let under = |protect: bool| {
        let users = ["arn:aws:iam::*:user/ann"];
        let desired =
            desired(&json!({"exempt_principals": users, "protect_exempt_roles": protect}));
        let found = gaps_under(&desired);
        answer(&found, "exempt_principals", "iam:CreateAccessKey").map(str::to_owned)
    };
    assert_eq!(under(false).as_deref(), Some("open"));
    assert_eq!(under(true), None);
}

#[test]
fn whoever_is_exempt_by_account_may_use_any_session_document() {
    let mut by_account: Value =
        serde_json::from_str(&desired(&json!({"exempt_accounts": ["999988887777"]}))).unwrap();
    by_account
        .as_object_mut()
        .unwrap()
        .remove("exempt_principals");
    let found = gaps_under(&by_account.to_string());
    assert_eq!(answer(&found, "sessions", "ssm:StartSession"), None);
    assert_eq!(
        answer(&found, "session_documents", "ssm:StartSession"),
        Some("open")
    );
    let own = deny_sessions(
        &json!({"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:role/ops"}}),
    );
    let found = gaps_in(&own, None);
    assert_eq!(answer(&found, "sessions", "ssm:StartSession"), None);
    assert_eq!(
        answer(&found, "session_documents", "ssm:StartSession"),
        Some("open")
    );
}

#[test]
fn a_denial_to_one_sort_of_principals_leaves_the_others() {
    let of = |condition: Value| {
        let found = gaps_in(&deny_sessions(&condition), None);
        answer(&found, "sessions", "ssm:StartSession").map(str::to_owned)
    };
    let like = |sorts: &[&str]| {
        let sorts = sorts.iter();
        let patterns = sorts.map(|sort| format!("arn:aws:iam::*:{sort}"));
        json!({"aws:PrincipalArn": patterns.collect::<Vec<_>>()})
    };
    for (sorts, answer) in [
        (&["role/*"][..], Some("open")),
        (&["user/*", "root"], Some("open")),
        (&["role/*", "user/*"], Some("open")),
        (&["role/*", "user/*", "root"], None),
        // Names that somebody may well have made up for a test.
        (&["role/a*", "role/q7zkw4"], Some("open")),
    ] {
        let found = of(json!({"ArnLike": like(sorts)}));
        assert_eq!(found.as_deref(), answer, "{sorts:?}");
    }
    assert_eq!(of(json!({"ArnNotLike": like(&["root"])})), None);
}

#[test]
fn the_management_account_is_a_gap_of_its_own() {
    let everything = json!({"Effect": "Deny", "Action": "*", "Resource": "*"});
    let found = gaps_in(&everything, None);
    let [gap] = found.as_slice() else {
        panic!("one gap is left: {found:?}");
    };
    assert_eq!(gap["gap"], "management_account");
    assert_eq!(gap["answer"], "open");
    assert_eq!(gap["actions"], json!(["*"]));
    assert_eq!(gap["accounts"], json!([MANAGEMENT]));
}

#[test]
fn the_usual_denial_without_tls_leaves_no_doubt() {
    let mut without_tls = deny_sessions(&json!({"Bool": {"aws:SecureTransport": "false"}}));
    without_tls["Action"] = json!("*");
    let found = gaps_in(&without_tls, None);
    assert!(found.len() > 5, "{found:?}");
    for gap in &found {
        assert_eq!(gap["answer"], "open", "{gap}");
    }
    // `simulate` answers by what it was given alone.
    let home = Home::create();
    let path = home.path().join("organization.jsonl");
    std::fs::write(&path, organization(&without_tls)).unwrap();
    let run = offline(EXE).args(["simulate", "--organization", path.to_str().unwrap()]);
    let principal = format!("arn:aws:iam::{MEMBER}:role/dev");
    let output = run
        .args(["--principal", &principal, "--action", "ssm:StartSession"])
        .run();
    assert_eq!(output.records()[0]["answer"], "unknown");
}

#[test]
fn what_nodes_upload_with_is_not_denied() {
    let records =
        json!({"exempt_principals": ["arn:aws:iam::*:role/keeper"], "buckets": ["sessions"]});
    let input = desired(&json!({"protect_records": records}));
    let rendered = offline(EXE).args(["render"]).stdin(input).run();
    rendered.assert_status(0);
    for (action, is_denied) in [
        ("s3:PutBucketAcl", true),
        ("s3:PutReplicationConfiguration", true),
        // To a bucket of another account.
        ("s3:PutObjectAcl", false),
        ("s3:PutObject\"", false),
        // No rule is named, so that no alert is known.
        ("events:UpdateConnection", false),
    ] {
        assert_eq!(rendered.stdout.contains(action), is_denied, "{action}");
    }
}

/// The organization has no policy of the guard: what the desired state closes is open where none of its targets is above.
#[test]
fn the_cure_below_no_target_is_a_target() {
    let harmless = json!({"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*"});
    let guard = desired(&json!({"ways": ["sessions"], "targets": ["ou-abcd-elsewhere"]}));
    let found = gaps_in(&harmless, Some(&guard));
    let cure = |gap: &str, action: &str| {
        let mut of = found.iter().filter(|one| one["gap"] == gap);
        let actions = |one: &&Value| one["actions"].as_array().unwrap().contains(&action.into());
        of.find(actions).map(|one| one["cure"].as_str().unwrap())
    };
    let target = "name a target above these accounts: the desired state closes it";
    assert_eq!(cure("sessions", "ssm:StartSession"), Some(target));
    let way = "add \"commands\" to ways (by default sessions and commands)";
    assert_eq!(cure("commands", "ssm:SendCommand"), Some(way));
    // A perimeter exempts people whom no desired state names: that one protects its own only, wherever it is attached.
    let perimeter = json!({"Effect": "Deny", "Action": "s3:DeleteBucket", "Resource": "*",
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:user/breakglass", "arn:aws:iam::*:role/other"]}}});
    for (targets, protects) in [("ou-abcd-elsewhere", false), ("r-abcd", true)] {
        let guard =
            json!({"ways": ["sessions"], "targets": [targets], "protect_exempt_roles": protects});
        let found = gaps_in(&perimeter, Some(&desired(&guard)));
        let mut of_exempt = found
            .iter()
            .filter(|one| one["gap"] == "exempt_principals")
            .peekable();
        assert!(of_exempt.peek().is_some(), "{found:?}");
        assert!(
            of_exempt.all(|one| one["cure"] == "set protect_exempt_roles"),
            "{found:?}"
        );
    }
    // An account that is exempt is open below the target as well.
    let guard =
        desired(&json!({"ways": ["sessions"], "targets": ["r-abcd"], "exempt_accounts": [MEMBER]}));
    let found = gaps_in(&harmless, Some(&guard));
    let open = found.iter().find(|one| one["gap"] == "sessions").unwrap();
    assert_ne!(open["cure"], target, "{open}");
    let above = desired(&json!({"ways": ["sessions"], "targets": ["r-abcd"]}));
    let closed = gaps_in(&harmless, Some(&above));
    assert_eq!(answer(&closed, "sessions", "ssm:StartSession"), None);
}
