//! Which signals reach the binaries of a test, whatever reaches the test itself.

use std::ffi::OsStr;
use std::process::Command;

const ENV: &str = "/usr/bin/env";

/// Returns the command of a binary that signals reach: one that is ignored here, as it is in `make test &`, would be ignored
/// there, too.
pub(crate) fn reaching(exe: &OsStr) -> Command {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    // SIGHUP, SIGINT and SIGTERM.
    const STOPS: u64 = 1 | 1 << 1 | 1 << 14;
    if ignored.unwrap_or_default() & STOPS == 0 {
        return Command::new(exe);
    }
    let mut command = Command::new(ENV);
    command.arg("--default-signal=HUP,INT,TERM").arg(exe);
    command
}

/// Returns a command that does the same with a signal ignored from the start, as under `nohup`.
pub(crate) fn ignoring(command: &Command, signal: &str) -> Command {
    let mut ignoring = Command::new(ENV);
    let mut arguments = command.get_args();
    let is_reached = command.get_program() == ENV;
    if is_reached {
        // The later option counts.
        ignoring.args(arguments.next());
    }
    ignoring.arg(format!("--ignore-signal={signal}"));
    if !is_reached {
        ignoring.arg(command.get_program());
    }
    ignoring.args(arguments).env_clear();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            ignoring.env(name, value);
        }
    }
    if let Some(directory) = command.get_current_dir() {
        ignoring.current_dir(directory);
    }
    ignoring
}
