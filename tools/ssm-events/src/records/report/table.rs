//! The records of a report as rows of a table, for people at a terminal.

use records::{RecordedCommand, RecordedSession, RefusedCall};

/// A record that has a row.
pub(crate) trait Row {
    /// Returns the row.
    fn row(&self) -> String;
}

impl Row for RecordedSession {
    fn row(&self) -> String {
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

impl Row for RecordedCommand {
    fn row(&self) -> String {
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

impl Row for RefusedCall {
    fn row(&self) -> String {
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
