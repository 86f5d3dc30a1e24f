//! Texts that are looked for in every object, so that most are never parsed.

use aho_corasick::{AhoCorasick, MatchKind};

/// Returns what says whether any of the texts is in an object.
///
/// # Errors
/// There are too many texts.
pub(crate) fn needles<T: AsRef<[u8]>>(
    texts: impl IntoIterator<Item = T>,
) -> anyhow::Result<AhoCorasick> {
    // Which of them is found does not matter; only with this kind the search looks at many bytes at once.
    let mut builder = AhoCorasick::builder();
    Ok(builder.match_kind(MatchKind::LeftmostFirst).build(texts)?)
}
