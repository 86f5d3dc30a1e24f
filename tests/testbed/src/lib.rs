//! What the tests stand on: a local AWS per test process, a fresh account per test, binaries run in a bare environment,
//! and fixture files. Test code may panic, so nothing here returns an error.
//!
//! A test starts with `let account = testbed::Sandbox::start().account();` and runs a binary with
//! `account.tool(env!("CARGO_BIN_EXE_ssm-x")).args(["show"]).run()`.

mod account;
mod fixtures;
mod front;
mod home;
mod http;
mod output;
mod permissions;
mod preloaded;
mod random;
mod run;
mod sandbox;
mod schema;
mod signals;
mod slack;

pub use account::Account;
pub use fixtures::{expect, expect_text, fixture, fixtures, repository, today};
pub use front::Front;
pub use home::Home;
pub use output::Output;
pub use permissions::NEEDED;
pub use random::Random;
pub use run::{Run, Running, TIME_DIVISOR, offline};
pub use sandbox::Sandbox;
pub use slack::{Post, Reply, Slack};
