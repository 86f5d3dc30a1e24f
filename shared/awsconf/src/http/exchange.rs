//! One request and its answer, below the SDK's retries: bounded in time and size.

use std::time::Duration;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;

use super::trouble::Trouble;
use crate::clock::scaled;

/// From the first byte sent to the last byte received, a slow upload apart. The AWS CLI waits for 60 seconds, too, but
/// again for each byte. <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html> (`--cli-read-timeout`)
const ATTEMPT: Duration = Duration::from_secs(60);

/// What a slow line uploads in a second; the packages of functions are megabytes.
const BYTES_A_SECOND: u64 = 64 * 1024;

/// A machine that runs tests is not quicker than AWS, so the divisor of the tests makes no time-out shorter than this.
const SHORTEST: Duration = Duration::from_secs(5);

/// The longest answers of AWS are pages of a few MB; what does not end is not kept in memory.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// A client whose exchanges are bounded.
#[derive(Debug)]
pub(super) struct Bounded {
    pub(super) inner: SharedHttpClient,
}

impl HttpClient for Bounded {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            inner: self.inner.http_connector(settings, components),
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let inner = self.inner.clone();
        HttpConnectorFuture::new(async move {
            // Only clients of AWS's APIs send it: requests to Slack, metadata services and the like are bounded by who sends
            // them.
            if request.headers().get("amz-sdk-request").is_none() {
                let host = host(&request);
                let response = inner.call(request).await?;
                return kept(response, &host).await;
            }
            exchange(&inner, request).await
        })
    }
}

/// Sends a request and returns the whole answer.
async fn exchange(
    inner: &SharedHttpConnector,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let n_bytes = request.body().content_length().unwrap_or_default();
    let limit = ATTEMPT + Duration::from_secs(n_bytes / BYTES_A_SECOND);
    let limit = scaled(limit).max(SHORTEST.min(limit));
    let host = host(&request);
    let is_object = request.uri().contains("x-id=GetObject");
    let answered = async {
        let response = inner.call(request).await?;
        // Objects may be longer than memory. S3 says how long each is, and the SDK watches that its bytes keep coming.
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        let is_long = is_object && response.headers().get("content-length").is_some();
        if is_long && response.status().is_success() {
            return Ok(response);
        }
        kept(response, &host).await
    };
    match tokio::time::timeout(limit, answered).await {
        Ok(answered) => answered,
        Err(_) => {
            let trouble = Trouble::NoAnswer {
                host: host.clone(),
                limit,
            };
            Err(ConnectorError::timeout(trouble.into()))
        }
    }
}

/// Returns the answer with its body in memory.
async fn kept(mut response: HttpResponse, host: &str) -> Result<HttpResponse, ConnectorError> {
    if response.body().bytes().is_some() {
        return Ok(response);
    }
    let mut body = ByteStream::new(response.take_body());
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| ConnectorError::io(error.into()))?;
        if bytes.len() + chunk.len() > LONGEST_ANSWER {
            let host = host.to_owned();
            let trouble = Trouble::Endless {
                host,
                limit: LONGEST_ANSWER,
            };
            return Err(ConnectorError::other(trouble.into(), None));
        }
        bytes.extend_from_slice(&chunk);
    }
    *response.body_mut() = SdkBody::from(bytes);
    Ok(response)
}

/// Returns host and port of a request.
fn host(request: &HttpRequest) -> String {
    let after_scheme = request.uri().split("://").nth(1).unwrap_or_default();
    let authority = after_scheme.split(['/', '?']).next().unwrap_or_default();
    authority.rsplit('@').next().unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

    use super::host;

    #[test]
    fn a_host_is_without_path_and_password() {
        for (uri, expected) in [
            ("http://127.0.0.1:80/?x-id=GetObject", "127.0.0.1:80"),
            ("https://me:canary@proxy", "proxy"),
        ] {
            assert_eq!(host(&HttpRequest::get(uri).unwrap()), expected);
        }
    }
}
