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
pub(crate) fn unpacked<'r>(source: impl Read + 'r) -> Result<Box<dyn Read + 'r>> {
    let mut source = BufReader::with_capacity(CHUNK, source);
    let begin = source.fill_buf()?;
    Ok(match Part::at(begin) {
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

/// Packed parts, one behind another, as rotated logs are that were put together. Zeros behind them fill a block or a tape; gzip(1) passes
/// over them as well.
enum Parts<S: BufRead> {
    Between(S),
    Gzip(Box<GzDecoder<S>>),
    Zstd(Box<StreamingDecoder<S, FrameDecoder>>),
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
                Parts::Zstd(part) => next(part.into_inner())?,
                Parts::Between(source) => next(source)?,
                Parts::Over => Parts::Over,
            };
        }
    }
}

fn next<S: BufRead>(mut source: S) -> Result<Parts<S>> {
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
        let invalid = |message: String| Error::new(ErrorKind::InvalidData, message);
        return match Part::at(rest) {
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
