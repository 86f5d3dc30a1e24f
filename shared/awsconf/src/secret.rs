//! Secrets that flags name but never hold: what is an argument can be read by everybody on the machine.

use std::path::PathBuf;
use std::str::FromStr;

use anyhow::{Context, bail};

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In an environment variable.
    Env(String),
    /// In a file, white space around it apart.
    File(PathBuf),
}

impl FromStr for Source {
    type Err = &'static str;

    /// Never quotes the text, which may be the secret itself, given by mistake.
    fn from_str(text: &str) -> Result<Source, &'static str> {
        match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Ok(Source::Env(name.to_owned())),
            Some(("file", path)) if !path.is_empty() => Ok(Source::File(PathBuf::from(path))),
            _ => Err("expected env:NAME or file:PATH, never the value itself"),
        }
    }
}

impl Source {
    /// Returns the secret, `what` for people.
    ///
    /// # Errors
    /// It is not there, or empty. The message does not quote it.
    pub fn read(&self, what: &str) -> anyhow::Result<String> {
        let (text, place) = match self {
            Source::Env(name) => {
                let text = std::env::var(name).ok().with_context(|| {
                    format!("read {what}: environment variable {name} is not set")
                })?;
                (text, format!("environment variable {name}"))
            }
            Source::File(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("read {what} from {}", path.display()))?;
                (text, path.display().to_string())
            }
        };
        let text = text.trim();
        if text.is_empty() {
            bail!("read {what}: {place} is empty");
        }
        Ok(text.to_owned())
    }
}
