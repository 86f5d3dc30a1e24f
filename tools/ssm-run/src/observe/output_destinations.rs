//! Outputs where nodes have written them: objects in S3, streams in CloudWatch Logs.

use anyhow::Context;
use aws_sdk_s3::operation::head_bucket::HeadBucketOutput;
use awsconf::{Session, describe};

use crate::arguments::Bucket;

/// How long an event of the agent may be; a line that is longer goes on in the next one.
/// cloudwatchlogsservice.go of <https://github.com/aws/amazon-ssm-agent> (`MessageLengthThresholdInBytes`)
const EVENT_BYTES: usize = 200_000;

/// Returns a client in the bucket's own region.
pub(super) async fn s3_client(session: &Session, bucket: &Bucket) -> aws_sdk_s3::Client {
    let client = aws_sdk_s3::Client::new(&session.config);
    let head = client.head_bucket().bucket(&bucket.name).send().await;
    let region = head.as_ref().map(HeadBucketOutput::bucket_region);
    aws_sdk_s3::Client::new(&awsconf::at_bucket(session, region).config)
}

/// Returns the text of the object that a URL of SSM names.
pub(super) async fn object(
    client: &aws_sdk_s3::Client,
    bucket: &Bucket,
    url: Option<&str>,
) -> anyhow::Result<String> {
    let url = url.context("SSM does not say where in S3 the output is")?;
    // SSM writes `https://s3.REGION.amazonaws.com/BUCKET/KEY`.
    // https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CommandPlugin.html (StandardOutputUrl)
    let (_, key) = url
        .split_once(&format!("/{}/", bucket.name))
        .with_context(|| format!("SSM gives '{url}', which is not in {}", bucket.name))?;
    let call = || format!("GetObject s3://{}/{key}", bucket.name);
    let object = client
        .get_object()
        .bucket(&bucket.name)
        .key(key)
        .send()
        .await;
    let object = object.map_err(|error| describe(call(), error))?;
    let bytes = object.body.collect().await.with_context(call)?;
    Ok(String::from_utf8_lossy(&bytes.into_bytes()).into_owned())
}

/// Returns the text of a stream. The agent puts as many whole lines into an event as fit, without its last line break.
pub(super) async fn stream(session: &Session, group: &str, name: &str) -> anyhow::Result<String> {
    let client = aws_sdk_cloudwatchlogs::Client::new(&session.config);
    let (mut text, mut token, mut is_inside_line) = (String::new(), None, true);
    loop {
        let call = client
            .get_log_events()
            .log_group_name(group)
            .log_stream_name(name)
            .start_from_head(true);
        let page = call.set_next_token(token.clone()).send().await;
        let page = page.map_err(|error| describe(format!("GetLogEvents {group} {name}"), error))?;
        for event in page.events() {
            let message = event.message().unwrap_or_default();
            if !is_inside_line {
                text.push('\n');
            }
            text.push_str(message);
            is_inside_line = message.len() >= EVENT_BYTES && !message.contains('\n');
        }
        // At the end the token is the one that was given.
        // https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
        if page.next_forward_token == token || page.next_forward_token.is_none() {
            return Ok(text);
        }
        token = page.next_forward_token;
    }
}
