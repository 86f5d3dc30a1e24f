//! CloudTrail's records: found, read, stripped of secrets, filtered, and turned into messages, lines and reports. Knows
//! nothing of alerts and of the verbs.

pub(crate) mod console;
pub(crate) mod digest;
pub(crate) mod events;
pub(crate) mod needles;
pub(crate) mod reason;
pub(crate) mod record;
pub(crate) mod redact;
pub(crate) mod source;

pub(crate) mod history;
pub(crate) mod integrity;
pub(crate) mod observe;

pub(crate) mod format;
pub(crate) mod gaps;
pub(crate) mod report;
pub(crate) mod sessions;

#[cfg(test)]
mod filter_tests;
