//! `send` behind an input that never ends: what goes wrong elsewhere ends it all the same.

use std::io::Write;
use std::time::{Duration, Instant};

use testbed::{Home, Output, Slack, offline};

use crate::EXE;
use crate::sending::events;

/// Runs `send` by a script of the shell, with some events on a stdin that stays open until it has ended.
fn behind_an_open_pipe(script: &str) -> Output {
    let (slack, home) = (Slack::start(), Home::create());
    let pipe = home.path().join("pipe");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let run = offline("/bin/sh").args(["-c", script, EXE, "send"]);
    let run = run.args(["--webhook", "env:WEBHOOK", "--interval", "0", "--spool"]);
    let run = run.args([home.path().join("spool")]).env("PIPE", &pipe);
    let running = run.env("WEBHOOK", slack.url()).spawn();
    let mut input = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let started = Instant::now();
    // It may be gone before it has read all of it.
    let _ = input.write_all(events(60).as_bytes());
    let ended = running.wait();
    let took = started.elapsed();
    assert!(took < Duration::from_secs(30), "{took:?}: {}", ended.stderr);
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
    let script = "\"$0\" \"$@\" < \"$PIPE\" | :";
    behind_an_open_pipe(script).assert_complains("what was sent is in `deliveries.jsonl`");
}
