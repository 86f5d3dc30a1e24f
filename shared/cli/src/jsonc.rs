//! JSON as people write a desired state: with `//` and `/* */` comments, and a comma behind the last item. What is not JSON becomes
//! blanks, so that every line and column is still that of the text. <https://jsonc.org>

use std::borrow::Cow;

use jsonc_parser::common::Ranged;
use jsonc_parser::errors::ParseError;
use jsonc_parser::tokens::Token;
use jsonc_parser::{CollectOptions, Scanner, ScannerOptions, ast, parse_to_ast};

/// JSON and comments, and nothing else of JSON5.
const STRICT: ScannerOptions = ScannerOptions {
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// Returns the text with blanks for its comments and trailing commas. What comes behind something that is neither JSON nor a
/// comment stays as it is, for the parser to say what it is.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    let mut blanks = Vec::new();
    // An error ends it, as said.
    let _ = blank(text, &mut blanks);
    if blanks.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut bytes = text.as_bytes().to_vec();
    for byte in blanks.into_iter().flat_map(|(start, end)| start..end) {
        if bytes[byte] != b'\n' && bytes[byte] != b'\r' {
            bytes[byte] = b' ';
        }
    }
    // Comments and commas are whole characters, and so are the blanks in their place.
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn blank(text: &str, blanks: &mut Vec<(usize, usize)>) -> Result<(), ParseError> {
    let mut scanner = Scanner::new(text, &STRICT);
    // A comma behind a value, which nothing has followed yet.
    let mut comma = None;
    let mut is_behind_value = false;
    while let Some(token) = scanner.scan()? {
        let range = (scanner.token_start(), scanner.token_end());
        match token {
            Token::CommentLine(_) | Token::CommentBlock(_) => blanks.push(range),
            Token::Comma => comma = is_behind_value.then_some(range),
            Token::CloseBrace | Token::CloseBracket => blanks.extend(comma.take()),
            _ => comma = None,
        }
        if !matches!(token, Token::CommentLine(_) | Token::CommentBlock(_)) {
            let opens = matches!(token, Token::OpenBrace | Token::OpenBracket | Token::Colon);
            is_behind_value = !opens && token != Token::Comma;
        }
    }
    Ok(())
}

/// Returns the line and the column, in characters, of what a path such as `$.s3.legal_hold[0]` leads to, or of the last step on the
/// way that is there; nothing for a text that is not JSON with comments.
pub(crate) fn position(text: &str, path: &str) -> Option<(usize, usize)> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &Default::default()).ok()?;
    let mut value = parsed.value.as_ref()?;
    let mut at = value.range().start;
    for step in path
        .trim_start_matches('$')
        .split(['.', '['])
        .filter(|step| !step.is_empty())
    {
        let next = match (value, step.strip_suffix(']')) {
            (ast::Value::Array(items), Some(index)) => {
                let item = index
                    .parse()
                    .ok()
                    .and_then(|index: usize| items.elements.get(index));
                item.map(|item| (item.range().start, item))
            }
            (ast::Value::Object(object), None) => {
                let mut members = object.properties.iter();
                let member = members.find(|member| member.name.as_str() == step);
                member.map(|member| (member.range().start, &member.value))
            }
            _ => None,
        };
        let Some(next) = next else { break };
        (at, value) = next;
    }
    let before = text.get(..at)?;
    let line = before.matches('\n').count() + 1;
    let column = before
        .rsplit('\n')
        .next()
        .unwrap_or_default()
        .chars()
        .count()
        + 1;
    Some((line, column))
}

#[cfg(test)]
mod tests {
    use super::{plain, position};

    #[test]
    fn comments_and_trailing_commas_become_blanks() {
        for (text, expected) in [
            ("{\"a\": \"//,]\"}", "{\"a\": \"//,]\"}"),
            ("// é\n{\"a\": 1, // one\n}", "     \n{\"a\": 1        \n}"),
            ("[1, /* a\n b */ ]", "[1      \n      ]"),
            ("{\"a\": [1,],}", "{\"a\": [1 ] }"),
            ("{} // end", "{}       "),
            // What is wrong stays wrong.
            ("[,]", "[,]"),
            ("[1,,]", "[1,,]"),
            ("{\"a\":,}", "{\"a\":,}"),
            ("[1, 2 /* never", "[1, 2 /* never"),
            ("# no\n[1,]", "# no\n[1,]"),
            ("['a',]", "['a',]"),
        ] {
            let blanked = plain(text);
            assert_eq!(blanked, expected, "{text}");
            assert_eq!(blanked.len(), text.len(), "{text}");
            let lines = |text: &str| text.lines().map(str::len).collect::<Vec<_>>();
            assert_eq!(lines(&blanked), lines(text));
        }
    }

    #[test]
    fn a_path_has_a_line_and_a_column() {
        let text = "// é\n{\"é\": 0, \"s3\": {\n  \"hold\": [1,\n    2] } }";
        for (path, expected) in [
            ("$", (2, 1)),
            ("$.s3", (2, 10)),
            ("$.s3.hold", (3, 3)),
            ("$.s3.hold[1]", (4, 5)),
            ("$.s3.bucket.name", (2, 10)),
            ("$.s3.hold[7]", (3, 3)),
        ] {
            assert_eq!(position(text, path), Some(expected), "{path}");
        }
        assert_eq!(position("{", "$"), None);
    }
}
