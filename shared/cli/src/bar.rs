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

/// Returns what a mutex holds.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic elsewhere leaves what is held as it was.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
