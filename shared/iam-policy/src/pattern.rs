//! Texts with wildcards and policy variables, compiled once and matched many times.
//!
//! A compiled pattern is a row of bytes in which four bytes that no UTF-8 text has are the wildcards; so a value
//! that is put in for a variable can bring no wildcard of its own.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use std::borrow::Cow;

use crate::Version;

/// Means `*`: any text, the empty one too.
const ANY_TEXT: u8 = 0xFF;
/// Means `?`: any one character.
const ANY_CHARACTER: u8 = 0xFE;

/// Means `*` within a segment of an ARN: any text without a colon.
const TEXT_IN_SEGMENT: u8 = 0xFD;
/// Means `?` within a segment of an ARN: any one character but a colon.
const CHARACTER_IN_SEGMENT: u8 = 0xFC;

/// Gives the value of a context key for a variable.
pub(crate) trait Values {
    /// Returns the one value of a key, its name in lower case; `None` when there is none or more than one.
    fn single(&self, key: &str) -> Option<&str>;
}

/// A text, perhaps with variables in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Template {
    /// Without variables: ready.
    Fixed(Box<[u8]>),
    /// To be filled in for each request.
    Variable(Box<[Piece]>),
}

/// A part of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Text(Box<[u8]>),
    Value {
        /// In lower case.
        key: Box<str>,
        default: Option<Box<str>>,
    },
}

impl Template {
    /// Compiles a text; without `wildcards`, `*` and `?` are plain characters.
    ///
    /// # Errors
    /// A variable is malformed; the text says how.
    pub(crate) fn parse(
        text: &str,
        version: Version,
        wildcards: bool,
    ) -> Result<Template, &'static str> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut fixed: Vec<u8> = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if version == Version::Of2012
                && let Some(inner) = rest.strip_prefix("${")
            {
                let (inside, after) = inner.split_once('}').ok_or("${ without }")?;
                rest = after;
                match inside {
                    "*" | "?" | "$" => fixed.extend_from_slice(inside.as_bytes()),
                    _ => {
                        if !fixed.is_empty() {
                            pieces.push(Piece::Text(std::mem::take(&mut fixed).into()));
                        }
                        pieces.push(variable(inside)?);
                    }
                }
                continue;
            }
            match character {
                '*' if wildcards => fixed.push(ANY_TEXT),
                '?' if wildcards => fixed.push(ANY_CHARACTER),
                _ => fixed.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            }
            rest = &rest[character.len_utf8()..];
        }
        if pieces.is_empty() {
            return Ok(Template::Fixed(fixed.into()));
        }
        if !fixed.is_empty() {
            pieces.push(Piece::Text(fixed.into()));
        }
        Ok(Template::Variable(pieces.into()))
    }

    /// Bounds the wildcards of an ARN by its segments: a `*` goes beyond a colon only where it is "the last character of a
    /// resource ARN segment". The sixth segment is all the rest.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html>
    pub(crate) fn bounded_by_segments(mut self) -> Template {
        let mut n_colons = 0;
        match &mut self {
            Template::Fixed(bytes) => bound(bytes, &mut n_colons, true),
            Template::Variable(pieces) => {
                let n_pieces = pieces.len();
                for (index, piece) in pieces.iter_mut().enumerate() {
                    if let Piece::Text(bytes) = piece {
                        bound(bytes, &mut n_colons, index + 1 == n_pieces);
                    }
                }
            }
        }
        self
    }

    /// Returns the pattern for a request, or `None` when a variable has no value in it.
    pub(crate) fn fill(&self, values: &impl Values) -> Option<Cow<'_, [u8]>> {
        match self {
            Template::Fixed(bytes) => Some(Cow::Borrowed(bytes)),
            Template::Variable(pieces) => {
                let mut bytes = Vec::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(text) => bytes.extend_from_slice(text),
                        Piece::Value { key, default } => {
                            let value = values.single(key).or(default.as_deref())?;
                            bytes.extend_from_slice(value.as_bytes());
                        }
                    }
                }
                Some(Cow::Owned(bytes))
            }
        }
    }

    /// Returns whether the pattern covers a text; without a value for each of its variables it covers none.
    pub(crate) fn covers(&self, text: &str, values: &impl Values) -> bool {
        self.fill(values)
            .is_some_and(|pattern| matches(&pattern, text.as_bytes()))
    }

    /// Returns the keys of the variables, in lower case. A default is for a key that is known to be missing.
    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        let pieces = match self {
            Template::Fixed(_) => &[],
            Template::Variable(pieces) => pieces.as_ref(),
        };
        pieces.iter().filter_map(|piece| match piece {
            Piece::Value { key, .. } => Some(key.as_ref()),
            Piece::Text(_) => None,
        })
    }
}

fn bound(bytes: &mut [u8], n_colons: &mut usize, ends: bool) {
    for index in 0..bytes.len() {
        let following = bytes.get(index + 1).copied();
        match bytes[index] {
            b':' => *n_colons += 1,
            ANY_CHARACTER if *n_colons < 5 => bytes[index] = CHARACTER_IN_SEGMENT,
            ANY_TEXT if *n_colons < 5 => {
                let ends_segment = match following {
                    None => ends,
                    Some(byte) => matches!(byte, b':' | ANY_TEXT | ANY_CHARACTER),
                };
                if !ends_segment {
                    bytes[index] = TEXT_IN_SEGMENT;
                }
            }
            _ => {}
        }
    }
}

/// Returns whether what stands between `${` and `}` is a policy variable.
pub(crate) fn is_variable(inside: &str) -> bool {
    // `::` is how CloudFormation writes its pseudo parameters.
    matches!(inside, "*" | "?" | "$") || (!inside.contains("::") && variable(inside).is_ok())
}

fn variable(inside: &str) -> Result<Piece, &'static str> {
    let (key, default) = match inside.split_once(',') {
        None => (inside, None),
        Some((key, default)) => {
            let default = default.trim_start_matches(' ');
            let unquoted = default
                .strip_prefix('\'')
                .and_then(|rest| rest.strip_suffix('\''));
            (
                key,
                Some(unquoted.ok_or("a default that is not in single quotes")?),
            )
        }
    };
    // A tag's key may have spaces; the key of a variable always has a service.
    let sound = key.contains(':') && !key.contains(['$', '{', '*', '?', '\'']);
    if !sound {
        return Err("a variable that is not a context key");
    }
    Ok(Piece::Value {
        key: key.to_ascii_lowercase().into(),
        default: default.map(Into::into),
    })
}

/// Returns a pattern with values, or their defaults, for its policy variables. One that has neither becomes `*`.
pub(crate) fn with_values<'v>(pattern: &str, value: impl Fn(&str) -> Option<&'v str>) -> String {
    let mut filled = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some((before, inner)) = rest.split_once("${") {
        let Some((inside, after)) = inner.split_once('}') else {
            break;
        };
        filled.push_str(before);
        match variable(inside) {
            Ok(Piece::Value { key, default }) => {
                let value = value(&key).or(default.as_deref());
                filled.push_str(value.unwrap_or("*"));
            }
            // `${*}` and the like, without the braces.
            _ => filled.push_str(inside),
        }
        rest = after;
    }
    filled.push_str(rest);
    filled
}

/// Returns whether a compiled pattern covers the whole text.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    // Most patterns differ from most texts in a letter before any wildcard, and no text has the bytes of wildcards.
    let same = pattern.iter().zip(text);
    let n_same = same.take_while(|(one, other)| one == other).count();
    let (mut p, mut t) = (n_same, n_same);
    // Where to go on when a later part does not match: behind the last `*`, and the text that it has swallowed so far.
    let mut retry: Option<(usize, usize)> = None;
    // The same of the last `*` within a segment, if one came since.
    let mut retry_in_segment: Option<(usize, usize)> = None;
    loop {
        match pattern.get(p) {
            Some(&ANY_TEXT) => {
                p += 1;
                if p == pattern.len() {
                    return true;
                }
                retry = Some((p, t));
                retry_in_segment = None;
                continue;
            }
            Some(&TEXT_IN_SEGMENT) => {
                p += 1;
                retry_in_segment = Some((p, t));
                continue;
            }
            Some(&ANY_CHARACTER) if t < text.len() => {
                p += 1;
                t += width(text, t);
                continue;
            }
            Some(&CHARACTER_IN_SEGMENT) if text.get(t).is_some_and(|byte| *byte != b':') => {
                p += 1;
                t += width(text, t);
                continue;
            }
            Some(&byte) if text.get(t) == Some(&byte) => {
                p += 1;
                t += 1;
                continue;
            }
            None if t == text.len() => return true,
            _ => {}
        }
        if let Some((behind_star, swallowed)) = retry_in_segment
            && text.get(swallowed).is_some_and(|byte| *byte != b':')
        {
            let swallowed = swallowed + width(text, swallowed);
            retry_in_segment = Some((behind_star, swallowed));
            (p, t) = (behind_star, swallowed);
            continue;
        }
        match retry {
            Some((behind_star, swallowed)) if swallowed < text.len() => {
                let swallowed = swallowed + width(text, swallowed);
                retry = Some((behind_star, swallowed));
                retry_in_segment = None;
                (p, t) = (behind_star, swallowed);
            }
            _ => return false,
        }
    }
}

/// Returns whether there is a text that two compiled patterns both cover.
pub(crate) fn overlap(one: &[u8], other: &[u8]) -> bool {
    // Whether the rest of `one` and the rest of `other` overlap, from behind; a row for each beginning of `other`.
    let mut below = vec![false; one.len() + 1];
    for j in (0..=other.len()).rev() {
        let mut row = vec![false; one.len() + 1];
        for i in (0..=one.len()).rev() {
            row[i] = match (one.get(i), other.get(j)) {
                (None, None) => true,
                (Some(&a), b) if is_text(a) => {
                    row[i + 1] || b.is_some_and(|&b| share_character(a, b) && below[i])
                }
                (a, Some(&b)) if is_text(b) => {
                    below[i] || a.is_some_and(|&a| share_character(a, b) && row[i + 1])
                }
                (Some(&a), Some(&b)) => share_character(a, b) && below[i + 1],
                _ => false,
            };
        }
        below = row;
    }
    below[0]
}

/// Returns a byte of a compiled pattern as it is within a segment of an ARN, where no wildcard covers a colon.
pub(crate) fn in_segment(byte: u8) -> u8 {
    match byte {
        ANY_TEXT => TEXT_IN_SEGMENT,
        ANY_CHARACTER => CHARACTER_IN_SEGMENT,
        byte => byte,
    }
}

fn is_text(byte: u8) -> bool {
    matches!(byte, ANY_TEXT | TEXT_IN_SEGMENT)
}

/// Returns whether a character is covered by both; of characters of several bytes each byte is one.
fn share_character(one: u8, other: u8) -> bool {
    let any = |byte| matches!(byte, ANY_TEXT | ANY_CHARACTER);
    let in_segment = |byte| matches!(byte, TEXT_IN_SEGMENT | CHARACTER_IN_SEGMENT);
    match (one, other) {
        (a, b) if any(a) || any(b) || (in_segment(a) && in_segment(b)) => true,
        (a, b) if in_segment(a) => b != b':',
        (a, b) if in_segment(b) => a != b':',
        (a, b) => a == b,
    }
}

/// Returns the length in bytes of the character at an offset.
fn width(text: &[u8], at: usize) -> usize {
    let continuation = |byte: &&u8| **byte & 0b1100_0000 == 0b1000_0000;
    1 + text[at + 1..].iter().take_while(continuation).count()
}

/// Splits at colons into at most six parts, as ARNs are; colons within a variable do not count.
pub(crate) fn arn_parts(text: &str, version: Version) -> Vec<&str> {
    let mut parts = Vec::with_capacity(6);
    let (mut start, mut in_variable) = (0, false);
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            b'$' if version == Version::Of2012 && text[offset..].starts_with("${") => {
                in_variable = true
            }
            b'}' => in_variable = false,
            b':' if !in_variable && parts.len() < 5 => {
                parts.push(&text[start..offset]);
                start = offset + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

/// Returns whether a pattern of IAM covers the whole text, case included.
#[must_use]
pub fn glob(pattern: &str, text: &str) -> bool {
    // No variables in 2008's language, so nothing can be malformed.
    match Template::parse(pattern, Version::Of2008, true) {
        Ok(Template::Fixed(bytes)) => matches(&bytes, text.as_bytes()),
        _ => false,
    }
}

#[cfg(test)]
#[path = "pattern_tests.rs"]
mod tests;
