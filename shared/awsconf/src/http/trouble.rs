//! What is wrong with an answer: none, one without an end, or one that asks to slow down.

use std::fmt;
use std::time::Duration;

use aws_runtime::retries::classifiers::THROTTLING_ERRORS;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;

/// No answer that anything can be made of.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// No complete answer in time.
    NoAnswer { host: String, limit: Duration },
    /// An answer that is longer than any of AWS.
    Endless { host: String, limit: usize },
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
        }
    }
}

impl std::error::Error for Trouble {}

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

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_types::body::SdkBody;

    use super::throttling;

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
