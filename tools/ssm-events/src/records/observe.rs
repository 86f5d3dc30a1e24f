//! Reads past records: of files, of a trail's bucket, or of CloudTrail's event history. Never writes.

pub(crate) mod athena;
pub(crate) mod bodies;
mod copies;
pub(crate) mod files;
pub(crate) mod listing;
pub(crate) mod lookup;
pub(crate) mod objects;
pub(crate) mod principals;
pub(crate) mod public_keys;
pub(crate) mod sessions;
pub(crate) mod shelves;
pub(crate) mod store;
pub(crate) mod verified;
