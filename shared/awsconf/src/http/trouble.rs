//! What is wrong with an answer: none, or one without an end.

use std::fmt;
use std::time::Duration;

/// No answer that anything can be made of.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// No complete answer in time.
    NoAnswer { host: String, limit: Duration },
    /// An answer that is longer than any of AWS.
    Endless { host: String, limit: usize },
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::NoAnswer { host, limit } => {
                write!(
                    formatter,
                    "no complete answer from {host} within {} s",
                    limit.as_secs()
                )
            }
            Trouble::Endless { host, limit } => write!(
                formatter,
                "{host} sends an answer of more than {} MiB, which AWS does not",
                limit / (1024 * 1024)
            ),
        }
    }
}

impl std::error::Error for Trouble {}
