//! JSON values one after another from an input of any length, in memory that one value needs.

use std::io::{IsTerminal, Read};

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;

use crate::IoArgs;

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
    match &io.file {
        Some(path) if path.as_os_str() != "-" => for_each_record_of(path, what, each),
        _ => {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                bail!("read {what} from stdin: it is a terminal: pipe JSON in or pass a file");
            }
            values(&mut stdin.lock(), each).with_context(|| format!("read {what} from stdin"))
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
    values(&mut file, each).with_context(action)
}

fn values<T: DeserializeOwned>(
    source: &mut impl Read,
    mut each: impl FnMut(T) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
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
                    each(value)?;
                    consumed = stream.byte_offset();
                }
                // The rest of the value is still to come.
                Some(Err(error)) if error.is_eof() && !at_end => break,
                Some(Err(error)) => {
                    let line = lines_before + error.line();
                    let text = error.to_string();
                    let message = text
                        .split(" at line ")
                        .next()
                        .unwrap_or_default()
                        .to_owned();
                    bail!("{message} at line {line} column {}", error.column());
                }
            }
        }
        if at_end {
            return Ok(());
        }
        lines_before += buffer[..consumed]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count();
        buffer.drain(..consumed);
        // A value longer than this is read again from its beginning; doubling keeps that from becoming quadratic.
        wanted = CHUNK.max(buffer.len());
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::{CHUNK, values};

    fn read(text: &str) -> anyhow::Result<Vec<serde_json::Value>> {
        let mut found = Vec::new();
        values(&mut Cursor::new(text), |value| {
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
        assert_eq!(complaint, "expected `:` at line 4 column 6");
        let cut = format!("{:#}", read("{\"a\":").unwrap_err());
        assert_eq!(cut, "EOF while parsing a value at line 1 column 5");
    }
}
