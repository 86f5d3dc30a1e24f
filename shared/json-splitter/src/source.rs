//! Bytes of a source, as they come: whoever waits for a stream that is slow must not wait for more than one object.

use std::io::{ErrorKind, Read};

/// How much is read at once.
const CHUNK: usize = 256 * 1024;

/// What was read and is still needed.
#[derive(Debug, Default)]
pub(crate) struct Buffer {
    bytes: Vec<u8>,
    n_filled: usize,
}

impl Buffer {
    pub(crate) fn filled(&self) -> &[u8] {
        &self.bytes[..self.n_filled]
    }

    /// Reads what there is, at most a chunk. Returns how much it was.
    pub(crate) fn fill(&mut self, source: &mut impl Read) -> std::io::Result<usize> {
        let wanted = self.n_filled + CHUNK;
        if self.bytes.len() < wanted {
            self.bytes.resize(wanted.max(2 * CHUNK), 0);
        }
        loop {
            match source.read(&mut self.bytes[self.n_filled..wanted]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(n_read) => {
                    self.n_filled += n_read;
                    return Ok(n_read);
                }
            }
        }
    }

    /// Drops bytes from the front.
    pub(crate) fn forget(&mut self, n: usize) {
        self.bytes.copy_within(n..self.n_filled, 0);
        self.n_filled -= n;
    }
}
