//! What the tools say that they need of IAM. That it is enough, every test of every tool shows: each run is held to the policy that the
//! tool prints for it. Here is that the policies are valid, that nothing in them is needless, what the document says, and
//! what becomes of a run that lacks one action.

#[path = "permissions/denied.rs"]
mod denied;
#[path = "permissions/denied_elsewhere.rs"]
mod denied_elsewhere;
#[path = "permissions/denied_run.rs"]
mod denied_run;
#[path = "permissions/flags.rs"]
mod flags;
#[path = "permissions/keys.rs"]
mod keys;
#[path = "permissions/narrowed.rs"]
mod narrowed;
#[path = "permissions/sending.rs"]
mod sending;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::PathBuf;

use serde_json::{Value, json};
use testbed::{Account, NEEDED, Sandbox, expect_text, offline, repository};

const TOOLS: [&str; 6] = [
    "ssm-agentcheck",
    "ssm-role",
    "ssm-prefs",
    "ssm-scp",
    "ssm-events",
    "ssm-run",
];

/// The role that AWS makes in every account of an organization.
const READER: &str = "arn:aws:iam::{account}:role/OrganizationAccountAccessRole";

/// The flags that need the same in every tool.
const COMMON: [&str; 4] = [
    "--assume-role",
    "--session-tag",
    "--accounts org",
    "--region all",
];

fn bin(tool: &str) -> PathBuf {
    repository().join("target/debug").join(tool)
}

/// Returns the table of a tool, a row each.
fn rows(tool: &str) -> Vec<Value> {
    let printed = offline(bin(tool)).args(["--generate", "permissions"]).run();
    printed.assert_status(0);
    printed.records()
}

fn policy(tool: &str, arguments: &[&str]) -> String {
    let printed = offline(bin(tool))
        .args(["--generate", "policy"])
        .args(arguments)
        .run();
    printed.assert_status(0).assert_stderr("");
    printed.stdout
}

fn texts(list: &Value) -> Vec<&str> {
    let list = list.as_array().unwrap().iter();
    list.map(|one| one.as_str().unwrap()).collect()
}

/// Returns the verbs of a tool that call AWS.
fn verbs(rows: &[Value]) -> Vec<&str> {
    let mut verbs = Vec::new();
    for row in rows {
        for verb in texts(&row["verbs"]) {
            if !verbs.contains(&verb) {
                verbs.push(verb);
            }
        }
    }
    verbs
}

/// Returns the flags that add something.
fn flags(tool: &str) -> Vec<&'static str> {
    let mut flags = vec![
        "--assume-role=arn:{partition}:iam::{account}:role/Audit",
        "--session-tag=Team=ops",
        "--accounts=org",
        "--region=all",
    ];
    if tool == "ssm-events" {
        flags.extend([
            "--with=engine",
            "--with=routes",
            "--with=send-test",
            "--with=slack-token",
            "--with=topic",
            "--with=transcripts",
            "--with=url",
        ]);
    }
    flags
}

/// Returns the management account of an organization, its member, and the unit that this is in.
fn organization() -> (Account, Account, String) {
    let (account, member) = (Sandbox::start().account(), Sandbox::start().account());
    let suffix = account.id()[8..].to_owned();
    let unit = format!("ou-{suffix}-workloads");
    account.seed(&json!({
        "accounts": [{"id": account.id(), "name": "management"}, {"id": member.id(), "name": "member"}],
        "organization": {"management_account": account.id(), "id": format!("o-org{suffix}"), "root_id": format!("r-{suffix}"),
            "ous": [{"id": unit, "name": "workloads", "accounts": [member.id()]}]},
    }));
    (account, member, unit)
}

#[test]
fn every_policy_passes_the_linter_and_fits_into_a_managed_policy() {
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length
    const MAX_CHARACTERS: usize = 6_144;
    for tool in TOOLS {
        let rows = rows(tool);
        let mut scopes: Vec<Vec<String>> = vec![vec![]];
        scopes.extend(
            verbs(&rows)
                .iter()
                .map(|verb| vec![format!("--for={verb}")]),
        );
        if tool != "ssm-run" {
            scopes.push(vec!["--for=read".to_owned()]);
        }
        for scope in scopes {
            for flags in [vec![], flags(tool)] {
                let scope: Vec<&str> = scope.iter().map(String::as_str).collect();
                let policy = policy(tool, &[&scope[..], &flags].concat());
                let length = policy.chars().filter(|c| !c.is_whitespace()).count();
                let what = format!("{tool} {scope:?}");
                assert!(length <= MAX_CHARACTERS, "{what} has {length} characters");
                let lint = offline(bin("ssm-role")).args(["lint"]).stdin(policy).run();
                assert_eq!(
                    (lint.status, &*lint.stdout),
                    (0, ""),
                    "{what}: {}",
                    lint.stderr
                );
            }
        }
    }
    // The linter knows the actions of AWS, and would have said so.
    let wrong = policy("ssm-run", &[]).replace("ssm:SendCommand", "ssm:SendCommands");
    let lint = offline(bin("ssm-role")).args(["lint"]).stdin(wrong).run();
    lint.assert_status(1);
    assert!(
        lint.stdout.contains("role.action.unknown"),
        "{}",
        lint.stdout
    );
}

#[test]
fn a_verb_that_calls_nothing_needs_nothing() {
    for (tool, verb) in [
        ("ssm-role", "lint"),
        ("ssm-scp", "replay"),
        ("ssm-events", "report"),
    ] {
        let of_verb = offline(bin(tool))
            .args([verb, "--generate", "policy"])
            .run();
        of_verb.assert_status(0);
        assert_eq!(of_verb.stdout, policy(tool, &[&format!("--for={verb}")]));
        let policy: Value = serde_json::from_str(&of_verb.stdout).unwrap();
        assert_eq!(policy["Statement"], serde_json::json!([]));
    }
    let wrong = offline(bin("ssm-role"))
        .args(["--generate=policy", "--for", "sing"])
        .run();
    wrong.assert_status(2).assert_stderr(
        "ssm-role: --for 'sing': expected read, apply or another verb of the tool\n",
    );
}

#[test]
fn read_and_apply_are_the_verbs_that_they_say() {
    for tool in TOOLS.into_iter().filter(|tool| *tool != "ssm-run") {
        let rows = rows(tool);
        let actions = |scope: &str| -> BTreeSet<String> {
            let policy: Value = serde_json::from_str(&policy(tool, &[scope])).unwrap();
            let statements = policy["Statement"].as_array().unwrap();
            let actions = statements.iter().flat_map(|one| texts(&one["Action"]));
            actions.map(str::to_owned).collect()
        };
        let reads: Vec<&str> = verbs(&rows)
            .into_iter()
            .filter(|verb| !["apply", "probe"].contains(verb))
            .collect();
        let all_reads = reads
            .iter()
            .flat_map(|verb| actions(&format!("--for={verb}")));
        assert_eq!(actions("--for=read"), all_reads.collect(), "{tool}");
        // What may change something is in no policy of a verb that reads, unless a flag asks for it.
        const WORDS: [&str; 5] = ["Decrypt", "Describe", "Get", "List", "Lookup"];
        for action in actions("--for=read") {
            let name = action.split(':').next_back().unwrap();
            let reads = WORDS.iter().any(|word| name.starts_with(word));
            assert!(reads, "{tool} {action}");
        }
    }
}

const HEAD: &str = "# Permissions

The least that each tool needs of IAM. Each prints it as a policy document:

```console
$ ssm-role --generate policy                              # every verb
$ ssm-role --generate policy --for read                   # verbs that only read: for audits and CI
$ ssm-role --generate policy --for apply                  # apply, with what it reads
$ ssm-role check --generate policy                        # one verb, as --for check
$ ssm-role --generate example >example.json
$ ssm-role --generate policy --for apply -f example.json  # only what this desired state names
```

`-f` takes the desired state of the tool whose policy it is: a `prefs.json` goes to `ssm-prefs`, a `role.json` to `ssm-role`; `ssm-run`
has none. `--generate policy --help` lists the flags.

A policy document goes to `aws iam create-policy --policy-document`, or into a permission set. `--assume-role`, `--session-tag`,
`--accounts org` and `--region`, given as to the run itself, add what they need; with `--assume-role` the roles need the rest, and
the caller `sts:AssumeRole` alone. `--partition aws-cn` writes ARNs of another partition. `--generate permissions` prints
these tables as JSON. `--with FLAG` adds what a flag of the run needs beyond that, such as `history --engine athena`, which makes tables.

The tables are proved, not claimed. In the tests every run of every tool is held to the policy that it prints for its verb and flags: a
call that this does not allow is refused by the local AWS and fails the test. The last step of `make test` fails for
actions that no call of any test needed. What IAM decides elsewhere is not in here: key policies, bucket policies, service control policies.

A read that is refused never passes for an empty answer: the tool says which call was refused and prints what it could read; `check`
exits with 2.
";

/// Returns a tool's part of the document.
fn section(tool: &str) -> String {
    let rows = rows(tool);
    let common = |row: &Value| COMMON.contains(&row["when"].as_str().unwrap());
    let mut text = format!(
        "\n## {tool}\n\n| statement | actions | on | for | so that |\n|---|---|---|---|---|\n"
    );
    for row in rows.iter().filter(|row| !common(row)) {
        let list = |of: &Value| texts(of).join("`<br>`");
        let mut on = format!("`{}`", list(&row["resources"]));
        if let Some(condition) = row["condition"].as_object() {
            for (operator, keys) in condition {
                for (key, value) in keys.as_object().unwrap() {
                    write!(
                        on,
                        "<br>where {operator} `{key}` is `{}`",
                        value.as_str().unwrap()
                    )
                    .unwrap();
                }
            }
        }
        writeln!(
            text,
            "| {} | `{}` | {} | {} | {} |",
            row["sid"].as_str().unwrap(),
            list(&row["actions"]),
            on.replace('*', "\\*")
                .replace("`\\*`", "all")
                .replace("\\*", "*"),
            texts(&row["verbs"]).join(", "),
            why(row),
        )
        .unwrap();
    }
    text
}

/// Returns what a row is for, with the flag that makes it so.
fn why(row: &Value) -> String {
    let why = row["why"].as_str().unwrap();
    match row["when"].as_str().unwrap() {
        "always" => why.to_owned(),
        flags => {
            let flags: Vec<&str> = flags.split(" or ").collect();
            let words = flags.iter().map(|flag| {
                let word = flag.trim_start_matches('-').split(' ').next().unwrap();
                format!("`--with {word}`")
            });
            let words: Vec<String> = words.collect();
            let (flags, words) = (flags.join("` or `"), words.join(" or "));
            format!("{why}, with `{flags}`; {words} adds it")
        }
    }
}

#[test]
fn the_document_is_what_the_tools_say() {
    let mut text = HEAD.to_owned();
    text.push_str("\n## Accounts and regions\n\nThe same in every tool:\n\n| with | statement | actions | so that |\n|---|---|---|---|\n");
    for row in rows("ssm-role")
        .iter()
        .filter(|row| row["when"] != "always")
    {
        writeln!(
            text,
            "| `{}` | {} | `{}` | {} |",
            row["when"].as_str().unwrap(),
            row["sid"].as_str().unwrap(),
            texts(&row["actions"]).join("`<br>`"),
            row["why"].as_str().unwrap(),
        )
        .unwrap();
    }
    for tool in TOOLS {
        text.push_str(&section(tool));
    }
    expect_text(&repository().join("docs/permissions.md"), &text);
}

/// Run by the last step of `make test`, as it judges what all other tests noted.
#[test]
#[ignore = "judges what a whole run of the tests has noted: the last step of make test"]
fn the_tests_need_every_action() {
    let mut needed: BTreeSet<(String, String, String, String)> = BTreeSet::new();
    let notes = std::fs::read_dir(repository().join(NEEDED));
    let notes = notes.expect("the tests have noted what they needed: run `make test` before");
    for note in notes {
        let text = std::fs::read_to_string(note.unwrap().path()).unwrap();
        for line in text.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let word = |key: &str| line[key].as_str().unwrap().to_owned();
            needed.insert((word("tool"), word("verb"), word("sid"), word("action")));
        }
    }
    let mut needless: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for tool in TOOLS {
        for row in rows(tool) {
            // What a flag adds is the same in every tool, so that one that shows it will do.
            let is_common = COMMON.contains(&row["when"].as_str().unwrap());
            for verb in texts(&row["verbs"]) {
                for action in texts(&row["actions"]) {
                    let sid = row["sid"].as_str().unwrap();
                    let is_it = |one: &&(String, String, String, String)| {
                        one.2 == sid
                            && one.3 == action
                            && (is_common || (one.0 == tool && one.1 == verb))
                    };
                    if !needed.iter().any(|one| is_it(&one)) {
                        let needless = needless.entry(format!("{tool} {verb}")).or_default();
                        needless.push(format!("{sid} {action}"));
                    }
                }
            }
        }
    }
    assert!(
        needless.is_empty(),
        "no call of any test needed these actions of the policies: {needless:#?}"
    );
}
