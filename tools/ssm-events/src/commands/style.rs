//! How `format` and `send` make messages: the flags, and the files that these name.

use std::path::PathBuf;

use cli::IoArgs;
use jiff::tz::TimeZone;

use super::node_names;
use crate::records::format::{MessageRenderer, Style, Template};
use crate::records::reason::ReasonPattern;
use crate::records::sessions::KnownSessions;
use crate::routing::Routes;

/// How messages look.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct StyleArgs {
    /// Print times in this zone, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    time_zone: Option<TimeZone>,

    /// Name nodes as in these node records, such as `ssm-agentcheck show` prints
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,

    /// Link transcripts as in these session records, such as `ssm-events sessions` prints
    #[arg(long, value_name = "FILE")]
    sessions: Option<PathBuf>,

    /// Color messages and mention people by the rules of this file
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// Make messages with the jq filter in this file
    #[arg(long, value_name = "FILE")]
    pub(super) jq_file: Option<PathBuf>,

    /// Mark sessions whose reason does not match this regular expression, such as [A-Z]+-[0-9]+ for tickets
    #[arg(long, value_name = "REGEX")]
    reason_pattern: Option<ReasonPattern>,
}

impl StyleArgs {
    /// Reads the files that the flags name. What the flags do not say of reasons, the routes may; what is missing of sessions is in the
    /// style.
    ///
    /// # Errors
    /// A file that cannot be read or is not what it should be.
    pub(super) fn renderer(&self, routes: Option<&Routes>) -> anyhow::Result<MessageRenderer> {
        let template = self.jq_file.as_deref().map(Template::read);
        let mut style = self.style()?;
        let of_routes = routes.and_then(|routes| routes.reason_pattern.as_ref());
        style.reason_pattern = self.reason_pattern.as_ref().or(of_routes).cloned();
        Ok(MessageRenderer {
            style,
            template: template.transpose()?,
        })
    }

    /// Returns what the flags say that each reason must have.
    pub(super) fn reason_pattern(&self) -> Option<&ReasonPattern> {
        self.reason_pattern.as_ref()
    }

    fn style(&self) -> anyhow::Result<Style> {
        let mut style = Style::default();
        if let Some(zone) = &self.time_zone {
            style.zone = zone.clone();
        }
        if let Some(path) = &self.nodes {
            style.names = node_names::read(path)?;
        }
        if let Some(path) = &self.sessions {
            style.sessions = Some(KnownSessions::read(path)?);
        }
        if let Some(path) = &self.rules {
            style.rules = cli::read_desired(&IoArgs::of_file(path), "rules")?;
        }
        Ok(style)
    }
}

/// Reads the name of a time zone.
pub(super) fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| format!("'{text}' is not a time zone such as Europe/Berlin"))
}
