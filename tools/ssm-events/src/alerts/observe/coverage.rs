//! Whether some trail has the calls of a Region.

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::types::{
    AdvancedEventSelector, AdvancedFieldSelector, EventSelector, ReadWriteType,
};
use awsconf::reading;
use cli::Reading;

/// Returns whether a trail that logs has the write calls of the session's region, whoever made it: EventBridge gets calls from
/// CloudTrail only while there is one. Trails of the organization and of other regions are among those that a region describes.
/// <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-cloudtrail.html>
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_DescribeTrails.html>
pub(super) async fn coverage(client: &Client) -> Reading<bool> {
    let described = client
        .describe_trails()
        .include_shadow_trails(true)
        .send()
        .await;
    let trails = match reading("DescribeTrails".to_owned(), &[], described) {
        Reading::Present(answer) => answer.trail_list.unwrap_or_default(),
        Reading::Absent => Vec::new(),
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let mut unknown = None;
    for arn in trails.iter().filter_map(|trail| trail.trail_arn()) {
        match covers(client, arn).await {
            Reading::Present(true) => return Reading::Present(true),
            Reading::Present(false) | Reading::Absent => {}
            Reading::Unknown(reason) => unknown = Some(reason),
        }
    }
    unknown.map_or(Reading::Present(false), Reading::Unknown)
}

async fn covers(client: &Client, arn: &str) -> Reading<bool> {
    let gone = ["TrailNotFoundException"];
    let status = client.get_trail_status().name(arn).send().await;
    match reading(format!("GetTrailStatus {arn}"), &gone, status) {
        Reading::Present(status) if status.is_logging == Some(true) => {}
        Reading::Present(_) | Reading::Absent => return Reading::Present(false),
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    }
    let selectors = client.get_event_selectors().trail_name(arn).send().await;
    match reading(format!("GetEventSelectors {arn}"), &gone, selectors) {
        Reading::Present(selectors) => Reading::Present(has_writes(
            selectors.event_selectors(),
            selectors.advanced_event_selectors(),
        )),
        Reading::Absent => Reading::Present(false),
        Reading::Unknown(reason) => Reading::Unknown(reason),
    }
}

/// Returns whether selectors take the write calls of Systems Manager. What narrows an advanced one in another way leaves out some call.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/logging-management-events-with-cloudtrail.html>
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_AdvancedFieldSelector.html>
fn has_writes(basic: &[EventSelector], advanced: &[AdvancedEventSelector]) -> bool {
    let is_basic = |selector: &EventSelector| {
        selector.include_management_events().unwrap_or(true)
            && selector.read_write_type() != Some(&ReadWriteType::ReadOnly)
    };
    let is_advanced = |selector: &AdvancedEventSelector| {
        let fields = selector.field_selectors();
        let mut categories = fields
            .iter()
            .filter(|field| field.field() == "eventCategory");
        categories.any(|field| field.equals() == ["Management"]) && fields.iter().all(leaves_writes)
    };
    basic.iter().any(is_basic) || advanced.iter().any(is_advanced)
}

/// Returns whether a field of a selector of management events leaves all write calls of Systems Manager in.
fn leaves_writes(field: &AdvancedFieldSelector) -> bool {
    let has_others = [
        field.starts_with(),
        field.not_starts_with(),
        field.ends_with(),
        field.not_ends_with(),
    ];
    let (only, but) = (field.equals(), field.not_equals());
    let takes = |value: &str| {
        (only.is_empty() || only.iter().any(|one| one == value))
            && !but.iter().any(|one| one == value)
    };
    let is_read = has_others.iter().all(|values| values.is_empty());
    is_read
        && match field.field() {
            "eventCategory" => takes("Management"),
            "readOnly" => takes("false"),
            "eventSource" => takes("ssm.amazonaws.com"),
            _ => false,
        }
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudtrail::types::{
        AdvancedEventSelector, AdvancedFieldSelector, EventSelector, ReadWriteType,
    };
    use serde_json::{Value, json};

    use super::has_writes;

    /// Returns an advanced selector by the JSON that the AWS CLI takes.
    fn advanced(fields: &Value) -> AdvancedEventSelector {
        let texts = |field: &Value, name: &str| -> Option<Vec<String>> {
            let values = field[name].as_array()?.iter();
            Some(
                values
                    .map(|value| value.as_str().unwrap().to_owned())
                    .collect(),
            )
        };
        let fields = fields.as_array().unwrap().iter().map(|field| {
            AdvancedFieldSelector::builder()
                .field(field["Field"].as_str().unwrap())
                .set_equals(texts(field, "Equals"))
                .set_not_equals(texts(field, "NotEquals"))
                .set_starts_with(texts(field, "StartsWith"))
                .set_not_ends_with(texts(field, "NotEndsWith"))
                .build()
                .unwrap()
        });
        AdvancedEventSelector::builder()
            .set_field_selectors(Some(fields.collect()))
            .build()
            .unwrap()
    }

    #[test]
    fn advanced_selectors_have_the_writes_of_systems_manager_or_leave_some_out() {
        let management = json!({"Field": "eventCategory", "Equals": ["Management"]});
        for (narrowed, expected) in [
            (json!([]), true),
            (json!([{"Field": "readOnly", "Equals": ["false"]}]), true),
            (json!([{"Field": "readOnly", "Equals": ["true"]}]), false),
            (
                json!([{"Field": "readOnly", "NotEquals": ["false"]}]),
                false,
            ),
            (
                json!([{"Field": "eventSource", "NotEquals": ["kms.amazonaws.com", "rdsdata.amazonaws.com"]}]),
                true,
            ),
            (
                json!([{"Field": "eventSource", "NotEquals": ["ssm.amazonaws.com"]}]),
                false,
            ),
            (
                json!([{"Field": "eventSource", "Equals": ["ssm.amazonaws.com"]}]),
                true,
            ),
            (
                json!([{"Field": "eventSource", "Equals": ["ec2.amazonaws.com"]}]),
                false,
            ),
            (
                json!([{"Field": "eventSource", "StartsWith": ["s3."]}]),
                false,
            ),
            (
                json!([{"Field": "eventSource", "NotEndsWith": ["m.amazonaws.com"]}]),
                false,
            ),
            (
                json!([{"Field": "eventName", "NotEquals": ["StartSession"]}]),
                false,
            ),
            (
                json!([{"Field": "sessionCredentialFromConsole", "Equals": ["true"]}]),
                false,
            ),
        ] {
            let mut fields = vec![management.clone()];
            fields.extend(narrowed.as_array().unwrap().iter().cloned());
            assert_eq!(
                has_writes(&[], &[advanced(&json!(fields))]),
                expected,
                "{narrowed}"
            );
        }
        let data = json!([{"Field": "eventCategory", "Equals": ["Data"]}, {"Field": "resources.type", "Equals": ["AWS::S3::Object"]}]);
        assert!(!has_writes(&[], &[advanced(&data)]));
        assert!(has_writes(
            &[],
            &[advanced(&data), advanced(&json!([management]))]
        ));
        assert!(!has_writes(&[], &[]));
    }

    #[test]
    fn basic_selectors_have_the_writes_unless_they_leave_out_management_events_or_writes() {
        let basic = |kind: ReadWriteType, has_management: Option<bool>| {
            let selector = EventSelector::builder().read_write_type(kind);
            let selector = selector.set_include_management_events(has_management);
            has_writes(&[selector.build()], &[])
        };
        assert!(basic(ReadWriteType::All, Some(true)) && basic(ReadWriteType::All, None));
        assert!(basic(ReadWriteType::WriteOnly, Some(true)));
        assert!(!basic(ReadWriteType::ReadOnly, Some(true)));
        assert!(!basic(ReadWriteType::All, Some(false)));
    }
}
