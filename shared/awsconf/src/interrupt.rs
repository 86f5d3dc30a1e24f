//! Ctrl-C, SIGTERM and SIGHUP in verbs that write: the call in flight is finished, what was done is printed, nothing more
//! is begun. A second signal gives up the call in flight, whose outcome is unknown then.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use toolio::Signal;

/// Reports whether the user, or whoever runs the process, has asked to stop.
#[derive(Clone, Debug)]
pub struct Interrupt(watch::Receiver<Asked>);

/// The signals that have come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Asked {
    first: Option<Signal>,
    again: bool,
}

impl Interrupt {
    /// Starts to listen for SIGINT, SIGTERM and SIGHUP; from here on none of them ends the process by itself. A signal
    /// that was ignored when the process started stays ignored, as `nohup` and shells' background jobs expect.
    ///
    /// Must be called within a Tokio runtime.
    #[must_use]
    pub fn listen() -> Interrupt {
        let (sender, receiver) = watch::channel(Asked::default());
        let ignored = ignored_signals();
        for one in Signal::ALL {
            if ignored & (1 << (one.number() - 1)) != 0 {
                continue;
            }
            // Refused only for signals that cannot be caught, which these three are not.
            let Ok(mut signals) = signal(SignalKind::from_raw(one.number())) else {
                continue;
            };
            let sender = sender.clone();
            tokio::spawn(async move {
                while signals.recv().await.is_some() {
                    sender.send_modify(|asked| match asked.first {
                        None => asked.first = Some(one),
                        Some(_) => asked.again = true,
                    });
                }
            });
        }
        Interrupt(receiver)
    }

    /// Returns whether a signal has come since [`Interrupt::listen`].
    #[must_use]
    pub fn requested(&self) -> bool {
        self.signal().is_some()
    }

    /// Returns the first signal that has come since [`Interrupt::listen`].
    #[must_use]
    pub fn signal(&self) -> Option<Signal> {
        self.0.borrow().first
    }

    /// Waits until a signal has come; for ever if none does.
    pub async fn wait(&self) {
        self.until(|asked| asked.first.is_some()).await;
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
        let mut receiver = self.0.clone();
        if receiver.wait_for(is_so).await.is_err() {
            // No listener is left, so no signal can come any more.
            std::future::pending::<()>().await;
        }
    }
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
