//! What a verb wants the end of its run to say.

use super::Output;
use crate::summary::Next;
use crate::typed::quoted;

impl Output {
    /// Keeps a line for people about the whole run, for its end.
    pub fn sum_up(&self, summary: String) {
        self.held().summary = Some(summary);
    }

    /// Names what comes next, for who has read what this one shows.
    pub fn suggest(&self, next: Next) {
        self.held().shown.next = Some(next);
    }

    /// Names flags that the plan which is printed is to be applied with, beside those that were typed.
    pub fn suggest_for_apply(&self, flags: &[&str]) {
        let flags = flags.iter().map(|flag| format!(" {}", quoted(flag)));
        self.held().shown.of_apply = flags.collect();
    }

    /// Names what comes next, though what was shown is no record: a table of the verb's own, or nothing where nothing was found.
    pub fn suggest_for_good(&self, next: Next) {
        self.suggest(next);
        self.held().shown.has_shown = true;
    }
}
