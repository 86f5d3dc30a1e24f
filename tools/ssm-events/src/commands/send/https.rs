//! Any service that takes JSON by HTTPS. Secrets are added as a message leaves, so that none of them is in the spool.

use awsconf::{HttpClient, Request};
use serde_json::{Value, json};

use super::answer::{Answer, TIMEOUT, retry_after, said};

/// A URL with what is secret.
pub(crate) struct Https {
    url: String,
    headers: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    plain: HttpClient,
    /// Whether it has ever taken a message.
    has_taken: bool,
}

impl std::fmt::Debug for Https {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a URL")
    }
}

impl Https {
    /// Returns the destination; `has_taken` says whether it has ever taken a message.
    ///
    /// # Errors
    /// The URL is not one of HTTPS, or a header cannot be sent; the message quotes neither.
    pub(crate) fn new(
        url: String,
        headers: Vec<(String, String)>,
        fields: Vec<(String, String)>,
        allow_local_address: bool,
        has_taken: bool,
    ) -> anyhow::Result<Https> {
        let is_clean = url.bytes().all(|byte| byte.is_ascii_graphic());
        let host = url.strip_prefix("https://").unwrap_or_default();
        let authority = host.split(['/', '?', '#']).next().unwrap_or_default();
        if !is_clean || authority.is_empty() || authority.contains('@') {
            anyhow::bail!(
                "the URL is not one of HTTPS, such as https://events.pagerduty.com/v2/enqueue (it is not shown)"
            );
        }
        let is_visible = |text: &str| text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
        if let Some((name, _)) = headers.iter().find(|(_, value)| !is_visible(value)) {
            anyhow::bail!(
                "the value of the header {name} has a line break or another character that HTTP does not allow (it is not shown)"
            );
        }
        Ok(Https {
            url,
            headers,
            fields,
            plain: match allow_local_address {
                true => HttpClient::new()?,
                false => HttpClient::outside()?,
            },
            has_taken,
        })
    }

    fn secrets(&self) -> Vec<&str> {
        let values = self.headers.iter().chain(&self.fields);
        let values = values.map(|(_, value)| value.as_str());
        values.chain([self.url.as_str()]).collect()
    }

    pub(super) async fn attempt(&mut self, message: &str) -> Answer {
        let mut body = message.to_owned();
        if !self.fields.is_empty() {
            let Ok(Value::Object(mut members)) = serde_json::from_str(message) else {
                return Answer::Rejected(
                    "the jq filter makes no object, to which fields could be added".to_owned(),
                );
            };
            for (name, value) in &self.fields {
                members.insert(name.clone(), json!(value));
            }
            body = Value::Object(members).to_string();
        }
        let request = Request {
            method: "POST",
            url: self.url.clone(),
            body: Some(body),
            headers: self.headers.clone(),
            timeout: Some(TIMEOUT),
        };
        let answer = match self.plain.send(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let mut text = format!("{error:#}");
                for secret in self.secrets() {
                    text = text.replace(secret, "..");
                }
                // Nobody was asked, and nobody will be.
                return match text.contains("is an address of this machine") {
                    true => Answer::Down(format!("{text}: allow it explicitly if that is meant")),
                    false => Answer::unanswered(text),
                };
            }
        };
        let said = said(&answer, &self.secrets());
        match answer.status {
            200..=299 => {
                self.has_taken = true;
                Answer::Taken(None)
            }
            // Whoever answers could send the message, and the secrets, anywhere.
            300..=399 => Answer::Down(format!(
                "{said}: it redirects, which is not followed: give it the URL itself"
            )),
            408 | 425 | 429 | 500.. => Answer::Later {
                said,
                pause: retry_after(&answer),
                is_certain: true,
            },
            // About the message, unless it is the first one: then the key, the filter or the URL may be wrong, and rejecting one message
            // after the other would lose them all.
            400 | 413 | 422 if self.has_taken => Answer::Rejected(said),
            _ => Answer::Down(said),
        }
    }
}
