//! HTTP beside the APIs of AWS: one request without credentials and without retries, through the proxy of the environment
//! if there is one.

use std::borrow::Cow;
use std::time::Duration;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;

use crate::address::{host_and_port, split};
use crate::http;
use crate::http::outside::LocalAddress;

/// A connection that takes longer is not one to work with.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// What to ask.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET` or `POST`.
    pub method: &'static str,
    /// Scheme, host and path. It may be a secret: no error quotes it.
    pub url: String,
    /// Sent as `application/json` when there is one.
    pub body: Option<String>,
    /// Further headers, which may be secrets: no error quotes them.
    pub headers: Vec<(String, String)>,
    /// For the whole exchange; `None` waits for ever.
    pub timeout: Option<Duration>,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// The whole body, as text.
    pub body: String,
}

impl Response {
    /// Returns the value of a header, its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Clients of one process, which share connections.
#[derive(Clone, Debug)]
pub struct HttpClient {
    inner: aws_smithy_runtime_api::client::http::SharedHttpClient,
    is_outside: bool,
}

impl HttpClient {
    /// Returns a client.
    ///
    /// # Errors
    /// `AWS_CA_BUNDLE` names a file that cannot be read.
    pub fn new() -> anyhow::Result<HttpClient> {
        Ok(HttpClient {
            inner: http::client()?,
            is_outside: false,
        })
    }

    /// Returns a client that reaches no address of this machine, its link, or a metadata service, whatever a name resolves to.
    ///
    /// # Errors
    /// As [`HttpClient::new`].
    pub fn outside() -> anyhow::Result<HttpClient> {
        Ok(HttpClient {
            inner: http::outside_client()?,
            is_outside: true,
        })
    }

    /// Sends one request.
    ///
    /// # Errors
    /// No answer: name, route, firewall, TLS, time. Any status is an answer.
    pub async fn send(&self, request: Request) -> anyhow::Result<Response> {
        // What HTTP refuses would be quoted by whoever refuses it, with the whole request.
        anyhow::ensure!(
            is_address(&request.url),
            "{}: the URL is not one that HTTP allows (it is not shown)",
            request.method
        );
        if self.is_outside {
            http::outside::check(host(&request.url)).await?;
        }
        let mut timeouts = TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT);
        timeouts.set_operation_timeout(request.timeout);
        let mut operation = Operation::builder()
            .service_name("plain")
            .operation_name(request.method)
            .http_client(self.inner.clone())
            .endpoint_url(split(&request.url).0)
            .no_auth()
            .no_retry()
            .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
            .timeout_config(timeouts.build());
        if request.timeout.is_none() {
            // A long poll is silent for as long as there is nothing to report.
            operation = operation.stalled_stream_protection(
                aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig::disabled(),
            );
        }
        let operation = operation
            .serializer(|request: Request| {
                let mut sent =
                    HttpRequest::new(request.body.map_or_else(SdkBody::empty, SdkBody::from));
                sent.set_method(request.method)?;
                sent.set_uri(path(&request.url).as_ref())?;
                if let Some(length) = sent.body().content_length() {
                    sent.headers_mut()
                        .insert("content-length", length.to_string());
                }
                sent.headers_mut()
                    .insert("content-type", "application/json; charset=utf-8");
                for (name, value) in request.headers {
                    sent.headers_mut().try_insert(name, value)?;
                }
                Ok(sent)
            })
            .deserializer::<Response, std::convert::Infallible>(answer)
            .build();
        let method = request.method;
        operation
            .invoke(request)
            .await
            .map_err(|error| anyhow::Error::from(error).context(method))
    }
}

/// Returns whether HTTP can be asked for a URL at all.
#[must_use]
pub fn is_address(url: &str) -> bool {
    HttpRequest::new(SdkBody::empty()).set_uri(url).is_ok()
}

/// Returns whether an error of [`HttpClient::outside`] is that of an address which it does not reach.
#[must_use]
pub fn is_local_address(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| cause.is::<LocalAddress>())
}

/// Returns the path and the query of a URL; what is behind `#` is never sent.
fn path(url: &str) -> Cow<'_, str> {
    let rest = split(url).1;
    let rest = rest.split('#').next().unwrap_or_default();
    match rest.starts_with('/') {
        true => Cow::Borrowed(rest),
        false => Cow::Owned(format!("/{rest}")),
    }
}

/// Returns the host of a URL, without its port.
fn host(url: &str) -> &str {
    let host = host_and_port(url);
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

fn answer(
    response: &HttpResponse,
) -> Result<Response, OrchestratorError<std::convert::Infallible>> {
    let headers = response.headers().iter();
    Ok(Response {
        status: response.status().as_u16(),
        headers: headers
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        body: String::from_utf8_lossy(response.body().bytes().unwrap_or_default()).into_owned(),
    })
}

/// Sends a GET without credentials.
///
/// # Errors
/// As [`HttpClient::send`].
pub async fn probe(url: &str) -> anyhow::Result<Response> {
    let request = Request {
        method: "GET",
        url: url.to_owned(),
        body: None,
        headers: Vec::new(),
        timeout: Some(2 * CONNECT_TIMEOUT),
    };
    let answer = HttpClient::new()?.send(request).await;
    answer.map_err(|error| error.context(url.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{HttpClient, Request, host, is_address, is_local_address, path};
    use crate::address::split;

    /// Before the connection, and at it: a name may have another address by then.
    #[tokio::test]
    async fn a_local_address_is_known_by_the_error_and_not_by_its_words() {
        for (is_outside, is_local) in [(true, true), (false, true)] {
            let client = HttpClient {
                inner: crate::http::outside_client().unwrap(),
                is_outside,
            };
            let request = Request {
                method: "POST",
                url: "http://localhost:1/".to_owned(),
                body: None,
                headers: Vec::new(),
                timeout: Some(std::time::Duration::from_secs(10)),
            };
            let refused = client.send(request).await.unwrap_err();
            assert_eq!(is_local_address(&refused), is_local, "{refused:?}");
        }
        let words = anyhow::anyhow!("127.0.0.1 is an address of this machine");
        assert!(!is_local_address(&words));
    }

    #[test]
    fn a_query_without_a_path_is_sent_and_is_not_of_the_host() {
        for (url, end, rest, name) in [
            ("https://h?token=a/b", "https://h", "/?token=a/b", "h"),
            ("https://h:8443?t=1", "https://h:8443", "/?t=1", "h"),
            ("https://h/p?t=1#x", "https://h", "/p?t=1", "h"),
            ("https://h#x/y", "https://h", "/", "h"),
            ("https://h", "https://h", "/", "h"),
            ("http://[::1]:80/p", "http://[::1]:80", "/p", "[::1]"),
        ] {
            assert_eq!(
                (split(url).0, &*path(url), host(url)),
                (end, rest, name),
                "{url}"
            );
        }
        assert!(is_address("https://h.example?token=a"));
        assert!(!is_address("https://{region}.example.com/hooks"));
    }
}
