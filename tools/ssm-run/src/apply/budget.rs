//! How many nodes of a wave may fail, and on how many the command may run at once. Pure.

use std::cell::Cell;

use crate::reason;
use crate::run_spec::RunSpec;
use records::Reason;

/// What the parts of a wave share.
pub(super) struct Budget {
    /// How many nodes may fail; none for any number.
    max_errors: Option<usize>,
    n_failed: Cell<usize>,
    slots: Option<Slots>,
}

/// How many nodes may run the command at once, and how many more may now.
struct Slots {
    n_all: usize,
    n_free: Cell<usize>,
}

impl Budget {
    /// Returns what the order allows a wave of so many nodes.
    pub(super) fn of(order: &RunSpec, n_nodes: usize) -> Budget {
        Budget {
            max_errors: order.max_errors.map(|share| share.of(n_nodes)),
            n_failed: Cell::new(0),
            slots: order.node_concurrency.map(|share| {
                let n_all = share.of(n_nodes).max(1);
                let n_free = Cell::new(n_all);
                Slots { n_all, n_free }
            }),
        }
    }

    pub(super) fn failed(&self) {
        self.n_failed.set(self.n_failed.get() + 1);
    }

    /// Returns how many nodes may still fail; `None` for any number.
    pub(super) fn left(&self) -> Option<usize> {
        let max = self.max_errors?;
        Some(max.saturating_sub(self.n_failed.get()))
    }

    /// Returns why nothing more is sent.
    pub(super) fn stopped(&self) -> Option<Reason> {
        let (max, n_failed) = (self.max_errors?, self.n_failed.get());
        (n_failed > max).then(|| reason::limit(n_failed, max))
    }

    /// Takes as many slots as are free, up to `n_wanted`; none while that would be less than half: a command keeps to the
    /// end what it was sent with.
    pub(super) fn take(&self, n_wanted: usize) -> usize {
        let Some(Slots { n_all, n_free }) = &self.slots else {
            return n_wanted;
        };
        let n_wanted = n_wanted.min(*n_all);
        let n_taken = n_wanted.min(n_free.get());
        if n_taken * 2 < n_wanted {
            return 0;
        }
        n_free.set(n_free.get() - n_taken);
        n_taken
    }

    pub(super) fn give_back(&self, n_slots: usize) {
        if let Some(Slots { n_free, .. }) = &self.slots {
            n_free.set(n_free.get() + n_slots);
        }
    }
}
