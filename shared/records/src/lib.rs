//! The records that tools exchange, once for who writes them, who reads them and their JSON Schema. Keys are in this
//! order on the wire and never renamed. No IO, no AWS.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod finding;
mod plan;
mod reading;
mod result;
mod schema;
mod target;
mod unreachable;

pub use finding::{Finding, FindingKind, Severity};
pub use plan::{Change, Plan, PlanKind, Plans};
pub use reading::Reading;
pub use result::{Applied, ChangeStatus, ResultKind, ResultRecord};
pub use schema::{Definitions, Schemas, of_managing, of_reading};
pub use target::Target;
pub use unreachable::{Unreachable, UnreachableKind};
