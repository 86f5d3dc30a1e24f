//! What lies between objects.

use super::{Each, Rewound, Scan};
use crate::{Damage, Found, Part, Spoilt};

impl Scan {
    /// Hands over what is not an object before the place where one begins, or a list or the stream ends. A quote in it too few or too
    /// many has made texts of the objects in it: those are looked at.
    pub(super) fn between(
        &mut self,
        buffer: &[u8],
        at: usize,
        each: &mut impl Each,
    ) -> Result<Rewound, Damage> {
        let text = &buffer[self.begin..at];
        let recovered = self.recovered;
        let is_blank = |text: &[u8]| text.iter().all(|byte| is_nothing(*byte, recovered));
        if is_blank(text) {
            return Ok(false);
        }
        let inner = self.first_key.next(&buffer[..at], self.begin);
        let text = &buffer[self.begin..inner.unwrap_or(at)];
        let spoilt = Spoilt::NoObject(self.line_of(buffer, self.begin));
        for part in text.split(|byte| matches!(byte, b',' | b'\n')) {
            if !is_blank(part) {
                each(Part::Alone(Found::Damaged(spoilt))).map_err(Damage::Each)?;
            }
        }
        match inner {
            Some(inner) => self.go_on_at(inner),
            None => self.begin = at,
        }
        Ok(inner.is_some())
    }
}

/// Returns whether a byte between objects is not a value: space, commas, the record separator of JSON text sequences (RFC 7464), byte
/// order marks of files that were put together, zeros that fill a block. After damage also brackets that are left of it.
fn is_nothing(byte: u8, recovered: bool) -> bool {
    byte.is_ascii_whitespace()
        || matches!(byte, b',' | 0x1e | 0 | 0xef | 0xbb | 0xbf)
        || recovered && matches!(byte, b'}' | b']')
}
