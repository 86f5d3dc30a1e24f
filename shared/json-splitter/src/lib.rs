//! Where one JSON object ends and the next begins, in a stream of any length: the objects of JSON lines, of pretty-printed
//! values, of an array, or of a log file's `Records`. Only brackets and quotes are looked at, 64 bytes at a time, so that
//! what no filter wants is never parsed. Memory grows with the largest object, not with the input.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod grammar;

use std::io::Read;

use wide::u8x16;

pub use self::grammar::is_json;

/// How much is read at once.
const CHUNK: usize = 256 * 1024;
/// Bytes that are looked at together: one bit each in a word.
const BLOCK: usize = 64;
/// No CloudTrail record or event is near that large; what is, is damage, and memory must not grow with it.
const LARGEST: usize = 64 * 1024 * 1024;

/// Why a stream is no sequence of JSON objects, after the objects before that place have been handed over.
#[derive(Debug, thiserror::Error)]
pub enum Damage {
    /// Something else than an object, on this line.
    #[error("line {0}: expected a JSON object")]
    NoObject(usize),
    /// A bracket too many, on this line.
    #[error("line {0}: a bracket that closes nothing")]
    Unbalanced(usize),
    /// An end that is missing; the line is that of the beginning.
    #[error("line {0}: the end is missing of what begins here")]
    Truncated(usize),
    /// An object that memory will not be spent on, beginning on this line.
    #[error("line {0}: an object of more than 64 MiB")]
    TooLarge(usize),
    /// The source cannot be read; also a gzip stream that is damaged.
    #[error(transparent)]
    Read(#[from] std::io::Error),
    /// What the function said that the objects were handed to.
    #[error(transparent)]
    Each(anyhow::Error),
}

/// Hands every object of `source` to `each`.
///
/// # Errors
/// The source cannot be read or is damaged, or an error of `each`.
pub fn objects(
    source: &mut impl Read,
    mut each: impl FnMut(&[u8]) -> anyhow::Result<()>,
) -> Result<(), Damage> {
    let mut scan = Scan::default();
    let mut buffer: Vec<u8> = Vec::with_capacity(2 * CHUNK);
    loop {
        let filled = buffer.len();
        buffer.resize(filled + CHUNK, 0);
        let n_read = read_some(source, &mut buffer[filled..]);
        buffer.truncate(filled + *n_read.as_ref().unwrap_or(&0));
        let at_end = matches!(n_read, Ok(0) | Err(_));
        scan.blocks(&buffer, at_end, &mut each)?;
        // A gzip stream that breaks off has given everything before the break.
        if n_read? == 0 {
            return scan.end(&buffer);
        }
        scan.forget(&mut buffer);
        if buffer.len() > LARGEST {
            return Err(Damage::TooLarge(scan.line_of(&buffer, 0)));
        }
    }
}

fn read_some(source: &mut impl Read, into: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < into.len() {
        match source.read(&mut into[filled..]) {
            Ok(0) => break,
            Ok(n_read) => filled += n_read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            // What came before the damage counts; the next call will fail in the same way.
            Err(_) if filled > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// How far a stream has been looked at.
#[derive(Debug, Default)]
struct Scan {
    /// Bytes of the buffer that have been looked at.
    scanned: usize,
    /// Where the object begins that is being looked at, or what lies between objects.
    begin: usize,
    depth: usize,
    /// The depth at which objects are handed over: 0, or more inside an array or a log file.
    level: usize,
    /// Whether a log file's records are behind: what follows in it is passed over.
    passing: bool,
    in_string: bool,
    escaped: bool,
    /// Line breaks in what has been dropped from the buffer.
    lines: usize,
}

impl Scan {
    fn blocks(
        &mut self,
        buffer: &[u8],
        at_end: bool,
        each: &mut impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> Result<(), Damage> {
        while let Some(block) = buffer.get(self.scanned..self.scanned + BLOCK) {
            self.block(buffer, block, each)?;
            self.scanned += BLOCK;
        }
        let rest = &buffer[self.scanned..];
        if at_end && !rest.is_empty() {
            let mut block = [b' '; BLOCK];
            block[..rest.len()].copy_from_slice(rest);
            self.block(buffer, &block, each)?;
            self.scanned = buffer.len();
        }
        Ok(())
    }

    fn block(
        &mut self,
        buffer: &[u8],
        block: &[u8],
        each: &mut impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> Result<(), Damage> {
        let (mut quotes, mut backslashes, mut opening, mut closing) = (0u64, 0u64, 0u64, 0u64);
        for (index, bytes) in block.chunks_exact(16).enumerate() {
            let bytes = u8x16::from(<[u8; 16]>::try_from(bytes).unwrap_or([b' '; 16]));
            // `[` and `{`, as well as `]` and `}`, differ in this bit alone.
            let folded = bytes | u8x16::splat(0x20);
            let bits = |found: u8x16| u64::from(found.to_bitmask() & 0xffff) << (16 * index);
            quotes |= bits(bytes.simd_eq(u8x16::splat(b'"')));
            backslashes |= bits(bytes.simd_eq(u8x16::splat(b'\\')));
            opening |= bits(folded.simd_eq(u8x16::splat(b'{')));
            closing |= bits(folded.simd_eq(u8x16::splat(b'}')));
        }
        quotes &= !self.escaped_bits(backslashes);
        let strings = self.string_bits(quotes);
        let mut brackets = (opening | closing) & !strings;
        while brackets != 0 {
            let bit = brackets & brackets.wrapping_neg();
            let at = self.scanned + brackets.trailing_zeros() as usize;
            brackets ^= bit;
            if opening & bit != 0 {
                self.open(buffer, at)?;
            } else {
                self.close(buffer, at, each)?;
            }
        }
        Ok(())
    }

    /// Returns the bits of what a backslash stands before.
    fn escaped_bits(&mut self, backslashes: u64) -> u64 {
        if backslashes == 0 && !self.escaped {
            return 0;
        }
        let mut escaped = u64::from(self.escaped);
        let mut left = backslashes & !escaped;
        self.escaped = false;
        // Backslashes are rare: one after another is faster than the arithmetic that does them all at once.
        while left != 0 {
            let after = (left & left.wrapping_neg()) << 1;
            left &= left - 1;
            left &= !after;
            escaped |= after;
            self.escaped = after == 0;
        }
        escaped
    }

    /// Returns the bits from each opening quote to before its closing one.
    fn string_bits(&mut self, quotes: u64) -> u64 {
        let mut bits = quotes;
        for shift in [1, 2, 4, 8, 16, 32] {
            bits ^= bits << shift;
        }
        if self.in_string {
            bits = !bits;
        }
        self.in_string = bits >> 63 == 1;
        bits
    }

    fn open(&mut self, buffer: &[u8], at: usize) -> Result<(), Damage> {
        if self.depth == self.level {
            if !blank(&buffer[self.begin..at]) {
                return Err(Damage::NoObject(self.line_of(buffer, self.begin)));
            }
            self.begin = at;
            if buffer[at] == b'[' && self.level == 0 {
                self.level = 1;
                self.begin = at + 1;
            }
        } else if self.level == 0
            && self.depth == 1
            && !self.passing
            && buffer[at] == b'['
            && is_log_file(&buffer[self.begin..at])
        {
            self.level = 2;
            self.begin = at + 1;
        }
        self.depth += 1;
        Ok(())
    }

    fn close(
        &mut self,
        buffer: &[u8],
        at: usize,
        each: &mut impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> Result<(), Damage> {
        if self.depth == 0 {
            return Err(Damage::Unbalanced(self.line_of(buffer, at)));
        }
        if self.depth == self.level && !blank(&buffer[self.begin..at]) {
            return Err(Damage::NoObject(self.line_of(buffer, self.begin)));
        }
        self.depth -= 1;
        if self.depth == self.level && !self.passing {
            each(&buffer[self.begin..=at]).map_err(Damage::Each)?;
            self.begin = at + 1;
        } else if self.depth < self.level {
            // The array of objects ends.
            self.passing = true;
            self.level = 0;
        }
        if self.depth == 0 {
            self.passing = false;
            self.begin = at + 1;
        }
        Ok(())
    }

    /// Drops what has been handed over.
    fn forget(&mut self, buffer: &mut Vec<u8>) {
        let done = self.begin.min(self.scanned);
        self.lines += line_breaks(&buffer[..done]);
        buffer.drain(..done);
        self.begin -= done;
        self.scanned -= done;
    }

    fn end(&self, buffer: &[u8]) -> Result<(), Damage> {
        if self.depth > 0 || self.in_string {
            return Err(Damage::Truncated(self.line_of(buffer, self.begin)));
        }
        if !buffer[self.begin.min(buffer.len())..]
            .iter()
            .all(u8::is_ascii_whitespace)
        {
            return Err(Damage::NoObject(self.line_of(buffer, self.begin)));
        }
        Ok(())
    }

    /// Returns the line of the first byte that is no white space from `at` on; the first line is 1.
    fn line_of(&self, buffer: &[u8], at: usize) -> usize {
        let space = buffer[at..]
            .iter()
            .take_while(|b| b.is_ascii_whitespace() || **b == b',')
            .count();
        self.lines + line_breaks(&buffer[..at + space]) + 1
    }
}

fn blank(between: &[u8]) -> bool {
    between
        .iter()
        .all(|b| b.is_ascii_whitespace() || *b == b',')
}

fn line_breaks(bytes: &[u8]) -> usize {
    memchr::memchr_iter(b'\n', bytes).count()
}

/// Tells whether an object up to its first array is `{"Records":`, as CloudTrail writes log files.
fn is_log_file(start: &[u8]) -> bool {
    let mut compact = start.iter().filter(|b| !b.is_ascii_whitespace());
    let mut expected = b"{\"Records\":".iter();
    loop {
        match (compact.next(), expected.next()) {
            (None, None) => return true,
            (left, right) if left == right => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::objects;

    fn found(text: &str) -> (Vec<String>, String) {
        let mut all = Vec::new();
        let result = objects(&mut text.as_bytes(), |object| {
            all.push(String::from_utf8(object.to_vec()).unwrap());
            Ok(())
        });
        (
            all,
            result
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default(),
        )
    }

    fn check(text: &str, expected: &[&str], damage: &str) {
        // Wherever the parts of 64 bytes begin, the same must come out.
        for shift in 0..70 {
            let (all, error) = found(&format!("{}{text}", " ".repeat(shift)));
            assert_eq!(
                (all.as_slice(), error.as_str()),
                (expected.map_to_strings().as_slice(), damage)
            );
        }
    }

    trait MapToStrings {
        fn map_to_strings(&self) -> Vec<String>;
    }

    impl MapToStrings for [&str] {
        fn map_to_strings(&self) -> Vec<String> {
            self.iter().map(|text| (*text).to_owned()).collect()
        }
    }

    #[test]
    fn finds_the_objects_of_every_wrapping() {
        check("{\"a\":1}\n{\"b\":{}}", &["{\"a\":1}", "{\"b\":{}}"], "");
        check(
            "[{\"a\":[1]}, {}]\n{\"c\":2}",
            &["{\"a\":[1]}", "{}", "{\"c\":2}"],
            "",
        );
        check(
            "{ \"Records\" : [ {\"a\":1},\n{\"b\":[{}]} ], \"x\": [{}] } {}",
            &["{\"a\":1}", "{\"b\":[{}]}", "{}"],
            "",
        );
        check("{\"Records\":[]}", &[], "");
        check("{\"other\":[{}]}", &["{\"other\":[{}]}"], "");
        check("", &[], "");
    }

    #[test]
    fn brackets_and_quotes_in_strings_are_text() {
        let text = r#"{"a":"}]\"{","b\\":"\\\\","c":"\\\""}"#;
        check(&format!("{text}{text}"), &[text, text], "");
        let long = format!("{{\"a\":\"{}\"}}", "\\\\".repeat(100));
        check(&long, &[&long], "");
    }

    #[test]
    fn damage_is_told_with_its_line_after_what_came_before() {
        check(
            "{}\n{\"a\":1",
            &["{}"],
            "line 2: the end is missing of what begins here",
        );
        check(
            "{\"Records\":[{},\n{\"a\":\"",
            &["{}"],
            "line 2: the end is missing of what begins here",
        );
        check("{}\n\nhello {}", &["{}"], "line 3: expected a JSON object");
        check("{}\n7", &["{}"], "line 2: expected a JSON object");
        check(
            "{\"Records\":[{}, 7, {}]}",
            &["{}"],
            "line 1: expected a JSON object",
        );
        check("{}}", &["{}"], "line 1: a bracket that closes nothing");
    }

    #[test]
    fn an_object_may_be_larger_than_what_is_read_at_once() {
        let large = format!("{{\"a\":\"{}\"}}", "x".repeat(3 << 20));
        let (all, error) = found(&format!("{large}\n{large}\n"));
        assert_eq!((all.len(), error.as_str()), (2, ""));
        assert!(all.iter().all(|object| *object == large));
    }
}
