//! JSON values one after another from an input of any length, in memory that one value needs.

use std::io::Read;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;

use crate::IoArgs;
use crate::encoding::{other_format, utf8};
use crate::mistakes::{MAX_BYTES, path as path_of, without_secrets};
use crate::source::expect_input;
use crate::unique::Unique;

/// The least that is read at once: large enough that few values lie across two reads.
const CHUNK: usize = 1 << 20;

/// Calls `each` with every JSON value of stdin, or of the file given by `-f`, as it is read.
///
/// # Errors
/// A terminal as stdin, an unreadable file, malformed JSON, a value of the wrong shape - with the line on which the
/// value begins - or an error of `each`. What came before has been handed over.
pub fn for_each_record<T: DeserializeOwned>(
    io: &IoArgs,
    what: &str,
    each: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    match io.path() {
        Some(path) => for_each_record_of(path, what, each),
        None => {
            expect_input(None, what, "pipe them in, or pass them with -f FILE")?;
            values(&mut std::io::stdin().lock(), MAX_BYTES, each)
                .with_context(|| format!("read {what} from stdin"))
        }
    }
}

/// Calls `each` with every JSON value of a file.
///
/// # Errors
/// As [`for_each_record`].
pub fn for_each_record_of<T: DeserializeOwned>(
    path: &std::path::Path,
    what: &str,
    each: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let action = || format!("read {what} from {}", path.display());
    let mut file = std::fs::File::open(path).with_context(action)?;
    values(&mut file, MAX_BYTES, each).with_context(action)
}

fn values<T: DeserializeOwned>(
    source: &mut impl Read,
    max_bytes: usize,
    mut each: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut source = utf8(source)?;
    let mut buffer: Vec<u8> = Vec::new();
    let mut lines_before = 0;
    let mut wanted = CHUNK;
    loop {
        let n_read = source
            .by_ref()
            .take(wanted as u64)
            .read_to_end(&mut buffer)?;
        let at_end = n_read < wanted;
        let mut stream = serde_json::Deserializer::from_slice(&buffer).into_iter::<T>();
        let mut consumed = 0;
        loop {
            match stream.next() {
                None => {
                    consumed = buffer.len();
                    break;
                }
                Some(Ok(value)) => {
                    let end = stream.byte_offset();
                    unique(&buffer, consumed, end, lines_before)?;
                    each(value)?;
                    consumed = end;
                }
                // The rest of the value is still to come.
                Some(Err(error)) if error.is_eof() && !at_end => break,
                Some(Err(error)) => {
                    let line = lines_before + error.line();
                    let mut value = serde_json::Deserializer::from_slice(&buffer[consumed..]);
                    let path = serde_path_to_error::deserialize::<_, T>(&mut value).err();
                    let path = path.map_or("$".to_owned(), |error| path_of(error.path()));
                    let message = place(&path, &error, line, error.column());
                    // Later values are of a file that began as JSON.
                    let text = std::str::from_utf8(&buffer).unwrap_or_default();
                    match other_format(text, error.line(), error.column()) {
                        Some(what) => bail!("{what} ({message})"),
                        None => bail!("{message}"),
                    }
                }
            }
        }
        if buffer.len() - consumed > max_bytes {
            let is_blank = |byte: &&u8| byte.is_ascii_whitespace();
            let begin = consumed + buffer[consumed..].iter().take_while(is_blank).count();
            let line = lines_before + 1 + line_feeds(&buffer[..begin]);
            bail!(
                "a value of more than {} MiB at line {line}",
                max_bytes >> 20
            );
        }
        if at_end {
            return Ok(());
        }
        lines_before += line_feeds(&buffer[..consumed]);
        buffer.drain(..consumed);
        // A value longer than this is read again from its beginning; doubling keeps that from becoming quadratic.
        wanted = CHUNK.max(buffer.len());
    }
}

/// Refuses a value in which an object has the same key twice, as whole inputs do.
fn unique(buffer: &[u8], start: usize, end: usize, lines_before: usize) -> anyhow::Result<()> {
    let mut value = serde_json::Deserializer::from_slice(&buffer[start..end]);
    let Err(error) = serde_path_to_error::deserialize::<_, Unique>(&mut value) else {
        return Ok(());
    };
    let path = path_of(error.path());
    let error = error.into_inner();
    let line = lines_before + line_feeds(&buffer[..start]) + error.line();
    // The first line of the value may begin behind another one.
    let before = match error.line() {
        1 => buffer[..start]
            .iter()
            .rev()
            .take_while(|byte| **byte != b'\n')
            .count(),
        _ => 0,
    };
    bail!("{}", place(&path, &error, line, before + error.column()))
}

/// Returns the message of an error with its place in the whole input.
fn place(path: &str, error: &serde_json::Error, line: usize, column: usize) -> String {
    let text = error.to_string();
    let message = text
        .rsplit_once(" at line ")
        .map_or(text.as_str(), |(message, _)| message);
    without_secrets(&format!("{path}: {message} at line {line} column {column}"))
}

fn line_feeds(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Read};

    use super::{CHUNK, MAX_BYTES, values};

    fn read(text: &str) -> anyhow::Result<Vec<serde_json::Value>> {
        let mut found = Vec::new();
        values(&mut Cursor::new(text), MAX_BYTES, |value| {
            found.push(value);
            Ok(())
        })?;
        Ok(found)
    }

    #[test]
    fn values_may_lie_across_reads_and_lines() {
        let long = "x".repeat(CHUNK - 10);
        let text =
            format!("{{\"a\":\n1}}\n{{\"b\":\"{long}\"}}{{\"c\":\"{long}{long}{long}\"}}\n\n[1]");
        let found = read(&text).unwrap();
        assert_eq!(found.len(), 4);
        assert_eq!(found[3], serde_json::json!([1]));
        assert!(read(" \n ").unwrap().is_empty());
    }

    #[test]
    fn an_error_names_its_line() {
        let line = format!("{{\"a\":\"{}\"}}\n", "x".repeat(CHUNK / 2));
        let complaint = format!(
            "{:#}",
            read(&format!("{line}{line}{line}{{\"a\" 1}}\n")).unwrap_err()
        );
        assert_eq!(complaint, "$: expected `:` at line 4 column 6");
        let cut = format!("{:#}", read("{\"a\":").unwrap_err());
        assert_eq!(cut, "$.a: EOF while parsing a value at line 1 column 5");
    }

    #[test]
    fn a_key_twice_and_a_value_without_end_are_refused() {
        let complaint = |text: &str| format!("{:#}", read(text).unwrap_err());
        assert_eq!(
            complaint("{}\n{} {\"a\":{\"b\":1,\"b\":2}}"),
            "$.a: `b` is here twice, and only one of them would count at line 2 column 18"
        );
        let mut endless = Cursor::new(b"{}\n\"").chain(std::io::repeat(b'x'));
        let error = values(&mut endless, 2 * CHUNK, |_: serde_json::Value| Ok(())).unwrap_err();
        assert_eq!(format!("{error:#}"), "a value of more than 2 MiB at line 2");
    }
}
