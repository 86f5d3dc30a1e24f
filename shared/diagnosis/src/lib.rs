//! What EC2 and SSM report about a node, and why it does not answer: one reason with one cure.
//!
//! No SDK, nothing waits, no clock: what was read is handed in, and so is the time.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod capability;
mod version;

mod roles;

mod egress;
mod endpoint_policy;
mod firewall;
mod join;

mod diagnosis;

mod credentials;
mod diagnose;
mod routes;
mod rules;

pub use capability::Capability;
pub use diagnose::{IMDS_DISABLED, diagnose, imds_disabled};
pub use diagnosis::{Diagnosis, Hints};
pub use egress::egress_paths;
pub use firewall::firewall;
pub use join::{Information, ec2_node, ssm_node, unknown_node};
pub use roles::{Access, DefaultRole, Permitted, ProfileAccess, Roles};
pub use version::Version;
