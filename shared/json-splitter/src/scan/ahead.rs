//! Objects that are open for long, and what is open at the end: they may have taken in others.

use serde::de::IgnoredAny;

use super::{Each, LARGEST, Scan};
use crate::recovery::LONGEST_KEY;
use crate::{Damage, Found, Part, Spoilt};

/// An object of more bytes is parsed before its end is seen: a quote that is missing would hide everything behind it. The largest
/// record of CloudTrail has 256 KB, or 1 MB where its trail asks for that.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/WhatIsCloudTrail-Limits.html>
const LARGE: usize = 64 * 1024;
/// So many objects that do not end are looked into one by one, each from its beginning.
const MOST_STUCK: usize = 16;
/// No parser here reads more levels, and memory must not grow with them.
const DEEPEST: usize = 128;

impl Scan {
    fn is_in_object(&self) -> bool {
        !self.lost && (self.open.len() > self.level || self.in_string)
    }

    /// Looks at an object that is open for long: whatever is wrong in it is found before it has taken in what follows.
    pub(crate) fn look_ahead(&mut self, buffer: &[u8], each: &mut impl Each) -> Result<(), Damage> {
        let text = &buffer[self.begin..self.scanned];
        if self.passing || text.len() < LARGE.max(2 * self.n_checked) {
            return Ok(());
        }
        self.n_checked = text.len();
        let spoilt = if self.open.len() == self.level {
            Some(Spoilt::NoObject as fn(usize) -> Spoilt)
        } else if buffer.len() > LARGEST {
            Some(Spoilt::TooLarge as fn(usize) -> Spoilt)
        } else if self.open.len() > self.level + DEEPEST {
            Some(Spoilt::TooDeep as fn(usize) -> Spoilt)
        } else {
            let read = serde_json::from_slice::<IgnoredAny>(text).err();
            read.filter(|error| !error.is_eof())
                .map(|_| Spoilt::Syntax as fn(usize) -> Spoilt)
        };
        if let Some(spoilt) = spoilt {
            self.damaged(buffer, spoilt, each)?;
            self.blocks(buffer, each)?;
            // Objects in one that is too large are handed over. One that does not end either, as in a nest without an end, is not
            // kept: memory has one.
            if buffer.len() - self.begin > LARGEST / 2 && self.is_in_object() {
                self.damaged(buffer, Spoilt::TooLarge, each)?;
                let end = buffer.len().saturating_sub(2 * LONGEST_KEY);
                self.resume(buffer, end.max(self.begin + 1).min(buffer.len()));
            }
        }
        Ok(())
    }

    /// Looks once more at what is open at the end: it may have taken in others.
    pub(crate) fn last(&mut self, buffer: &[u8], each: &mut impl Each) -> Result<(), Damage> {
        let mut n_stuck = 0;
        while self.is_in_object() {
            // Each step looks at all that is left: in a nest of a million objects, steps go from line to line and grow.
            let skipped = 1usize << usize::min(30, n_stuck / MOST_STUCK);
            let from = (self.begin + skipped).min(buffer.len());
            let line = memchr::memchr(b'\n', &buffer[from..]).map(|at| from + at);
            let from = if n_stuck < MOST_STUCK {
                Some(from)
            } else {
                line
            };
            let Some(at) = from.and_then(|from| self.first_key.next(buffer, from)) else {
                break;
            };
            let spoilt = Spoilt::Syntax(self.line_of(buffer, self.begin));
            each(Part::Alone(Found::Damaged(spoilt))).map_err(Damage::Each)?;
            self.go_on_at(at);
            self.blocks(buffer, each)?;
            n_stuck = if self.begin == at { n_stuck + 1 } else { 0 };
        }
        Ok(())
    }
}
