//! Numbers for tests that change things at random: the same in every run.

/// The generator of Knuth's MMIX.
pub struct Random(u64);

impl Random {
    /// Returns a generator whose numbers a seed decides.
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// Returns a number below another.
    ///
    /// # Panics
    /// The other is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % bound
    }

    /// Returns the bytes of a text with one of them changed, added or lost, or without its end.
    ///
    /// # Panics
    /// The text is empty.
    pub fn mutant(&mut self, text: &str) -> Vec<u8> {
        const ODD: &[u8] = b"\0\"\\{}[]:,x0\xff\x1f\n";
        let mut text = text.as_bytes().to_vec();
        let at = self.below(text.len());
        match self.below(5) {
            0 => text.truncate(at),
            1 => drop(text.remove(at)),
            2 => text.insert(at, ODD[self.below(ODD.len())]),
            3 => text[at] ^= 1 << self.below(8),
            _ => text[at] = ODD[self.below(ODD.len())],
        }
        text
    }
}
