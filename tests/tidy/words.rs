//! The English of sources, documents and tests: words that read translated stay out. What people and records call themselves is theirs.

use crate::rules::Rule;
use crate::source::File;

pub(crate) const ENGLISH: [Rule; 3] = [
    ("words_are_plain", words_are_plain),
    ("comments_are_plain", comments_are_plain),
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
const IN_TEXTS: [(&str, &str); 9] = [
    (" is no ", "is not a"),
    (" are no ", "are not"),
    (" id", "ID"),
    (" ids", "IDs"),
    (
        "run plan and ",
        "let ssm-x plan and apply it: reports do not say whose finding they show",
    ),
    ("feed ", "pipe in, pass"),
    (" spares ", "exempts"),
    ("hears of", "receives"),
    ("of one's own", "of the caller, another"),
];

/// The same of comments and documents.
const IN_COMMENTS: [(&str, &str); 4] = [IN_TEXTS[0], IN_TEXTS[1], IN_TEXTS[2], IN_TEXTS[3]];

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

/// Texts in the sources of tools and shared crates.
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
        for (number, text) in texts(file.code()) {
            complaints.extend(complaints_of(file, number, text, &IN_TEXTS));
        }
    }
    complaints
}

fn complaints_of<'f>(
    file: &'f File,
    number: usize,
    text: &'f str,
    words: &'f [(&str, &str)],
) -> impl Iterator<Item = String> + 'f {
    let said = words.iter().filter(move |(word, _)| says(text, word));
    said.map(move |(word, instead)| {
        let word = word.trim();
        format!("{}:{number}: '{word}': {instead}", file.path)
    })
}

/// Comments in sources, and documents outside code.
fn comments_are_plain(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let is_source = file.is_rust()
            && ["tools/", "shared/", "tests/"]
                .iter()
                .any(|top| file.path.starts_with(top));
        let is_document = file.path.ends_with(".md") && !file.path.starts_with("tests/fixtures/");
        let mut is_code = false;
        for (index, line) in file.text.lines().enumerate() {
            is_code ^= is_document && line.trim_start().starts_with("```");
            let line = line.trim_start();
            let is_comment = is_source && line.starts_with("//");
            if is_comment || (is_document && !is_code) {
                // Names in code are between backquotes.
                let words = line.split('`').step_by(2);
                complaints.extend(
                    words.flat_map(|words| complaints_of(file, index + 1, words, &IN_COMMENTS)),
                );
            }
        }
    }
    complaints
}

/// Returns the texts in lines of code, each with the number of its line. A text that goes on in the next line is one in each.
fn texts<'f>(code: impl Iterator<Item = (usize, &'f str)>) -> Vec<(usize, &'f str)> {
    let mut texts = Vec::new();
    // What ends the text at hand.
    let mut end: Option<String> = None;
    for (number, mut rest) in code {
        loop {
            if let Some(ends) = &end {
                let at = end_of(rest, ends);
                texts.push((number, &rest[..at.unwrap_or(rest.len())]));
                let Some(at) = at else { break };
                rest = &rest[at + ends.len()..];
                end = None;
            }
            let Some(at) = rest.find('"') else { break };
            let (before, after) = (&rest[..at], &rest[at + 1..]);
            if before.contains("// ") {
                break;
            }
            rest = after;
            // A character is not a text.
            if before.ends_with('\'') || before.ends_with("'\\") {
                continue;
            }
            let raw = before.trim_end_matches('#');
            let n_signs = before.len() - raw.len();
            let n_signs = if raw.ends_with('r') { n_signs } else { 0 };
            end = Some(format!("\"{}", "#".repeat(n_signs)));
        }
    }
    texts
}

/// Returns where a text ends, whose quotes may be escaped.
fn end_of(text: &str, end: &str) -> Option<usize> {
    let mut ends = text.match_indices(end).map(|(at, _)| at);
    ends.find(|at| {
        let before = &text[..*at];
        let n_slashes = before.len() - before.trim_end_matches('\\').len();
        end.len() > 1 || n_slashes.is_multiple_of(2)
    })
}

#[test]
fn a_text_is_found_wherever_its_line_begins() {
    let code = [
        r#"let one = "a", two = 'b'; // not "this""#,
        r#"bail!("c \"d\" \"#,
        r#"    e", '"', f);"#,
        r##"let raw = r#"g "h""#; x("i")"##,
    ];
    let code = code.into_iter().enumerate();
    let texts: Vec<&str> = texts(code).into_iter().map(|(_, text)| text).collect();
    assert_eq!(texts, ["a", r#"c \"d\" \"#, "    e", r#"g "h""#, "i"]);
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
