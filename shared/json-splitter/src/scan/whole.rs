//! Objects that are whole and JSON, which most are: they are walked through once, and their brackets need not be looked at.

use std::ops::Range;

use super::{Each, Rewound, Scan, lists};
use crate::grammar;
use crate::{Damage, Found, Part, Verdict};

impl Scan {
    /// Whether an object may begin, or what lies between objects goes on.
    pub(super) fn is_between(&self) -> bool {
        self.open.len() == self.level && !self.in_string && !self.passing && !self.escaped
    }

    /// Goes on behind a place that is in no text, and not at the end of the block that it is in.
    pub(super) fn go_on_behind(&mut self, at: usize) -> Rewound {
        self.scanned = at + 1;
        (self.in_string, self.escaped) = (false, false);
        true
    }

    /// Hands over the objects that are whole and JSON, up to one that is not.
    pub(super) fn whole(&mut self, buffer: &[u8], each: &mut impl Each) -> Result<(), Damage> {
        while self.begin == self.scanned && !self.lost {
            let is_separator = |byte: &&u8| byte.is_ascii_whitespace() || **byte == b',';
            let rest = &buffer[self.begin..];
            let begin = self.begin + rest.iter().take_while(is_separator).count();
            let length = match buffer.get(begin) {
                // One that is in no list may have one.
                Some(b'{') if self.level == 0 => {
                    let may_pass = |key: Option<&[u8]>| key.is_some_and(|key| !lists::is_name(key));
                    grammar::length(&buffer[begin..], may_pass)
                }
                Some(b'{' | b'[') if self.level > 0 => grammar::length(&buffer[begin..], |_| true),
                _ => None,
            };
            let Some(length) = length else {
                return Ok(());
            };
            let end = begin + length;
            (self.begin, self.scanned) = (end, end);
            let object = Found::Json(&buffer[begin..end]);
            self.hand_over(buffer, begin..end, object, each)?;
        }
        Ok(())
    }

    /// Hands over an object, and goes on in it where it cannot be read.
    pub(super) fn hand_over(
        &mut self,
        buffer: &[u8],
        place: Range<usize>,
        object: Found<'_>,
        each: &mut impl Each,
    ) -> Result<Rewound, Damage> {
        let part = match self.level {
            2 => Part::Item(object),
            _ => Part::Alone(object),
        };
        match each(part).map_err(Damage::Each)? {
            Verdict::Whole => self.first_key.learn(&buffer[place]),
            Verdict::Damaged => {
                let inner = self.first_key.next(&buffer[..place.end], place.start + 1);
                if let Some(inner) = inner {
                    self.go_on_at(inner);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
