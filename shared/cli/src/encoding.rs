//! Text as people have it: with a byte order mark, in UTF-16, or of another format than JSON, which is named.

use std::io::{Cursor, Read};

/// Returns a reader of UTF-8 without byte order mark. UTF-16 is what `>` of Windows PowerShell writes.
/// <https://learn.microsoft.com/powershell/module/microsoft.powershell.core/about/about_character_encoding>
///
/// # Errors
/// What is read is not UTF-16 though it begins like that, or has more than `max_bytes`, as it is turned in one piece.
pub fn utf8<'r>(
    mut source: impl Read + 'r,
    max_bytes: usize,
) -> std::io::Result<Box<dyn Read + 'r>> {
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
    let mut bytes = head.split_off(skip);
    source
        .take(2 * max_bytes as u64 + 1)
        .read_to_end(&mut bytes)?;
    let invalid = |message: String| std::io::Error::new(std::io::ErrorKind::InvalidData, message);
    if bytes.len() > 2 * max_bytes {
        return Err(invalid(format!(
            "UTF-16 of more than {} MiB: save it as UTF-8",
            max_bytes >> 20
        )));
    }
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(invalid(
            "UTF-16 that ends in the middle of a character".to_owned(),
        ));
    }
    let units = pairs.iter().map(|pair| match is_little {
        true => u16::from_le_bytes(*pair),
        false => u16::from_be_bytes(*pair),
    });
    let text: Result<String, _> = char::decode_utf16(units).collect();
    let text = text.map_err(|error| invalid(format!("not UTF-16: {error}")))?;
    Ok(Box::new(Cursor::new(text.into_bytes())))
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
        Some("it is YAML: write it as JSON, which the AWS CLI prints with --output json")
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
