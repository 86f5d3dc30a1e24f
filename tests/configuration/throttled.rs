//! An account that AWS throttles for a minute: one line says so, and the run goes on when it is over.

use std::time::{Duration, Instant};

use serde_json::json;
use testbed::{Account, Run, Sandbox, repository};

use super::readers;

/// 60 seconds of AWS's time are 3 here.
const DIVISOR: &str = "20";
const A_MINUTE: Duration = Duration::from_secs(3);

/// Throttles everything but the call that says who one is, and stops after a minute.
fn throttle_for_a_minute(account: &Account) {
    account.fault(json!({"kind": "throttle", "times": -1, "after": 1}));
    std::thread::sleep(A_MINUTE);
    account.clear_faults();
}

fn throttled(account: &Account, run: Run) -> testbed::Output {
    let start = Instant::now();
    let running = run.env("SSM_TIME_DIVISOR", DIVISOR).spawn();
    throttle_for_a_minute(account);
    let output = running.wait();
    assert!(start.elapsed() >= A_MINUTE);
    output
}

#[test]
fn a_read_waits_and_says_so_once() {
    for number in 0..2 {
        let account = Sandbox::start().account();
        account.aws(&["ssm", "create-document", "--name", "SSM-SessionManagerRunShell", "--document-type", "Session",
            "--content", r#"{"schemaVersion":"1.0","description":"d","sessionType":"Standard_Stream","inputs":{"idleSessionTimeout":"20"}}"#]);
        let calm = readers(&account).nth(number).unwrap().1.run();
        let (tool, run) = readers(&account).nth(number).unwrap();
        let output = throttled(&account, run);
        output.assert_status(0);
        assert_eq!(output.stdout, calm.stdout);
        assert!(
            output.stderr.starts_with(&format!("{tool}: AWS throttles")),
            "{}",
            output.stderr
        );
        let waits = output.stderr.matches("AWS throttles these calls (").count();
        assert_eq!(waits, 1, "{}", output.stderr);
        output.assert_complains("): waiting, up to 90 s for each");
    }
}

#[test]
fn a_write_waits_too_and_is_done() {
    let account = Sandbox::start().account();
    let exe = repository().join("target/debug/ssm-prefs");
    let plan = account
        .tool(&exe)
        .args(["plan"])
        .stdin(r#"{"idle_timeout_minutes": 30}"#)
        .run()
        .stdout;
    let run = account.tool(&exe).args(["apply"]).stdin(plan);
    let output = throttled(&account, run.env_remove("AWS_MAX_ATTEMPTS"));
    output.assert_status(0);
    assert_eq!(output.json()["results"][0]["status"], "done");
}

/// Many regions are slowed down together, by the SDK; what is left of the minute is waited for as with one.
#[test]
fn regions_wait_too_and_say_so_once() {
    let account = Sandbox::start().account();
    let (tool, run) = readers(&account).next().unwrap();
    let output = throttled(&account, run.args(["--region", "us-east-1,eu-west-1"]));
    output.assert_status(0);
    assert_eq!(output.records().len(), 2);
    let waits = output
        .stderr
        .matches(&format!("{tool}: AWS throttles"))
        .count();
    assert!(waits <= 1, "{}", output.stderr);
}

/// With `-q` nothing is said, and who has set the number of attempts gets that number.
#[test]
fn the_user_decides() {
    let account = Sandbox::start().account();
    account.fault(json!({"kind": "throttle", "times": -1, "after": 1}));
    let (_, run) = readers(&account).next().unwrap();
    let output = run
        .env("AWS_MAX_ATTEMPTS", "4")
        .env("SSM_TIME_DIVISOR", "100")
        .run();
    output.assert_status(2).assert_complains("Throttling");
    assert!(!output.stderr.contains("waiting"), "{}", output.stderr);
    assert_eq!(account.calls().len(), 1 + 4);
}

/// After a minute and a half it is an error, as without patience.
#[test]
fn throttling_that_does_not_end_is_an_error() {
    let account = Sandbox::start().account();
    account.fault(json!({"kind": "throttle", "times": -1, "after": 1}));
    let (_, run) = readers(&account).next().unwrap();
    let output = run.args(["-q"]).env("SSM_TIME_DIVISOR", "50").run();
    output.assert_status(2).assert_complains("Throttling");
    assert_eq!(output.stderr.lines().count(), 1, "{}", output.stderr);
    assert!(account.calls().len() > 6);
}

#[test]
fn the_profile_decides_too_in_many_regions() {
    let account = Sandbox::start().account();
    account.fault(json!({"kind": "throttle", "times": -1, "after": 1}));
    let (_, run) = readers(&account).next().unwrap();
    let file = super::config(
        &account,
        "[default]\nretry_mode = standard\nmax_attempts = 2\n",
    );
    let run = run.args(["--region", "us-east-1,eu-west-1"]);
    let output = run.env("AWS_CONFIG_FILE", file).run();
    output.assert_status(2).assert_stderr("");
    assert_eq!(account.calls().len(), 1 + 2 * 2);
}

#[test]
fn verbose_shows_each_call_with_its_attempt() {
    let account = Sandbox::start().account();
    account.fault(json!({"kind": "throttle", "times": 1, "after": 1}));
    let (tool, run) = readers(&account).next().unwrap();
    let output = run.args(["-v"]).run();
    let calls: Vec<&str> = output
        .stderr
        .lines()
        .filter_map(|line| line.strip_prefix(&format!("{tool}: ")))
        .filter(|line| line.ends_with(" ms"))
        .collect();
    let n_calls = account.calls().len();
    assert_eq!(calls.len(), n_calls, "{}", output.stderr);
    assert!(
        calls[0].starts_with("GetCallerIdentity us-east-1 127.0.0.1:"),
        "{}",
        calls[0]
    );
    assert!(calls[0].contains(": 200 in "), "{}", calls[0]);
    assert!(calls[1].contains(" 400 Throttling"), "{}", calls[1]);
    assert!(calls[2].contains("(attempt 2) "), "{}", calls[2]);
}

#[test]
fn verbose_distinguishes_regions() {
    let account = Sandbox::start().account();
    let (_, run) = readers(&account).next().unwrap();
    let run = run.args(["-v", "--region", "us-east-1,eu-west-1"]);
    let output = run.run();
    for region in ["us-east-1", "eu-west-1"] {
        let call = format!(" {region} 127.0.0.1:");
        assert!(output.stderr.contains(&call), "{}", output.stderr);
    }
}
