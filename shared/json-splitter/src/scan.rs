//! The brackets, quotes and line breaks of a stream, and what they make of it.

mod ahead;
mod between;
mod lists;
mod whole;

use wide::u8x16;

pub use self::lists::LISTS;
use self::lists::is_list;
use crate::recovery::{FirstKey, LONGEST_KEY};
use crate::source::Buffer;
use crate::{Damage, Found, Part, Spoilt, Verdict};

/// Bytes that are looked at together: one bit each in a word.
const BLOCK: usize = 64;
/// No CloudTrail record or event is near that large; what is, is damage, and memory must not grow with it.
const LARGEST: usize = 4 << 20;
/// What stands around lists is kept up to this: no answer of AWS has more there. One byte more says that it is longer.
pub const LONGEST_AROUND: usize = 256 * 1024;

/// How far a stream has been looked at.
#[derive(Debug, Default)]
pub(crate) struct Scan {
    /// Bytes of the buffer that have been looked at.
    scanned: usize,
    /// Where the object begins that is being looked at, or what lies between objects.
    begin: usize,
    /// The brackets that are open.
    open: Vec<u8>,
    /// The depth at which objects are handed over: 0, or more inside an array or a log file.
    level: usize,
    /// Whether a log file's records are behind: what follows in it is passed over, up to another list.
    passing: bool,
    /// What stands around the lists of the object that is being looked at, if it has any.
    around: Vec<u8>,
    /// Where in the buffer the next of it begins.
    around_from: usize,
    in_string: bool,
    escaped: bool,
    /// Bytes of the open object that were found to be the beginning of JSON.
    n_checked: usize,
    /// Whether something was damaged: brackets that close nothing are left of it.
    recovered: bool,
    /// Whether the next object is still looked for after damage.
    lost: bool,
    first_key: FirstKey,
    /// Line breaks in what has been dropped from the buffer.
    lines: usize,
}

/// Whether the scan went back to an earlier place.
type Rewound = bool;

pub(crate) trait Each: FnMut(Part<'_>) -> anyhow::Result<Verdict> {}
impl<F: FnMut(Part<'_>) -> anyhow::Result<Verdict>> Each for F {}

impl Scan {
    pub(crate) fn blocks(&mut self, buffer: &[u8], each: &mut impl Each) -> Result<(), Damage> {
        if self.lost {
            self.resume(buffer, self.begin);
        }
        while !self.lost && self.scanned < buffer.len() {
            if self.is_between() {
                self.whole(buffer, each)?;
                if self.lost || self.scanned == buffer.len() {
                    break;
                }
            }
            let rest = &buffer[self.scanned..];
            let rewound = match rest.first_chunk::<BLOCK>() {
                Some(block) => self.block(buffer, block, 0, each)?,
                None => {
                    // What is not filled is before the text, so that what a backslash escapes may still come.
                    let offset = BLOCK - rest.len();
                    let mut block = [b' '; BLOCK];
                    block[offset..].copy_from_slice(rest);
                    self.block(buffer, &block, offset, each)?
                }
            };
            if !rewound {
                self.scanned = buffer.len().min(self.scanned + BLOCK);
            }
        }
        Ok(())
    }

    fn block(
        &mut self,
        buffer: &[u8],
        block: &[u8; BLOCK],
        offset: usize,
        each: &mut impl Each,
    ) -> Result<Rewound, Damage> {
        let (mut quotes, mut backslashes, mut opening, mut closing) = (0u64, 0u64, 0u64, 0u64);
        let mut breaks = 0u64;
        for (index, bytes) in block.chunks_exact(16).enumerate() {
            let bytes = u8x16::from(<[u8; 16]>::try_from(bytes).unwrap_or([b' '; 16]));
            // `[` and `{`, as well as `]` and `}`, differ in this bit alone.
            let folded = bytes | u8x16::splat(0x20);
            let bits = |found: u8x16| u64::from(found.to_bitmask() & 0xffff) << (16 * index);
            quotes |= bits(bytes.simd_eq(u8x16::splat(b'"')));
            backslashes |= bits(bytes.simd_eq(u8x16::splat(b'\\')));
            opening |= bits(folded.simd_eq(u8x16::splat(b'{')));
            closing |= bits(folded.simd_eq(u8x16::splat(b'}')));
            breaks |= bits(bytes.simd_eq(u8x16::splat(b'\n')));
        }
        quotes &= !self.escaped_bits(backslashes, offset);
        let strings = self.string_bits(quotes);
        let mut brackets = (opening | closing) & !strings;
        // JSON has no line break in a text: a quote is missing, or one too many.
        breaks &= strings;
        if breaks != 0 {
            brackets &= (breaks & breaks.wrapping_neg()) - 1;
        }
        while brackets != 0 {
            let bit = brackets & brackets.wrapping_neg();
            let at = self.scanned + brackets.trailing_zeros() as usize - offset;
            brackets ^= bit;
            let rewound = if opening & bit != 0 {
                self.open(buffer, at, each)?
            } else {
                self.close(buffer, at, each)?
            };
            if rewound {
                return Ok(true);
            }
        }
        if breaks == 0 {
            return Ok(false);
        }
        self.damaged(buffer, Spoilt::Text, each)
    }

    /// Returns the bits of what a backslash stands before.
    fn escaped_bits(&mut self, backslashes: u64, offset: usize) -> u64 {
        if backslashes == 0 && !self.escaped {
            return 0;
        }
        let mut escaped = u64::from(self.escaped) << offset;
        let mut left = backslashes & !escaped;
        self.escaped = false;
        // Backslashes are rare: one after another is faster than the arithmetic that does them all at once.
        while left != 0 {
            let after = (left & left.wrapping_neg()) << 1;
            left &= left - 1;
            left &= !after;
            escaped |= after;
            self.escaped = after == 0;
        }
        escaped
    }

    /// Returns the bits from each opening quote to before its closing one.
    fn string_bits(&mut self, quotes: u64) -> u64 {
        let mut bits = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        if self.in_string {
            bits = !bits;
        }
        self.in_string = bits >> 63 == 1;
        bits
    }

    fn open(&mut self, buffer: &[u8], at: usize, each: &mut impl Each) -> Result<Rewound, Damage> {
        if self.open.len() == self.level {
            if self.between(buffer, at, each)? {
                return Ok(true);
            }
            (self.begin, self.n_checked) = (at, 0);
            if buffer[at] == b'[' && self.level == 0 {
                self.level = 1;
                self.begin = at + 1;
            }
        } else {
            let mut before = buffer[..at].iter().rev();
            let before = before.find(|byte| !byte.is_ascii_whitespace());
            let fits = match self.open.last() {
                Some(b'{') => before == Some(&b':'),
                _ => matches!(before, Some(b'[' | b',')),
            };
            if !fits {
                return self.damaged(buffer, Spoilt::Brackets, each);
            }
            if self.level == 0
                && self.open == b"{"
                && buffer[at] == b'['
                && is_list(&buffer[self.begin..at])
            {
                if !self.passing {
                    self.around.clear();
                    self.around_from = self.begin;
                }
                self.keep_around(buffer, at + 1);
                (self.level, self.passing) = (2, false);
                self.begin = at + 1;
            }
        }
        self.open.push(buffer[at]);
        // The objects of a list are looked at one by one.
        Ok(self.open.len() == self.level && self.go_on_behind(at))
    }

    fn close(&mut self, buffer: &[u8], at: usize, each: &mut impl Each) -> Result<Rewound, Damage> {
        let Some(opened) = self.open.last().copied() else {
            // It lies between objects.
            return Ok(false);
        };
        // `]` and `}` follow `[` and `{` in ASCII at the same distance.
        if opened + 2 != buffer[at] {
            return self.damaged(buffer, Spoilt::Brackets, each);
        }
        if self.open.len() == self.level && self.between(buffer, at, each)? {
            return Ok(true);
        }
        self.open.pop();
        if self.open.len() == self.level && !self.passing {
            let begin = std::mem::replace(&mut self.begin, at + 1);
            let object = Found::Object(&buffer[begin..=at]);
            return Ok(
                self.hand_over(buffer, begin..at + 1, object, each)? || self.go_on_behind(at)
            );
        }
        if self.open.len() < self.level {
            // The array of objects ends.
            self.passing = true;
            self.level = 0;
            self.around_from = at;
        }
        if self.open.is_empty() {
            if opened == b'{' {
                self.keep_around(buffer, at + 1);
                each(Part::Around(&self.around)).map_err(Damage::Each)?;
            }
            self.passing = false;
            self.begin = at + 1;
        }
        Ok(false)
    }

    /// Hands over that what is being looked at is damaged, and goes on at the next object.
    fn damaged(
        &mut self,
        buffer: &[u8],
        spoilt: fn(usize) -> Spoilt,
        each: &mut impl Each,
    ) -> Result<Rewound, Damage> {
        let spoilt = spoilt(self.line_of(buffer, self.begin));
        each(Part::Alone(Found::Damaged(spoilt))).map_err(Damage::Each)?;
        // Of a list that is behind, its own end may be what is damaged: the next object begins right there.
        let from = self.begin + usize::from(!self.passing);
        self.resume(buffer, from.min(buffer.len()));
        Ok(true)
    }

    fn resume(&mut self, buffer: &[u8], from: usize) {
        match self.first_key.next(buffer, from) {
            Some(at) => self.go_on_at(at),
            None => {
                // The key of an object may be cut here.
                self.go_on_at(from.max(buffer.len().saturating_sub(2 * LONGEST_KEY)));
                self.lost = true;
            }
        }
    }

    fn go_on_at(&mut self, at: usize) {
        *self = Scan {
            scanned: at,
            begin: at,
            recovered: true,
            first_key: std::mem::take(&mut self.first_key),
            lines: self.lines,
            ..Scan::default()
        };
    }

    /// Keeps what stands around a list, up to a place in the buffer.
    fn keep_around(&mut self, buffer: &[u8], end: usize) {
        let text = &buffer[self.around_from.min(end)..end];
        let room = (LONGEST_AROUND + 1).saturating_sub(self.around.len());
        self.around.extend_from_slice(&text[..text.len().min(room)]);
        self.around_from = end;
    }

    /// Drops what has been handed over.
    pub(crate) fn forget(&mut self, input: &mut Buffer) {
        if self.passing {
            self.keep_around(input.filled(), self.scanned);
            // The name of another list may be in what was looked at.
            self.begin = self.begin.max(self.scanned.saturating_sub(LONGEST_KEY));
        }
        let done = self.begin.min(self.scanned);
        self.lines += line_breaks(&input.filled()[..done]);
        input.forget(done);
        self.begin -= done;
        self.scanned -= done;
        self.around_from = self.around_from.saturating_sub(done);
    }

    pub(crate) fn end(&mut self, buffer: &[u8], each: &mut impl Each) -> Result<(), Damage> {
        loop {
            if self.lost {
                return Ok(());
            }
            if !self.open.is_empty() || self.in_string {
                return Err(Damage::Truncated(self.line_of(buffer, self.begin)));
            }
            if !self.between(buffer, buffer.len(), each)? {
                return Ok(());
            }
            self.blocks(buffer, each)?;
            self.last(buffer, each)?;
        }
    }

    /// Returns the line of the first byte that is not white space from `at` on; the first line is 1.
    fn line_of(&self, buffer: &[u8], at: usize) -> usize {
        let space = buffer[at..]
            .iter()
            .take_while(|b| b.is_ascii_whitespace() || **b == b',')
            .count();
        self.lines + line_breaks(&buffer[..at + space]) + 1
    }
}

fn line_breaks(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}
