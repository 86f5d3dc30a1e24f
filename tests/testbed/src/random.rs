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
}
