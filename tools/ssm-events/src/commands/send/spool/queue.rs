//! The queue: messages stay on the disk until each is sent, and memory has only where they are. What has been delivered is
//! taken out of the file when there is enough of it, however long other destinations are down.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::addresses::Recipient;
use super::files::{Place, append, begin_anew, each_line, put_in_place};
use super::line::{Content, Queued};

/// As much that was delivered may stay in the file, beside half of what waits: writing it anew costs as much as what waits is long.
const LEFT: u64 = 1024 * 1024;

/// A message that waits.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) event_id: String,
    pub(crate) content: Content,
    place: Place,
}

/// What waits for a recipient. Messages come in at the back and leave at the front, so that each keeps the number with which it came, and
/// one that is fed again is found without a search through all.
#[derive(Debug, Default)]
struct Row {
    waiting: VecDeque<Waiting>,
    /// The number of the one at the front.
    first: usize,
    /// By event.
    numbers: HashMap<String, usize>,
}

/// The open file, and what in it waits.
#[derive(Debug)]
pub(super) struct Queue {
    file: File,
    path: PathBuf,
    waiting: BTreeMap<Recipient, Row>,
    n_bytes: u64,
    /// Of them those of messages that wait.
    n_waiting: u64,
}

impl Queue {
    /// Returns a queue in which nothing waits yet, whatever is in the file.
    pub(super) fn new(file: File, path: &Path) -> anyhow::Result<Queue> {
        Ok(Queue {
            n_bytes: file.metadata()?.len(),
            file,
            path: path.to_owned(),
            waiting: BTreeMap::new(),
            n_waiting: 0,
        })
    }

    /// Hands over every line of the file.
    pub(super) fn each(
        &mut self,
        mut each: impl FnMut(&mut Queue, Queued, Place) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut file = self.file.try_clone()?;
        each_line(&mut file, |queued, place| each(self, queued, place))?;
        self.n_bytes = self.file.metadata()?.len();
        Ok(())
    }

    /// Writes a message to the end of the file.
    pub(super) fn append(&mut self, queued: &Queued) -> anyhow::Result<Place> {
        let place = append(&mut self.file, queued)?;
        self.n_bytes = place.offset + place.length;
        Ok(place)
    }

    /// Puts what is in the file behind what waits for a recipient.
    pub(super) fn wait(&mut self, recipient: Recipient, queued: &Queued, place: Place) {
        self.n_waiting += place.length;
        let row = self.waiting.entry(recipient).or_default();
        row.push(Waiting::of(queued, place));
    }

    /// Returns whether a message about the same event waits and says something else.
    pub(super) fn has_other(&self, recipient: &Recipient, queued: &Queued) -> bool {
        let row = self.waiting.get(recipient);
        let waiting = row.and_then(|row| row.waiting.get(row.index_of(&queued.event_id)?));
        waiting.is_some_and(|one| one.content != Content::of(queued))
    }

    /// Puts what is in the file in the place of the message about the same event.
    pub(super) fn renew(&mut self, recipient: &Recipient, queued: &Queued, place: Place) {
        let row = self.waiting.get_mut(recipient);
        let waiting = row.and_then(|row| {
            let index = row.index_of(&queued.event_id)?;
            row.waiting.get_mut(index)
        });
        if let Some(waiting) = waiting {
            self.n_waiting += place.length;
            self.n_waiting -= waiting.place.length;
            *waiting = Waiting::of(queued, place);
        }
    }

    /// Returns what waits longest for a recipient.
    pub(super) fn first(&self, recipient: &Recipient) -> Option<&Waiting> {
        self.waiting.get(recipient)?.waiting.front()
    }

    /// Returns the message itself.
    pub(super) fn read(&self, waiting: &Waiting) -> anyhow::Result<Queued> {
        let line = self.line(waiting.place)?;
        serde_json::from_slice(&line).context("the queue has another line where a message was")
    }

    fn line(&self, place: Place) -> anyhow::Result<Vec<u8>> {
        let mut line = vec![0; usize::try_from(place.length)?];
        self.file.read_exact_at(&mut line, place.offset)?;
        Ok(line)
    }

    /// Returns what waits for each recipient for whom anything does.
    pub(super) fn waiting(&self) -> impl Iterator<Item = (&Recipient, &VecDeque<Waiting>)> {
        let rows = self.waiting.iter();
        let all = rows.map(|(recipient, row)| (recipient, &row.waiting));
        all.filter(|(_, waiting)| !waiting.is_empty())
    }

    /// Takes out what waits longest for a recipient, which the log has as delivered or rejected: a crash in between changes nothing.
    pub(super) fn remove_first(&mut self, recipient: &Recipient) -> anyhow::Result<()> {
        let row = self.waiting.get_mut(recipient);
        if let Some(first) = row.and_then(Row::pop) {
            self.n_waiting -= first.place.length;
        }
        if self.n_waiting == 0 {
            self.file.set_len(0)?;
            self.n_bytes = 0;
        }
        self.shorten()
    }

    /// Writes the file anew where much of it does not wait any more: all of it or, after a cut, none.
    pub(super) fn shorten(&mut self) -> anyhow::Result<()> {
        if self.n_bytes - self.n_waiting <= LEFT + self.n_waiting / 2 {
            return Ok(());
        }
        let file = begin_anew(&self.path)?;
        let (mut places, mut offset) = (Vec::new(), 0);
        let mut writer = BufWriter::new(&file);
        // In the order of each recipient, which is not that of the file where a message was made anew.
        for waiting in self.waiting.values().flat_map(|row| &row.waiting) {
            let length = waiting.place.length;
            writer.write_all(&self.line(waiting.place)?)?;
            places.push(Place { offset, length });
            offset += length;
        }
        writer.flush()?;
        drop(writer);
        put_in_place(&file, &self.path)?;
        let waiting = self.waiting.values_mut();
        let waiting = waiting.flat_map(|row| &mut row.waiting);
        for (waiting, place) in waiting.zip(places) {
            waiting.place = place;
        }
        (self.file, self.n_bytes) = (file, offset);
        Ok(())
    }

    /// Makes sure that what was written is on the disk.
    pub(super) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_data()
    }
}

impl Row {
    fn push(&mut self, waiting: Waiting) {
        let number = self.first + self.waiting.len();
        self.numbers.insert(waiting.event_id.clone(), number);
        self.waiting.push_back(waiting);
    }

    fn pop(&mut self) -> Option<Waiting> {
        let waiting = self.waiting.pop_front()?;
        self.numbers.remove(&waiting.event_id);
        self.first += 1;
        Some(waiting)
    }

    fn index_of(&self, event_id: &str) -> Option<usize> {
        self.numbers.get(event_id)?.checked_sub(self.first)
    }
}

impl Waiting {
    fn of(queued: &Queued, place: Place) -> Waiting {
        Waiting {
            event_id: queued.event_id.clone(),
            content: Content::of(queued),
            place,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::value::to_raw_value;

    use super::super::files::open;
    use super::{LEFT, Queue, Queued, Recipient};

    fn message(id: usize, destination: &str, text: &str) -> Queued {
        Queued {
            event_id: format!("e-{id}"),
            destination: destination.to_owned(),
            address: None,
            form: None,
            thread: None,
            message: to_raw_value(text).unwrap(),
        }
    }

    #[test]
    fn what_was_delivered_leaves_the_file_and_what_waits_keeps_its_order() {
        let directory = std::env::temp_dir().join(format!("queue-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("queue").with_extension("jsonl");
        let mut queue = Queue::new(open(&path).unwrap(), &path).unwrap();
        let (up, down) = (Recipient::here("up"), Recipient::here("down"));
        let long = "x".repeat(100_000);
        for id in 0..40 {
            for recipient in [&up, &down] {
                let message = message(id, &recipient.destination, &long);
                let place = queue.append(&message).unwrap();
                queue.wait(recipient.clone(), &message, place);
            }
        }
        let anew = message(1, "down", "made anew");
        assert!(queue.has_other(&down, &anew));
        let place = queue.append(&anew).unwrap();
        queue.renew(&down, &anew, place);
        assert!(!queue.has_other(&down, &anew));
        let mut longest = 0;
        while queue.first(&up).is_some() {
            queue.remove_first(&up).unwrap();
            let length = std::fs::metadata(&path).unwrap().len();
            assert!(length <= LEFT + queue.n_waiting * 3 / 2, "{length}");
            longest = longest.max(length);
        }
        assert!(longest > 7_000_000, "{longest}");
        // By memory, and by whoever reads the file.
        let texts = |queue: &Queue| -> Vec<(String, usize)> {
            let (_, waiting) = queue.waiting().next().unwrap();
            let read = waiting.iter().map(|one| queue.read(one).unwrap());
            read.map(|one| (one.event_id, one.message.get().len()))
                .collect()
        };
        let expected: Vec<(String, usize)> = (0..40)
            .map(|id| (format!("e-{id}"), if id == 1 { 11 } else { 100_002 }))
            .collect();
        assert_eq!(texts(&queue), expected);
        let mut again = Queue::new(open(&path).unwrap(), &path).unwrap();
        let read = again.each(|again, queued, place| {
            if queued.destination == "down" {
                again.wait(down.clone(), &queued, place);
            }
            Ok(())
        });
        read.unwrap();
        assert_eq!(texts(&again), expected);
        while again.first(&down).is_some() {
            again.remove_first(&down).unwrap();
        }
        assert_eq!(std::fs::metadata(&path).unwrap().len(), 0);
        std::fs::remove_dir_all(&directory).unwrap();
    }

    /// Feeding again what is held must not take the longer, for each message, the more are held.
    #[test]
    fn a_message_is_found_by_its_event_wherever_in_the_queue_it_is() {
        let directory = std::env::temp_dir().join(format!("queue-row-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        let path = directory.join("queue").with_extension("jsonl");
        let mut queue = Queue::new(open(&path).unwrap(), &path).unwrap();
        let recipients = [Recipient::here("ops"), Recipient::here("night")];
        let add = |queue: &mut Queue, recipient: &Recipient, id: usize| {
            let message = message(id, &recipient.destination, "as it was");
            let place = queue.append(&message).unwrap();
            queue.wait(recipient.clone(), &message, place);
        };
        let ops = &recipients[0];
        for id in 0..5 {
            recipients.iter().for_each(|one| add(&mut queue, one, id));
        }
        queue.remove_first(ops).unwrap();
        queue.remove_first(ops).unwrap();
        // One that was delivered is known no more, and comes in behind all others.
        add(&mut queue, ops, 0);
        let is_other = |queue: &Queue, id: usize| {
            let anew = message(id, "ops", "made anew");
            queue.has_other(ops, &anew)
        };
        let others = [0, 1, 2, 3, 4, 5].map(|id| is_other(&queue, id));
        assert_eq!(others, [true, false, true, true, true, false]);
        for id in [0, 3] {
            let anew = message(id, "ops", "made anew");
            let place = queue.append(&anew).unwrap();
            queue.renew(ops, &anew, place);
        }
        let mut texts = Vec::new();
        while let Some(first) = queue.first(ops).cloned() {
            let read = queue.read(&first).unwrap();
            texts.push(format!("{} {}", read.event_id, read.message.get()));
            queue.remove_first(ops).unwrap();
        }
        let expected = [
            r#"e-2 "as it was""#,
            r#"e-3 "made anew""#,
            r#"e-4 "as it was""#,
            r#"e-0 "made anew""#,
        ];
        assert_eq!(texts, expected);
        let (recipient, waiting) = queue.waiting().next().unwrap();
        assert_eq!((recipient, waiting.len()), (&recipients[1], 5));
        std::fs::remove_dir_all(&directory).unwrap();
    }
}
