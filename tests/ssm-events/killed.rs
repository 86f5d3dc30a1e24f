//! What many killed runs of `send` printed and left in their log, against what arrived.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;
use testbed::{Output, Running};

/// The events of which a run has said that they are delivered: maybe twice, or without a note.
#[derive(Default)]
pub(super) struct Noted {
    noted: HashSet<String>,
    certain: HashSet<String>,
}

impl Noted {
    /// Kills a run so long after it has begun to deliver, however slow the machine is, and takes what it has said.
    pub(super) fn killed(&mut self, running: Running, spool: &Path, after: Duration) {
        let log = spool.join("deliveries.jsonl");
        let length = || std::fs::metadata(&log).map_or(0, |file| file.len());
        let (before, deadline) = (length(), Instant::now() + Duration::from_secs(2));
        while length() == before && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(after);
        let mut kill = std::process::Command::new("kill");
        let _ = kill
            .args(["-9", &running.id().to_string()])
            .status()
            .unwrap();
        self.take(&running.wait_killed());
    }

    pub(super) fn take(&mut self, output: &Output) {
        let lines = output.stdout.lines();
        // What a killed run was writing may be half a line.
        let records = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
        for record in records.filter(|record| record["status"] == "delivered") {
            let id = record["event_id"].as_str().unwrap().to_owned();
            match record["note"].is_string() {
                true => self.noted.insert(id),
                false => self.certain.insert(id),
            };
        }
    }

    /// Compares with how often each event has arrived. One kill at least must have hit a delivery, or nothing was tested.
    pub(super) fn compare(&self, name: &str, counts: &HashMap<String, usize>, spool: &Path) {
        let log = std::fs::read_to_string(spool.join("deliveries.jsonl")).unwrap();
        let mut n_sending = HashMap::<String, usize>::new();
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            if line["status"] == "sending" {
                let id = line["event_id"].as_str().unwrap().to_owned();
                *n_sending.entry(id).or_default() += 1;
            }
        }
        let hit: Vec<_> = n_sending.iter().filter(|(_, n)| **n > 1).collect();
        assert!(!hit.is_empty(), "{name}: no kill has hit a delivery");
        for (id, _) in counts.iter().filter(|(_, count)| **count > 1) {
            assert!(
                n_sending[id] > 1,
                "{name}: {id} is there twice, and the log does not say so"
            );
            // A run that is killed between its log and its output has said nothing; none may say that it is certain.
            assert!(
                !self.certain.contains(id),
                "{name}: {id} is there twice and has no note"
            );
        }
        assert!(!self.noted.is_empty(), "{name}: no double was noted");
    }
}
