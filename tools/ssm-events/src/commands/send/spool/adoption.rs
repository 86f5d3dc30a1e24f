//! Lines of the files of a spool that get the addresses of this run, without all of them in memory.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::addresses::{Address, Addresses};
use super::files::{each_line, rewrite};
use super::line::Addressed;

/// Whom lines are for: few of them, however many lines there are.
pub(super) type Recipients = BTreeSet<(String, Option<Address>)>;

pub(super) fn recipients<T: DeserializeOwned + Addressed>(
    file: &mut File,
) -> anyhow::Result<Recipients> {
    let mut recipients = Recipients::new();
    each_line(file, |mut line: T, _| {
        if let Some((destination, address)) = line.to()
            && !recipients.contains(&(destination.to_owned(), address.clone()))
        {
            recipients.insert((destination.to_owned(), address.clone()));
        }
        Ok(())
    })?;
    Ok(recipients)
}

/// Returns whether any of them has another address in this run.
pub(super) fn is_adopted(addresses: &Addresses, recipients: Recipients) -> bool {
    let mut all: Vec<_> = recipients.into_iter().collect();
    addresses.adopt(all.iter_mut().map(|(name, address)| (&**name, address)))
}

/// Gives the lines of a file the addresses of this run.
pub(super) fn adopt<T: DeserializeOwned + Serialize + Addressed>(
    path: &Path,
    file: &mut File,
    addresses: &Addresses,
) -> anyhow::Result<File> {
    rewrite(path, file, |line: &mut T| {
        addresses.adopt(line.to().into_iter());
    })
}
