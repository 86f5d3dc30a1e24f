//! Holds every run of a tool to the policy that the tool prints for it: what that does not allow is refused by the local AWS and fails
//! the test. What each action was needed for is noted, so that one that nothing needs is found.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{LazyLock, Mutex, PoisonError};

use serde_json::{Value, json};

use crate::{Sandbox, repository};

/// Where each test process notes what the policies were needed for, one JSON value a line.
pub const NEEDED: &str = "target/permissions";

/// What a tool is asked: the binary, and the arguments behind `--generate policy`.
type Question = (PathBuf, Vec<String>);

/// The policies that tools have printed, `None` where there is no such verb, and the names that the local AWS knows them by.
static POLICIES: LazyLock<Mutex<HashMap<Question, Option<Value>>>> = LazyLock::new(Mutex::default);
static NAMES: LazyLock<Mutex<HashMap<String, String>>> = LazyLock::new(Mutex::default);
static NOTED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);
static N_RUNS: AtomicU32 = AtomicU32::new(0);

/// A run that is held to a policy.
pub(crate) struct Held {
    sandbox: &'static Sandbox,
    tool: String,
    verb: String,
    name: String,
    run: u32,
    /// The action that was taken out of the policy on purpose.
    without: Option<String>,
}

/// Returns what holds a run of a tool; none for other programs, and where no verb is named.
pub(crate) fn hold(
    sandbox: &'static Sandbox,
    command: &Command,
    exe: &Path,
    (narrowed_by, without): (Option<&Path>, Option<&str>),
) -> Option<Held> {
    let tool = exe.file_name()?.to_str()?.to_owned();
    if !tool.starts_with("ssm-") {
        return None;
    }
    let words: Vec<&str> = command.get_args().filter_map(OsStr::to_str).collect();
    let of_tool = words.iter().position(|word| Path::new(word) == exe);
    let words = &words[of_tool.map_or(0, |at| at + 1)..];
    let words: Vec<&str> = words
        .iter()
        .copied()
        .take_while(|word| *word != "--")
        .collect();
    if words.iter().any(|word| word.starts_with("--generate")) {
        return None;
    }
    let variable = |name: &str| {
        let set = command.get_envs().find(|(key, _)| *key == name);
        set?.1?.to_str()
    };
    let mut flags = flags(&words, variable("AWS_REGION"));
    if let Some(desired) = narrowed_by {
        flags.push(format!("--file={}", desired.to_str()?));
    }
    // The first word that is a verb is it; ssm-run has none.
    let verbs = words.iter().copied().filter(|word| !word.starts_with('-'));
    let verbs = verbs
        .filter(|_| tool != "ssm-run")
        .chain((tool == "ssm-run").then_some("run"));
    let (verb, mut policy) = verbs.into_iter().find_map(|verb| {
        let flags = [&flags[..], &[format!("--for={verb}")]].concat();
        Some((verb.to_owned(), policy(exe, &flags)?))
    })?;
    if let Some(action) = without {
        take_out(&mut policy, action);
    }
    let name = register(sandbox, &format!("{tool} {verb}"), &policy);
    Some(Held {
        sandbox,
        tool,
        verb,
        name,
        run: N_RUNS.fetch_add(1, Ordering::Relaxed),
        without: without.map(str::to_owned),
    })
}

impl Held {
    /// Returns what the tool puts into the User-Agent of its calls.
    pub(crate) fn application_id(&self) -> String {
        format!("{}.{}", self.name, self.run)
    }

    /// Fails the test if the policy was not enough, and notes what it was needed for. Returns what was refused on purpose.
    #[track_caller]
    pub(crate) fn judge(&self) -> Vec<Value> {
        let (name, run) = (&self.name, self.run);
        let path = format!("/_sandbox/programs?name={name}&run={run}");
        let answer = self.sandbox.control("GET", &path, "");
        let lines: Vec<Value> = answer
            .lines()
            .map(|line| serde_json::from_str(line).expect("the local AWS prints JSON"))
            .collect();
        let (tool, verb) = (&self.tool, &self.verb);
        let refused = lines.iter().filter_map(|line| line.get("refused"));
        let is_meant = |one: &&Value| self.without.as_deref() == one["action"].as_str();
        let (meant, refused): (Vec<&Value>, Vec<&Value>) = refused.partition(is_meant);
        let refused: Vec<String> = refused.into_iter().map(Value::to_string).collect();
        assert!(
            refused.is_empty(),
            "`{tool} --generate policy --for {verb}` is not enough: {}",
            refused.join(", ")
        );
        if self.without.is_none() {
            let needed = lines.iter().filter_map(|line| line.get("needed"));
            needed.for_each(|one| note(tool, verb, one));
        }
        meant.into_iter().cloned().collect()
    }
}

/// Returns the flags of `--generate policy` that belong to those of a run.
fn flags(words: &[&str], region: Option<&str>) -> Vec<String> {
    let values = |flag: &str| {
        let after = words.windows(2).filter(|pair| pair[0] == flag);
        let after = after.map(|pair| pair[1]);
        let equals = words
            .iter()
            .filter_map(|word| word.strip_prefix(flag)?.strip_prefix('='));
        after.chain(equals).map(str::to_owned).collect::<Vec<_>>()
    };
    let mut flags = Vec::new();
    for flag in ["--assume-role", "--session-tag"] {
        flags.extend(values(flag).iter().map(|value| format!("{flag}={value}")));
    }
    if values("--accounts").iter().any(|from| from == "org") {
        flags.push("--accounts=org".to_owned());
    }
    for flag in [
        "routes",
        "send-test",
        "slack-token",
        "topic",
        "transcripts",
        "url",
    ] {
        let typed = |word: &&str| {
            let typed = word.strip_prefix("--");
            typed.is_some_and(|typed| typed.split('=').next() == Some(flag))
        };
        if words.iter().any(typed) {
            flags.push(format!("--with={flag}"));
        }
    }
    if values("--engine").iter().any(|engine| engine == "athena") {
        flags.push("--with=engine".to_owned());
    }
    let regions = values("--region");
    if regions.iter().any(|region| region == "all") {
        flags.push("--region=all".to_owned());
    }
    let region = regions
        .first()
        .map(String::as_str)
        .or(region)
        .unwrap_or_default();
    let partition = match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        region if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    };
    flags.push(format!("--partition={partition}"));
    flags
}

/// Returns the policy that a tool prints; none when it refuses, as for a word that is not a verb.
fn policy(exe: &Path, flags: &[String]) -> Option<Value> {
    let question = (exe.to_owned(), flags.to_vec());
    let mut policies = POLICIES.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = policies.entry(question).or_insert_with(|| {
        let printed = Command::new(exe)
            .args(["--generate", "policy"])
            .args(flags)
            .env_clear()
            .output()
            .expect("run --generate policy");
        let printed = printed.status.success().then_some(printed.stdout)?;
        Some(serde_json::from_slice(&printed).expect("a policy is JSON"))
    });
    answer.clone()
}

/// Takes an action out of all statements.
fn take_out(policy: &mut Value, action: &str) {
    let mut is_there = false;
    for statement in policy["Statement"].as_array_mut().into_iter().flatten() {
        if let Some(actions) = statement["Action"].as_array_mut() {
            let n_before = actions.len();
            actions.retain(|one| one != action);
            is_there |= actions.len() < n_before;
        }
    }
    assert!(is_there, "{action} is not in the policy: {policy}");
}

/// Returns the name of a policy, which the local AWS gets with the first use. Verbs with the same policy need other things of it.
fn register(sandbox: &Sandbox, verb: &str, policy: &Value) -> String {
    let mut names = NAMES.lock().unwrap_or_else(PoisonError::into_inner);
    let number = names.len();
    let name = names.entry(format!("{verb} {policy}")).or_insert_with(|| {
        let name = format!("policy-{number}");
        let body = json!({"name": name, "policy": policy});
        sandbox.control("POST", "/_sandbox/programs", &body.to_string());
        name
    });
    name.clone()
}

/// Notes once a process that a verb needed an action of a statement.
fn note(tool: &str, verb: &str, needed: &Value) {
    let line =
        json!({"tool": tool, "verb": verb, "sid": needed["sid"], "action": needed["action"]});
    let line = format!("{line}\n");
    let mut noted = NOTED.lock().unwrap_or_else(PoisonError::into_inner);
    if !noted.insert(line.clone()) {
        return;
    }
    let directory = repository().join(NEEDED);
    std::fs::create_dir_all(&directory).expect("make a directory below target");
    let path = directory.join(format!("{}.jsonl", std::process::id()));
    let file = OpenOptions::new().create(true).append(true).open(path);
    file.and_then(|mut file| file.write_all(line.as_bytes()))
        .expect("note what a policy was needed for");
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{flags, take_out};

    #[test]
    fn flags_of_a_run_ask_for_its_policy() {
        let of = |line: &str| {
            let words: Vec<&str> = line.split(' ').collect();
            flags(&words, Some("us-east-1")).join(" ")
        };
        assert_eq!(of("show --accounts -"), "--partition=aws");
        assert_eq!(
            of("show --accounts org --assume-role a --assume-role=b --region all"),
            "--assume-role=a --assume-role=b --accounts=org --region=all --partition=aws"
        );
        assert_eq!(of("show --region cn-north-1"), "--partition=aws-cn");
        assert_eq!(
            of("history --engine athena --url=x"),
            "--with=url --with=engine --partition=aws"
        );
        assert_eq!(of("history --engine direct"), "--partition=aws");
    }

    #[test]
    #[should_panic(expected = "ssm:B is not in the policy")]
    fn only_what_is_there_is_taken_out() {
        let mut policy =
            json!({"Statement": [{"Action": ["ssm:A"]}, {"Action": ["ssm:C", "ssm:A"]}]});
        take_out(&mut policy, "ssm:A");
        assert_eq!(
            policy,
            json!({"Statement": [{"Action": []}, {"Action": ["ssm:C"]}]})
        );
        take_out(&mut policy, "ssm:B");
    }
}
