//! What a plugin printed, as ListCommandInvocations returns it: stdout and stderr in one short text. Pure.
//!
//! The agent joins and cuts them: iohandler.go, `TruncateOutput`, of <https://github.com/aws/amazon-ssm-agent>.

/// What the agent writes between stdout and stderr when there is any stderr.
const ERROR_TITLE: &str = "\n----------ERROR-------\n";
/// The agent cuts the joined text to 2,400 bytes, SSM to 2,500 characters. A text that is a little shorter may have lost
/// part of a character at its cut.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandPlugin.html> (Output)
const WHOLE: usize = 2_390;
/// What GetCommandInvocation returns of stdout and stderr at most; the agent cuts there, too, in bytes.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetCommandInvocation.html>
const MAX_STDOUT: usize = 24_000;
const MAX_STDERR: usize = 8_000;

/// Stdout and stderr.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PluginOutput {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl PluginOutput {
    /// Returns whether stdout may go on beyond what GetCommandInvocation has returned.
    pub(crate) fn may_lack_stdout(&self) -> bool {
        self.stdout.len() >= MAX_STDOUT
    }

    /// Returns whether stderr may go on beyond what GetCommandInvocation has returned.
    pub(crate) fn may_lack_stderr(&self) -> bool {
        self.stderr.len() >= MAX_STDERR
    }
}

/// Returns both parts of the joined text when they are surely whole and surely apart; else GetCommandInvocation has to
/// be asked. `has_failed` says that the plugin ended with another code than 0: then the agent itself has added to stderr.
pub(crate) fn split(joined: &str, has_failed: bool) -> Option<PluginOutput> {
    if joined.len() >= WHOLE {
        return None;
    }
    let mut parts = joined.split(ERROR_TITLE);
    let stdout = parts.next().unwrap_or_default();
    match (parts.next(), parts.next()) {
        (None, _) => Some(PluginOutput {
            stdout: stdout.to_owned(),
            stderr: String::new(),
        }),
        // A program may print such a line itself. One that failed has stderr, so that the only line is the agent's.
        (Some(stderr), None) if has_failed => Some(PluginOutput {
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        }),
        _ => None,
    }
}

/// Returns what is left to show when nothing more than the joined text could be read: its parts as they seem.
pub(crate) fn guess(joined: &str) -> PluginOutput {
    let (stdout, stderr) = joined.split_once(ERROR_TITLE).unwrap_or((joined, ""));
    PluginOutput {
        stdout: stdout.to_owned(),
        stderr: stderr.to_owned(),
    }
}

/// Returns whether a joined text seems to have something before an error part.
pub(crate) fn has_stdout(joined: &str) -> bool {
    !joined.is_empty() && !joined.starts_with(ERROR_TITLE)
}

/// Returns whether a joined text seems to have an error part.
pub(crate) fn has_stderr(joined: &str) -> bool {
    joined.contains(ERROR_TITLE)
}

#[cfg(test)]
mod tests {
    use super::{ERROR_TITLE, PluginOutput, split};

    fn parts(stdout: &str, stderr: &str) -> Option<PluginOutput> {
        Some(PluginOutput {
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        })
    }

    #[test]
    fn splits_what_is_whole_and_clear() {
        assert_eq!(split("a\nb\n", false), parts("a\nb\n", ""));
        assert_eq!(split("", true), parts("", ""));
        let joined = format!("out{ERROR_TITLE}err\nfailed to run commands: exit status 3");
        assert_eq!(
            split(&joined, true),
            parts("out", "err\nfailed to run commands: exit status 3")
        );
    }

    #[test]
    fn what_is_long_or_not_clear_has_to_be_asked_for() {
        assert_eq!(split(&"x".repeat(2_399), false), None);
        assert_eq!(split(&format!("a{ERROR_TITLE}b"), false), None);
        let twice = format!("a{ERROR_TITLE}b{ERROR_TITLE}c");
        assert_eq!(split(&twice, true), None);
    }
}
