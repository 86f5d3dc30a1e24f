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
    /// Nowhere: what was given names no place. It may be the secret itself, given by mistake, which an error about an argument
    /// would quote; so it is told when it is read.
    Unnamed,
}

impl FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Source, Self::Err> {
        Ok(match text.split_once(':') {
            Some(("env", name)) if !name.is_empty() => Source::Env(name.to_owned()),
            Some(("file", path)) if !path.is_empty() => Source::File(PathBuf::from(path)),
            _ => Source::Unnamed,
        })
    }
}

impl Source {
    /// Returns the secret, `what` for people.
    ///
    /// # Errors
    /// It is not there, or empty. The message does not quote it.
    pub fn read(&self, what: &str) -> anyhow::Result<String> {
        let (text, place) = match self {
            Source::Unnamed => {
                bail!("read {what}: expected env:NAME or file:PATH, never the value itself")
            }
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
