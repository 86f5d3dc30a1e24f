//! How what EventBridge has of Systems Manager itself ended.

/// The ends that are not a success, without spaces and in lower case: the API writes `TimedOut`, windows `TIMED_OUT`, details
/// `Delivery Timed Out`. Those of commands, automations, windows, associations, access requests and items of OpsCenter.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/reference-eventbridge-events.html>
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html>
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-statuses.html>
const FAILURES: [&str; 19] = [
    "accessdenied",
    "cancelled",
    "changecalendaroverriderejected",
    "completedwithfailure",
    "deliverytimedout",
    "executiontimedout",
    "exited",
    "expired",
    "failed",
    "incomplete",
    "invalidplatform",
    "noinstancesintag",
    "rateexceeded",
    "rejected",
    "revoked",
    "skippedoverlapping",
    "terminated",
    "timedout",
    "undeliverable",
];

/// Returns whether a status is that of something which ended without success.
pub(super) fn is_failure(status: &str) -> bool {
    FAILURES.contains(&plain(status).as_str())
}

fn plain(status: &str) -> String {
    let letters = status.chars().filter(char::is_ascii_alphabetic);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use super::is_failure;

    #[test]
    fn a_failure_is_one_however_it_is_written() {
        for status in [
            "TimedOut",
            "TIMED_OUT",
            "Timed Out",
            "Delivery Timed Out",
            "ExecutionTimedOut",
            "CompletedWithFailure",
            "Undeliverable",
        ] {
            assert!(is_failure(status), "{status}");
        }
        assert!(!is_failure("") && !is_failure("Success"));
    }
}
