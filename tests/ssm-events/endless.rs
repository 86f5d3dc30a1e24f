//! `send` behind an input that never ends: what goes wrong elsewhere ends it all the same.

use std::io::Write;

use testbed::{Home, Output, Slack, offline};

use crate::EXE;
use crate::sending::events;

/// Runs `send` by a script of the shell, with some events on a stdin that stays open until it has ended. Whatever has not ended after
/// 30 seconds is killed, by which the status is another.
fn behind_an_open_pipe(script: &str) -> Output {
    let (slack, home) = (Slack::start(), Home::create());
    let pipe = home.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // For reading, too: to open it does not wait for a reader, who may never come.
    let mut options = std::fs::OpenOptions::new();
    let mut input = options.read(true).write(true).open(&pipe).unwrap();
    let run = offline("/usr/bin/timeout").args(["--signal=KILL", "30", "/bin/sh", "-c", script]);
    let run = run.args([EXE, "send", "--webhook", "env:WEBHOOK"]);
    let run = run.args(["--interval", "0", "--spool"]);
    let run = run.args([home.path().join("spool")]).env("PIPE", &pipe);
    let running = run.env("WEBHOOK", slack.url()).spawn();
    let events = events(60);
    assert!(
        events.len() < 60 * 1024,
        "a pipe has room for all of it, whether or not it is read"
    );
    input.write_all(events.as_bytes()).unwrap();
    let ended = running.wait();
    drop(input);
    ended
}

#[test]
fn a_spool_that_is_full_ends_it_while_the_input_goes_on() {
    let script = "trap '' XFSZ; ulimit -f 8; exec \"$0\" \"$@\" < \"$PIPE\"";
    behind_an_open_pipe(script)
        .assert_status(2)
        .assert_complains("write the ");
}

#[test]
fn a_stdout_that_fails_ends_it_while_the_input_goes_on() {
    behind_an_open_pipe("exec \"$0\" \"$@\" < \"$PIPE\" > /dev/full")
        .assert_status(2)
        .assert_complains("what was sent is in `deliveries.jsonl` of the spool");
}

#[test]
fn a_reader_that_is_gone_ends_it_while_the_input_goes_on() {
    // A pipeline has the status of its last command.
    let script = "{ \"$0\" \"$@\" < \"$PIPE\"; echo \"ended with $?\" >&2; } | :";
    behind_an_open_pipe(script)
        .assert_status(0)
        .assert_complains("what was sent is in `deliveries.jsonl`")
        .assert_complains("ended with 2\n");
}

#[test]
fn a_shell_that_opens_nothing_ends_the_test() {
    behind_an_open_pipe("exit 7").assert_status(7);
}
