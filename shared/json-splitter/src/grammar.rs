//! Whether a text is JSON, without reading any of it: strings are passed over 16 bytes at a time. Half as long again takes a
//! parser that ignores what it parses, as a filter does with most of what it is given.
//! <https://www.rfc-editor.org/rfc/rfc8259>

use wide::u8x16;

/// How deep values may be in others, one bit each. What is deeper is not checked here.
const LEVELS: usize = 64;

/// Returns whether a text is one JSON value; `None` where it is too deep to be checked. Calls `each` with the key of every member
/// where that has no escapes, and with what follows its colon. That a text is UTF-8 is for the caller to see to.
pub fn is_json<'t>(
    text: &'t [u8],
    mut each: impl FnMut(Option<&'t [u8]>, &'t [u8]),
) -> Option<bool> {
    let each = |key, rest| {
        each(key, rest);
        true
    };
    match walk(text, each) {
        Some(End::Reached(end)) => Some(space(text, end) == text.len()),
        Some(End::NotChecked) => None,
        None => Some(false),
    }
}

/// Returns how long the JSON value is that a text begins with; `None` where it is damaged, too deep to be checked, or not all of it
/// is there, and where `each` does not let a key pass.
#[inline]
pub(crate) fn length(text: &[u8], mut each: impl FnMut(Option<&[u8]>) -> bool) -> Option<usize> {
    match walk(text, |key, _| each(key))? {
        End::Reached(end) => Some(end),
        End::NotChecked => None,
    }
}

/// How far a walk through a text went in which nothing is wrong.
enum End {
    /// To the end of the value.
    Reached(usize),
    /// To a value in too many others, or to a key that is not let pass.
    NotChecked,
}

/// Returns `None` at the first byte that is wrong or missing.
#[inline]
fn walk<'t>(
    text: &'t [u8],
    mut each: impl FnMut(Option<&'t [u8]>, &'t [u8]) -> bool,
) -> Option<End> {
    // The innermost is the lowest: 1 for an object, 0 for an array.
    let (mut kinds, mut depth) = (0_u64, 0_usize);
    let mut at = 0;
    loop {
        // A value begins.
        at = space(text, at);
        match *text.get(at)? {
            b'"' => at = string(text, at + 1)?.0,
            opening @ (b'{' | b'[') => {
                let is_object = opening == b'{';
                at = space(text, at + 1);
                let closing = if is_object { b'}' } else { b']' };
                if text.get(at) == Some(&closing) {
                    at += 1;
                } else {
                    if depth == LEVELS {
                        return Some(End::NotChecked);
                    }
                    kinds = kinds << 1 | u64::from(is_object);
                    depth += 1;
                    if is_object {
                        let passed = key(text, at, &mut each)?;
                        let Some(after) = passed else {
                            return Some(End::NotChecked);
                        };
                        at = after;
                    }
                    continue;
                }
            }
            b'-' | b'0'..=b'9' => at = number(text, at)?,
            b't' => at = word(text, at, b"true")?,
            b'f' => at = word(text, at, b"false")?,
            b'n' => at = word(text, at, b"null")?,
            _ => return None,
        }
        // It has ended: so may those that it is in.
        loop {
            if depth == 0 {
                return Some(End::Reached(at));
            }
            at = space(text, at);
            let is_object = kinds & 1 == 1;
            match (*text.get(at)?, is_object) {
                (b',', true) => {
                    let passed = key(text, space(text, at + 1), &mut each)?;
                    let Some(after) = passed else {
                        return Some(End::NotChecked);
                    };
                    at = after;
                    break;
                }
                (b',', false) => {
                    at += 1;
                    break;
                }
                (b'}', true) | (b']', false) => {
                    at += 1;
                    kinds >>= 1;
                    depth -= 1;
                }
                _ => return None,
            }
        }
    }
}

/// Returns where white space ends.
#[inline]
fn space(text: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\r' | b'\t') = text.get(at) {
        at += 1;
    }
    at
}

/// Returns where the colon of a member ends; nothing where its key is not let pass.
#[inline]
fn key<'t>(
    text: &'t [u8],
    at: usize,
    each: &mut impl FnMut(Option<&'t [u8]>, &'t [u8]) -> bool,
) -> Option<Option<usize>> {
    if text.get(at) != Some(&b'"') {
        return None;
    }
    let (end, is_plain) = string(text, at + 1)?;
    let colon = space(text, end);
    if text.get(colon) != Some(&b':') {
        return None;
    }
    let key = is_plain.then(|| &text[at + 1..end - 1]);
    Some(each(key, &text[colon + 1..]).then_some(colon + 1))
}

/// Returns where a string ends that begins after a quote, and whether it has no escapes.
#[inline]
fn string(text: &[u8], mut at: usize) -> Option<(usize, bool)> {
    let mut is_plain = true;
    loop {
        while let Some(block) = text.get(at..at + 16) {
            let bytes = u8x16::from(<[u8; 16]>::try_from(block).ok()?);
            let plain = bytes.max(u8x16::splat(0x20)).simd_eq(bytes);
            let special =
                bytes.simd_eq(u8x16::splat(b'"')) | bytes.simd_eq(u8x16::splat(b'\\')) | !plain;
            let found = special.to_bitmask() & 0xffff;
            if found != 0 {
                at += found.trailing_zeros() as usize;
                break;
            }
            at += 16;
        }
        match *text.get(at)? {
            b'"' => return Some((at + 1, is_plain)),
            b'\\' => {
                is_plain = false;
                at += match *text.get(at + 1)? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => 2,
                    b'u' => {
                        let digits = text.get(at + 2..at + 6)?;
                        if !digits.iter().all(u8::is_ascii_hexdigit) {
                            return None;
                        }
                        6
                    }
                    _ => return None,
                };
            }
            ..0x20 => return None,
            // Near the end there is no whole block.
            _ => at += 1,
        }
    }
}

/// Returns where a number ends.
#[inline]
fn number(text: &[u8], mut at: usize) -> Option<usize> {
    let digits = |from: usize| {
        let n_digits = text[from..]
            .iter()
            .take_while(|b| b.is_ascii_digit())
            .count();
        (n_digits > 0).then_some(from + n_digits)
    };
    at += usize::from(text[at] == b'-');
    at = match text.get(at)? {
        b'0' => at + 1,
        _ => digits(at)?,
    };
    if text.get(at) == Some(&b'.') {
        at = digits(at + 1)?;
    }
    if let Some(b'e' | b'E') = text.get(at) {
        at += 1;
        at += usize::from(matches!(text.get(at), Some(b'+' | b'-')));
        at = digits(at)?;
    }
    Some(at)
}

#[inline]
fn word(text: &[u8], at: usize, word: &[u8]) -> Option<usize> {
    text[at..].starts_with(word).then_some(at + word.len())
}

#[cfg(test)]
mod tests {
    use super::{LEVELS, is_json};

    fn is_read(text: &[u8]) -> bool {
        serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
    }

    #[test]
    fn what_a_parser_reads_is_json_and_nothing_else() {
        for text in [
            "",
            " ",
            "null",
            " true\n",
            "nul",
            "truex",
            "false false",
            "0",
            "-0",
            "01",
            "-",
            "1.",
            "1.5",
            ".5",
            "1e",
            "1e+",
            "1E-07",
            "+1",
            "-1e5x",
            "\"\"",
            "\"",
            "\"a",
            "\"a\\\"",
            "\"\\u00e9\\n\\/\"",
            "\"\\u00g9\"",
            "\"\\u00",
            "\"\\x\"",
            "\"a\tb\"",
            "\"\u{7f}é😀\"",
            "[]",
            "[ ]",
            "[,]",
            "[1,]",
            "[1 2]",
            "[1,2]",
            "[1",
            "]",
            "[}",
            "{}",
            "{ }",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1",
            "{\"a\" : [ {} , [ ] ] }",
            "{a:1}",
            "{1:1}",
            "{\"a\":1]",
            "[{\"a\":{\"b\":[1,{\"c\":null}]}}]",
            "{}{}",
            "{},",
            "\u{feff}{}",
            "\"0123456789abcdef0123456789abcdef\"",
            "\"0123456789abcde\\\"",
            "\"0123456789abcde\n0\"",
        ] {
            // Strings are looked at in blocks, wherever those begin.
            for shift in 0..17 {
                for text in [
                    format!("{}{text}", " ".repeat(shift)),
                    format!("[{text}{}]", " ".repeat(shift)),
                ] {
                    let found = is_json(text.as_bytes(), |_, _| {});
                    assert_eq!(found, Some(is_read(text.as_bytes())), "{text}");
                }
            }
        }
    }

    #[test]
    fn damage_of_one_byte_is_found_where_a_parser_finds_it() {
        let whole = r#"{"Records":[{"a":"a \"quoted\" \\ é","n":[1,-2.5e3,true,null,false,{}],"nested":{"deep":[[],[{"x":""}]]}} , "0123456789abcdef"]}"#;
        for at in 0..whole.len() {
            for byte in 0..=127_u8 {
                let mut text = whole.as_bytes().to_vec();
                text[at] = byte;
                if std::str::from_utf8(&text).is_ok() {
                    let shown = String::from_utf8_lossy(&text);
                    assert_eq!(is_json(&text, |_, _| {}), Some(is_read(&text)), "{shown}");
                }
            }
            let cut = &whole.as_bytes()[..at];
            assert_eq!(is_json(cut, |_, _| {}), Some(false));
        }
    }

    #[test]
    fn every_key_is_handed_over_with_what_follows() {
        let mut keys = Vec::new();
        let text = r#"{"a" : {"b\n":[{"a":2}]},"c":"d"}"#;
        is_json(text.as_bytes(), |key, rest| {
            keys.push((key.map(String::from_utf8_lossy), rest[0]));
        });
        let keys: Vec<(Option<&str>, u8)> = keys
            .iter()
            .map(|(key, next)| (key.as_deref(), *next))
            .collect();
        let expected = [
            (Some("a"), b' '),
            (None, b'['),
            (Some("a"), b'2'),
            (Some("c"), b'"'),
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn what_is_too_deep_is_not_checked() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(is_json(nested(LEVELS).as_bytes(), |_, _| {}), Some(true));
        assert_eq!(is_json(nested(LEVELS + 2).as_bytes(), |_, _| {}), None);
    }
}
