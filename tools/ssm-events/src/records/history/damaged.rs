//! What of a source cannot be read, and what became of the rest.

use std::io::Read;

use cloudtrail::{Found, Verdict};

use super::EventFilter;
use crate::records::gaps::Gaps;
use crate::records::{record, source};

/// As many gaps are in the words about a source.
const MOST_IN_WORDS: usize = 100;

/// Records of one source that cannot be read. Those behind them are.
#[derive(Debug, Default)]
pub(crate) struct Damaged {
    n_objects: u64,
    n: u64,
    first: String,
    /// What another verb says that it could not read.
    gaps: Gaps,
}

impl Damaged {
    /// Adds to `lines` what a filter asks for in the next object.
    pub(crate) fn take(
        &mut self,
        found: &Found<'_>,
        filter: &EventFilter,
        counts: &mut Counts,
        lines: &mut String,
    ) -> Verdict {
        self.n_objects += 1;
        counts.is_json = matches!(found, Found::Json(_));
        let read = match found {
            Found::Damaged(spoilt) => Err(spoilt.to_string()),
            Found::Object(object) | Found::Json(object) => cloudtrail::text(object)
                .and_then(|text| filter.lines(text, counts, lines))
                .map_err(|error| format!("{error:#}")),
        };
        match read {
            Ok(unread) => {
                for gap in unread {
                    match gap.resource.is_empty() {
                        true => self.add(&gap.reason),
                        false => self.gaps.push(gap),
                    }
                }
                Verdict::Whole
            }
            Err(why) => {
                self.add(&why);
                Verdict::Damaged
            }
        }
    }

    /// Counts an object that is missing.
    pub(crate) fn lost(&mut self, why: &str) {
        self.n_objects += 1;
        self.add(why);
    }

    fn add(&mut self, why: &str) {
        if self.n == 0 {
            self.first = format!("record {}: {why}", self.n_objects);
        }
        self.n += 1;
    }

    /// Returns what another verb says that it could not read: each is a gap of its own.
    pub(crate) fn gaps(&mut self) -> Gaps {
        std::mem::take(&mut self.gaps)
    }

    /// Returns what is wrong with the source, if anything is: its end is missing for another reason, or records of it.
    pub(crate) fn reason(self, end: Option<String>) -> Option<String> {
        let records = match self.n {
            0 => None,
            1 => Some(self.first),
            n => Some(format!("{n} records, the first is {}", self.first)),
        };
        let gaps = self.gaps.in_words(MOST_IN_WORDS);
        let reasons: Vec<String> = records.into_iter().chain(gaps).chain(end).collect();
        (!reasons.is_empty()).then(|| reasons.join("; "))
    }
}

/// What became of the objects that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) n_objects: u64,
    pub(crate) n_found: u64,
    /// Digests, insights and whatever else is not a record of a call.
    pub(crate) n_others: u64,
    /// Records, digests and what wraps them.
    pub(crate) n_known: u64,
    /// Objects of which nobody knows what they are; not all are looked at where there are others.
    pub(crate) n_unknown: u64,
    /// Whether the object at hand is known to be JSON.
    is_json: bool,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Counts) {
        self.n_objects += other.n_objects;
        self.n_found += other.n_found;
        self.n_others += other.n_others;
        self.n_known += other.n_known;
        self.n_unknown += other.n_unknown;
    }

    /// Counts an object that has nothing of what is asked for.
    ///
    /// # Errors
    /// It is not JSON.
    pub(super) fn passed_over(&mut self, object: &str) -> anyhow::Result<()> {
        // One that is known is enough: a source of other things has none.
        if self.n_known > 0 {
            return match self.is_json {
                true => Ok(()),
                false => cloudtrail::check(object),
            };
        }
        match record::is_known(object)? {
            true => self.n_known += 1,
            false => self.n_unknown += 1,
        }
        Ok(())
    }

    /// Returns why the answer is none where there are objects and not one record. That is for each source to say: another one that has
    /// records says nothing of this one.
    pub(crate) fn reason(&self) -> Option<String> {
        (self.n_known == 0 && self.n_unknown > 0).then(|| source::none_among(self.n_unknown))
    }
}

/// Lines are handed on when there are more bytes of them.
const BATCH: usize = 256 * 1024;

impl EventFilter {
    /// Hands on the records of a log file that are asked for, some at a time. Returns what of it cannot be read.
    pub(crate) fn records_of(
        &self,
        source: impl Read,
        mut hand: impl FnMut(String) -> anyhow::Result<()>,
    ) -> (Counts, Option<String>) {
        let (mut lines, mut counts) = (String::new(), Counts::default());
        let mut damaged = Damaged::default();
        let read = cloudtrail::objects_of_file(source, |found| {
            let verdict = damaged.take(&found, self, &mut counts, &mut lines);
            if lines.len() >= BATCH {
                hand(std::mem::take(&mut lines))?;
            }
            Ok(verdict)
        });
        let end = read.err().map(|damage| damage.to_string());
        // Whoever does not take the lines any more does not look at the end, either.
        let _ = hand(lines);
        let reason = damaged.reason(end).or_else(|| counts.reason());
        (counts, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::Damaged;

    #[test]
    fn what_is_missing_is_a_gap() {
        let mut damaged = Damaged::default();
        damaged.lost("an event without its record");
        let reason = damaged.reason(None);
        assert_eq!(
            reason.as_deref(),
            Some("record 1: an event without its record")
        );
    }
}
