//! Exit status and the one line that goes to stderr when something fails. Owns nothing else.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use records::{Finding, Severity};

use crate::screen::Screen;

/// What a run came to, when it did not end in an error.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing to report: exit status 0.
    #[default]
    Fine,
    /// `check`, `lint` and the like found something: exit status 1.
    Found,
    /// Some of the work failed and its records say so: exit status 2.
    Trouble,
    /// Stopped by a signal after the call in flight: exit status 130, 143 or 129, as shells report signals.
    Interrupted(Signal),
}

/// A signal that asks a process to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Ctrl-C.
    Interrupt,
    /// What CI systems, timeout(1), systemd and containers send.
    Terminate,
    /// The terminal or the connection has gone.
    Hangup,
}

impl Signal {
    /// All of them.
    pub const ALL: [Signal; 3] = [Signal::Interrupt, Signal::Terminate, Signal::Hangup];

    /// Returns its number, the same on all systems.
    /// <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/kill.html>
    #[must_use]
    pub fn number(self) -> i32 {
        match self {
            Signal::Hangup => 1,
            Signal::Interrupt => 2,
            Signal::Terminate => 15,
        }
    }

    /// Returns the exit status of what was stopped by it.
    #[must_use]
    pub fn status(self) -> u8 {
        match self {
            Signal::Hangup => 129,
            Signal::Interrupt => 130,
            Signal::Terminate => 143,
        }
    }
}

impl Outcome {
    /// Returns the outcome of findings: notes alone are fine, and what could not be read is trouble.
    #[must_use]
    pub fn of(findings: &[Finding]) -> Outcome {
        if findings.iter().any(|one| one.is_unread) {
            return Outcome::Trouble;
        }
        match findings.iter().any(|one| one.severity != Severity::Info) {
            true => Outcome::Found,
            false => Outcome::Fine,
        }
    }

    /// Returns the graver of two outcomes, so that a loop over regions can add them up.
    #[must_use]
    pub fn and(self, other: Outcome) -> Outcome {
        let rank = |outcome| match outcome {
            Outcome::Fine => 0,
            Outcome::Found => 1,
            Outcome::Trouble => 2,
            Outcome::Interrupted(_) => 3,
        };
        if rank(other) > rank(self) {
            other
        } else {
            self
        }
    }
}

/// Returns the exit status of a run; an error is printed as one line, its causes joined by `: `.
///
/// A closed pipe is not an error: `ssm-x show | head -1` is a normal thing to do.
pub fn finish(tool: &str, result: anyhow::Result<Outcome>) -> ExitCode {
    match result {
        Ok(Outcome::Fine) => ExitCode::SUCCESS,
        Ok(Outcome::Found) => ExitCode::from(1),
        Ok(Outcome::Trouble) => ExitCode::from(2),
        Ok(Outcome::Interrupted(signal)) => ExitCode::from(signal.status()),
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            print_error(tool, &format!("{error:#}"));
            ExitCode::from(2)
        }
    }
}

/// Prints what clap says: the help that was asked for, or what is wrong.
pub(crate) fn printed(tool: &str, error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        // A closed stderr leaves nobody to report to.
        let _ = error.print();
        return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
    }
    let printed = error.print().context("write to stdout");
    finish(tool, printed.map(|()| Outcome::Fine))
}

/// Blanks in front of what a terminal has no room for in the first line of a message.
const INDENT: usize = 4;

/// Writes one line for people to stderr, starting with the tool's name; line breaks inside become spaces, and what AWS or a file
/// says shows what it holds. Only a terminal has it wrapped.
pub fn print_error(tool: &str, message: &str) {
    let text =
        Screen::of_stderr().wrap_around_commands(&format!("{tool}: "), INDENT, &one_line(message));
    // A closed stderr leaves nobody to report to.
    let _ = crate::bar::aside(|| writeln!(std::io::stderr(), "{text}"));
}

fn one_line(message: &str) -> String {
    let one_line = message
        .split_ascii_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    crate::visible(&one_line).into_owned()
}

/// How to get at the result of an `apply` that could not be printed.
pub const TO_RECOVER: &str =
    "what was done is not lost: `apply --recover` with the same plans prints it, with its undo";

/// Returns the error of a verb that has changed something and cannot print what: never a quiet one, not even when it is only
/// that the reader has gone. `advice` says how to get at what was to be printed.
#[must_use]
pub fn lost(error: &anyhow::Error, advice: &str) -> anyhow::Error {
    // In words, so that no closed pipe is left in it to be taken for the usual one.
    anyhow::anyhow!("the output cannot be written: {error:#}; {advice}")
}

/// Returns whether an error is that the reader of stdout has gone.
#[must_use]
pub fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<std::io::Error>()
            .is_some_and(|error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::Outcome::{Fine, Found, Interrupted, Trouble};
    use super::{Signal, one_line};

    #[test]
    fn messages_are_one_line_without_escapes() {
        let message =
            "GetRole x: NoSuchEntity:\n no role \u{1b}[2J\u{9b}1m\u{7}\u{202e}\u{2028}\tnamed";
        let expected =
            "GetRole x: NoSuchEntity: no role \\u{1b}[2J\\u{9b}1m\\u{7}\\u{202e}\\u{2028} named";
        assert_eq!(one_line(message), expected);
    }

    #[test]
    fn the_graver_outcome_wins() {
        assert_eq!(Fine.and(Found), Found);
        assert_eq!(Trouble.and(Found), Trouble);
        let interrupted = Interrupted(Signal::Terminate);
        assert_eq!(Trouble.and(interrupted), interrupted);
    }
}
