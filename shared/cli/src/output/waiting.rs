//! What is shown on a terminal while a run lasts.

use super::Output;
use crate::{Progress, bar, source};

impl Output {
    /// Returns the progress of a run, hidden with `-q`.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress::new(self.tool, self.quiet)
    }

    /// Shows on a terminal that something takes its time, until what is returned goes away.
    #[must_use]
    pub fn working(&self, what: &str) -> Progress {
        let progress = self.progress().ending_silently();
        progress.begin(0, "");
        progress.say(what);
        progress
    }

    /// As [`Output::working`] while the input is read, if that is a file: what is behind a pipe may have a bar of its own on the same
    /// terminal.
    #[must_use]
    pub fn reading(&self, what: &str) -> Option<Progress> {
        source::is_file(self.file.as_deref()).then(|| self.working(&format!("reading {what}")))
    }

    /// Says on the bar, if there is one, what is being done.
    pub fn say(&self, what: impl FnOnce() -> String) {
        bar::say(what);
    }
}
