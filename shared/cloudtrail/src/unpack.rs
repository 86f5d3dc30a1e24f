//! Files as they are stored: plain, or packed with gzip or zstd, in any number of parts.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Result};

use flate2::bufread::GzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

const CHUNK: usize = 64 * 1024;
/// The first bytes of every gzip stream (RFC 1952) and zstd frame (RFC 8878). Names are not trusted: a download may have lost its
/// ending.
const GZIP: [u8; 2] = [0x1f, 0x8b];
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Returns a reader of what was packed, or of the source as it is.
///
/// # Errors
/// The source cannot be read.
pub fn unpacked<'r>(source: impl Read + 'r) -> Result<Box<dyn Read + 'r>> {
    let mut source = Source::new(BufReader::with_capacity(CHUNK, source));
    Ok(match source.part()? {
        None => Box::new(source),
        Some(_) => Box::new(Parts::Between(source)),
    })
}

#[derive(Clone, Copy)]
enum Part {
    Gzip,
    Zstd,
}

impl Part {
    fn at(begin: &[u8]) -> Option<Part> {
        match begin {
            begin if begin.starts_with(&GZIP) => Some(Part::Gzip),
            begin if begin.starts_with(&ZSTD) => Some(Part::Zstd),
            _ => None,
        }
    }
}

/// A source whose next bytes can be looked at together, though a read ended between them.
struct Source<S> {
    /// Bytes that were looked at, and are handed out before those of the source.
    seen: [u8; ZSTD.len()],
    n_seen: usize,
    source: S,
}

impl<S: BufRead> Source<S> {
    fn new(source: S) -> Source<S> {
        Source {
            seen: [0; ZSTD.len()],
            n_seen: 0,
            source,
        }
    }

    /// Returns what kind of part begins here. Reads on only while it may be one: a stream of records that is slow must not wait.
    fn part(&mut self) -> Result<Option<Part>> {
        loop {
            let seen = &self.seen[..self.n_seen];
            let is_cut = [&GZIP[..], &ZSTD]
                .iter()
                .any(|magic| seen.len() < magic.len() && magic.starts_with(seen));
            if !is_cut {
                return Ok(Part::at(seen));
            }
            let Some(byte) = self.source.fill_buf()?.first().copied() else {
                return Ok(None);
            };
            self.source.consume(1);
            self.seen[self.n_seen] = byte;
            self.n_seen += 1;
        }
    }
}

impl<S: BufRead> BufRead for Source<S> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        match self.n_seen {
            0 => self.source.fill_buf(),
            n_seen => Ok(&self.seen[..n_seen]),
        }
    }

    fn consume(&mut self, n: usize) {
        if self.n_seen == 0 {
            return self.source.consume(n);
        }
        let n = n.min(self.n_seen);
        self.seen.copy_within(n..self.n_seen, 0);
        self.n_seen -= n;
    }
}

impl<S: BufRead> Read for Source<S> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        if self.n_seen == 0 {
            return self.source.read(into);
        }
        let n = self.n_seen.min(into.len());
        into[..n].copy_from_slice(&self.seen[..n]);
        self.consume(n);
        Ok(n)
    }
}

/// Packed parts, one behind another, as rotated logs are that were put together. Zeros behind them fill a block or a tape; gzip(1)
/// passes over them as well.
enum Parts<S: BufRead> {
    Between(Source<S>),
    Gzip(Box<GzDecoder<Source<S>>>),
    Zstd(Box<StreamingDecoder<Source<S>, FrameDecoder>>),
    /// All was read, or the rest is damaged.
    Over,
}

impl<S: BufRead> Read for Parts<S> {
    fn read(&mut self, into: &mut [u8]) -> Result<usize> {
        loop {
            let n_read = match self {
                Parts::Gzip(part) => part.read(into)?,
                Parts::Zstd(part) => part.read(into)?,
                Parts::Between(_) => 0,
                Parts::Over => return Ok(0),
            };
            if n_read > 0 || into.is_empty() {
                return Ok(n_read);
            }
            *self = match std::mem::replace(self, Parts::Over) {
                Parts::Gzip(part) => next(part.into_inner())?,
                Parts::Zstd(part) => {
                    let (source, decoder) = part.into_parts();
                    check(&decoder)?;
                    next(source)?
                }
                Parts::Between(source) => next(source)?,
                Parts::Over => Parts::Over,
            };
        }
    }
}

/// Compares the checksum at the end of a frame, which the decoder reads and leaves to others to compare (RFC 8878, 3.1.1).
fn check(decoder: &FrameDecoder) -> Result<()> {
    match decoder.get_checksum_from_data() {
        Some(written) if decoder.get_calculated_checksum() != Some(written) => Err(invalid(
            "zstd: the checksum differs from that of what was unpacked".to_owned(),
        )),
        _ => Ok(()),
    }
}

fn next<S: BufRead>(mut source: Source<S>) -> Result<Parts<S>> {
    loop {
        let rest = source.fill_buf()?;
        let n_zeros = rest.iter().take_while(|byte| **byte == 0).count();
        if rest.is_empty() {
            return Ok(Parts::Over);
        }
        if n_zeros > 0 {
            source.consume(n_zeros);
            continue;
        }
        return match source.part()? {
            Some(Part::Gzip) => Ok(Parts::Gzip(Box::new(GzDecoder::new(source)))),
            Some(Part::Zstd) => StreamingDecoder::new(source)
                .map(|part| Parts::Zstd(Box::new(part)))
                .map_err(|error| invalid(format!("zstd: {error}"))),
            None => Err(invalid(
                "what follows the packed records is not packed: it was passed over".to_owned(),
            )),
        };
    }
}

fn invalid(message: String) -> Error {
    Error::new(ErrorKind::InvalidData, message)
}
