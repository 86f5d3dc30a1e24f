//! The package of the function, as `make lambda` made it.

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

/// Of a package that is sent in the request itself, in bytes.
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>
const LARGEST: usize = 50 * 1024 * 1024;

/// A package.
#[derive(Debug)]
pub(crate) struct Package {
    pub(crate) bytes: Vec<u8>,
    /// In Base64, as Lambda gives it.
    pub(crate) sha256: String,
}

/// Reads a package.
///
/// # Errors
/// The file cannot be read, not a zip, or is too large.
pub(crate) fn read(path: &str) -> anyhow::Result<Package> {
    let bytes = std::fs::read(path)
        .with_context(|| format!("read the package {path}: `make lambda` makes it"))?;
    if !bytes.starts_with(b"PK") {
        bail!("{path} is not a zip file: `make lambda` makes it");
    }
    if bytes.len() > LARGEST {
        bail!("{path} is larger than the 50 MB that Lambda takes");
    }
    let sha256 = aws_smithy_types::base64::encode(Sha256::digest(&bytes));
    Ok(Package { bytes, sha256 })
}
