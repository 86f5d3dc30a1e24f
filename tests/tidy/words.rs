//! The English of sources, documents and tests: words that read translated stay out. What people and records call themselves is theirs.

use crate::rules::Rule;
use crate::source::File;

pub(crate) const ENGLISH: [Rule; 1] = [("words_are_plain", words_are_plain)];

/// Words, in halves so that this file has none of them, and what to write.
const WORDS: [(&str, &str, &str); 7] = [
    ("te", "ll", "print, say, report"),
    ("te", "lls", "prints, says, reports"),
    ("to", "ld", "printed, said, reported"),
    ("wish", "ed", "required, desired"),
    ("stands ", "for", "is replaced by, matches, is short for"),
    ("stand ", "for", "are replaced by, match, are short for"),
    ("asked ", "of", "needed by, judged by"),
];

/// The ends of the names of files that people write sentences in.
const WRITTEN: [&str; 7] = [".rs", ".md", ".sh", ".py", ".jq", ".yml", ".toml"];

fn words_are_plain(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_ours = |file: &&File| {
        // What distributions and AWS have written is data.
        !["tests/fixtures/", "tests/fuzz/target/"]
            .iter()
            .any(|other| file.path.starts_with(other))
            && WRITTEN.iter().any(|end| file.path.ends_with(end))
    };
    for file in files.iter().filter(is_ours) {
        for (index, line) in file.text.lines().enumerate() {
            let line = line.to_lowercase();
            for (begin, end, instead) in WORDS {
                let word = format!("{begin}{end}");
                if has_word(&line, &word) {
                    let number = index + 1;
                    complaints.push(format!("{}:{number}: '{word}': {instead}", file.path));
                }
            }
        }
    }
    complaints
}

/// Names of functions are words too, so that an underscore ends one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}
