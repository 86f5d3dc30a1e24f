//! Any service that takes JSON by HTTPS. Secrets are added as a message leaves, so that none of them is in the spool.

use awsconf::{HttpClient, Request, Response};
use serde_json::{Value, json};

use super::answer::{Answer, TIMEOUT, is_refusal, retry_after, said};
use super::spool::Address;
use crate::alerts::hidden::Hidden;
use crate::records::digest::sha256;

/// Fields are members of an object.
pub(super) const NO_OBJECT: &str =
    "the jq filter makes something that is not an object, to which no field can be added";

/// A URL with what is secret.
pub(crate) struct Https {
    url: String,
    headers: Vec<(String, String)>,
    fields: Vec<(String, String)>,
    /// What an answer or an error may repeat.
    hidden: Hidden,
    plain: HttpClient,
    /// Whether it has taken a message since it last refused one.
    has_taken: bool,
}

impl std::fmt::Debug for Https {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a URL")
    }
}

impl Https {
    /// Returns the destination.
    ///
    /// # Errors
    /// The URL is not one of HTTPS, or a header cannot be sent; the message quotes neither.
    pub(crate) fn new(
        url: String,
        headers: Vec<(String, String)>,
        fields: Vec<(String, String)>,
        allow_local_address: bool,
    ) -> anyhow::Result<Https> {
        let is_clean = url.bytes().all(|byte| byte.is_ascii_graphic());
        let host = url.strip_prefix("https://").unwrap_or_default();
        let authority = host.split(['/', '?', '#']).next().unwrap_or_default();
        let is_wrong = !is_clean || authority.is_empty() || authority.contains('@');
        if is_wrong || !awsconf::is_address(&url) {
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
        let mut hidden = Hidden::default().url(&url);
        for (_, value) in headers.iter().chain(&fields) {
            hidden = hidden.value(value);
        }
        // Such as the token behind `Bearer`.
        let words = headers.iter();
        for word in words.filter_map(|(_, value)| value.split_whitespace().next_back()) {
            hidden = hidden.value(word);
        }
        Ok(Https {
            hidden,
            url,
            headers,
            fields,
            plain: match allow_local_address {
                true => HttpClient::new()?,
                false => HttpClient::outside()?,
            },
            has_taken: false,
        })
    }

    /// Returns what names the URL.
    pub(super) fn address(&self) -> Address {
        Address::of(&sha256(&self.url))
    }

    /// Goes on where an earlier run has ended: whether it had taken a message since it last refused one.
    pub(crate) fn goes_on(&mut self, has_taken: bool) {
        self.has_taken = has_taken;
    }

    pub(super) async fn attempt(&mut self, message: &str) -> Answer {
        let mut body = message.to_owned();
        if !self.fields.is_empty() {
            let Ok(Value::Object(mut members)) = serde_json::from_str(message) else {
                return Answer::Down(NO_OBJECT.to_owned());
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
                let text = self.hidden.hide(&format!("{error:#}"));
                // Nobody was asked, and nobody will be.
                return match awsconf::is_local_address(&error) {
                    true => Answer::Down(format!("{text}: allow it explicitly if that is meant")),
                    false => Answer::without(&error, text),
                };
            }
        };
        let said = said(&answer, &self.hidden);
        match answer.status {
            200..=299 if is_page(&answer) => Answer::unanswered(format!(
                "{said}: a page for people, as proxies answer with, is not a delivery"
            )),
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
                is_certain: is_refusal(answer.status),
            },
            // About the message, unless it is the first one: then the key, the filter or the URL may be wrong, and rejecting one message
            // after the other would lose them all. So would a second one in a row.
            400 | 413 | 422 if std::mem::take(&mut self.has_taken) => Answer::Rejected(said),
            _ => Answer::Down(said),
        }
    }
}

/// Returns whether an answer is a page of HTML. The type alone says little: it is what PHP calls everything, `ok` as well.
fn is_page(answer: &Response) -> bool {
    let text = answer
        .body
        .trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
    let start: String = text.chars().take(9).collect();
    let start = start.to_ascii_lowercase();
    let of_type = answer.header("content-type").unwrap_or_default();
    let is_html = of_type.to_ascii_lowercase().contains("html");
    (is_html && start.starts_with('<'))
        || ["<!doctype", "<html", "<!--"]
            .iter()
            .any(|one| start.starts_with(one))
}
