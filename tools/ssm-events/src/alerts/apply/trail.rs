//! The writes about the trail and its bucket. A bucket is never deleted, and neither is a log file.

use anyhow::Context;
use aws_sdk_s3::types::{
    BucketLocationConstraint, CreateBucketConfiguration, PublicAccessBlockConfiguration,
};
use awsconf::{Session, describe};
use cli::Change;

use crate::alerts::model::Action;
use crate::alerts::observe::Clients;

/// Makes one change.
pub(super) async fn write(
    clients: &Clients,
    session: &Session,
    change: &Change<Action>,
) -> anyhow::Result<()> {
    let (s3, client, name) = (&clients.s3, &clients.cloudtrail, change.resource.as_str());
    let text = |key: &str| change.to[key].as_str().map(str::to_owned);
    let flag = |key: &str| change.to[key].as_bool();
    match change.action {
        Action::CreateBucket => {
            let region = session.target.region.as_str();
            // The one region that may not be named.
            let place = (region != "us-east-1").then(|| {
                let constraint = BucketLocationConstraint::from(region);
                CreateBucketConfiguration::builder()
                    .location_constraint(constraint)
                    .build()
            });
            let sent = s3
                .create_bucket()
                .bucket(name)
                .set_create_bucket_configuration(place)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("CreateBucket {name}"), error))
        }
        Action::PutPublicAccessBlock => {
            let block = PublicAccessBlockConfiguration::builder()
                .block_public_acls(true)
                .block_public_policy(true)
                .ignore_public_acls(true)
                .restrict_public_buckets(true)
                .build();
            let sent = s3
                .put_public_access_block()
                .bucket(name)
                .public_access_block_configuration(block)
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("PutPublicAccessBlock {name}"), error))
        }
        Action::PutBucketPolicy if change.to["policy"].is_null() => {
            let sent = s3.delete_bucket_policy().bucket(name).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("DeleteBucketPolicy {name}"), error))
        }
        Action::PutBucketPolicy => {
            let sent = s3
                .put_bucket_policy()
                .bucket(name)
                .policy(change.to["policy"].to_string())
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("PutBucketPolicy {name}"), error))
        }
        Action::CreateTrail => {
            let sent = client
                .create_trail()
                .name(name)
                .s3_bucket_name(text("bucket").context("`to.bucket` of the trail")?)
                .set_s3_key_prefix(text("prefix").filter(|prefix| !prefix.is_empty()))
                .set_is_multi_region_trail(flag("multi_region"))
                .set_include_global_service_events(flag("global_events"))
                .set_enable_log_file_validation(flag("validation"))
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("CreateTrail {name}"), error))
        }
        Action::UpdateTrail => {
            let sent = client
                .update_trail()
                .name(name)
                .s3_bucket_name(text("bucket").context("`to.bucket` of the trail")?)
                .s3_key_prefix(text("prefix").unwrap_or_default())
                .set_is_multi_region_trail(flag("multi_region"))
                .set_include_global_service_events(flag("global_events"))
                .set_enable_log_file_validation(flag("validation"))
                .send()
                .await;
            sent.map(drop)
                .map_err(|error| describe(format!("UpdateTrail {name}"), error))
        }
        Action::StartLogging => {
            let sent = client.start_logging().name(name).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("StartLogging {name}"), error))
        }
        Action::StopLogging => {
            let sent = client.stop_logging().name(name).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("StopLogging {name}"), error))
        }
        _ => {
            let sent = client.delete_trail().name(name).send().await;
            sent.map(drop)
                .map_err(|error| describe(format!("DeleteTrail {name}"), error))
        }
    }
}
