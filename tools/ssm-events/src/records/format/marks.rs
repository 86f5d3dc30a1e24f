//! What a message says of a record beside what is in it.

use cli::Severity;

use crate::records::reason::ReasonPattern;
use crate::records::record::{Event, Outcome};

/// How grave a record is, and why.
#[derive(Clone, Debug)]
pub(crate) struct Marks {
    pub(crate) severity: Severity,
    /// Whether it is of a principal for emergencies.
    pub(crate) is_break_glass: bool,
    /// What the reason of this session had to match, and does not.
    pub(crate) missed: Option<String>,
}

impl Marks {
    /// Returns the marks of an event as far as they need no routes.
    pub(crate) fn of(event: &Event, pattern: Option<&ReasonPattern>) -> Marks {
        let missed = pattern.filter(|pattern| pattern.is_missed_by(event));
        Marks {
            severity: match event.outcome {
                Outcome::Denied => Severity::Error,
                Outcome::Failed => Severity::Warning,
                Outcome::Allowed if missed.is_some() => Severity::Warning,
                Outcome::Allowed => Severity::Info,
            },
            is_break_glass: false,
            missed: missed.map(|pattern| pattern.text().to_owned()),
        }
    }

    /// Returns what people are to see first.
    pub(super) fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = Vec::new();
        if self.is_break_glass {
            facts.push((
                "break-glass",
                "a principal for emergencies was used".to_owned(),
            ));
        }
        if let Some(pattern) = &self.missed {
            facts.push((
                "no ticket",
                format!("nothing in the reason matches {pattern}"),
            ));
        }
        facts
    }
}
