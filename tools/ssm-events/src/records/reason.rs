//! The reason that a session is started with, and what it must have in it.

use regex_lite::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::records::history::SYSTEMS_MANAGER;
use crate::records::record::{Event, Outcome};

/// A regular expression that a reason must have a match of, such as `[A-Z]+-[0-9]+`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct ReasonPattern(Regex);

impl TryFrom<String> for ReasonPattern {
    type Error = String;

    fn try_from(text: String) -> Result<ReasonPattern, String> {
        text.parse()
    }
}

impl std::str::FromStr for ReasonPattern {
    type Err = String;

    fn from_str(text: &str) -> Result<ReasonPattern, String> {
        let compiled = Regex::new(text);
        let compiled =
            compiled.map_err(|error| format!("'{text}' is not a regular expression: {error}"))?;
        match compiled.is_match("") {
            true => Err(format!(
                "'{text}' matches a session without a reason: require at least one character"
            )),
            false => Ok(ReasonPattern(compiled)),
        }
    }
}

impl ReasonPattern {
    /// Returns whether this is the start of a session whose reason has no match. A refused start is not a session.
    pub(crate) fn is_missed_by(&self, event: &Event) -> bool {
        event.event == "StartSession"
            && event.source == SYSTEMS_MANAGER
            && event.outcome == Outcome::Allowed
            && !self.0.is_match(&event.reason)
    }

    /// Returns it as it is written.
    pub(crate) fn text(&self) -> &str {
        self.0.as_str()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::ReasonPattern;
    use crate::records::record::Event;

    #[test]
    fn only_a_session_that_was_started_can_lack_its_reason() {
        let pattern: ReasonPattern = "[A-Z]+-[0-9]+".parse().unwrap();
        let event = |name: &str, source: &str, error: &str, reason: &str| {
            Event::of(
                &json!({"eventName": name, "eventSource": source, "errorCode": error,
                "requestParameters": {"target": "i-0a", "reason": reason}}),
            )
        };
        let ours = "ssm.amazonaws.com";
        for (event, expected) in [
            (event("StartSession", ours, "", "see OPS-17"), false),
            (event("StartSession", ours, "", "a look"), true),
            (event("StartSession", ours, "", ""), true),
            (event("StartSession", ours, "AccessDenied", ""), false),
            (event("StartSession", "athena.amazonaws.com", "", ""), false),
            (event("ResumeSession", ours, "", ""), false),
        ] {
            assert_eq!(pattern.is_missed_by(&event), expected, "{event:?}");
        }
        assert!("[A-Z".parse::<ReasonPattern>().is_err());
        assert!(
            ".*".parse::<ReasonPattern>()
                .unwrap_err()
                .contains("without a reason")
        );
    }
}
