//! One wave: accounts and regions side by side, errors and concurrency counted over all of them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use super::budget::Budget;
use super::follow::follow;
use super::run::{ATTENTION, Run};
use super::send::{Sent, send};
use crate::batch::{Batch, Node, batches};
use crate::in_flight::{Flight, InFlightCommand};
use crate::observe::place::Place;
use crate::reason;
use records::Reason;

/// What a wave is about.
#[derive(Default)]
pub(super) struct Work {
    pub(super) nodes: Vec<Node>,
    /// What SSM chooses the nodes of, by place.
    pub(super) choices: Vec<(usize, Batch)>,
    /// Commands that were sent before, by place.
    pub(super) flown: Vec<(usize, InFlightCommand)>,
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

impl Run<'_> {
    /// Runs on the nodes of one wave; returns why the next must not begin.
    pub(super) async fn wave(
        &self,
        places: &[Place],
        work: Work,
    ) -> anyhow::Result<Option<Reason>> {
        let n_nodes = work.n_nodes();
        let budget = Budget::of(self.order, n_nodes);
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
                self.in_place(&budget, place, batches, flight).await
            })
            .buffer_unordered(self.max_concurrency)
            .try_collect::<()>()
            .await?;
        Ok(match self.interrupt.requested() {
            true => Some(reason::interrupted()),
            false => budget.stopped(),
        })
    }

    /// Sends and follows at the same time, so that a node is reported as soon as it is done.
    async fn in_place(
        &self,
        budget: &Budget,
        place: &Place,
        batches: Vec<Batch>,
        flight: Flight,
    ) -> anyhow::Result<()> {
        let flight = RefCell::new(flight);
        let is_sending = Cell::new(true);
        let sending = async {
            self.send_all(budget, place, batches, &flight).await?;
            is_sending.set(false);
            Ok(())
        };
        let following = follow(self, budget, place, &flight, &is_sending);
        tokio::try_join!(sending, following).map(|_| ())
    }

    async fn send_all(
        &self,
        budget: &Budget,
        place: &Place,
        batches: Vec<Batch>,
        flight: &RefCell<Flight>,
    ) -> anyhow::Result<()> {
        let mut queue = std::collections::VecDeque::from(batches);
        while let Some(batch) = queue.pop_front() {
            let n_slots = loop {
                let stopped = match self.interrupt.requested() {
                    true => Some(reason::interrupted()),
                    false => budget.stopped(),
                };
                if let Some(reason) = stopped {
                    let left = std::iter::once(batch).chain(queue);
                    for batch in left {
                        self.report_not_sent(place, &batch, &reason)?;
                    }
                    return Ok(());
                }
                match budget.take(batch.nodes.len()) {
                    0 if batch.choice.is_none() => self.nap(ATTENTION).await,
                    n_slots => break n_slots,
                }
            };
            match send(self, place, budget, &batch, n_slots).await? {
                Sent::Taken(mut flown) => {
                    flown.n_slots = n_slots;
                    flight.borrow_mut().push(flown);
                }
                Sent::Without(rest) => {
                    budget.give_back(n_slots);
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
