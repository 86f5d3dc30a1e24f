//! Which records never reached Slack: EventBridge delivers best effort, CloudTrail keeps everything.

use std::collections::HashSet;
use std::path::Path;

use anyhow::Context;
use serde_json::Value;

/// The ids of what was delivered.
#[derive(Debug, Default)]
pub(crate) struct Delivered(HashSet<String>);

impl Delivered {
    /// Adds a list: ids one a line, or objects with `event_id`, such as the delivery log of a spool. Of these only what
    /// arrived counts.
    ///
    /// # Errors
    /// The file cannot be read, or has a line that is neither.
    pub(crate) fn read(&mut self, path: &Path) -> anyhow::Result<()> {
        let action = || format!("read delivered events from {}", path.display());
        let text = std::fs::read_to_string(path).with_context(action)?;
        for (index, line) in text.lines().enumerate() {
            self.line(line.trim())
                .with_context(|| format!("line {}", index + 1))
                .with_context(action)?;
        }
        Ok(())
    }

    fn line(&mut self, line: &str) -> anyhow::Result<()> {
        if !line.starts_with('{') {
            let plain = line.bytes().all(|b| b.is_ascii_graphic());
            anyhow::ensure!(plain, "expected an event id, or an object with event_id");
            if !line.is_empty() {
                self.0.insert(line.trim_matches('"').to_owned());
            }
            return Ok(());
        }
        let value: Value = serde_json::from_str(line)?;
        let names = ["event_id", "eventID", "EventId"];
        let id = names
            .iter()
            .find_map(|name| value[*name].as_str())
            .context("an object without event_id")?;
        // Duplicates were delivered before; what was only being sent, rejected or held did not arrive.
        let arrived = value["status"]
            .as_str()
            .is_none_or(|status| status == "delivered" || status == "duplicate");
        if arrived {
            self.0.insert(id.to_owned());
        }
        Ok(())
    }

    /// Tells whether a record is missing, once: the same record again is not.
    pub(crate) fn is_missing(&mut self, event_id: &str) -> bool {
        // A record without an id cannot be found in any list.
        event_id.is_empty() || self.0.insert(event_id.to_owned())
    }
}
