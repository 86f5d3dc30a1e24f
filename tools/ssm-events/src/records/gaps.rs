//! What could not be read, no more of it than memory is for: a damaged archive, or whoever makes up what another verb says, has any
//! number. The rest is counted.

use cloudtrail::Gap;

/// As many are kept: whoever reads them counts them again.
pub(crate) const MOST_KEPT: usize = 1 << 14;
/// Of all texts that are kept.
const MOST_BYTES: usize = 2 << 20;
/// Of one text.
const LONGEST: usize = 4 * 1024;

/// Gaps, the first of which are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gaps {
    kept: Vec<Gap>,
    n_bytes: usize,
    n: u64,
}

impl Gaps {
    pub(crate) fn push(&mut self, mut gap: Gap) {
        self.n += 1;
        for text in [&mut gap.resource, &mut gap.reason] {
            if text.len() > LONGEST {
                text.truncate(text.floor_char_boundary(LONGEST));
                text.push('…');
            }
        }
        let n_bytes = self.n_bytes + gap.resource.len() + gap.reason.len();
        if self.kept.len() < MOST_KEPT && n_bytes <= MOST_BYTES {
            self.n_bytes = n_bytes;
            // Not more than it takes.
            gap.resource.shrink_to_fit();
            gap.reason.shrink_to_fit();
            self.kept.push(gap);
        }
    }

    pub(crate) fn extend(&mut self, other: Gaps) {
        let n_counted = other.n_more();
        other.kept.into_iter().for_each(|gap| self.push(gap));
        self.n += n_counted;
    }

    /// Sorts them by where they are.
    pub(crate) fn sort(&mut self) {
        self.kept
            .sort_by(|one, other| one.resource.cmp(&other.resource));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// Returns how many there are, with those that are not kept.
    pub(crate) fn n(&self) -> u64 {
        self.n
    }

    /// Returns how many are not kept.
    pub(crate) fn n_more(&self) -> u64 {
        self.n - self.kept.len() as u64
    }

    /// Returns those that are kept.
    pub(crate) fn kept(&self) -> &[Gap] {
        &self.kept
    }

    /// Returns so many in words, with how many more there are.
    pub(crate) fn in_words(&self, most: usize) -> Vec<String> {
        let words = self.kept.iter().take(most).map(Gap::to_string);
        let mut words: Vec<String> = words.collect();
        let n_more = self.n - words.len() as u64;
        words.extend((n_more > 0).then(|| format!("and {n_more} more")));
        words
    }
}

#[cfg(test)]
mod tests {
    use cloudtrail::Gap;

    use super::{Gaps, MOST_BYTES, MOST_KEPT};

    fn gaps(n: usize, reason: &str) -> Gaps {
        let mut gaps = Gaps::default();
        for n in 0..n {
            let (resource, reason) = (format!("file-{n}"), reason.to_owned());
            gaps.push(Gap { resource, reason });
        }
        gaps
    }

    #[test]
    fn so_many_are_kept_and_the_rest_is_counted() {
        let many = gaps(MOST_KEPT + 7, "damaged");
        assert_eq!((many.kept().len(), many.n_more()), (MOST_KEPT, 7));
        let mut twice = many.clone();
        twice.extend(many);
        assert_eq!(twice.kept().len(), MOST_KEPT);
        assert_eq!(twice.n(), 2 * (MOST_KEPT as u64 + 7));
        assert!(gaps(0, "").is_empty());
    }

    #[test]
    fn long_texts_are_cut_and_take_no_more_than_their_share() {
        let long = gaps(10_000, &"é".repeat(1 << 20));
        let n_bytes = long.kept().iter().map(|gap| gap.reason.len());
        let n_bytes: usize = n_bytes.sum();
        assert!(
            n_bytes <= MOST_BYTES && n_bytes > MOST_BYTES / 2,
            "{n_bytes}"
        );
        assert!(long.kept()[0].reason.ends_with("é…"));
        assert_eq!(long.n(), 10_000);
    }

    #[test]
    fn gaps_say_how_many_more_there_are_than_in_words() {
        assert_eq!(gaps(100, "x").in_words(100).len(), 100);
        let more = gaps(107, "x").in_words(100);
        assert_eq!(more.last().map(String::as_str), Some("and 7 more"));
        assert_eq!(more.len(), 101);
    }
}
