//! One wave: accounts and regions side by side, errors and concurrency counted over all of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::follow::follow;
use super::send::{Sent, send};
use super::{ATTENTION, Place, Run};
use crate::batch::{Batch, Node, batches};
use crate::flight::{Flight, Flown};
use crate::model::Reason;
use crate::reason;

/// What a wave is about.
#[derive(Default)]
pub(super) struct Work {
    pub(super) nodes: Vec<Node>,
    /// What SSM chooses the nodes of, by place.
    pub(super) choices: Vec<(usize, Batch)>,
    /// Commands that were sent before, by place.
    pub(super) flown: Vec<(usize, Flown)>,
}

impl Work {
    fn n_nodes(&self) -> usize {
        let n_flown: usize = self
            .flown
            .iter()
            .map(|(_, flown)| flown.waiting.len())
            .sum();
        self.nodes.len() + n_flown
    }
}

/// What the parts of a wave share.
pub(super) struct Wave {
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

impl Wave {
    pub(super) fn failed(&self) {
        self.n_failed.set(self.n_failed.get() + 1);
    }

    /// Returns how many nodes may still fail; `None` for any number.
    pub(super) fn left(&self) -> Option<usize> {
        let max = self.max_errors?;
        Some(max.saturating_sub(self.n_failed.get()))
    }

    /// Returns why nothing more is sent.
    fn stopped(&self) -> Option<Reason> {
        let (max, n_failed) = (self.max_errors?, self.n_failed.get());
        (n_failed > max).then(|| reason::limit(n_failed, max))
    }

    /// Takes as many slots as are free, up to `n_wanted`; none while that would be less than half: a command keeps to the
    /// end what it was sent with.
    fn take(&self, n_wanted: usize) -> usize {
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

impl Run<'_> {
    /// Runs on the nodes of one wave; returns why the next must not begin.
    pub(super) async fn wave(
        &self,
        places: &[Place],
        work: Work,
    ) -> anyhow::Result<Option<Reason>> {
        let n_nodes = work.n_nodes();
        let wave = Wave {
            max_errors: self.order.max_errors.map(|share| share.of(n_nodes)),
            n_failed: Cell::new(0),
            slots: self.order.node_concurrency.map(|share| {
                let n_all = share.of(n_nodes).max(1);
                let n_free = Cell::new(n_all);
                Slots { n_all, n_free }
            }),
        };
        let mut of_places = batches(work.nodes);
        for (place, batch) in work.choices {
            of_places.entry(place).or_default().push(batch);
        }
        let mut flights: BTreeMap<usize, Flight> = BTreeMap::new();
        for (place, flown) in work.flown {
            of_places.entry(place).or_default();
            flights.entry(place).or_default().push(flown);
        }
        let of_places = of_places.into_iter().filter_map(|(number, batches)| {
            let flight = flights.remove(&number).unwrap_or_default();
            Some((places.get(number)?, batches, flight))
        });
        stream::iter(of_places)
            .map(async |(place, batches, flight)| {
                self.in_place(&wave, place, batches, flight).await
            })
            .buffer_unordered(self.max_concurrency)
            .try_collect::<()>()
            .await?;
        Ok(match self.interrupt.requested() {
            true => Some(reason::interrupted()),
            false => wave.stopped(),
        })
    }

    /// Sends and follows at the same time, so that a node is told as soon as it is done.
    async fn in_place(
        &self,
        wave: &Wave,
        place: &Place,
        batches: Vec<Batch>,
        flight: Flight,
    ) -> anyhow::Result<()> {
        let flight = RefCell::new(flight);
        let is_sending = Cell::new(true);
        let sending = async {
            self.send_all(wave, place, batches, &flight).await?;
            is_sending.set(false);
            Ok(())
        };
        let following = follow(self, wave, place, &flight, &is_sending);
        tokio::try_join!(sending, following).map(|_| ())
    }

    async fn send_all(
        &self,
        wave: &Wave,
        place: &Place,
        batches: Vec<Batch>,
        flight: &RefCell<Flight>,
    ) -> anyhow::Result<()> {
        let mut queue = std::collections::VecDeque::from(batches);
        while let Some(batch) = queue.pop_front() {
            let n_slots = loop {
                let stopped = match self.interrupt.requested() {
                    true => Some(reason::interrupted()),
                    false => wave.stopped(),
                };
                if let Some(reason) = stopped {
                    let left = std::iter::once(batch).chain(queue);
                    for batch in left {
                        self.tell_not_sent(place, &batch, &reason)?;
                    }
                    return Ok(());
                }
                match wave.take(batch.nodes.len()) {
                    0 if batch.choice.is_none() => self.nap(ATTENTION).await,
                    n_slots => break n_slots,
                }
            };
            match send(self, place, wave, &batch, n_slots).await? {
                Sent::Taken(mut flown) => {
                    flown.n_slots = n_slots;
                    flight.borrow_mut().push(flown);
                }
                Sent::Without(rest) => {
                    wave.give_back(n_slots);
                    // Last first: `rest` keeps its order at the head of the queue.
                    for batch in rest.into_iter().rev() {
                        queue.push_front(batch);
                    }
                }
            }
        }
        Ok(())
    }
}
