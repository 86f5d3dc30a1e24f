//! A report in a file, as `--report FORMAT=FILE` asks for it, and the same on stdout.

use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::str::FromStr;

use anyhow::Context;

use super::{All, sarif, table};

/// A report beside what is printed.
#[derive(Clone, Debug)]
pub(crate) struct ToFile {
    form: Form,
    file: PathBuf,
}

/// What a report is written as.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Form {
    Text,
    Csv,
    Sarif,
}

impl FromStr for ToFile {
    type Err = String;

    fn from_str(text: &str) -> Result<ToFile, String> {
        let (form, file) = text
            .split_once('=')
            .ok_or("expected FORMAT=FILE such as sarif=vulns.sarif")?;
        let form = match form {
            "text" => Form::Text,
            "csv" => Form::Csv,
            "sarif" => Form::Sarif,
            other => {
                return Err(format!(
                    "'{other}' is not a format: expected text, csv or sarif"
                ));
            }
        };
        Ok(ToFile {
            form,
            file: file.into(),
        })
    }
}

impl ToFile {
    /// Writes the report into its file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub(crate) fn write(&self, all: &All<'_>) -> anyhow::Result<()> {
        let file = std::fs::File::create(&self.file).map_err(anyhow::Error::from);
        file.and_then(|file| self.form.write(file, all))
            .with_context(|| format!("write the report {}", self.file.display()))
    }
}

impl Form {
    /// Writes a report.
    ///
    /// # Errors
    /// It cannot be written.
    pub(crate) fn write(self, to: impl Write, all: &All<'_>) -> anyhow::Result<()> {
        let mut to = BufWriter::with_capacity(1 << 16, to);
        match self {
            Form::Text => {
                writeln!(to, "{}", table::text(all.fleet, all.found))?;
                let mut lines = all.lines().into_iter();
                lines.try_for_each(|line| writeln!(to, "{line}"))?;
            }
            Form::Csv => table::csv(&mut to, all.fleet, all.found)?,
            Form::Sarif => sarif::write(&mut to, all)?,
        }
        Ok(to.flush()?)
    }
}
