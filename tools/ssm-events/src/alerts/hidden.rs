//! What is secret of a destination, taken out of whatever a service or a proxy says about it: the URL, each part of it behind the
//! host, and the values of headers and fields, in whichever spelling they come back.

use std::ops::Range;

/// Parts of a URL that are shorter are words such as `v2`, and no secrets.
const SHORTEST_PART: usize = 4;
/// What is behind is not looked at, and never shown.
pub(crate) const LONGEST_TEXT: usize = 16 * 1024;
/// A text in JSON in a page of HTML is encoded three times.
const MOST_ENCODINGS: usize = 4;
/// Bytes as which each byte of a secret may be written, encoded more than once: `&amp;#x0002F;`.
const LONGEST_ESCAPE: usize = 16;

/// What must not be shown.
#[derive(Clone, Default)]
pub(crate) struct Hidden(Vec<Secret>);

#[derive(Clone)]
struct Secret {
    /// As it is, and decoded.
    spellings: Vec<Vec<u8>>,
    /// Whether it is only hidden where it is a word of its own.
    is_word: bool,
}

/// A byte of a text, and from where to where in the text it is written.
#[derive(Clone, Copy)]
struct Unit {
    byte: u8,
    from: usize,
    to: usize,
}

impl std::fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("secrets")
    }
}

impl Hidden {
    /// Adds a URL: itself, for the host may be the secret, the user and the password before the host, what is behind it, and each part
    /// of that, for a proxy that has cut or rewritten the path shows the rest of it.
    pub(crate) fn url(mut self, url: &str) -> Hidden {
        let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
        let at = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let behind = rest[at..].split('#').next().unwrap_or_default();
        let (path, query) = behind.split_once('?').unwrap_or((behind, ""));
        let wholes = [behind, path, path.trim_matches('/'), query];
        self.add(url, false);
        self.add(url.trim_end_matches('/'), true);
        if let Some((user, _)) = rest[..at].rsplit_once('@') {
            let password = user.split_once(':').map_or("", |(_, password)| password);
            self.add(user, false);
            self.add(password, false);
        }
        let of_query = query.split('&').map(|pair| {
            let value = pair.split_once('=');
            value.map_or(pair, |(_, value)| value)
        });
        for whole in wholes.into_iter().filter(|one| one.len() >= SHORTEST_PART) {
            self.add(whole, false);
        }
        for part in path.split('/').chain(of_query) {
            if part.len() >= SHORTEST_PART {
                self.add(part, true);
            }
        }
        self
    }

    /// Adds a value, such as a token or a key.
    pub(crate) fn value(mut self, value: &str) -> Hidden {
        self.add(value, false);
        self
    }

    fn add(&mut self, secret: &str, is_word: bool) {
        let raw = secret.as_bytes().to_vec();
        let units = units(secret);
        let decoded = levels(units).pop().unwrap_or_default();
        let decoded: Vec<u8> = decoded.iter().map(|unit| unit.byte).collect();
        let mut spellings = vec![raw];
        if decoded != spellings[0] {
            spellings.push(decoded);
        }
        spellings.retain(|spelling| !spelling.is_empty());
        self.0.push(Secret { spellings, is_word });
    }

    /// Returns a text with `..` in place of each secret.
    pub(crate) fn hide(&self, text: &str) -> String {
        let mut end = text.len().min(LONGEST_TEXT);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        // Of what is cut the end may be the beginning of a secret.
        let longest = self.0.iter().flat_map(|secret| &secret.spellings);
        let longest = longest.map(Vec::len).max().unwrap_or_default();
        let mut shown_end = match end < text.len() {
            true => end.saturating_sub(longest * LONGEST_ESCAPE),
            false => end,
        };
        while !text.is_char_boundary(shown_end) {
            shown_end -= 1;
        }
        let text = &text[..end];
        let mut found: Vec<Range<usize>> = Vec::new();
        for level in levels(units(text)) {
            for secret in &self.0 {
                found.extend(secret.find(&level));
            }
        }
        found.sort_by_key(|range| (range.start, range.end));
        let (mut shown, mut at) = (String::new(), 0);
        for range in found {
            if range.end <= at || range.start >= shown_end {
                continue;
            }
            // One that begins in another is hidden with it.
            if range.start >= at {
                shown.push_str(text.get(at..range.start).unwrap_or_default());
                shown.push_str("..");
            }
            at = range.end;
            while !text.is_char_boundary(at) {
                at += 1;
            }
        }
        shown.push_str(text.get(at..shown_end).unwrap_or_default());
        shown
    }
}

impl Secret {
    /// Returns where in the text it is written.
    fn find(&self, level: &[Unit]) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        for spelling in &self.spellings {
            let is_here = |window: &[Unit]| {
                let mut pairs = window.iter().zip(spelling);
                pairs.all(|(unit, byte)| unit.byte.eq_ignore_ascii_case(byte))
            };
            for (index, window) in level.windows(spelling.len()).enumerate() {
                if !is_here(window) {
                    continue;
                }
                let before = index.checked_sub(1).and_then(|index| level.get(index));
                let after = level.get(index + spelling.len());
                let is_in_word = [before, after]
                    .into_iter()
                    .flatten()
                    .any(|unit| unit.byte.is_ascii_alphanumeric());
                if !(self.is_word && is_in_word) {
                    found.push(window[0].from..window[window.len() - 1].to);
                }
            }
        }
        found
    }
}

fn units(text: &str) -> Vec<Unit> {
    let unit = |(from, byte)| Unit {
        byte,
        from,
        to: from + 1,
    };
    text.bytes().enumerate().map(unit).collect()
}

/// Returns a text as it is, and decoded once, twice and so on until nothing is left to decode.
fn levels(text: Vec<Unit>) -> Vec<Vec<Unit>> {
    let mut levels = vec![text];
    for _ in 0..MOST_ENCODINGS {
        let Some(next) = levels.last().and_then(|last| decoded(last)) else {
            break;
        };
        levels.push(next);
    }
    levels
}

/// Takes off one encoding: percent, escapes of JSON, references of HTML. `None` where there is none.
fn decoded(text: &[Unit]) -> Option<Vec<Unit>> {
    let (mut made, mut at, mut is_changed) = (Vec::with_capacity(text.len()), 0, false);
    while at < text.len() {
        let (bytes, n_units) = match escape(&text[at..]) {
            Some(escape) => escape,
            None => {
                made.push(text[at]);
                at += 1;
                continue;
            }
        };
        let (from, to) = (text[at].from, text[at + n_units - 1].to);
        made.extend(bytes.into_iter().map(|byte| Unit { byte, from, to }));
        is_changed = true;
        at += n_units;
    }
    is_changed.then_some(made)
}

/// Returns what the beginning of a text is an escape of, and how long that is.
/// <https://www.rfc-editor.org/rfc/rfc3986#section-2.1>, <https://www.rfc-editor.org/rfc/rfc8259#section-7>,
/// <https://html.spec.whatwg.org/multipage/syntax.html#character-references>
fn escape(text: &[Unit]) -> Option<(Vec<u8>, usize)> {
    const LONGEST: usize = 10;
    // First, for it is asked at every byte, and hardly any begins one.
    if !matches!(text.first()?.byte, b'%' | b'\\' | b'&') {
        return None;
    }
    let head: Vec<u8> = text.iter().take(LONGEST).map(|unit| unit.byte).collect();
    let head = String::from_utf8_lossy(&head);
    let digits = |from: usize, n_digits: usize| {
        let digits = head.get(from..from + n_digits)?;
        let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_hex.then(|| u32::from_str_radix(digits, 16).ok())?
    };
    let utf8 = |code: u32| Some(char::from_u32(code)?.to_string().into_bytes());
    match head.as_bytes() {
        [b'%', ..] => Some((vec![u8::try_from(digits(1, 2)?).ok()?], 3)),
        [b'\\', b'u', ..] => Some((utf8(digits(2, 4)?)?, 6)),
        [b'\\', b'x', ..] => Some((utf8(digits(2, 2)?)?, 4)),
        [b'\\', other @ (b'/' | b'\\' | b'"'), ..] => Some((vec![*other], 2)),
        [b'&', ..] => {
            let name = head[1..].split_once(';')?.0;
            let code = match name.strip_prefix('#') {
                Some(number) => match number.strip_prefix(['x', 'X']) {
                    Some(hex) => u32::from_str_radix(hex, 16).ok()?,
                    None => number.parse().ok()?,
                },
                None => match name {
                    "amp" => u32::from('&'),
                    "lt" => u32::from('<'),
                    "gt" => u32::from('>'),
                    "quot" => u32::from('"'),
                    "apos" => u32::from('\''),
                    "sol" => u32::from('/'),
                    "equals" => u32::from('='),
                    _ => return None,
                },
            };
            Some((utf8(code)?, name.len() + 2))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Hidden;

    #[test]
    fn parts_of_secrets_are_hidden_in_every_spelling() {
        let hidden = Hidden::default()
            .url("https://h.example/services/T0/B0/c4n4ry?sig=s1gn4%2Fture&x=1")
            .value("Bearer b34r3r")
            .value("b34r3r")
            .value("r0ut1ng/k3y");
        for (text, expected) in [
            ("Cannot POST /services/T0/B0/c4n4ry", "Cannot POST .."),
            ("Cannot POST /SERVICES/T0/B0/C4N4RY.", "Cannot POST ..."),
            (
                r#"{"path":"\/services\/T0\/B0\/c4n4ry"}"#,
                r#"{"path":".."}"#,
            ),
            (
                r#"{"path":"\u002fservices\u002FT0/B0/c4n4ry"}"#,
                r#"{"path":".."}"#,
            ),
            ("to=%2Fservices%2FT0%2fB0%2Fc4n4ry!", "to=..!"),
            ("to=%252Fservices%252FT0%252FB0%252Fc4n4ry!", "to=..!"),
            ("<b>&#x2F;services&#47;T0&sol;B0/c4n4ry</b>", "<b>..</b>"),
            ("no h.example/services/T0/B0/c4n4ry", "no h.example.."),
            ("rewritten: /T0/B0/c4n4ry", "rewritten: /T0/B0/.."),
            ("no hook 'c4n4ry'", "no hook '..'"),
            ("signature s1gn4/ture is wrong", "signature .. is wrong"),
            (
                "/services/T0/B0/c4n4ry?sig=s1gn4%2Fture&amp;x=1 is not found",
                ".. is not found",
            ),
            ("token b34r3r, of Bearer b34r3r", "token .., of .."),
            ("no such key: r0ut1ng%2fk3y", "no such key: .."),
            // What only looks like a part stays.
            ("microservices are down", "microservices are down"),
            ("100 % of T0", "100 % of T0"),
            ("é%zz \\q &nope; &", "é%zz \\q &nope; &"),
        ] {
            assert_eq!(hidden.hide(text), expected, "{text}");
        }
        let long = format!("{}c4n4ry", "é".repeat(8 * 1024));
        assert!(!hidden.hide(&long).contains("c4n4ry"));
        assert_eq!(Hidden::default().hide("as it is"), "as it is");
        assert_eq!(Hidden::default().url("https://h/").hide("at /"), "at /");
    }

    #[test]
    fn a_url_whose_secret_is_before_the_path_is_hidden() {
        for (url, text, expected) in [
            (
                "https://c4n4ry.m.example.net/",
                "no route to https://c4n4ry.m.example.net/",
                "no route to ..",
            ),
            (
                "https://c4n4ry.m.example.net/",
                "no route to https%3A%2F%2Fc4n4ry.m.example.net, retry",
                "no route to .., retry",
            ),
            ("https://user:p4ss@h/", "at https://user:p4ss@h/", "at .."),
            ("https://user:p4ss@h/", "user:p4ss is wrong", ".. is wrong"),
            ("https://user:p4ss@h/", "p4ss of user", ".. of user"),
            ("https://t0k@h?a=b", "the user 't0k'", "the user '..'"),
        ] {
            let hidden = Hidden::default().url(url);
            assert_eq!(hidden.hide(text), expected, "{url}");
        }
    }

    #[test]
    fn no_secret_at_the_end_of_what_is_looked_at_is_shown_in_part() {
        let hidden = Hidden::default().value("c4n4ry/c4n4ry");
        for secret in [
            "c4n4ry/c4n4ry",
            "c4n4ry%252Fc4n4ry",
            "&#x0063;4n4ry&amp;#x0002F;c4n4ry",
        ] {
            for n_before in 1..secret.len() {
                let text = format!("{}{secret}", "-".repeat(16 * 1024 - n_before));
                let shown = hidden.hide(&text);
                let shown = shown.trim_start_matches('-');
                assert!(shown.is_empty(), "{n_before}: {shown}");
            }
        }
        // Whole ones before are still hidden, and what is beside them shown.
        let text = format!("at c4n4ry/c4n4ry: {}", "-".repeat(16 * 1024));
        assert!(hidden.hide(&text).starts_with("at ..: --"));
    }
}
