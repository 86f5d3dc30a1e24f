//! Reads the CloudTrail trails that cover this region.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::operation::get_event_selectors::GetEventSelectorsOutput;
use aws_sdk_cloudtrail::types::ReadWriteType;
use awsconf::reading;
use cli::Reading;

use crate::model::Trail;

/// Reads trails of this region and multi-region ones of others, which `DescribeTrails` shows as shadows.
pub(super) async fn trails(client: &Client) -> Reading<Vec<Trail>> {
    let described = client
        .describe_trails()
        .include_shadow_trails(true)
        .send()
        .await;
    let found = match reading("DescribeTrails".to_owned(), &[], described) {
        Reading::Present(answer) => answer.trail_list.unwrap_or_default(),
        Reading::Absent => return Reading::Absent,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let mut trails = Vec::with_capacity(found.len());
    for trail in found {
        let Some(arn) = trail.trail_arn().map(str::to_owned) else {
            continue;
        };
        let status = client.get_trail_status().name(&arn).send().await;
        let status = reading(format!("GetTrailStatus {arn}"), &[], status);
        let selectors = client.get_event_selectors().trail_name(&arn).send().await;
        let selectors = reading(format!("GetEventSelectors {arn}"), &[], selectors);
        trails.push(Trail {
            logging: status.map(|answer| answer.is_logging.unwrap_or_default()),
            management_events: selectors.map(|answer| records_writes(&answer)),
            arn,
        });
    }
    trails.sort_by(|a, b| a.arn.cmp(&b.arn));
    Reading::Present(trails)
}

/// Returns whether write management events are selected; StartSession and SendCommand are such events.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html>
fn records_writes(selectors: &GetEventSelectorsOutput) -> bool {
    let basic = selectors.event_selectors().iter().any(|selector| {
        selector.include_management_events() != Some(false)
            && selector.read_write_type() != Some(&ReadWriteType::ReadOnly)
    });
    let advanced = selectors.advanced_event_selectors().iter().any(|selector| {
        let fields = selector.field_selectors();
        let management = fields.iter().any(|field| {
            field.field() == "eventCategory"
                && field.equals().iter().any(|value| value == "Management")
        });
        let only_reads = fields.iter().any(|field| {
            field.field() == "readOnly" && field.equals().iter().all(|value| value == "true")
        });
        management && !only_reads
    });
    basic || advanced
}
