//! Reads the trail and its bucket.

use aws_sdk_cloudtrail::types::ReadWriteType;
use awsconf::reading;
use cli::Reading;
use serde_json::Value;

use super::Clients;
use crate::alerts::model::{Trail, TrailBucket};

/// Reads a trail by its ARN, which any region that it covers knows.
pub(super) async fn trail(clients: &Clients, arn: &str) -> Reading<Trail> {
    let client = &clients.cloudtrail;
    let described = client
        .describe_trails()
        .trail_name_list(arn)
        .include_shadow_trails(true)
        .send()
        .await;
    let found = match reading(
        format!("DescribeTrails {arn}"),
        &["TrailNotFoundException"],
        described,
    ) {
        Reading::Present(answer) => answer.trail_list.unwrap_or_default().into_iter().next(),
        Reading::Absent => None,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let Some(found) = found else {
        return Reading::Absent;
    };
    let status = client.get_trail_status().name(arn).send().await;
    let status = match reading(
        format!("GetTrailStatus {arn}"),
        &["TrailNotFoundException"],
        status,
    ) {
        Reading::Present(status) => status,
        Reading::Absent => return Reading::Absent,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let selectors = client.get_event_selectors().trail_name(arn).send().await;
    let selectors = match reading(
        format!("GetEventSelectors {arn}"),
        &["TrailNotFoundException"],
        selectors,
    ) {
        Reading::Present(selectors) => selectors,
        Reading::Absent => return Reading::Absent,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let basic = selectors.event_selectors().iter().any(|selector| {
        selector.include_management_events().unwrap_or(true)
            && selector
                .read_write_type()
                .is_none_or(|kind| *kind == ReadWriteType::All)
            && selector.exclude_management_event_sources().is_empty()
    });
    // One selector that asks for the category and nothing else has all of it.
    let advanced = selectors.advanced_event_selectors().iter().any(|selector| {
        let fields = selector.field_selectors();
        fields.len() == 1
            && fields[0].field() == "eventCategory"
            && fields[0].equals() == ["Management"]
    });
    Reading::Present(Trail {
        bucket: found.s3_bucket_name.unwrap_or_default(),
        prefix: found.s3_key_prefix.unwrap_or_default(),
        multi_region: found.is_multi_region_trail.unwrap_or_default(),
        global_events: found.include_global_service_events.unwrap_or_default(),
        validation: found.log_file_validation_enabled.unwrap_or_default(),
        logging: status.is_logging.unwrap_or_default(),
        all_management_events: basic || advanced,
        delivery_error: status
            .latest_delivery_error
            .filter(|reason| !reason.is_empty()),
    })
}

/// Reads a bucket.
pub(super) async fn bucket(clients: &Clients, name: &str) -> Reading<TrailBucket> {
    let client = &clients.s3;
    // HEAD answers carry no body, so that the status says it all.
    // https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html
    if let Err(error) = client.head_bucket().bucket(name).send().await {
        return match error
            .raw_response()
            .map(|response| response.status().as_u16())
        {
            Some(404) => Reading::Absent,
            Some(403) => Reading::Unknown(format!(
                "HeadBucket {name}: 403: no permission, or it belongs to another account"
            )),
            _ => Reading::Unknown(format!(
                "{:#}",
                awsconf::describe(format!("HeadBucket {name}"), error)
            )),
        };
    }
    let access = client.get_public_access_block().bucket(name).send().await;
    let access = reading(
        format!("GetPublicAccessBlock {name}"),
        &["NoSuchPublicAccessBlockConfiguration"],
        access,
    );
    let policy = client.get_bucket_policy().bucket(name).send().await;
    let policy = reading(
        format!("GetBucketPolicy {name}"),
        &["NoSuchBucketPolicy"],
        policy,
    );
    let (access, policy) = match (access, policy) {
        (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => {
            return Reading::Unknown(reason);
        }
        (access, policy) => (access, policy),
    };
    let blocked = access
        .present()
        .and_then(|answer| answer.public_access_block_configuration())
        .is_some_and(|block| {
            [
                block.block_public_acls,
                block.block_public_policy,
                block.ignore_public_acls,
                block.restrict_public_buckets,
            ]
            .into_iter()
            .all(|part| part == Some(true))
        });
    let policy = policy
        .present()
        .and_then(|answer| answer.policy())
        .and_then(|text| serde_json::from_str(text).ok());
    Reading::Present(TrailBucket {
        public_access_blocked: blocked,
        policy: policy.unwrap_or(Value::Null),
    })
}
