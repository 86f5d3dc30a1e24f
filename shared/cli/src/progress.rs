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
            0 => "{spinner} {msg} {elapsed}",
            _ => "{bar:30} {pos}/{len} {prefix}s {msg} {elapsed}",
        };
        // The template is a constant; without it the bar would only look plainer.
        if let Ok(style) = ProgressStyle::with_template(template) {
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

    /// Says what is being done.
    pub fn say(&self, what: &str) {
        self.bar.set_message(what.to_owned());
    }

    /// Takes the bar away, so that what follows has the terminal to itself, and says how much it was.
    pub fn end(&self) {
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
        if was_shown && !self.ends_silently {
            let n_steps = usize::try_from(self.bar.position()).unwrap_or(usize::MAX);
            let message = self.bar.message();
            let noun = self.bar.prefix();
            let steps = match noun.is_empty() {
                true => String::new(),
                false => count(n_steps, &noun),
            };
            let parts = [steps, message];
            let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            crate::print_error(
                self.tool,
                &format!("{} in {} s", parts.join(", "), self.bar.elapsed().as_secs()),
            );
        }
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
