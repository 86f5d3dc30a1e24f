//! How far a long run is, on stderr: a bar on a terminal, nothing in a pipe or with `-q`.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar that counts nodes, accounts or the like.
#[derive(Debug)]
pub struct Progress(ProgressBar);

impl Progress {
    /// Returns a bar that is not shown yet; it never is when stderr is no terminal or `-q` was given.
    #[must_use]
    pub fn new(quiet: bool) -> Progress {
        let target = if quiet || !std::io::stderr().is_terminal() {
            ProgressDrawTarget::hidden()
        } else {
            ProgressDrawTarget::stderr()
        };
        let bar = ProgressBar::with_draw_target(None, target);
        // The template is a constant; without it the bar would only look plainer.
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg} {elapsed}") {
            bar.set_style(style);
        }
        Progress(bar)
    }

    /// Begins to count up to `n_steps`.
    pub fn begin(&self, n_steps: usize) {
        self.0
            .set_length(u64::try_from(n_steps).unwrap_or(u64::MAX));
        self.0.reset();
    }

    /// Counts one more.
    pub fn step(&self) {
        self.0.inc(1);
    }

    /// Says what is being done.
    pub fn say(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    /// Takes the bar away, so that what follows has the terminal to itself.
    pub fn end(&self) {
        self.0.finish_and_clear();
    }
}
