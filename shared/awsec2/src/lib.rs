//! EC2 `DescribeInstances`, all pages, and nothing else, on the SDK's own runtime, signing and credentials.
//! The generated `aws-sdk-ec2` would cost 447 s, 668 CPU-seconds and 7.6 GB of memory in a release build, even with
//! `opt-level = 1`, for this one read; a profile override helps little, as the time goes into reading the code.
//! No write to EC2 can be made with this crate.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod decode;
mod endpoint;
mod error;
mod instance;
mod request;

use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_types::SdkConfig;

pub use error::Ec2Error;
pub use instance::{Instance, MetadataOptions};

/// The states of an instance that still exists; `terminated` ones linger for an hour and are nobody's concern.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html>
pub const EXISTING: [&str; 5] = ["pending", "running", "shutting-down", "stopping", "stopped"];

/// A client for one region.
#[derive(Clone, Debug)]
pub struct Client(Operation<String, decode::Page, Ec2Error>);

impl Client {
    /// Returns a client that uses the configuration's region, credentials, retries, endpoint and HTTP client.
    #[must_use]
    pub fn new(config: &SdkConfig) -> Client {
        Client(request::operation(config))
    }

    /// Returns the instances that match every filter (`name`, any of `values`), from all pages, in EC2's order.
    ///
    /// # Errors
    /// As any SDK call; the error holds EC2's code and message, such as `UnauthorizedOperation`.
    /// Throttling and 5xx answers have been retried by then.
    pub async fn describe_instances(
        &self,
        filters: &[(&str, &[&str])],
    ) -> Result<Vec<Instance>, SdkError<Ec2Error, HttpResponse>> {
        let mut instances = Vec::new();
        let mut token = None;
        loop {
            let page = self
                .0
                .invoke(request::form(filters, token.as_deref()))
                .await?;
            instances.extend(page.instances);
            match page.next_token {
                Some(next) => token = Some(next),
                None => return Ok(instances),
            }
        }
    }
}
