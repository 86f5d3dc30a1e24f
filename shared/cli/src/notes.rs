//! Notes of what cannot be given an [`Output`](crate::Output): connections inside the SDK.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::IoArgs;

/// The output of the process, as far as notes need it, for what cannot be given one: connections inside the SDK.
static NOTES: OnceLock<(&str, bool)> = OnceLock::new();

/// Prints a note for people on stderr, as the note of the first output of the process does.
pub fn warn(message: &str) {
    if let Some((tool, false)) = NOTES.get() {
        crate::print_error(tool, message);
    }
}

/// Whether every call is reported.
static VERBOSE: AtomicBool = AtomicBool::new(false);

/// Prints a line on stderr that only `-v` asks for: one a call. No `tracing`, for which the SDK has dozens of events a call, with headers
/// and bodies in them.
pub fn trace(line: impl FnOnce() -> String) {
    if VERBOSE.load(Ordering::Relaxed)
        && let Some((tool, _)) = NOTES.get()
    {
        crate::print_error(tool, &line());
    }
}

/// Takes the flags of the process; those of its first output count.
pub(crate) fn begin(tool: &'static str, io: &IoArgs) {
    NOTES.get_or_init(|| (tool, io.quiet));
    VERBOSE.fetch_or(io.verbose, Ordering::Relaxed);
}
