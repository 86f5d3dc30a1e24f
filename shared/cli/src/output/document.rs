//! The output of a document beside records: people paste it elsewhere.

use super::Output;
use crate::{Format, IoArgs};

impl Output {
    /// Returns the output of a document that is meant for another program: JSON unless text is asked for, also on a terminal, which
    /// shows it in lines.
    ///
    /// # Errors
    /// As [`Output::new`].
    pub fn of_document(tool: &'static str, io: &IoArgs) -> anyhow::Result<Output> {
        let mut output = Output::new(tool, io)?;
        output.is_pretty = output.is_text() && io.output.is_none();
        output.format = io.output.unwrap_or(Format::Json);
        Ok(output)
    }
}
