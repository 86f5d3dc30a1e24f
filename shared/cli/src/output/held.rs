//! What an output keeps until the end of a run.

use crate::report::Report;
use crate::text::{Changes, Findings, Table};

/// What is shown as text when all is there.
#[derive(Default)]
pub(super) struct Held {
    pub(super) table: Option<Table>,
    /// What was in tables that are printed, each with its noun.
    pub(super) counts: Vec<(usize, &'static str)>,
    /// Records that a list of another kind has no row for.
    pub(super) n_left_out: usize,
    pub(super) findings: Findings,
    pub(super) changes: Changes,
    /// Accounts and regions that could not be read.
    pub(super) n_unreachable: usize,
    /// Whether findings were looked for, though there may be none.
    pub(super) has_looked: bool,
    pub(super) next_verb: Option<&'static str>,
    /// For other programs, instead of all of the above.
    pub(super) report: Report,
    /// Whether a verb has printed its own report.
    pub(super) is_reported: bool,
    pub(super) summary: Option<String>,
}
