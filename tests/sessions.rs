//! What the tools say of sessions against what the sessions then do. The table of broken sessions, its outcomes and the evaluator
//! behind them belong to the local AWS, which shares nothing with the tools.

#[path = "sessions/archive.rs"]
mod archive;
#[path = "sessions/service_control.rs"]
mod service_control;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use testbed::{Account, Sandbox, repository};

const ROLE: &str = "arn:aws:iam::{account}:role/operator";

/// Rows about which a tool says nothing, by the beginning of their names; with the reason.
const EXCEPTIONS: [(&str, &str); 1] = [(
    "run-as-missing/",
    "whether the users of preferences exist on a node is looked at by nobody",
)];

/// What a tool does not know, by ID and bucket of the rows; with the number of rows and the reason.
const UNKNOWN: [(&str, &str, usize, &str); 1] = [(
    "role.s3_kms.unknown",
    "missing",
    24,
    "a bucket that does not exist has no encryption that a role could be judged by",
)];

/// Findings that say nothing about one session.
const OTHERS: [&str; 8] = [
    "prefs.bucket.removable",
    "prefs.key.removable",
    "prefs.log_group.removable",
    "prefs.trail.removable",
    "prefs.trail.missing",
    "prefs.encryption.off",
    "prefs.logging.port_and_ssh",
    "prefs.session_document.untranscribed",
];

#[test]
fn tools_say_what_sessions_then_do() {
    let account = Sandbox::start().account();
    let rows = table(&account);
    let (said_of_preferences, said_of_roles) = said(&account, &rows);
    let (mut wrong, mut excepted) = (Vec::new(), BTreeMap::new());
    let mut outcomes = BTreeSet::new();
    let mut unknown = [0; UNKNOWN.len()];
    for row in &rows {
        let name = row["name"].as_str().unwrap();
        let of = |findings: &[Value]| -> Vec<Value> {
            let here = findings.iter().filter(|one| is_about(one, row));
            here.cloned().collect()
        };
        let mut of_role = of(&said_of_roles);
        for (count, (id, part, ..)) in unknown.iter_mut().zip(UNKNOWN) {
            let n_all = of_role.len();
            of_role.retain(|finding| finding["id"] != id || !is_bucket(name, part));
            *count += usize::from(of_role.len() < n_all);
        }
        let mut differences = compare_outcome(row, &of(&said_of_preferences));
        differences.extend(compare_permissions(row, &of_role));
        outcomes.insert(format!("{:?}", Outcome::of(row)));
        let exception = EXCEPTIONS.iter().find(|(start, _)| name.starts_with(start));
        match (exception, differences.is_empty()) {
            (None, true) => {}
            (None, false) => wrong.push(format!("{name}: {}", differences.join("; "))),
            (Some((start, _)), is_fine) => {
                assert!(!is_fine, "{start} is no exception any more");
                *excepted.entry(*start).or_insert(0) += 1;
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} rows:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(excepted.len(), EXCEPTIONS.len(), "{excepted:?}");
    assert_eq!(unknown, UNKNOWN.map(|(_, _, n_rows, _)| n_rows));
    // The table is what it was when this was written: every way in which a session ends is in it.
    assert!(rows.len() >= 240, "{} rows", rows.len());
    assert_eq!(outcomes.len(), 5, "{outcomes:?}");
}

/// What becomes of a session.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    starts: bool,
    in_bucket: bool,
    in_log_group: bool,
}

impl Outcome {
    fn of(row: &Value) -> Outcome {
        let outcome = &row["outcome"];
        Outcome {
            starts: outcome["status"] == "Terminated",
            in_bucket: outcome["s3"]["written"] == true,
            in_log_group: outcome["logs"]["written"] == true,
        }
    }
}

/// Makes the sessions and returns the rows.
fn table(account: &Account) -> Vec<Value> {
    let output = account.session_table().run();
    output.assert_status(0);
    let mut lines = output.records();
    lines.retain(|line| line["kind"] == "row");
    lines
}

/// Runs each check once over all accounts of the table, and returns the findings of `ssm-prefs` and of `ssm-role`.
fn said(account: &Account, rows: &[Value]) -> (Vec<Value>, Vec<Value>) {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let accounts: BTreeSet<String> = rows.iter().map(|row| text(&row["account"])).collect();
    let accounts: Vec<String> = accounts.into_iter().collect();
    let operators: BTreeMap<String, Value> = rows
        .iter()
        .map(|row| {
            let role = json!({"arn": row["operator"]["arn"], "inline_policies": {"start": row["operator"]["policy"]}});
            let target = json!({"account": row["account"], "region": row["region"]});
            let record = json!({"kind": "host_management", "target": target, "roles": [role]});
            (text(&row["account"]), record)
        })
        .collect();
    let lines = |values: Vec<&Value>| {
        let lines: Vec<String> = values.into_iter().map(Value::to_string).collect();
        lines.join("\n")
    };
    let write = |name: &str, content: &str| {
        std::fs::write(account.home().join(name), content).unwrap();
    };
    write("accounts", &accounts.join("\n"));
    write("operators.jsonl", &lines(operators.values().collect()));
    write("prefs.json", "{}");
    write(
        "role.json",
        r#"{"instance_profiles": {"attach_managed_policy": true, "grant_preferences": true}}"#,
    );
    let run = |tool: &str, arguments: &[&str], status: i32| {
        let output = account
            .tool(repository().join("target/debug").join(tool))
            .args(arguments)
            .args(["--accounts", "accounts", "--assume-role", ROLE])
            .run();
        output.assert_status(status).assert_stderr("");
        output
    };
    write("shown.jsonl", &run("ssm-prefs", &["show"], 0).stdout);
    write("roles.jsonl", &run("ssm-role", &["show"], 0).stdout);
    let of_preferences = [
        "check",
        "-f",
        "prefs.json",
        "--roles",
        "roles.jsonl",
        "--operators",
        "operators.jsonl",
    ];
    let of_roles = ["check", "-f", "role.json", "--prefs", "shown.jsonl"];
    (
        run("ssm-prefs", &of_preferences, 1).records(),
        run("ssm-role", &of_roles, 1).records(),
    )
}

/// Returns whether the bucket of a row, the last but one of its parts, is this.
fn is_bucket(name: &str, part: &str) -> bool {
    name.rsplit('/').nth(1) == Some(part)
}

/// Returns whether a finding is about the place of a row, and not about another role there.
fn is_about(finding: &Value, row: &Value) -> bool {
    let (resource, role) = (&finding["resource"], &row["role"]["arn"]);
    let is_role = resource.as_str().unwrap().contains(":role/");
    finding["target"]["account"] == row["account"]
        && (!is_role || resource == role || *resource == row["operator"]["arn"])
}

/// Compares what becomes of the session with what `ssm-prefs check` lets expect of it.
fn compare_outcome(row: &Value, findings: &[Value]) -> Vec<String> {
    let inputs = &row["preferences"]["inputs"];
    let (bucket_is_strict, group_is_strict) = (
        inputs["s3EncryptionEnabled"] == true,
        inputs["cloudWatchEncryptionEnabled"] == true,
    );
    let mut expected = Outcome {
        starts: true,
        in_bucket: true,
        in_log_group: true,
    };
    let mut unexpected = Vec::new();
    for finding in findings {
        let id = finding["id"].as_str().unwrap();
        match id.strip_prefix("prefs.").unwrap() {
            "key.disabled"
            | "key.missing"
            | "role.kms_decrypt"
            | "operator.kms_generate_data_key"
            | "role.s3_encryption"
            | "content.run_as_root"
            | "content.run_as_without_user"
            | "bucket.not_encrypted"
            | "bucket.dsse"
            | "log_group.not_encrypted" => expected.starts = false,
            "bucket.missing" if bucket_is_strict => expected.starts = false,
            "log_group.missing" | "role.logs_describe" if group_is_strict => {
                expected.starts = false;
            }
            // Of transcripts of more than 5 MB, which those of the table are not.
            "role.s3_kms" if finding["severity"] == "warning" => {}
            "bucket.missing" | "role.s3_put" | "role.s3_kms" => expected.in_bucket = false,
            "log_group.missing"
            | "role.logs_describe"
            | "role.logs_write"
            | "log_group.key_closed" => expected.in_log_group = false,
            _ if OTHERS.contains(&id) => {}
            _ => unexpected.push(format!("{id} was not expected: {}", finding["message"])),
        }
    }
    expected.in_bucket &= expected.starts;
    expected.in_log_group &= expected.starts;
    let outcome = Outcome::of(row);
    if outcome != expected {
        let ids: Vec<&Value> = findings.iter().map(|finding| &finding["id"]).collect();
        let denied_by = &row["outcome"]["denied_by"]["by"];
        unexpected.push(format!(
            "{outcome:?} by {denied_by}, but ssm-prefs says {ids:?}"
        ));
    }
    unexpected
}

/// Compares what the node was allowed and refused in its session with what `ssm-role check --prefs` says of its role.
fn compare_permissions(row: &Value, findings: &[Value]) -> Vec<String> {
    let (mut denied, mut unexpected) = (BTreeSet::new(), Vec::new());
    for finding in findings {
        let (id, message) = (
            finding["id"].as_str().unwrap(),
            finding["message"].as_str().unwrap(),
        );
        match id {
            "role.s3_kms.denied" if finding["severity"] == "warning" => {}
            "role.kms.denied"
            | "role.s3_log.denied"
            | "role.s3_kms.denied"
            | "role.cloudwatch_log.denied" => {
                let list = message.strip_prefix("the role may not ").unwrap();
                let list = list.split(": ").next().unwrap().split(", ");
                // On the bucket's key it is of long transcripts; that of sessions has an ID of its own.
                let list = list.filter(|one| id != "role.s3_kms.denied" || *one != "kms:Decrypt");
                denied.extend(list.map(str::to_owned));
            }
            _ => unexpected.push(format!("{id} was not expected: {message}")),
        }
    }
    let (allowed, refused) = asked(row);
    for action in &refused {
        if !denied.contains(*action) {
            unexpected.push(format!(
                "the node was refused {action}, which ssm-role takes for fine"
            ));
        }
    }
    for action in &allowed {
        if denied.contains(*action) {
            unexpected.push(format!(
                "the node was allowed {action}, which ssm-role calls denied"
            ));
        }
    }
    unexpected
}

/// Returns which actions the node was seen to be allowed and refused. What comes after a refusal was never asked.
fn asked(row: &Value) -> (Vec<&'static str>, Vec<&'static str>) {
    let (inputs, outcome) = (&row["preferences"]["inputs"], &row["outcome"]);
    let mut start = Vec::new();
    if inputs["kmsKeyId"] != "" {
        start.push("kms:Decrypt");
    }
    if inputs["cloudWatchEncryptionEnabled"] == true {
        start.push("logs:DescribeLogGroups");
    }
    if inputs["s3EncryptionEnabled"] == true {
        start.push("s3:GetEncryptionConfiguration");
    }
    let (mut allowed, mut refused) = (Vec::new(), Vec::new());
    let mut follow = |chain: &[&'static str], is_through: bool, denied_by: &Value| {
        let by = denied_by["by"].as_str().unwrap_or_default();
        // How far it came where a setting was the cause; nothing is known of the others.
        let stopped_at = match by {
            _ if is_through || by.starts_with("run-as") || by == "key of the log group" => None,
            "log group is not encrypted" => Some("s3:GetEncryptionConfiguration"),
            _ if by.starts_with("bucket has") => Some("s3:PutObject"),
            _ => Some(denied_by["action"].as_str().unwrap_or_default()),
        };
        let n_passed = match stopped_at {
            None => chain.len(),
            Some(action) => chain.iter().position(|one| *one == action).unwrap_or(0),
        };
        allowed.extend_from_slice(&chain[..n_passed]);
        if !is_through && denied_by["action"].is_string() {
            let action = chain.iter().find(|one| denied_by["action"] == **one);
            refused.extend(action);
        }
    };
    let starts = outcome["status"] == "Terminated";
    follow(&start, starts, &outcome["denied_by"]);
    if starts {
        let s3 = &outcome["s3"];
        let to_bucket = ["s3:PutObject", "kms:GenerateDataKey"];
        follow(&to_bucket, s3["written"] == true, &s3["denied_by"]);
        let logs = &outcome["logs"];
        let to_group = [
            "logs:DescribeLogGroups",
            "logs:CreateLogStream",
            "logs:PutLogEvents",
        ];
        let streams = inputs["cloudWatchStreamingEnabled"] == true;
        let to_group = if streams {
            &to_group[..]
        } else {
            &to_group[1..]
        };
        follow(to_group, logs["written"] == true, &logs["denied_by"]);
    }
    (allowed, refused)
}
