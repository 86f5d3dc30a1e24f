//! What is installed, what advisories say, and the records made of both. Pure data.

pub(crate) mod advisory;
pub(crate) mod distribution;
pub(crate) mod fleet;
pub(crate) mod package;
pub(crate) mod patches;
pub(crate) mod record;
pub(crate) mod severity;
pub(crate) mod system;
pub(crate) mod vendor;
