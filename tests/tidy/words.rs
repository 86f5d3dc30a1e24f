//! The English of sources, documents and tests: words that read translated stay out. What people and records call themselves is theirs.

use crate::rules::Rule;
use crate::source::File;

pub(crate) const ENGLISH: [Rule; 2] = [
    ("words_are_plain", words_are_plain),
    ("texts_are_plain", texts_are_plain),
];

/// Words, in halves so that this file has none of them, and what to write.
const WORDS: [(&str, &str, &str); 10] = [
    ("te", "ll", "print, say, report"),
    ("te", "lls", "prints, says, reports"),
    ("to", "ld", "printed, said, reported"),
    ("wish", "ed", "required, desired"),
    ("stands ", "for", "is replaced by, matches, is short for"),
    ("stand ", "for", "are replaced by, match, are short for"),
    ("asked ", "of", "needed by, judged by"),
    ("comes ", "to", "is, becomes, is calculated as"),
    ("what there ", "is of", "what exists of, the"),
    ("a 13th ", "of", "a thirteenth of, 8 percent of"),
];

/// Words of texts for people, with what to write. The blank in front makes them words of a sentence, and not names in code.
const IN_TEXTS: [(&str, &str); 6] = [
    (" is no ", "is not a"),
    (" are no ", "are not"),
    (" id", "ID"),
    (" ids", "IDs"),
    (
        "run plan and ",
        "let ssm-x plan and apply it: reports do not say whose finding they show",
    ),
    ("feed ", "pipe in, pass"),
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

/// Texts in the sources of tools and shared crates. Comments and tests are for whoever writes here.
fn texts_are_plain(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    let is_ours = |file: &&File| {
        let is_of_product = file.path.starts_with("tools/") || file.path.starts_with("shared/");
        let is_test = ["/tests/", "tests.rs"]
            .iter()
            .any(|part| file.path.contains(part));
        is_of_product && file.is_rust() && !is_test
    };
    for file in files.iter().filter(is_ours) {
        let lines = file.text.lines().take_while(|line| *line != "#[cfg(test)]");
        for (index, line) in lines.enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            for text in line.split('"').skip(1).step_by(2) {
                for (word, instead) in IN_TEXTS.iter().filter(|(word, _)| says(text, word)) {
                    let number = index + 1;
                    let word = word.trim();
                    complaints.push(format!("{}:{number}: '{word}': {instead}", file.path));
                }
            }
        }
    }
    complaints
}

/// Returns whether a text has words that are followed by the end of one.
fn says(text: &str, words: &str) -> bool {
    text.match_indices(words).any(|(at, _)| {
        let before = &text[..at];
        let after = &text[at + words.len()..];
        let is_end = words.ends_with(' ')
            || !after.starts_with(|c: char| c.is_alphanumeric() || "_-=".contains(c));
        let is_usual = before.to_lowercase().ends_with("there")
            || after.starts_with("longer")
            || after.starts_with("more");
        is_end && !is_usual
    })
}

#[test]
fn a_text_is_not_a_name() {
    for (text, words, expected) in [
        ("'x' is no account", " is no ", true),
        ("there is no account", " is no ", false),
        ("it is no longer there", " is no ", false),
        ("look at the id, and the region", " id", true),
        ("answer without id", " id", true),
        ("an idle session", " id", false),
        ("--instance-id", " id", false),
    ] {
        assert_eq!(says(text, words), expected, "{text}");
    }
}

/// Names of functions are words too, so that an underscore ends one.
fn has_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}
