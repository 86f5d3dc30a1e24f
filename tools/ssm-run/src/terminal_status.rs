//! How an invocation ended, and the exit status that follows. Pure.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html>

use cli::Outcome;

/// Returns whether the status of an invocation, or of a command, is its last.
pub(crate) fn is_end(status: &str) -> bool {
    matches!(status, "Success" | "Failed" | "TimedOut" | "Cancelled")
}

/// What ListCommandInvocations returns of one end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TerminalStatus<'e> {
    pub(crate) status: &'e str,
    pub(crate) details: &'e str,
    /// -1 when the command did not end on the node.
    pub(crate) code: i32,
}

impl TerminalStatus<'_> {
    /// Pages and models disagree whether it is `Delivery Timed Out` or `DeliveryTimedOut`.
    fn is(self, details: &str) -> bool {
        let words = self.details.split(' ');
        words.collect::<String>().eq_ignore_ascii_case(details)
    }

    /// Returns whether the command never came to the node, or the agent refused to begin.
    fn is_undelivered(self) -> bool {
        let details = [
            "Undeliverable",
            "DeliveryTimedOut",
            "Terminated",
            "InvalidPlatform",
            "AccessDenied",
            "RateExceeded",
            "NoInstancesInTag",
        ];
        details.iter().any(|details| self.is(details))
    }

    /// Returns the code with which the command ended on the node.
    pub(crate) fn exit_code(self) -> Option<i32> {
        let has_ended = matches!(self.status, "Success" | "Failed") && !self.is_undelivered();
        (has_ended && self.code >= 0).then_some(self.code)
    }

    /// Returns the exit status that it leads to: 1 is for commands that ended, 2 for what never ran or was taken away.
    pub(crate) fn outcome(self) -> Outcome {
        match self.status {
            "Success" => Outcome::Fine,
            _ if self.is_undelivered() => Outcome::Trouble,
            // One that was cancelled before it began has no code.
            "Cancelled" if self.code < 0 => Outcome::Trouble,
            "Failed" | "TimedOut" | "Cancelled" => Outcome::Found,
            _ => Outcome::Trouble,
        }
    }

    /// Returns whether it counts against the limit of errors, as it does with SSM: what was not delivered does not.
    pub(crate) fn is_error(self) -> bool {
        matches!(self.status, "Failed" | "TimedOut") && !self.is_undelivered()
    }
}

#[cfg(test)]
mod tests {
    use super::TerminalStatus;
    use cli::Outcome;

    #[test]
    fn an_end_has_an_outcome_a_code_and_may_count() {
        for (status, details, code, outcome, exit_code, is_error) in [
            ("Success", "Success", 0, Outcome::Fine, Some(0), false),
            ("Failed", "Failed", 3, Outcome::Found, Some(3), true),
            ("Failed", "Undeliverable", -1, Outcome::Trouble, None, false),
            (
                "Failed",
                "InvalidPlatform",
                -1,
                Outcome::Trouble,
                None,
                false,
            ),
            (
                "TimedOut",
                "Execution Timed Out",
                137,
                Outcome::Found,
                None,
                true,
            ),
            (
                "TimedOut",
                "Delivery Timed Out",
                -1,
                Outcome::Trouble,
                None,
                false,
            ),
            (
                "TimedOut",
                "DeliveryTimedOut",
                -1,
                Outcome::Trouble,
                None,
                false,
            ),
            ("Cancelled", "Cancelled", -1, Outcome::Trouble, None, false),
            ("Cancelled", "Cancelled", 1, Outcome::Found, None, false),
            ("Cancelled", "Terminated", -1, Outcome::Trouble, None, false),
        ] {
            let end = TerminalStatus {
                status,
                details,
                code,
            };
            assert_eq!(end.outcome(), outcome, "{status} {details}");
            assert_eq!(end.exit_code(), exit_code, "{status} {details}");
            assert_eq!(end.is_error(), is_error, "{status} {details}");
        }
    }
}
