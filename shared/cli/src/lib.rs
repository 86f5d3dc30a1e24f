//! The contract that all tools keep: arguments, JSON in, records out, text for people, exit status.
//! It knows no tool and no AWS; a tool calls these plain functions, there is no framework around it.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod arguments;
mod count_or_percent;
mod encoding;
mod filter;
mod generate;
mod hints;
mod input;
mod layers;
mod manual;
mod mistakes;
mod output;
mod progress;
mod screen;
mod status;
mod stream;
mod suppressions;
mod text;
mod unique;
mod visible;

pub use arguments::{ApplyArgs, Format, IoArgs, arguments};
pub use count_or_percent::CountOrPercent;
pub use filter::{Filter, Yielded};
pub use input::{read, read_plans, read_records, read_records_from, read_shown, read_texts};
pub use layers::Layers;
pub use mistakes::from_value;
pub use output::{Output, trace, warn};
pub use progress::Progress;
pub use records::{
    Applied, Change, ChangeStatus, Finding, FindingKind, Plan, PlanKind, Plans, Reading,
    ResultKind, ResultRecord, Schemas, Severity, Target, Unreachable, UnreachableKind,
};
pub use status::{Outcome, Signal, TO_RECOVER, finish, is_broken_pipe, lost, print_error};
pub use stream::{for_each_object, for_each_object_of, for_each_record, for_each_record_of};
pub use suppressions::{PackageSuppressions, SuppressionArgs, Suppressions};
pub use text::count;
pub use visible::{is_hidden, visible, visible_lines};
