//! `send --explain`: for each record which rule of the routes decides, and why the others do not. Sends nothing.

use cli::{IoArgs, Outcome, Output, Severity};
use schemars::JsonSchema;
use serde::Serialize;

use crate::records::source;
use crate::routing::{Routes, Subject};

/// Where one record goes, and why.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Routed {
    kind: RoutedKind,
    event_id: String,
    /// The name of the call.
    event: String,
    severity: Severity,
    decided_by: DecidedBy,
    /// The name of the rule that decides.
    rule: Option<String>,
    /// Names of destinations; none when a rule mutes it.
    to: Vec<String>,
    /// Why a rule mutes it.
    muted: Option<String>,
    /// Every rule in its order, also those behind the one that decides.
    rules: Vec<RuleExplained>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum RoutedKind {
    Routing,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum DecidedBy {
    /// The principal is one for emergencies: no rule is asked.
    BreakGlass,
    /// The first rule that fits.
    Rule,
    /// No rule fits.
    Default,
}

/// One rule against one record.
#[derive(Debug, Serialize, JsonSchema)]
struct RuleExplained {
    rule: String,
    matched: bool,
    /// The conditions that do not hold.
    because: Vec<String>,
}

/// Explains every record of the input.
///
/// # Errors
/// The input or stdout.
pub(super) fn run(routes: &Routes, io: &IoArgs, out: &Output) -> anyhow::Result<Outcome> {
    let today = cli::today();
    let left_out = source::records(io, |record, event| {
        let subject = Subject {
            record,
            event,
            today,
        };
        let decision = routes.decide(&subject);
        let answers = routes.answers(&subject, decision.severity).into_iter();
        let rules = answers.map(|answer| RuleExplained {
            rule: answer.rule.name.clone(),
            matched: answer.misses.is_empty(),
            because: answer.misses,
        });
        out.write(&Routed {
            kind: RoutedKind::Routing,
            event_id: event.event_id.clone(),
            event: event.event.clone(),
            severity: decision.severity,
            decided_by: match (decision.is_break_glass, decision.rule) {
                (true, _) => DecidedBy::BreakGlass,
                (false, Some(_)) => DecidedBy::Rule,
                (false, None) => DecidedBy::Default,
            },
            rule: decision.rule.map(|rule| rule.name.clone()),
            to: decision.to.to_vec(),
            muted: decision.mute().map(|mute| mute.reason.clone()),
            rules: rules.collect(),
        })
    })?;
    Ok(left_out.end(out, Outcome::Fine))
}
