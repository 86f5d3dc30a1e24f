//! What encrypted and logged sessions need of a node's role, of the keys and of the bucket, and whether they have it: one
//! judgement for every tool. Calls nothing, and never takes a policy that was not read for one that allows.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod above;
mod judgement;
mod logs;
mod needs;
mod preferences;
mod removal;
mod role;
mod verdict;

pub use above::Above;
pub use judgement::{Judgement, Side, judge, may};
pub use logs::logs_may_use;
pub use needs::{Consequence, Guard, Need, data_key, needs};
pub use preferences::{Bucket, BucketEncryption, Key, LogGroup, Preferences};
pub use removal::{
    DESTROYS_KEY, OVERWRITES, REMOVES_LOGS, REMOVES_OBJECTS, SHORTENS_BUCKET, STOPS_TRAIL,
};
pub use role::Role;
pub use verdict::{both, either};
