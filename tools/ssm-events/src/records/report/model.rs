//! What a report is made of: sessions, commands and refused calls, as JSON and as rows of a table.

use cli::Target;
use schemars::JsonSchema;
use serde::Serialize;

/// A session on a node.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Session {
    pub(super) kind: SessionKind,
    pub(super) target: Option<Target>,
    pub(super) session_id: String,
    /// ARN of the user or role.
    pub(super) principal: String,
    pub(super) session_name: Option<String>,
    pub(super) mfa: Option<bool>,
    pub(super) source_address: Option<String>,
    pub(super) node: Option<String>,
    pub(super) node_name: Option<String>,
    /// Session document; none is the account's preferences.
    pub(super) document: Option<String>,
    pub(super) reason: Option<String>,
    /// Null when it began before the first record.
    pub(super) started: Option<String>,
    pub(super) resumed: Vec<String>,
    /// Null when no end is recorded.
    pub(super) ended: Option<String>,
    pub(super) duration_seconds: Option<i64>,
    pub(super) event_id: String,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum SessionKind {
    #[default]
    Session,
}

/// A command that was sent.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Command {
    pub(super) kind: CommandKind,
    pub(super) target: Option<Target>,
    pub(super) command_id: Option<String>,
    pub(super) principal: String,
    pub(super) session_name: Option<String>,
    /// Ids, or what they were chosen by: `tag:Name=web`.
    pub(super) nodes: Vec<String>,
    pub(super) document: Option<String>,
    pub(super) time: String,
    pub(super) comment: Option<String>,
    pub(super) event_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum CommandKind {
    Command,
}

/// A call that was denied or failed.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub(crate) struct Refused {
    pub(super) kind: RefusedKind,
    pub(super) target: Option<Target>,
    pub(super) event: String,
    /// Denied for want of permission; else it failed.
    pub(super) denied: bool,
    pub(super) error: String,
    pub(super) message: Option<String>,
    pub(super) principal: String,
    pub(super) session_name: Option<String>,
    pub(super) source_address: Option<String>,
    pub(super) node: Option<String>,
    pub(super) time: String,
    pub(super) event_id: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum RefusedKind {
    Refused,
}

impl Session {
    /// Returns one row of a table.
    pub(crate) fn row(&self) -> String {
        let duration = self
            .duration_seconds
            .map_or("no end recorded".to_owned(), |seconds| {
                format!(
                    "{}:{:02}:{:02}",
                    seconds / 3600,
                    seconds / 60 % 60,
                    seconds % 60
                )
            });
        row(&[
            "session",
            self.started.as_deref().unwrap_or("earlier"),
            &duration,
            &who(&self.principal, self.session_name.as_deref()),
            self.node.as_deref().unwrap_or("-"),
            self.reason.as_deref().unwrap_or("-"),
        ])
    }
}

impl Command {
    /// Returns one row of a table.
    pub(crate) fn row(&self) -> String {
        row(&[
            "command",
            &self.time,
            self.document.as_deref().unwrap_or("-"),
            &who(&self.principal, self.session_name.as_deref()),
            &self.nodes.join(","),
            self.comment.as_deref().unwrap_or("-"),
        ])
    }
}

impl Refused {
    /// Returns one row of a table.
    pub(crate) fn row(&self) -> String {
        let what = if self.denied { "DENIED" } else { "FAILED" };
        row(&[
            what,
            &self.time,
            &self.event,
            &who(&self.principal, self.session_name.as_deref()),
            self.node.as_deref().unwrap_or("-"),
            &self.error,
        ])
    }
}

fn who(principal: &str, session_name: Option<&str>) -> String {
    let name = principal.rsplit('/').next().unwrap_or_default();
    session_name.map_or(name.to_owned(), |session| format!("{session} ({name})"))
}

fn row(cells: &[&str]) -> String {
    let widths = [8, 20, 16, 40, 19];
    let padded = cells.iter().enumerate().map(|(index, cell)| {
        let cell = cli::visible(cell);
        let width = widths.get(index).copied().unwrap_or(0);
        format!("{cell:<width$}")
    });
    padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
}
