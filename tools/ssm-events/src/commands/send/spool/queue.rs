//! The queue: messages stay on the disk until each is sent, and memory has only where they are. What has been delivered is
//! taken out of the file when there is enough of it, however long other destinations are down.

use std::collections::{BTreeMap, VecDeque};
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

/// The open file, and what in it waits.
#[derive(Debug)]
pub(super) struct Queue {
    file: File,
    path: PathBuf,
    waiting: BTreeMap<Recipient, VecDeque<Waiting>>,
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
        let waiting = self.waiting.entry(recipient).or_default();
        waiting.push_back(Waiting::of(queued, place));
    }

    /// Returns whether a message about the same event waits and says something else.
    pub(super) fn has_other(&self, recipient: &Recipient, queued: &Queued) -> bool {
        let mut waiting = self.waiting.get(recipient).into_iter().flatten();
        let waiting = waiting.find(|one| one.event_id == queued.event_id);
        waiting.is_some_and(|one| one.content != Content::of(queued))
    }

    /// Puts what is in the file in the place of the message about the same event.
    pub(super) fn renew(&mut self, recipient: &Recipient, queued: &Queued, place: Place) {
        let mut waiting = self.waiting.get_mut(recipient).into_iter().flatten();
        if let Some(waiting) = waiting.find(|one| one.event_id == queued.event_id) {
            self.n_waiting += place.length;
            self.n_waiting -= waiting.place.length;
            *waiting = Waiting::of(queued, place);
        }
    }

    /// Returns what waits longest for a recipient.
    pub(super) fn first(&self, recipient: &Recipient) -> Option<&Waiting> {
        self.waiting.get(recipient).and_then(VecDeque::front)
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
        let recipients = self.waiting.iter();
        recipients.filter(|(_, waiting)| !waiting.is_empty())
    }

    /// Takes out what waits longest for a recipient, which the log has as delivered or rejected: a crash in between changes nothing.
    pub(super) fn remove_first(&mut self, recipient: &Recipient) -> anyhow::Result<()> {
        let waiting = self.waiting.get_mut(recipient);
        if let Some(first) = waiting.and_then(VecDeque::pop_front) {
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
        for waiting in self.waiting.values().flatten() {
            let length = waiting.place.length;
            writer.write_all(&self.line(waiting.place)?)?;
            places.push(Place { offset, length });
            offset += length;
        }
        writer.flush()?;
        drop(writer);
        put_in_place(&file, &self.path)?;
        let waiting = self.waiting.values_mut().flatten();
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
}
