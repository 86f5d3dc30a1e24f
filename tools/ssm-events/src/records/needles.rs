//! Texts that are looked for in every object, so that most are never parsed.

use aho_corasick::packed::Searcher;
use aho_corasick::{AhoCorasick, MatchKind};

/// Texts of which one is enough.
#[derive(Clone, Debug)]
pub(crate) struct Needles {
    /// Looks at many bytes at once, for a few texts and on most processors. The automaton would do so only for fewer texts, and
    /// otherwise stops at each of their rarest letters, which JSON is full of.
    packed: Option<Searcher>,
    automaton: AhoCorasick,
}

impl Needles {
    /// Returns what finds any of the texts.
    ///
    /// # Errors
    /// There are too many texts.
    pub(crate) fn new<T: AsRef<[u8]>>(
        texts: impl IntoIterator<Item = T>,
    ) -> anyhow::Result<Needles> {
        let texts: Vec<T> = texts.into_iter().collect();
        // Which of them is found does not matter; only with this kind the search looks at many bytes at once.
        let mut builder = AhoCorasick::builder();
        builder.match_kind(MatchKind::LeftmostFirst);
        Ok(Needles {
            // One text is looked for in a way of its own.
            packed: (texts.len() > 1).then(|| Searcher::new(&texts)).flatten(),
            automaton: builder.build(&texts)?,
        })
    }

    /// Returns whether one of the texts is in an object.
    pub(crate) fn is_match(&self, object: &str) -> bool {
        match &self.packed {
            Some(packed) => packed.find(object).is_some(),
            None => self.automaton.is_match(object),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Needles;

    #[test]
    fn any_number_of_texts_is_found_wherever_it_stands() {
        for n_texts in [1, 2, 21, 100] {
            let texts: Vec<String> = (0..n_texts).map(|n| format!("\"text-{n}\"")).collect();
            let needles = Needles::new(&texts).unwrap();
            let around = "{}\"text-".repeat(50);
            assert!(!needles.is_match("") && !needles.is_match(&around));
            for text in &texts {
                assert!(needles.is_match(text));
                assert!(needles.is_match(&format!("{around}{text}{around}")));
                assert!(needles.is_match(&format!("{around}{text}")));
            }
        }
    }
}
