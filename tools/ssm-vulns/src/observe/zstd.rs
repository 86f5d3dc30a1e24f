//! What zstd packs, whole: a file may be several frames, one behind the other, as `cat a.zst b.zst` makes it and `pzstd` writes it, and
//! ruzstd decodes one. <https://datatracker.ietf.org/doc/html/rfc8878#section-3.1>

use std::io::{BufRead, Error, ErrorKind, Read, copy, sink};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Returns whether a file begins as a frame, or as one that is to be skipped.
pub(super) fn is_zstd(begin: &[u8]) -> bool {
    match begin {
        [0x28, 0xb5, 0x2f, 0xfd, ..] => true,
        [first, 0x2a, 0x4d, 0x18, ..] => first & 0xf0 == 0x50,
        _ => false,
    }
}

/// The content of all frames.
pub(super) struct Frames<R> {
    source: R,
    decoder: FrameDecoder,
    is_inside: bool,
}

impl<R: BufRead> Frames<R> {
    pub(super) fn new(source: R) -> Frames<R> {
        Frames {
            source,
            decoder: FrameDecoder::new(),
            is_inside: false,
        }
    }

    /// Goes to the next frame with content; returns whether there is one.
    fn begin(&mut self) -> std::io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.is_inside = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame {
                    length,
                    ..
                })) => {
                    let length = u64::from(length);
                    let n_skipped = copy(&mut (&mut self.source).take(length), &mut sink())?;
                    if n_skipped < length {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                Err(error) => return Err(damaged(error)),
            }
        }
        Ok(false)
    }

    /// Ends a frame whose content was read.
    fn end(&mut self) -> std::io::Result<()> {
        self.is_inside = false;
        let (said, found) = (
            self.decoder.get_checksum_from_data(),
            self.decoder.get_calculated_checksum(),
        );
        match said.zip(found) {
            Some((said, found)) if said != found => Err(damaged("another checksum")),
            _ => Ok(()),
        }
    }
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while self.is_inside || self.begin()? {
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                self.decoder
                    .decode_blocks(&mut self.source, one)
                    .map_err(damaged)?;
            }
            let n_read = self.decoder.read(buffer)?;
            if n_read > 0 || buffer.is_empty() {
                return Ok(n_read);
            }
            self.end()?;
        }
        Ok(0)
    }
}

fn damaged(what: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::InvalidData, format!("zstd: {what}"))
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use ruzstd::encoding::{CompressionLevel, compress_to_vec};

    use super::{Frames, is_zstd};

    fn unpacked(bytes: &[u8]) -> std::io::Result<String> {
        let mut text = String::new();
        // Frames end anywhere in a buffer.
        Frames::new(BufReader::with_capacity(7, bytes)).read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn all_frames_are_read_and_what_is_cut_or_changed_is_an_error() {
        let frame = |text: &str| compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
        let long = "a long line, and once more ".repeat(20_000);
        let skipped = [&[0x5e, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"xyz"].concat();
        let whole = [
            skipped.clone(),
            frame("a\n"),
            frame(""),
            skipped,
            frame(&long),
            frame("c"),
        ];
        assert!(whole.iter().all(|one| is_zstd(one)));
        assert_eq!(
            unpacked(&whole.concat()).unwrap(),
            format!("a\n{long}c"),
            "all of them"
        );
        let whole = whole.concat();
        for n_cut in [1, 5, 9, 20] {
            assert!(
                unpacked(&whole[..whole.len() - n_cut]).is_err(),
                "{n_cut} bytes less"
            );
        }
        assert!(unpacked(&[&whole[..], b"more"].concat()).is_err());
        let mut changed = frame("abcdefgh");
        let last = changed.len() - 1;
        changed[last] ^= 1;
        assert!(unpacked(&changed).is_err(), "another checksum");
    }
}
