//! The time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use records::Timestamp;

/// The only clock; what decides gets it handed in.
pub(super) fn now() -> Timestamp {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_seconds(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
}
