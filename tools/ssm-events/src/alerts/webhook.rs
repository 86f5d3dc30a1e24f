//! The Slack webhook. Its URL is a secret: it leaves this file only towards EventBridge, everything else sees a hash.

use anyhow::{Context, bail};
use awsconf::{SdkConfig, describe, secret_source};

use crate::alerts::hidden::Hidden;
use crate::alerts::model::Webhook;
use crate::records::digest::sha256;

/// A webhook's URL, which nothing can print.
#[derive(Clone)]
pub(crate) struct Url(String);

impl std::fmt::Debug for Url {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a webhook")
    }
}

impl Url {
    /// Reads the URL from its source; `config` is what AWS is asked with, when the source is there.
    ///
    /// # Errors
    /// The source is missing or holds no webhook; the message never quotes what it holds.
    pub(crate) async fn read(source: &Webhook, config: Option<&SdkConfig>) -> anyhow::Result<Url> {
        let (text, place) = secret(source, "the webhook", config).await?;
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

    /// Returns what is to be hidden wherever somebody may repeat it.
    pub(crate) fn hidden(&self) -> Hidden {
        Hidden::default().url(&self.0)
    }

    /// Returns an error without what it repeats of the URL.
    pub(crate) fn hide(&self, error: anyhow::Error) -> anyhow::Error {
        let said = format!("{error:#}");
        let shown = self.hidden().hide(&said);
        match shown == said {
            // What is known of it beside its words stays.
            true => error,
            false => anyhow::Error::msg(shown),
        }
    }

    /// Returns the SHA-256 of the URL in hexadecimal digits.
    pub(crate) fn sha256(&self) -> String {
        sha256(&self.0)
    }
}

/// Reads a secret from its source, `what` for people, and returns it with the name of its place; `config` is what AWS is asked with.
///
/// # Errors
/// The source is missing; the message never quotes what it holds.
pub(crate) async fn secret(
    source: &Webhook,
    what: &str,
    config: Option<&SdkConfig>,
) -> anyhow::Result<(String, String)> {
    let no_config = || format!("{what} is kept by AWS, which this verb does not ask");
    Ok(match source {
        Webhook::Env(name) => secret_source::of_variable(name, what)?,
        Webhook::File(path) => secret_source::of_file(path.as_ref(), what)?,
        Webhook::Parameter(name) => {
            let client = aws_sdk_ssm::Client::new(config.with_context(no_config)?);
            let answer = client
                .get_parameter()
                .name(name)
                .with_decryption(true)
                .send()
                .await;
            let answer = answer.map_err(|error| describe(format!("GetParameter {name}"), error))?;
            let value = answer.parameter.and_then(|parameter| parameter.value);
            (value.unwrap_or_default(), format!("parameter {name}"))
        }
        Webhook::Secret(id) => {
            let client = aws_sdk_secretsmanager::Client::new(config.with_context(no_config)?);
            let answer = client.get_secret_value().secret_id(id).send().await;
            let answer = answer.map_err(|error| describe(format!("GetSecretValue {id}"), error))?;
            (
                answer.secret_string.unwrap_or_default(),
                format!("secret {id}"),
            )
        }
    })
}

/// Accepts Slack's hosts, and plain HTTP on the loopback for a local AWS.
fn is_webhook(url: &str) -> bool {
    let clean = url.bytes().all(|b| b.is_ascii_graphic());
    let slack = ["https://hooks.slack.com/", "https://hooks.slack-gov.com/"];
    let is_slack = slack
        .iter()
        .any(|start| url.starts_with(start) && url.len() > start.len());
    clean && (is_slack || is_loopback(url))
}

/// Returns whether a URL is of plain HTTP on the loopback: a port, and then the path or nothing. What else could be there is a user before
/// another host.
pub(crate) fn is_loopback(url: &str) -> bool {
    let loopback = ["http://127.0.0.1:", "http://localhost:"];
    let mut rests = loopback.iter().filter_map(|start| url.strip_prefix(start));
    rests.any(|rest| {
        let port = rest.split('/').next().unwrap_or_default();
        !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::{Url, is_loopback, is_webhook};

    #[test]
    fn what_follows_the_loopback_is_a_port_and_never_another_host() {
        for (url, expected) in [
            ("http://127.0.0.1:8080/api", true),
            ("http://localhost:8080", true),
            ("http://127.0.0.1:x@evil.example/api", false),
            ("http://127.0.0.1:80@evil.example/api", false),
            ("http://localhost:", false),
            ("http://localhost:80?@evil.example/", false),
        ] {
            assert_eq!(is_loopback(url), expected, "{url}");
            assert_eq!(is_webhook(url), expected, "{url}");
        }
    }

    /// A panic prints what it is about as `{:?}` does.
    #[test]
    fn no_panic_can_print_the_url() {
        let url = Url("https://hooks.slack.com/services/T0CANARY".to_owned());
        assert_eq!(
            format!("{url:?} {:?}", Some(&url)),
            "a webhook Some(a webhook)"
        );
    }
}
