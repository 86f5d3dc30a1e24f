//! Quotas of Organizations; those of service control policies doubled on 2026-05-15. Older pages and tools still name the former ones.
//!
//! <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>

/// Longest service control policy in characters; 5,120 before. White space counts when it is saved through the API.
pub const MAX_SCP_CHARACTERS: usize = 10_240;

/// Service control policies attached to one root, organizational unit or account; 5 before. FullAWSAccess is one of them.
pub const MAX_SCPS_PER_TARGET: usize = 10;

/// Longest resource control policy in characters, white space included.
pub const MAX_RCP_CHARACTERS: usize = 5_120;
