//! Flags to SDK configuration: which account, which region, whose credentials. Only this crate builds an `SdkConfig`.
//! It never guesses an account or a region, and honours an explicit profile over keys in the environment.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod accounts;
mod address;
mod apply;
mod arguments;
mod assuming;
mod clock;
mod environment;
mod error;
mod fleet;
mod guard;
mod http;
mod http_request;
mod imds;
mod interrupt;
mod mfa;
mod permissions;
mod profile;
pub mod secret_source;
mod session;
mod settings;
mod transient;

pub use arguments::{AccountArgs, AccountsFrom, AwsArgs};
/// What clients of services are made from.
pub use aws_config::SdkConfig;
pub use clock::{Deadline, Stopwatch, now, scaled, sleep};
pub use error::{CallError, bucket_region, call_error, describe, is_access_denied, reading};
pub use fleet::Fleet;
pub use http::unsent::is_unsent;
pub use http_request::{HttpClient, Request, Response, is_address, is_local_address, probe};
pub use imds::Metadata;
pub use interrupt::Interrupt;
pub use permissions::GRANTS;
pub use secret_source::Source;
pub use session::{Session, at_bucket};
pub use transient::{PASSING_REFUSALS, PassingRefusal, Service, passes_within, retried};

/// The `region` of a target for services that have none: IAM, Organizations.
pub const GLOBAL: &str = "global";
