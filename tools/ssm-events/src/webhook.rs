//! The Slack webhook. Its URL is a secret: it leaves this file only towards EventBridge, everything else sees a hash.

use anyhow::{Context, bail};
use sha2::{Digest, Sha256};

use crate::model::Webhook;

/// A webhook's URL, which nothing can print.
pub(crate) struct Url(String);

impl Url {
    /// Reads the URL from its source.
    ///
    /// # Errors
    /// The source is missing or holds no webhook; the message never quotes what it holds.
    pub(crate) fn read(source: &Webhook) -> anyhow::Result<Url> {
        let (text, place) = match source {
            Webhook::Env(name) => {
                let text = std::env::var(name).ok().with_context(|| {
                    format!("read the webhook: environment variable {name} is not set")
                })?;
                (text, format!("environment variable {name}"))
            }
            Webhook::File(path) => {
                let text = std::fs::read_to_string(path)
                    .with_context(|| format!("read the webhook from {path}"))?;
                (text, path.clone())
            }
        };
        let url = text.trim();
        if !is_webhook(url) {
            bail!(
                "{place} holds no Slack webhook: expected https://hooks.slack.com/.. (its content is not shown)"
            );
        }
        Ok(Url(url.to_owned()))
    }

    /// Returns the secret, for the one call that needs it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    /// Returns the SHA-256 of the URL in hexadecimal digits.
    pub(crate) fn sha256(&self) -> String {
        sha256(&self.0)
    }
}

/// Returns the SHA-256 of a text in hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Accepts Slack's hosts, and plain HTTP on the loopback for a local AWS.
fn is_webhook(url: &str) -> bool {
    let clean = url.bytes().all(|b| b.is_ascii_graphic());
    let slack = ["https://hooks.slack.com/", "https://hooks.slack-gov.com/"];
    let loopback = ["http://127.0.0.1:", "http://localhost:"];
    clean
        && slack
            .iter()
            .chain(&loopback)
            .any(|start| url.starts_with(start) && url.len() > start.len())
}
