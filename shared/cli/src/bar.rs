//! The bar that is on the terminal now: whatever else is printed there goes past it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;

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

/// Asks somebody something: no bar is drawn over the question, nor begun before there is an answer. What asks may not print by other
/// means of this crate, which wait for it.
pub fn asking<T>(ask: impl FnOnce() -> T) -> T {
    match &*locked(&SHOWN) {
        Some(bar) => bar.suspend(ask),
        None => ask(),
    }
}

/// Returns what a mutex holds.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves what is held as it was.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
