//! Text as people have it: with a byte order mark, in UTF-16, or of another format than JSON, which is named.

use std::io::{Cursor, Error, ErrorKind, Read, Result};

/// Returns a reader of UTF-8 without byte order mark. UTF-16 is what `>` of Windows PowerShell writes.
/// <https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_character_encoding>
///
/// # Errors
/// The source cannot be read, or is UTF-16 that ends in the middle of a unit.
pub fn utf8<'r>(mut source: impl Read + 'r) -> Result<Box<dyn Read + 'r>> {
    let mut head = Vec::new();
    source.by_ref().take(3).read_to_end(&mut head)?;
    // JSON begins with a character of ASCII: a zero beside it is half of one of UTF-16.
    let (is_little, skip) = match head.as_slice() {
        [0xef, 0xbb, 0xbf] => return Ok(Box::new(source)),
        [0xff, 0xfe, ..] => (true, 2),
        [0xfe, 0xff, ..] => (false, 2),
        [first, 0, ..] if *first != 0 => (true, 0),
        [0, second, ..] if *second != 0 => (false, 0),
        _ => return Ok(Box::new(Cursor::new(head).chain(source))),
    };
    Ok(Box::new(Utf16 {
        source: Cursor::new(head.split_off(skip)).chain(source),
        is_little,
        odd: None,
        high: None,
        text: Vec::new(),
        n_taken: 0,
    }))
}

/// UTF-16 that is turned into UTF-8 as it is read. Half of a pair without the other becomes the three bytes that UTF-8 does not have:
/// whoever reads them sees that this place is not text, and can read what follows.
struct Utf16<R> {
    source: R,
    is_little: bool,
    /// The first byte of a unit whose second one is still to come.
    odd: Option<u8>,
    /// The first unit of a pair whose second one is still to come.
    high: Option<u16>,
    text: Vec<u8>,
    n_taken: usize,
}

impl<R: Read> Utf16<R> {
    /// Turns what there is. Nothing more is to come when that is nothing.
    fn fill(&mut self) -> Result<usize> {
        let mut read = [0; 8 * 1024];
        let n_read = self.source.read(&mut read)?;
        self.text.clear();
        self.n_taken = 0;
        for byte in &read[..n_read] {
            match self.odd.take() {
                None => self.odd = Some(*byte),
                Some(first) if self.is_little => self.unit(u16::from_le_bytes([first, *byte])),
                Some(first) => self.unit(u16::from_be_bytes([first, *byte])),
            }
        }
        if n_read == 0 {
            if let Some(high) = self.high.take() {
                self.unpaired(high);
            }
            if self.odd.take().is_some() {
                let message = "UTF-16 that ends in the middle of a character";
                return Err(Error::new(ErrorKind::InvalidData, message));
            }
        }
        Ok(n_read)
    }

    fn unit(&mut self, unit: u16) {
        let before = self.high.take();
        if (0xd800..0xdc00).contains(&unit) {
            self.high = Some(unit);
            return before.into_iter().for_each(|half| self.unpaired(half));
        }
        for character in char::decode_utf16(before.into_iter().chain([unit])) {
            match character {
                Ok(character) => {
                    let mut bytes = [0; 4];
                    let text = character.encode_utf8(&mut bytes);
                    self.text.extend_from_slice(text.as_bytes());
                }
                Err(error) => self.unpaired(error.unpaired_surrogate()),
            }
        }
    }

    fn unpaired(&mut self, half: u16) {
        let [first, last] = half.to_be_bytes();
        self.text.extend([
            0xe0 | first >> 4,
            0x80 | (first & 0x0f) << 2 | last >> 6,
            0x80 | last & 0x3f,
        ]);
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        while self.n_taken == self.text.len() {
            if self.fill()? == 0 && self.text.is_empty() {
                return Ok(0);
            }
        }
        let rest = &self.text[self.n_taken..];
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        self.n_taken += n;
        Ok(n)
    }
}

/// Returns what text is that is not the JSON that was expected, and what to do, as far as it can be recognized. The parser
/// stopped at `line` and `column`, counted from 1.
pub(crate) fn other_format(text: &str, line: usize, column: usize) -> Option<&'static str> {
    const COMMENT: &str =
        "JSON has no comments: remove them; a desired state may have them behind //";
    let stopped = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    // The parser counts bytes.
    let rest = stopped.get(column.saturating_sub(1)..).unwrap_or_default();
    if rest.starts_with("//") || rest.starts_with("/*") || rest.starts_with('#') {
        return Some(COMMENT);
    }
    let first = text
        .trim_start()
        .lines()
        .next()
        .unwrap_or_default()
        .trim_end();
    let is_key = |text: &str| {
        let key = text
            .split_once(':')
            .filter(|(_, value)| value.is_empty() || value.starts_with(' '));
        key.is_some_and(|(key, _)| {
            !key.is_empty()
                && key
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        })
    };
    let is_upper =
        |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_uppercase());
    if first == "---" || is_key(first) || first.strip_prefix("- ").is_some_and(is_key) {
        let mut keys = text.lines().map(|line| line.trim_start_matches("- "));
        let key = keys.find(|line| !line.is_empty() && *line != "---");
        // The names of AWS begin with a capital.
        match key.is_some_and(|key| key.starts_with(|c: char| c.is_ascii_uppercase())) {
            true => Some("it is YAML: save it with --output json"),
            false => Some("it is YAML: write it as JSON"),
        }
    } else if first.starts_with("-----") || first.starts_with("+--") {
        Some("it is a table: save it with --output json")
    } else if first
        .split_once('\t')
        .is_some_and(|(name, _)| is_upper(name))
    {
        Some("it is the CLI's text output: save it with --output json")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::utf8;

    /// A source that gives a few bytes at once.
    struct Slow(Vec<u8>, usize);

    impl Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            let n = self.1.min(self.0.len()).min(into.len());
            into[..n].copy_from_slice(&self.0[..n]);
            self.0.drain(..n);
            Ok(n)
        }
    }

    fn turned(units: &[u16], at_once: usize) -> Vec<u8> {
        let bytes = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let mut text = Vec::new();
        let mut source = utf8(Slow(bytes, at_once)).unwrap();
        source.read_to_end(&mut text).unwrap();
        text
    }

    #[test]
    fn utf_16_is_turned_as_it_comes_and_half_a_pair_spoils_its_place_alone() {
        let text = "{\"a\": \"é😀\"}\n".repeat(3_000);
        let mut units: Vec<u16> = text.encode_utf16().collect();
        for at_once in [1, 2, 3, 5, 8_191, 1 << 20] {
            assert_eq!(turned(&units, at_once), text.as_bytes(), "{at_once}");
        }
        units.extend([0xd83d, b'a'.into(), 0xde00, b'b'.into(), 0xd83d]);
        for at_once in [1, 2, 3, 1 << 20] {
            let text = turned(&units, at_once);
            let end = b"\xed\xa0\xbda\xed\xb8\x80b\xed\xa0\xbd";
            assert!(text.ends_with(end), "{at_once}");
        }
        let cut = utf8(&b"\xff\xfe{\0}"[..])
            .unwrap()
            .read_to_end(&mut Vec::new());
        assert!(cut.unwrap_err().to_string().contains("in the middle"));
    }
}
