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

    /// Says what is to be done before that, once.
    pub fn suggest_before_next(&self, what: String) {
        let before = &mut self.held().shown.before_next;
        if !before.contains(&what) {
            before.push(what);
        }
    }

    /// Takes back what comes next: what was shown is too little for it.
    pub fn suggest_nothing(&self) {
        self.held().shown.next = None;
    }

    /// Names flags that the plan which is printed is to be applied with, beside those that were typed.
    pub fn suggest_for_apply(&self, flags: &[&str]) {
        let flags = flags.iter().map(|flag| format!(" {}", quoted(flag)));
        self.held().shown.of_apply = flags.collect();
    }

    /// Names what comes next, though what was shown is not a record: a table of the verb's own, or nothing where nothing was found.
    pub fn suggest_for_good(&self, next: Next) {
        self.suggest(next);
        self.held().shown.has_shown = true;
    }
}
