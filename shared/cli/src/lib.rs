//! The contract that all tools keep: arguments, JSON in, records out, text for people, exit status.
//! It knows no tool and no AWS; a tool calls these plain functions, there is no framework around it.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod arguments;
mod bar;
mod completion;
mod count_or_percent;
mod encoding;
mod example;
mod filter;
mod fitted;
mod flags;
mod generate;
mod hints;
mod input;
mod jsonc;
mod layers;
mod lint;
mod manual;
mod mistakes;
mod notes;
mod objects;
mod output;
mod permissions;
mod place;
mod progress;
mod report;
mod screen;
mod shown;
mod source;
mod status;
mod stdout;
mod stream;
mod summary;
mod suppressions;
mod text;
mod titles;
mod typed;
mod unique;
mod visible;

pub use arguments::arguments;
pub use bar::asking;
pub use count_or_percent::CountOrPercent;
pub use encoding::utf8;
pub use filter::{Filter, Yielded};
pub use flags::{ApplyArgs, Format, IoArgs};
pub use input::{
    read, read_checked, read_desired, read_desired_checked, read_desired_or_default, read_plans,
    read_records, read_records_from,
};
pub use jsonc::plain as without_comments;
pub use layers::Layers;
pub use lint::{DesiredState, FileArgs, Linted, at, is_ours, value};
pub use mistakes::from_value;
pub use notes::{trace, warn};
pub use output::Output;
pub use permissions::{Grant, Names, Permissions, When};
pub use progress::Progress;
pub use records::{
    Applied, Change, ChangeStatus, Finding, FindingKind, Plan, PlanKind, Plans, Reading,
    ResultKind, ResultRecord, Schemas, Severity, Target, Unreachable, UnreachableKind,
};
pub use report::{AsffFinding, AsffList, MAX_ASFF_BYTES, asff_text, inert};
pub use screen::Tone;
pub use shown::{read_listed, read_shown};
pub use source::{expect_input, is_missing, read_texts};
pub use status::{Outcome, Signal, TO_RECOVER, finish, is_broken_pipe, lost, print_error};
pub use stream::{for_each_record, for_each_record_of};
pub use summary::Next;
pub use suppressions::{PackageSuppressions, SuppressionArgs, Suppressions, today};
pub use text::{ACCOUNT_AND_REGION, Below, Block, count};
pub use titles::title;
pub use visible::{is_hidden, visible, visible_lines};
