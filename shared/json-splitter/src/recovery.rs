//! Where to go on after damage: at what looks like the beginning of the next object. In doubt too early, as what is not an
//! object of its own only makes one more report, while a good one that is skipped is lost.

use memchr::memmem;

/// The first key of CloudTrail's records, looked for until another one is known.
const EVENT_VERSION: &[u8] = b"\"eventVersion\"";
/// No first key of a record is longer.
pub(crate) const LONGEST_KEY: usize = 256;

/// What the objects of a stream begin with: programs write records alike.
#[derive(Debug)]
pub(crate) struct FirstKey {
    quoted: Vec<u8>,
    /// Whether it is that of the first object that was read. Later ones may be parts of a damaged one.
    is_learned: bool,
}

impl Default for FirstKey {
    fn default() -> FirstKey {
        FirstKey {
            quoted: EVENT_VERSION.to_vec(),
            is_learned: false,
        }
    }
}

impl FirstKey {
    /// Keeps the first key of the first object that was read.
    pub(crate) fn learn(&mut self, object: &[u8]) {
        if self.is_learned {
            return;
        }
        self.is_learned = true;
        if let Some(key) = first_key(object) {
            self.quoted = [b"\"", key, b"\""].concat();
        }
    }

    /// Returns where the next object begins in `buffer` at or after `from`; `None` while that is not seen.
    pub(crate) fn next(&self, buffer: &[u8], from: usize) -> Option<usize> {
        let with = |key: &[u8]| {
            memmem::find_iter(&buffer[from..], key)
                .find_map(|at| begin_before(buffer, from, from + at))
        };
        let by_key = with(&self.quoted)
            .into_iter()
            .chain(with(EVENT_VERSION))
            .min();
        // What stands at the very beginning of a line is an object of JSON lines.
        let limit = by_key.unwrap_or(buffer.len());
        let lines = memchr::memchr_iter(b'\n', &buffer[from.saturating_sub(1)..limit]);
        let by_line = lines
            .map(|at| from.saturating_sub(1) + at + 1)
            .map(|at| at + usize::from(buffer.get(at) == Some(&0x1e)))
            .find(|at| *at >= from && buffer.get(*at) == Some(&b'{'));
        by_line.or(by_key)
    }
}

/// Returns the brace of which a key is the first, where an object may begin there.
fn begin_before(buffer: &[u8], from: usize, key: usize) -> Option<usize> {
    let is_space = |byte: &u8| byte.is_ascii_whitespace();
    let brace = buffer[from..key].iter().rposition(|byte| !is_space(byte))? + from;
    let before = buffer[..brace].iter().rev().find(|byte| !is_space(byte));
    let may_begin = before.is_none_or(|byte| matches!(byte, b',' | b'[' | b'}' | b']' | 0x1e));
    let on_new_line = brace.checked_sub(1).is_some_and(|at| buffer[at] == b'\n');
    (buffer[brace] == b'{' && (may_begin || on_new_line)).then_some(brace)
}

fn first_key(object: &[u8]) -> Option<&[u8]> {
    let inner = object.strip_prefix(b"{")?.trim_ascii_start();
    let key = inner.strip_prefix(b"\"")?;
    let key = &key[..memchr::memchr(b'"', key)?];
    (!key.is_empty() && key.len() <= LONGEST_KEY && !key.contains(&b'\\')).then_some(key)
}
