//! How far a long run is, on stderr: a bar on a terminal from the third second on, and how much it was at the end. Nothing in a pipe,
//! or with `-q`.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::bar::{ASKING, SHOWN, locked};
use crate::count;
use crate::text::plural;

/// What is done sooner needs no bar.
const DELAY: Duration = Duration::from_secs(2);

/// How often a bar says that the run goes on.
const TICK: Duration = Duration::from_millis(200);

/// A bar that counts nodes, accounts or the like.
#[derive(Debug)]
pub struct Progress {
    bar: ProgressBar,
    is_hidden: bool,
    /// Goes when the run ends, which somebody waits for.
    ended: Mutex<Option<mpsc::Sender<()>>>,
    tool: &'static str,
    /// What was last said to be done, which is over at the end.
    doing: Mutex<String>,
    /// Whether the end says nothing: what was being done may have failed.
    ends_silently: bool,
}

impl Progress {
    /// Returns a bar that is not shown yet; it never is when stderr is not a terminal or `-q` was given.
    #[must_use]
    pub fn new(tool: &'static str, quiet: bool) -> Progress {
        Progress {
            bar: ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()),
            is_hidden: quiet || !std::io::stderr().is_terminal(),
            ended: Mutex::default(),
            tool,
            doing: Mutex::default(),
            ends_silently: false,
        }
    }

    /// As this one, which says nothing of its end.
    pub(crate) fn ending_silently(mut self) -> Progress {
        self.ends_silently = true;
        self
    }

    /// Begins to count up to `n_steps`, each a `noun`. Zero is not known how many, and no noun is that nothing is counted.
    pub fn begin(&self, n_steps: usize, noun: &'static str) {
        let template = match n_steps {
            0 => "{spinner} {msg} {elapsed}".to_owned(),
            _ => format!(
                "{{bar:30}} {{pos}}/{{len}} {} {{msg}} {{elapsed}}",
                plural(noun)
            ),
        };
        // Nouns have no braces; without the template the bar would only look plainer.
        if let Ok(style) = ProgressStyle::with_template(&template) {
            self.bar.set_style(style);
        }
        self.bar
            .set_length(u64::try_from(n_steps).unwrap_or(u64::MAX));
        self.bar.set_prefix(noun);
        self.bar.reset();
        if self.is_hidden {
            return;
        }
        let bar = self.bar.clone();
        let (ended, end) = mpsc::channel();
        *locked(&self.ended) = Some(ended);
        std::thread::spawn(move || {
            if end.recv_timeout(DELAY) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            while ASKING.load(Ordering::Relaxed) {
                if end.recv_timeout(TICK) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
            let mut shown = locked(&SHOWN);
            // One bar at a time: the outer one counts what the inner one is about.
            if !bar.is_finished() && shown.is_none() {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(TICK);
                *shown = Some(bar);
            }
        });
    }

    /// Counts one more.
    pub fn step(&self) {
        self.bar.inc(1);
    }

    /// Counts up to so many more than was known at the beginning.
    pub fn more(&self, n_steps: usize) {
        let n_steps = u64::try_from(n_steps).unwrap_or(u64::MAX);
        self.bar.inc_length(n_steps);
    }

    /// Says what is being done.
    pub fn say(&self, what: &str) {
        what.clone_into(&mut locked(&self.doing));
        self.bar.set_message(what.to_owned());
    }

    /// Takes the bar away, so that what follows has the terminal to itself, and says how much it was.
    pub fn end(&self) {
        // A bar that is finished is at its end, wherever it was.
        let was = self.how_much();
        let was_shown = {
            let mut shown = locked(&SHOWN);
            // A bar that another one had the terminal of is hidden to its end.
            let was_shown = !self.bar.is_finished() && !self.bar.is_hidden();
            locked(&self.ended).take();
            self.bar.finish_and_clear();
            if was_shown {
                *shown = None;
            }
            was_shown
        };
        if was_shown
            && !self.ends_silently
            && let Some(was) = was
        {
            let seconds = self.bar.elapsed().as_secs();
            crate::print_error(self.tool, &format!("{was} in {seconds} s"));
        }
    }

    /// Returns how much it was until now, if that is known.
    fn how_much(&self) -> Option<String> {
        let n_steps = usize::try_from(self.bar.position()).unwrap_or(usize::MAX);
        let n_all = self.bar.length().unwrap_or_default();
        let n_all = usize::try_from(n_all).unwrap_or(usize::MAX);
        let noun = self.bar.prefix();
        let steps = match (n_steps, n_all) {
            _ if noun.is_empty() => None,
            (0, 0) => None,
            _ if n_steps < n_all => Some(format!("{n_steps} of {}", count(n_all, &noun))),
            _ => Some(count(n_steps, &noun)),
        };
        let message = self.bar.message();
        let is_total = !message.is_empty() && message != *locked(&self.doing);
        let parts: Vec<String> = steps
            .into_iter()
            .chain(is_total.then_some(message))
            .collect();
        (!parts.is_empty()).then(|| parts.join(", "))
    }
}

impl Drop for Progress {
    /// A run that ends early leaves no bar behind.
    fn drop(&mut self) {
        if !self.bar.is_finished() {
            self.end();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    fn of(n_steps: usize, noun: &'static str, n_done: usize) -> Progress {
        let progress = Progress::new("ssm-x", true);
        progress.begin(n_steps, noun);
        (0..n_done).for_each(|_| progress.step());
        progress
    }

    #[test]
    fn an_end_says_how_much_was_done_and_not_how_much_there_was_to_do() {
        for (progress, expected) in [
            (of(0, "region", 1), Some("1 region")),
            (of(5, "node", 5), Some("5 nodes")),
            // Interrupted.
            (of(5, "node", 2), Some("2 of 5 nodes")),
            (of(5, "node", 0), Some("0 of 5 nodes")),
            (of(0, "region", 0), None),
            (of(0, "", 0), None),
        ] {
            assert_eq!(progress.how_much().as_deref(), expected);
        }
    }

    #[test]
    fn what_becomes_known_later_is_counted_too() {
        let progress = of(2, "region", 2);
        progress.more(16);
        assert_eq!(progress.how_much().as_deref(), Some("2 of 18 regions"));
    }

    /// Numbers of a part are not a total.
    #[test]
    fn an_end_has_totals_and_not_what_was_being_done() {
        let progress = of(5, "node", 5);
        progress.say("2 of 5 nodes");
        assert_eq!(progress.how_much().as_deref(), Some("5 nodes"));
        progress.bar.set_message("7 records");
        assert_eq!(progress.how_much().as_deref(), Some("5 nodes, 7 records"));
    }
}
