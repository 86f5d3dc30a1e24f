//! What the machine itself tells, without credentials: its metadata service, and whether an endpoint answers.

use std::time::Duration;

use anyhow::anyhow;
use aws_config::imds::client::error::ImdsError;
use aws_config::provider_config::ProviderConfig;
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse, OrchestratorError};
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::timeout::TimeoutConfig;
use toolio::Reading;

use crate::http;

/// The instance metadata service answers within milliseconds or not at all.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);
/// A connection to an endpoint that takes longer is not one to work with.
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);

/// The instance metadata service, spoken to as IMDSv2 only.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>
#[derive(Clone, Debug)]
pub struct Metadata(aws_config::imds::Client);

impl Metadata {
    /// Returns the service at `endpoint`, or where the AWS environment says.
    ///
    /// # Errors
    /// `endpoint` is no URL, or `AWS_CA_BUNDLE` cannot be read.
    pub fn new(endpoint: Option<&str>) -> anyhow::Result<Metadata> {
        let config = ProviderConfig::without_region().with_http_client(http::client()?);
        let mut builder = aws_config::imds::Client::builder()
            .configure(&config)
            .max_attempts(2)
            .connect_timeout(METADATA_TIMEOUT)
            .read_timeout(METADATA_TIMEOUT);
        if let Some(endpoint) = endpoint {
            let wrong = |error| anyhow!("metadata endpoint {endpoint}: {error}");
            builder = builder.endpoint(endpoint).map_err(wrong)?;
        }
        Ok(Metadata(builder.build()))
    }

    /// Returns the text at a path such as `/latest/meta-data/services/domain`; absent when the service has no such thing.
    pub async fn get(&self, path: &str) -> Reading<String> {
        match self.0.get(path).await {
            Ok(text) => Reading::Present(text.as_ref().to_owned()),
            Err(ImdsError::ErrorResponse(answer)) if answer.response().status().as_u16() == 404 => {
                Reading::Absent
            }
            Err(error) => {
                let error = anyhow::Error::from(error);
                Reading::Unknown(format!("{:#}", error.context(format!("GET {path}"))))
            }
        }
    }
}

/// What an endpoint answered to a request without credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The HTTP status; any shows that there is a way to the endpoint.
    pub status: u16,
    /// The endpoint's clock: its `Date` header.
    pub date: Option<String>,
}

/// Sends a GET without credentials, through the proxy of the environment if there is one.
///
/// # Errors
/// No answer: name, route, firewall, TLS.
pub async fn probe(url: &str) -> anyhow::Result<Probed> {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(PROBE_TIMEOUT)
        .operation_timeout(2 * PROBE_TIMEOUT)
        .build();
    let operation = Operation::builder()
        .service_name("probe")
        .operation_name("GET")
        .http_client(http::client()?)
        .endpoint_url(url)
        .no_auth()
        .no_retry()
        .sleep_impl(aws_smithy_async::rt::sleep::TokioSleep::new())
        .timeout_config(timeouts)
        .serializer(|()| {
            let mut request = HttpRequest::new(SdkBody::empty());
            request.set_uri("/")?;
            Ok(request)
        })
        .deserializer::<Probed, std::convert::Infallible>(probed)
        .build();
    let answer = operation.invoke(()).await;
    answer.map_err(|error| anyhow::Error::from(error).context(format!("GET {url}")))
}

fn probed(response: &HttpResponse) -> Result<Probed, OrchestratorError<std::convert::Infallible>> {
    Ok(Probed {
        status: response.status().as_u16(),
        date: response.headers().get("date").map(str::to_owned),
    })
}
