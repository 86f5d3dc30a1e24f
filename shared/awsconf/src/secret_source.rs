//! Secrets that flags name but never hold: what is an argument can be read by everybody on the machine.

use std::path::{Path, PathBuf};
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
    /// would quote; so it is rejected when it is read.
    Unnamed,
}

impl FromStr for Source {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<Source, Self::Err> {
        Ok(match text.split_once(':') {
            Some(("env", name)) if is_variable(name) => Source::Env(name.to_owned()),
            // A web address is the secret itself, with the word for its place before it.
            Some(("file", path)) if !path.is_empty() && !path.contains("://") => {
                Source::File(PathBuf::from(path))
            }
            _ => Source::Unnamed,
        })
    }
}

/// Anything else is not a name of a variable, but may be the secret.
fn is_variable(name: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty() && name.bytes().all(is_name)
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
            Source::Env(name) => of_variable(name, what)?,
            Source::File(path) => of_file(path, what)?,
        };
        let text = text.trim();
        if text.is_empty() {
            bail!("read {what}: {place} is empty");
        }
        Ok(text.to_owned())
    }
}

/// Returns the secret in an environment variable, `what` for people, with the name of its place.
///
/// # Errors
/// It is not set.
pub fn of_variable(name: &str, what: &str) -> anyhow::Result<(String, String)> {
    let text = std::env::var(name).ok().with_context(|| {
        format!("read {what}: environment variable {name} is not set: export it first")
    })?;
    Ok((text, format!("environment variable {name}")))
}

/// Returns the secret in a file, `what` for people, with the name of its place.
///
/// # Errors
/// It cannot be read.
pub fn of_file(path: &Path, what: &str) -> anyhow::Result<(String, String)> {
    let place = path.display().to_string();
    let text =
        std::fs::read_to_string(path).with_context(|| format!("read {what} from {place}"))?;
    Ok((text, place))
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn a_secret_in_place_of_its_place_is_never_quoted() {
        for text in [
            "https://h/c4n4ry",
            "env:https://h/c4n4ry",
            "env:c4n4ry-id",
            "file:https://h/c4n4ry",
            "env:",
            "c4n4ry",
        ] {
            let error = text
                .parse::<Source>()
                .unwrap()
                .read("the webhook")
                .unwrap_err();
            let error = format!("{error:#}");
            assert!(!error.contains("c4n4ry"), "{error}");
            assert!(error.contains("expected env:NAME or file:PATH"), "{error}");
        }
    }
}
