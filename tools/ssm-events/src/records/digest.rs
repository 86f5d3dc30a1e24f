//! A digest for what has no ID of its own, and for what must be as it was.

use sha2::{Digest, Sha256};

/// Returns the SHA-256 of a text in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Reads to the end, and returns the SHA-256 in hexadecimal digits. `each` gets what is read.
///
/// # Errors
/// The source cannot be read, or an error of `each`.
pub(crate) fn sha256_of(
    mut source: impl std::io::Read,
    mut each: impl FnMut(&[u8]) -> std::io::Result<()>,
) -> std::io::Result<String> {
    let (mut hash, mut chunk) = (Sha256::new(), vec![0; 64 * 1024]);
    loop {
        match source.read(&mut chunk)? {
            0 => return Ok(hex(&hash.finalize())),
            n_read => {
                hash.update(&chunk[..n_read]);
                each(&chunk[..n_read])?;
            }
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
