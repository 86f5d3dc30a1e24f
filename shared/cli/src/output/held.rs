//! What an output keeps until the end of a run.

use crate::report::Report;
use crate::summary::Shown;
use crate::text::Table;

/// What is shown as text when all is there.
#[derive(Default)]
pub(super) struct Held {
    pub(super) table: Option<Table>,
    /// Records that a list of another kind has no row for.
    pub(super) n_left_out: usize,
    pub(super) shown: Shown,
    /// For other programs, instead of all of the above.
    pub(super) report: Report,
    /// Whether a verb has printed its own report.
    pub(super) is_reported: bool,
    pub(super) summary: Option<String>,
    /// Records for a filter that reads on.
    pub(super) inputs: Vec<String>,
}
