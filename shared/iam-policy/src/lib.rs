//! The policy language of AWS, read with positions, linted and evaluated.
//!
#![doc = include_str!("../README.md")]
#![deny(missing_docs)]
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod actions;
mod arn;
mod json;
mod model;
mod operator;
mod parse;
mod partition;
mod pattern;
mod placeholder;
mod position;
mod principal;
mod problem;
mod quota;
pub mod reference;
mod spelling;
mod template;
mod value;

mod compiled;
mod evaluate;
mod governed_services;
mod request;
mod trust;

mod lint;

pub use actions::{AGENT_ACTIONS, OPERATOR_ACTIONS};
pub use arn::Arn;
pub use compiled::Compiled;
pub use evaluate::{
    Deciding, Decision, Layer, Policies, Verdict, allows, applying, decide, denies,
};
pub use lint::{PolicyType, lint, meant_action, sid_at};
pub use model::{
    Condition, Effect, Patterns, Policy, PrincipalType, Principals, Statement, Version, one_or_many,
};
pub use operator::{Comparison, Family, Operator, SetOperator, Test};
pub use parse::Parsed;
pub use partition::partition_of;
pub use pattern::glob;
pub use placeholder::is_placeholder;
pub use position::{Located, Position};
pub use principal::{PrincipalMistake, principal_mistake};
pub use problem::{Problem, Rule, Severity};
pub use quota::{MAX_RCP_CHARACTERS, MAX_SCP_CHARACTERS, MAX_SCPS_PER_TARGET};
pub use request::{Context, Principal, Request};
pub use spelling::closest;
pub use trust::{Entrant, Trust, TrustSource, entrants, is_for_people, takes_session_tags, trusts};
pub use value::{arn_like, arn_like_in, with_variables};
