//! What is wrong with an answer: none, one without an end, one that is not of AWS, or one that asks to slow down.

use std::fmt;
use std::time::Duration;

use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;

/// No answer that anything can be made of.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// No complete answer in time.
    NoAnswer { host: String, limit: Duration },
    /// An answer that is longer than any of AWS.
    Endless { host: String, limit: usize },
    /// An answer of somebody else.
    Stranger {
        status: u16,
        host: String,
        /// `Server` and `Via`, of whoever has answered or passed it on.
        by: Vec<String>,
        media: String,
        /// The title of a page, where it redirects to, or how its text begins.
        says: String,
    },
}

impl fmt::Display for Trouble {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::NoAnswer { host, limit } => {
                write!(
                    formatter,
                    "no complete answer from {host} within {} s",
                    limit.as_secs()
                )
            }
            Trouble::Endless { host, limit } => write!(
                formatter,
                "{host} sends an answer of more than {} MiB, which AWS does not",
                limit / (1024 * 1024)
            ),
            Trouble::Stranger {
                status,
                host,
                by,
                media,
                says,
            } => {
                write!(formatter, "HTTP {status} from {host}")?;
                if !by.is_empty() {
                    write!(formatter, " ({})", by.join(", "))?;
                }
                formatter.write_str(", which is not an answer of AWS")?;
                if !media.is_empty() {
                    write!(formatter, " ({media})")?;
                }
                match says.is_empty() {
                    true => Ok(()),
                    false => write!(formatter, ": {says}"),
                }
            }
        }
    }
}

impl std::error::Error for Trouble {}

/// A proxy that lets no connection through: what was to be sent has not left this machine.
#[derive(Debug)]
pub(crate) struct NoTunnel(pub(crate) Trouble);

impl fmt::Display for NoTunnel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

impl std::error::Error for NoTunnel {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.0)
    }
}

/// No connection to a host.
#[derive(Debug)]
pub(crate) struct Unconnected {
    pub(crate) host: String,
    pub(crate) error: ConnectorError,
}

impl Unconnected {
    /// What the client calls it, which says nothing to people.
    const CALLED: [&'static str; 2] = ["io error", "client error (Connect)"];

    /// Returns whether a cause only says once more that there is no connection.
    pub(crate) fn is_said_by(words: &str) -> bool {
        Unconnected::CALLED.contains(&words)
    }
}

impl fmt::Display for Unconnected {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "no connection to {}", self.host)
    }
}

impl std::error::Error for Unconnected {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Returns who has answered in place of AWS, if somebody has: a proxy, a portal, another server. Every answer of AWS has a
/// request ID, in a header or, with XML, in the body, or one of AWS's own media types.
/// <https://opentelemetry.io/docs/specs/semconv/registry/attributes/aws/> (`aws.request_id`),
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTCommonResponseHeaders.html>
pub(super) fn stranger(response: &HttpResponse, host: &str) -> Option<Trouble> {
    const IDS: [&str; 5] = [
        "x-amzn-requestid",
        "x-amzn-request-id",
        "x-amz-request-id",
        "x-amz-id-2",
        "x-amzn-errortype",
    ];
    let header = |name| response.headers().get(name);
    let body = response.body().bytes().unwrap_or_default();
    let media = header("content-type").unwrap_or_default();
    let media = media
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    let is_aws = IDS.iter().any(|id| header(id).is_some())
        || media.starts_with("application/x-amz-")
        || (media.ends_with("xml") && has(body, b"requestid>"));
    if is_aws {
        return None;
    }
    let by = [("server", "Server"), ("via", "Via")];
    let by = by
        .iter()
        .filter_map(|(name, shown)| Some(format!("{shown}: {}", plain(header(*name)?))));
    let says = match header("location") {
        Some(location) => format!("it redirects to {}", plain(location)),
        None => plain(&title(&String::from_utf8_lossy(body))),
    };
    Some(Trouble::Stranger {
        status: response.status().as_u16(),
        host: plain(host),
        by: by.collect(),
        media: plain(&media),
        says,
    })
}

/// Returns the code of an answer that says that too much was asked.
pub(super) fn throttling(response: &HttpResponse) -> Option<String> {
    /// Quotas, which do not fill up again, and locks of databases.
    const OTHERS: [&str; 2] = ["LimitExceededException", "TransactionInProgressException"];
    let status = response.status().as_u16();
    if status < 400 {
        return None;
    }
    let code = code(response).unwrap_or_default();
    let is_throttling =
        THROTTLING_ERRORS.contains(&code.as_str()) && !OTHERS.contains(&code.as_str());
    match (is_throttling, status) {
        (true, _) => Some(code),
        (false, 429) => Some("HTTP 429".to_owned()),
        (false, _) => None,
    }
}

/// Returns the error code: of the header, the JSON or the XML of an answer.
/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html#operation-error-serialization>
fn code(response: &HttpResponse) -> Option<String> {
    let body = response.body().bytes().unwrap_or_default();
    let header = response
        .headers()
        .get("x-amzn-errortype")
        .map(str::to_owned);
    let of_json = || {
        let body: serde_json::Value = serde_json::from_slice(body).ok()?;
        let code = body.get("__type").or_else(|| body.get("code"))?;
        Some(code.as_str()?.to_owned())
    };
    let of_xml = || {
        let text = std::str::from_utf8(body).ok()?;
        let (code, _) = text.split_once("<Code>")?.1.split_once("</Code>")?;
        Some(code.to_owned())
    };
    let code = header.or_else(of_json).or_else(of_xml)?;
    let code = code.split(':').next().unwrap_or_default();
    code.rsplit('#').next().map(str::to_owned)
}

/// Returns the title of a page, else the text itself.
fn title(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let begins = lower
        .find("<title")
        .and_then(|at| Some(at + lower[at..].find('>')? + 1));
    let title = begins.and_then(|begins| {
        let ends = begins + lower[begins..].find("</title")?;
        Some(&text[begins..ends])
    });
    title.unwrap_or(text).to_owned()
}

/// Returns a stranger's text for a terminal: one line, short, and nothing in it but what is printed as it is.
fn plain(text: &str) -> String {
    const LONGEST: usize = 80;
    let is_plain = |c: char| c.is_alphanumeric() || c.is_ascii_graphic();
    let text: String = text
        .chars()
        .map(|c| if is_plain(c) { c } else { ' ' })
        .take(4 * LONGEST)
        .collect();
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}..", &text[..at]),
        None => text,
    }
}

/// Returns whether bytes have these in them, the case of letters apart.
fn has(body: &[u8], part: &[u8]) -> bool {
    body.windows(part.len())
        .any(|window| window.eq_ignore_ascii_case(part))
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_types::body::SdkBody;

    use super::{stranger, throttling};

    fn answer(
        status: u16,
        headers: &[(&'static str, &'static str)],
        body: &'static str,
    ) -> HttpResponse {
        let mut response = HttpResponse::new(status.try_into().unwrap(), SdkBody::from(body));
        for (name, value) in headers {
            response.headers_mut().insert(*name, *value);
        }
        response
    }

    #[test]
    fn says_who_has_answered_in_place_of_aws() {
        let html = [
            ("content-type", "text/html; charset=utf-8"),
            ("server", "squid/5.7"),
            ("via", "1.1 proxy"),
        ];
        let json = [("content-type", "application/json")];
        let elsewhere = [("location", "https://portal.example/login")];
        for (answer, expected) in [
            (
                answer(
                    403,
                    &html,
                    "<html><head><Title lang=en>Access\u{1b}[31m \u{202e}Denied</title>",
                ),
                "HTTP 403 from h:1 (Server: squid/5.7, Via: 1.1 proxy), which is not an answer of AWS (text/html): Access [31m Denied",
            ),
            (
                answer(302, &elsewhere, ""),
                "HTTP 302 from h:1, which is not an answer of AWS: it redirects to https://portal.example/login",
            ),
            (
                answer(200, &json, "{\"status\":\"ok\"}"),
                "HTTP 200 from h:1, which is not an answer of AWS (application/json): {\"status\":\"ok\"}",
            ),
        ] {
            assert_eq!(stranger(&answer, "h:1").unwrap().to_string(), expected);
        }
    }

    #[test]
    fn answers_of_aws_pass() {
        for answer in [
            answer(
                400,
                &[("x-amzn-requestid", "1"), ("content-type", "text/html")],
                "{}",
            ),
            answer(301, &[("x-amz-request-id", "1")], ""),
            answer(200, &[("content-type", "application/x-amz-json-1.1")], "{}"),
            answer(
                200,
                &[("content-type", "text/xml")],
                "<R><RequestId>1</RequestId></R>",
            ),
        ] {
            assert!(stranger(&answer, "h").is_none(), "{answer:?}");
        }
    }

    #[test]
    fn knows_throttling_in_every_protocol() {
        let throttled = [
            answer(400, &[], r#"{"__type": "com.amazon#ThrottlingException"}"#),
            answer(
                400,
                &[("x-amzn-errortype", "ThrottlingException:http://x")],
                "{}",
            ),
            answer(503, &[], "<Error><Code>SlowDown</Code></Error>"),
            answer(429, &[], ""),
        ];
        assert!(throttled.iter().all(|answer| throttling(answer).is_some()));
        let others = [
            answer(400, &[], r#"{"__type": "LimitExceededException"}"#),
            answer(500, &[], "<Error><Code>InternalError</Code></Error>"),
            answer(200, &[], r#"{"__type": "ThrottlingException"}"#),
        ];
        assert!(others.iter().all(|answer| throttling(answer).is_none()));
    }
}
