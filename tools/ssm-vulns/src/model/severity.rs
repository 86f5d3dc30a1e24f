//! How severe an advisory is: the distribution's word, or what a CVSS vector computes to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One scale for all words.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
    clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Word {
    /// The worst
    Critical,
    /// Also called important
    High,
    /// Also called moderate; what is not rated ranks behind it
    Medium,
    /// Nobody has rated it
    Unknown,
    /// Worth an update some day
    Low,
    /// Unimportant, negligible
    None,
}

/// Where a severity comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Rater {
    /// The word of the distribution, who knows how the package is built.
    Distribution,
    CvssV2,
    CvssV3,
    CvssV4,
}

/// How severe an advisory is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub(crate) struct Severity {
    /// Critical, high, medium, low, none or unknown.
    pub(crate) word: Word,
    /// Whose word that is; null when nobody has rated it.
    pub(crate) source: Option<Rater>,
    /// The CVSS score, of the newest version that there is a vector of.
    pub(crate) score: Option<f64>,
    /// The vector that the score is computed from.
    pub(crate) vector: Option<String>,
}

impl Severity {
    /// Nobody has rated it.
    pub(crate) const UNKNOWN: Severity = Severity {
        word: Word::Unknown,
        source: None,
        score: None,
        vector: None,
    };

    /// Returns the severity by the first word that is one, else by vectors.
    pub(crate) fn of<'a>(
        words: impl IntoIterator<Item = &'a str>,
        vectors: impl IntoIterator<Item = &'a str>,
    ) -> Severity {
        let mut severity = Severity::UNKNOWN;
        let mut best: Option<(Rater, f64)> = None;
        for vector in vectors {
            let Some((rater, score)) = score(vector) else {
                continue;
            };
            let is_better =
                best.is_none_or(|(old, highest)| (rater as u8, score) > (old as u8, highest));
            if is_better {
                best = Some((rater, score));
                severity.vector = Some(vector.to_owned());
            }
        }
        severity.score = best.map(|(_, score)| score);
        match (words.into_iter().find_map(Word::of), best) {
            (Some(word), _) => (severity.word, severity.source) = (word, Some(Rater::Distribution)),
            (None, Some((rater, score))) => {
                (severity.word, severity.source) = (Word::of_score(score), Some(rater));
            }
            (None, None) => {}
        }
        severity
    }
}

impl Word {
    /// Returns the word for one of Red Hat's and those after it, Debian's, Ubuntu's or CVSS's.
    pub(crate) fn of(text: &str) -> Option<Word> {
        // Old entries of Debian's tracker have stars: `high**`.
        let word = text.trim().trim_end_matches('*').to_ascii_lowercase();
        Some(match word.as_str() {
            "critical" => Word::Critical,
            "important" | "high" => Word::High,
            "moderate" | "medium" => Word::Medium,
            "low" => Word::Low,
            "negligible" | "unimportant" | "none" => Word::None,
            _ => return None,
        })
    }

    /// <https://www.first.org/cvss/v3.1/specification-document#5-Qualitative-Severity-Rating-Scale>, also for version 2 as NVD
    /// does not rate it `critical`.
    fn of_score(score: f64) -> Word {
        match score {
            9.0.. => Word::Critical,
            7.0.. => Word::High,
            4.0.. => Word::Medium,
            0.1.. => Word::Low,
            _ => Word::None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Word::Critical => "critical",
            Word::High => "high",
            Word::Medium => "medium",
            Word::Unknown => "unknown",
            Word::Low => "low",
            Word::None => "none",
        }
    }
}

/// Returns the score of a vector of any version, if it is one.
fn score(vector: &str) -> Option<(Rater, f64)> {
    // Distributions write vectors of version 2 with brackets, without, and with its own name.
    let text = vector.trim().trim_start_matches('(').trim_end_matches(')');
    let rater = match text {
        _ if text.starts_with("CVSS:4.") => Rater::CvssV4,
        _ if text.starts_with("CVSS:3.") => Rater::CvssV3,
        _ => Rater::CvssV2,
    };
    let cvss: cvss::Cvss = match (rater, text.strip_prefix("CVSS:2.0/")) {
        (Rater::CvssV2, Some(rest)) => cvss::Cvss::CvssV20(rest.parse().ok()?),
        (Rater::CvssV2, None) => cvss::Cvss::CvssV20(text.parse().ok()?),
        _ => text.parse().ok()?,
    };
    Some((rater, (cvss.score() * 10.0).round() / 10.0))
}

#[cfg(test)]
mod tests {
    use super::{Rater, Severity, Word};

    fn severity(words: &[&str], vectors: &[&str]) -> (Word, Option<Rater>, Option<f64>) {
        let one = Severity::of(words.iter().copied(), vectors.iter().copied());
        (one.word, one.source, one.score)
    }

    #[test]
    fn the_word_of_the_distribution_goes_before_scores() {
        let v3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        let distribution = Some(Rater::Distribution);
        for (words, vectors, expected) in [
            (
                &["Important"][..],
                &[v3][..],
                (Word::High, distribution, Some(9.8)),
            ),
            (
                &["", "not yet assigned"],
                &[v3],
                (Word::Critical, Some(Rater::CvssV3), Some(9.8)),
            ),
            (&["high**"], &[], (Word::High, distribution, None)),
            (&["unimportant"], &[], (Word::None, distribution, None)),
            (&[], &[], (Word::Unknown, None, None)),
            (&[], &["CVSS:9.9/what"], (Word::Unknown, None, None)),
        ] {
            assert_eq!(severity(words, vectors), expected, "{words:?} {vectors:?}");
        }
    }

    #[test]
    fn the_newest_version_of_cvss_counts_and_of_it_the_highest_score() {
        let v2 = "AV:N/AC:L/Au:N/C:C/I:C/A:C";
        let v3 = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";
        let low = "CVSS:3.0/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
        let v4 = "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";
        for (vectors, expected) in [
            (&[v2][..], (Word::Critical, Some(Rater::CvssV2), Some(10.0))),
            (
                &["(AV:N/AC:L/Au:N/C:C/I:C/A:C)"],
                (Word::Critical, Some(Rater::CvssV2), Some(10.0)),
            ),
            (&[v2, low], (Word::Low, Some(Rater::CvssV3), Some(1.8))),
            (&[low, v3], (Word::Critical, Some(Rater::CvssV3), Some(9.8))),
            (&[v3, v4], (Word::Critical, Some(Rater::CvssV4), Some(9.3))),
        ] {
            assert_eq!(severity(&[], vectors), expected, "{vectors:?}");
        }
    }
}
