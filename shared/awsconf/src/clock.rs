//! Waiting: every pause and deadline of the tools that has to do with AWS goes through here, so that one divisor makes
//! tests quick.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use records::Timestamp;
use tokio::time::Instant;

/// Divides every wait in debug builds; the local AWS of the tests divides its delays by the same.
const DIVISOR: &str = "SSM_TIME_DIVISOR";

/// Returns the time of day. What decides gets it handed in.
#[must_use]
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_seconds(i64::try_from(since_1970.as_secs()).unwrap_or(i64::MAX))
}

/// Returns how long to wait for `duration` of AWS's time: itself, but in debug builds under `SSM_TIME_DIVISOR`.
#[must_use]
pub fn scaled(duration: Duration) -> Duration {
    duration / divisor()
}

fn divisor() -> u32 {
    static DIVIDE_BY: OnceLock<u32> = OnceLock::new();
    if !cfg!(debug_assertions) {
        return 1;
    }
    let read = || std::env::var(DIVISOR).ok()?.parse().ok();
    *DIVIDE_BY.get_or_init(|| read().filter(|divisor| *divisor > 0).unwrap_or(1))
}

/// Waits for `duration` of AWS's time.
pub async fn sleep(duration: Duration) {
    tokio::time::sleep(scaled(duration)).await;
}

/// A moment after which nothing is waited for any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// Returns the moment that is `duration` of AWS's time away.
    #[must_use]
    pub fn after(duration: Duration) -> Deadline {
        Deadline(Instant::now() + scaled(duration))
    }

    /// Returns whether the moment has come.
    #[must_use]
    pub fn has_passed(self) -> bool {
        Instant::now() >= self.0
    }

    /// Waits until the moment has come.
    pub async fn wait(self) {
        tokio::time::sleep_until(self.0).await;
    }
}

/// How much of AWS's time has passed since a moment.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts to count.
    #[must_use]
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Returns what has passed.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed() * divisor()
    }
}
