//! Ctrl-C during `apply`: the call in flight is finished, what was done is printed, nothing more is begun.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Tells whether the user has asked to stop.
#[derive(Clone, Debug)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Starts to listen for SIGINT; from here on Ctrl-C no longer ends the process by itself.
    ///
    /// Must be called within a Tokio runtime.
    #[must_use]
    pub fn listen() -> Interrupt {
        let requested = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&requested);
        tokio::spawn(async move {
            if tokio::signal::ctrl_c().await.is_ok() {
                seen.store(true, Ordering::Relaxed);
            }
        });
        Interrupt(requested)
    }

    /// Returns whether Ctrl-C was pressed since [`Interrupt::listen`].
    #[must_use]
    pub fn requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}
