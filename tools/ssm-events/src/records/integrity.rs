//! Whether log files are as CloudTrail delivered them: digests, their signatures and hashes, and the chain that they make. Decides;
//! reads nothing. What is not proved is unproved, whatever a file says of itself.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-validation-digest-file-structure.html>
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-log-file-custom-validation.html>

mod digest;
mod file_name;
mod keys;
mod ledger;
mod period;
mod runs;
mod window;

#[cfg(test)]
mod tests;

pub(crate) use digest::{Digest, Flaw};
pub(crate) use file_name::{FileName, day, day_after, file_name, is_day};
pub(crate) use keys::{PublicKeys, Signatures};
pub(crate) use ledger::{Judged, Ledger, Loaded};
pub(crate) use period::verified_file;
pub(crate) use runs::Runs;
pub(crate) use window::{Naming, Window};
