//! Ctrl-C, SIGTERM and SIGHUP in verbs that write: the call in flight is finished, what was done is printed, nothing more
//! is begun. A second signal gives up the call in flight, whose outcome is unknown then.

use std::future::Future;
use std::sync::{Arc, OnceLock};

use cli::Signal;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Reports whether the user, or whoever runs the process, has asked to stop.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<watch::Sender<Asked>>);

/// Who listens in this process.
static LISTENING: OnceLock<Interrupt> = OnceLock::new();

/// The signals that have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Asked {
    first: Option<Signal>,
    again: bool,
    /// The run itself has found a reason to stop.
    stopped: bool,
}

impl Interrupt {
    /// Starts to listen for SIGINT, SIGTERM and SIGHUP; from here on none of them ends the process by itself. A signal
    /// that was ignored when the process started stays ignored, as `nohup` and shells' background jobs expect.
    ///
    /// Must be called within a Tokio runtime.
    #[must_use]
    pub fn listen() -> Interrupt {
        let sender = Arc::new(watch::channel(Asked::default()).0);
        let ignored = ignored_signals();
        for one in Signal::ALL {
            if ignored & (1 << (one.number() - 1)) != 0 {
                continue;
            }
            // Refused only for signals that cannot be caught, which these three are not.
            let Ok(mut signals) = signal(SignalKind::from_raw(one.number())) else {
                continue;
            };
            let sender = Arc::clone(&sender);
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    note(&sender, one);
                }
            });
        }
        let interrupt = Interrupt(sender);
        // A second listener hears the same signals.
        let _ = LISTENING.set(interrupt.clone());
        interrupt
    }

    /// Runs what waits for a person until it is done, or until nothing more is to be begun: then `None`. Where nothing
    /// listens, a signal ends the process.
    pub(crate) async fn unless_asked_to_stop<T>(waiting: impl Future<Output = T>) -> Option<T> {
        let Some(interrupt) = LISTENING.get() else {
            return Some(waiting.await);
        };
        tokio::select! {
            done = waiting => Some(done),
            () = interrupt.wait() => None,
        }
    }

    /// Returns an interrupt that comes when the function is called, for tests of what is done then.
    pub fn by_hand() -> (impl Fn(Signal), Interrupt) {
        let sender = Arc::new(watch::channel(Asked::default()).0);
        let interrupt = Interrupt(Arc::clone(&sender));
        (move |one| note(&sender, one), interrupt)
    }

    /// Stops the run as a signal would, for a reason of its own.
    pub fn stop(&self) {
        self.0.send_modify(|asked| asked.stopped = true);
    }

    /// Returns whether nothing more is to be begun: a signal has come, or the run was stopped.
    #[must_use]
    pub fn requested(&self) -> bool {
        let asked = *self.0.borrow();
        asked.first.is_some() || asked.stopped
    }

    /// Returns the first signal that has come since [`Interrupt::listen`].
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        self.0.borrow().first
    }

    /// Waits until nothing more is to be begun; for ever if that never is so.
    pub async fn wait(&self) {
        self.until(|asked| asked.first.is_some() || asked.stopped)
            .await;
    }

    /// Waits until nothing more is to be begun, but no longer than `duration`; returns whether it is so.
    pub async fn within(&self, duration: std::time::Duration) -> bool {
        tokio::time::timeout(duration, self.wait()).await.is_ok()
    }

    /// Runs a call to its end, or to the second signal: then `None`, and whether AWS carried it out is unknown.
    pub async fn unless_given_up<T>(&self, call: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            answer = call => Some(answer),
            () = self.until(|asked| asked.again) => None,
        }
    }

    async fn until(&self, is_so: impl FnMut(&Asked) -> bool) {
        let mut receiver = self.0.subscribe();
        if receiver.wait_for(is_so).await.is_err() {
            // No listener is left, so no signal can come any more.
            std::future::pending::<()>().await;
        }
    }
}

fn note(sender: &watch::Sender<Asked>, one: Signal) {
    sender.send_modify(|asked| match asked.first {
        None => asked.first = Some(one),
        Some(_) => asked.again = true,
    });
}

/// Returns the signals that the process ignores, a bit each, the lowest for signal 1. Asking the C library would take
/// `unsafe`; where there is no procfs nothing counts as ignored.
/// <https://man7.org/linux/man-pages/man5/proc_pid_status.5.html> (`SigIgn`)
fn ignored_signals() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .unwrap_or_default()
}
