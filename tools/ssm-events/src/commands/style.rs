//! How `format` and `send` make messages: the flags, and the files that these name.

use std::path::PathBuf;

use cli::IoArgs;
use jiff::tz::TimeZone;

use super::node_names;
use crate::records::format::{MessageRenderer, Style, Template};
use crate::records::sessions::KnownSessions;

/// How messages look.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct StyleArgs {
    /// Tell times in this zone, such as Europe/Berlin [default: UTC]
    #[arg(long, value_name = "ZONE", value_parser = zone)]
    time_zone: Option<TimeZone>,

    /// Name nodes as in these node records, such as `ssm-agentcheck show` prints
    #[arg(long, value_name = "FILE")]
    nodes: Option<PathBuf>,

    /// Link transcripts as in these session records, such as `ssm-events sessions` prints
    #[arg(long, value_name = "FILE")]
    sessions: Option<PathBuf>,

    /// Colour messages and mention people by the rules of this file
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,

    /// Make messages with the jq filter in this file
    #[arg(long, value_name = "FILE")]
    jq_file: Option<PathBuf>,
}

impl StyleArgs {
    /// Reads the files that the flags name, for who has no place for gaps in them.
    ///
    /// # Errors
    /// A file that cannot be read, is not what it should be or does not have all sessions.
    pub(super) fn renderer(&self) -> anyhow::Result<MessageRenderer> {
        let renderer = self.renderer_with_gaps()?;
        if let Some(gap) = renderer.style.sessions.gaps.first() {
            anyhow::bail!("read sessions from {gap}");
        }
        Ok(renderer)
    }

    /// Reads the files that the flags name. What is missing of sessions is in the style.
    ///
    /// # Errors
    /// A file that cannot be read or is not what it should be.
    pub(super) fn renderer_with_gaps(&self) -> anyhow::Result<MessageRenderer> {
        let template = self.jq_file.as_deref().map(Template::read);
        Ok(MessageRenderer {
            style: self.style()?,
            template: template.transpose()?,
        })
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
            style.sessions = KnownSessions::read(path)?;
        }
        if let Some(path) = &self.rules {
            style.rules = cli::read(&IoArgs::of_file(path), "rules")?;
        }
        Ok(style)
    }
}

/// Reads the name of a time zone.
pub(super) fn zone(text: &str) -> Result<TimeZone, String> {
    TimeZone::get(text).map_err(|_| format!("'{text}' is no time zone such as Europe/Berlin"))
}
