//! The commands of one account and region that have not ended: which of them to look at, and when. Pure; time is handed in.
//!
//! ListCommands returns of up to 50 commands how many of their nodes are done. Only those that have moved are read node by
//! node, the first time at once and then at growing intervals, so that a command of 50 nodes that end one after another
//! costs a few pages and not fifty.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The pause between two looks at all commands: a tenth of what the youngest has taken so far, within these.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// The interval after the first page of a command that goes on; it doubles up to `LONGEST_PAUSE`.
const FIRST_INTERVAL: Duration = Duration::from_secs(1);
/// How often a command that has ended is read when some of its nodes have not: the lists of SSM lag behind each other.
const MAX_LOOKS_AFTER_END: u32 = 8;
/// How long after its own expiry a command may still look as if it went on.
const GRACE: Duration = Duration::from_secs(600);

/// A command that was sent.
#[derive(Debug)]
pub(crate) struct InFlightCommand {
    pub(crate) command_id: String,
    pub(crate) document: String,
    /// Its nodes that are not reported yet.
    pub(crate) waiting: BTreeMap<String, Waiting>,
    /// Whether SSM chooses its nodes, so that there may be others than those waiting.
    pub(crate) is_open: bool,
    /// The nodes that SSM chose and that are reported.
    reported: BTreeSet<String>,
    pub(crate) is_canceled: bool,
    /// How many nodes may run it at once, of those that the run allows.
    pub(crate) n_slots: usize,
    /// When SSM took it, in seconds after 1970 by its own clock.
    pub(crate) requested: Option<i64>,
    sent: Duration,
    deadline: Option<Duration>,
    n_completed: i32,
    is_over: bool,
    n_looks_after_end: u32,
    due: Duration,
    interval: Duration,
}

/// A node whose end is awaited.
#[derive(Clone, Debug, Default)]
pub(crate) struct Waiting {
    pub(crate) name: Option<String>,
    /// As it was last seen.
    pub(crate) status: Option<String>,
}

/// What waits in a command that names its nodes.
pub(crate) fn waiting(
    nodes: impl IntoIterator<Item = (String, Option<String>)>,
) -> BTreeMap<String, Waiting> {
    let nodes = nodes.into_iter();
    nodes
        .map(|(id, name)| (id, Waiting { name, status: None }))
        .collect()
}

/// What ListCommands returns of a command.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) command_id: String,
    pub(crate) n_completed: i32,
    pub(crate) is_over: bool,
}

impl InFlightCommand {
    /// Returns a command sent at `sent`; `lasts` is how long SSM itself gives it.
    pub(crate) fn new(
        command_id: String,
        document: String,
        waiting: BTreeMap<String, Waiting>,
        is_open: bool,
        sent: Duration,
        lasts: Option<Duration>,
    ) -> InFlightCommand {
        InFlightCommand {
            command_id,
            document,
            waiting,
            is_open,
            reported: BTreeSet::new(),
            is_canceled: false,
            n_slots: 0,
            requested: None,
            sent,
            deadline: lasts.map(|lasts| sent + lasts + GRACE),
            n_completed: 0,
            is_over: false,
            n_looks_after_end: 0,
            due: Duration::ZERO,
            interval: FIRST_INTERVAL,
        }
    }

    fn is_done(&self) -> bool {
        self.waiting.is_empty() && (!self.is_open || self.is_over)
    }

    /// Returns whether SSM chose no node at all.
    pub(crate) fn has_nobody(&self) -> bool {
        self.is_open && self.reported.is_empty() && self.waiting.is_empty()
    }

    /// Returns whether nothing more can be learnt of those that wait.
    fn is_lost(&self, now: Duration) -> bool {
        let is_late = self.deadline.is_some_and(|deadline| now > deadline);
        self.n_looks_after_end >= MAX_LOOKS_AFTER_END || is_late
    }
}

/// The commands that have not ended.
#[derive(Debug, Default)]
pub(crate) struct Flight(Vec<InFlightCommand>);

impl Flight {
    pub(crate) fn push(&mut self, flown: InFlightCommand) {
        self.0.push(flown);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn commands(&self) -> &[InFlightCommand] {
        &self.0
    }

    pub(crate) fn commands_mut(&mut self) -> &mut [InFlightCommand] {
        &mut self.0
    }

    /// Returns how long to wait before the next look.
    pub(crate) fn pause(&self, now: Duration) -> Duration {
        let youngest = self.0.iter().map(|flown| flown.sent).max();
        let age = now.saturating_sub(youngest.unwrap_or_default());
        (age / 10).clamp(SHORTEST_PAUSE, LONGEST_PAUSE)
    }

    /// Returns the IDs of the commands to read now: those that have moved or ended, and are due. One that was not listed
    /// is not known to ListCommands yet.
    pub(crate) fn hear(&mut self, now: Duration, heard: &[Heard]) -> Vec<String> {
        let mut moved = Vec::new();
        for flown in &mut self.0 {
            let Some(heard) = heard.iter().find(|one| one.command_id == flown.command_id) else {
                continue;
            };
            flown.is_over = heard.is_over;
            let has_moved = heard.n_completed > flown.n_completed;
            if heard.is_over || (has_moved && now >= flown.due) {
                flown.n_completed = heard.n_completed;
                moved.push(flown.command_id.clone());
            }
        }
        moved
    }

    /// Returns the IDs of all commands that are due: for when a list of them says nothing that reading would not.
    pub(crate) fn due(&self, now: Duration) -> Vec<String> {
        let due = self.0.iter().filter(|flown| now >= flown.due);
        due.map(|flown| flown.command_id.clone()).collect()
    }

    /// Takes note that a command was read, after its ended nodes were taken out of it. One that flies alone is read at every
    /// look: it costs what a list would.
    pub(crate) fn looked(&mut self, now: Duration, command_id: &str) {
        let is_alone = self.0.len() == 1;
        let Some(flown) = self.0.iter_mut().find(|one| one.command_id == command_id) else {
            return;
        };
        if flown.is_over {
            flown.n_looks_after_end += 1;
        }
        if !is_alone || flown.is_open {
            flown.due = now + flown.interval;
            flown.interval = (flown.interval * 2).min(LONGEST_PAUSE);
        }
    }

    /// Takes a node out of those that wait; returns it if it was there, or could be. A node is handed out once.
    pub(crate) fn take(&mut self, command_id: &str, instance_id: &str) -> Option<Waiting> {
        let flown = self.0.iter_mut().find(|one| one.command_id == command_id)?;
        let waiting = flown.waiting.remove(instance_id)?;
        if flown.is_open {
            flown.reported.insert(instance_id.to_owned());
        }
        Some(waiting)
    }

    /// Takes note of how a node stands, and adds it if SSM chose it and it is new.
    pub(crate) fn meet(&mut self, command_id: &str, instance_id: &str, status: &str) {
        let flown = self.0.iter_mut().find(|one| one.command_id == command_id);
        if let Some(flown) = flown {
            let waiting = match flown.is_open && !flown.reported.contains(instance_id) {
                true => Some(flown.waiting.entry(instance_id.to_owned()).or_default()),
                false => flown.waiting.get_mut(instance_id),
            };
            if let Some(waiting) = waiting {
                waiting.status = Some(status.to_owned());
            }
        }
    }

    /// Returns how many nodes more may run now, because those of commands that go on have ended.
    pub(crate) fn unused_slots(&mut self) -> usize {
        let mut n_unused = 0;
        for flown in &mut self.0 {
            let n_used = flown.n_slots.min(flown.waiting.len());
            n_unused += flown.n_slots - n_used;
            flown.n_slots = n_used;
        }
        n_unused
    }

    /// Removes the commands of which nothing more is to come and returns them, those with nodes still waiting included.
    pub(crate) fn land(&mut self, now: Duration) -> Vec<InFlightCommand> {
        let (landed, flying) = std::mem::take(&mut self.0)
            .into_iter()
            .partition(|flown| flown.is_done() || flown.is_lost(now));
        self.0 = flying;
        landed
    }

    /// Removes all commands and returns them.
    pub(crate) fn leave(&mut self) -> Vec<InFlightCommand> {
        std::mem::take(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::{Flight, Heard, InFlightCommand, MAX_LOOKS_AFTER_END, Waiting};

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// A command that is looked at among others.
    fn flight(n_nodes: usize) -> Flight {
        let ids = (0..n_nodes).map(|number| (format!("i-{number}"), Waiting::default()));
        let waiting = ids.collect::<BTreeMap<_, _>>();
        let mut flight = Flight::default();
        let lasts = Some(seconds(3600));
        let others = BTreeMap::from([("i-9".to_owned(), Waiting::default())]);
        for (id, waiting) in [("c", waiting), ("other", others)] {
            let (id, document) = (id.to_owned(), "d".to_owned());
            flight.push(InFlightCommand::new(
                id,
                document,
                waiting,
                false,
                seconds(0),
                lasts,
            ));
        }
        flight
    }

    fn heard(n_completed: i32, is_over: bool) -> Vec<Heard> {
        vec![Heard {
            command_id: "c".to_owned(),
            n_completed,
            is_over,
        }]
    }

    #[test]
    fn the_first_node_that_ends_is_read_at_once_and_the_next_after_a_while() {
        let mut flight = flight(3);
        assert!(flight.hear(seconds(1), &[]).is_empty());
        assert!(flight.hear(seconds(1), &heard(0, false)).is_empty());
        assert_eq!(flight.hear(seconds(2), &heard(1, false)), ["c"]);
        assert!(flight.take("c", "i-0").is_some() && flight.take("c", "i-0").is_none());
        flight.looked(seconds(2), "c");
        assert!(flight.hear(seconds(2), &heard(2, false)).is_empty());
        assert_eq!(flight.hear(seconds(4), &heard(2, false)), ["c"]);
        flight.looked(seconds(4), "c");
        assert!(flight.hear(seconds(5), &heard(2, false)).is_empty());
        // The end is never waited for.
        assert_eq!(flight.hear(seconds(5), &heard(3, true)), ["c"]);
    }

    #[test]
    fn one_that_flies_alone_is_read_at_every_look() {
        let mut flight = flight(2);
        flight.take("other", "i-9");
        flight.land(seconds(1));
        flight.looked(seconds(1), "c");
        assert_eq!(flight.due(seconds(1)), ["c"]);
    }

    #[test]
    fn nodes_that_have_ended_make_room_for_others() {
        let mut flight = flight(3);
        flight.commands_mut()[0].n_slots = 2;
        assert_eq!(flight.unused_slots(), 0);
        flight.take("c", "i-0");
        flight.take("c", "i-1");
        assert_eq!((flight.unused_slots(), flight.unused_slots()), (1, 0));
    }

    #[test]
    fn a_command_lands_when_all_its_nodes_are_reported() {
        let mut flight = flight(2);
        assert!(flight.land(seconds(1)).is_empty());
        flight.take("c", "i-0");
        flight.take("c", "i-1");
        assert_eq!(flight.land(seconds(1)).len(), 1);
        assert_eq!(flight.commands().len(), 1);
    }

    #[test]
    fn a_node_that_ssm_chose_is_handed_out_once() {
        let mut flight = flight(0);
        flight.commands_mut()[0].is_open = true;
        for _ in 0..2 {
            flight.meet("c", "i-7", "Success");
            flight.take("c", "i-7");
        }
        flight.meet("c", "i-7", "Success");
        assert!(flight.take("c", "i-7").is_none());
        // One that names its nodes has no others.
        flight.meet("other", "i-7", "Success");
        assert!(flight.take("other", "i-7").is_none());
    }

    #[test]
    fn a_node_that_never_ends_is_given_up_with_its_command() {
        let mut flight = flight(1);
        for second in 0..MAX_LOOKS_AFTER_END.into() {
            assert!(flight.land(seconds(second)).is_empty());
            flight.hear(seconds(second), &heard(1, true));
            flight.looked(seconds(second), "c");
        }
        let landed = flight.land(seconds(60));
        assert_eq!(landed[0].waiting.len(), 1);
        let mut flight = self::flight(1);
        assert!(flight.land(seconds(4200)).is_empty());
        assert_eq!(flight.land(seconds(4201)).len(), 2);
    }

    #[test]
    fn pauses_grow_with_the_age_of_the_youngest_command() {
        let flight = flight(1);
        assert_eq!(flight.pause(seconds(1)), Duration::from_millis(500));
        assert_eq!(flight.pause(seconds(60)), seconds(6));
        assert_eq!(flight.pause(seconds(6000)), seconds(10));
    }
}
