//! What the machine itself says, without credentials: its metadata service.

use std::time::Duration;

use anyhow::anyhow;
use aws_config::imds::client::error::ImdsError;
use aws_config::provider_config::ProviderConfig;
use cli::Reading;

use crate::http;

/// The instance metadata service answers within milliseconds or not at all.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

/// The instance metadata service, spoken to as IMDSv2 only.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-service.html>
#[derive(Clone, Debug)]
pub struct Metadata(aws_config::imds::Client);

impl Metadata {
    /// Returns the service at `endpoint`, or where the AWS environment says.
    ///
    /// # Errors
    /// `endpoint` is not a URL, or `AWS_CA_BUNDLE` cannot be read.
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
