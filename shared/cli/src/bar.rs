//! The bar that is on the terminal now: whatever else is printed there goes past it.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget};

/// The bar, while there is one.
pub(crate) static SHOWN: Mutex<Option<ProgressBar>> = Mutex::new(None);

/// Says beside the bar what is being done, if there is one.
pub(crate) fn say(what: impl FnOnce() -> String) {
    if let Some(bar) = &*locked(&SHOWN) {
        bar.set_message(what());
    }
}

/// Prints without a bar in the way.
pub(crate) fn aside<T>(print: impl FnOnce() -> T) -> T {
    let shown = locked(&SHOWN).clone();
    match shown {
        Some(bar) => bar.suspend(print),
        None => print(),
    }
}

/// Whether somebody is asked something now.
pub(crate) static ASKING: AtomicBool = AtomicBool::new(false);

/// Asks somebody something: no bar is drawn over the question, nor begun before there is an answer. Whoever else prints meanwhile does
/// not wait for it, as what says that the run was stopped.
pub fn asking<T>(ask: impl FnOnce() -> T) -> T {
    let shown = {
        let shown = locked(&SHOWN);
        ASKING.store(true, Ordering::Relaxed);
        shown.clone()
    };
    if let Some(bar) = &shown {
        bar.set_draw_target(ProgressDrawTarget::hidden());
        // What is drawn stays otherwise, with the question behind it.
        let _ = std::io::stderr().write_all(b"\r\x1b[2K");
    }
    let answer = ask();
    ASKING.store(false, Ordering::Relaxed);
    if let Some(bar) = &shown {
        bar.set_draw_target(ProgressDrawTarget::stderr());
    }
    answer
}

/// Returns what a mutex holds.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves what is held as it was.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
