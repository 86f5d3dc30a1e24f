//! Reads the associations that update agents.

use anyhow::Context;
use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{AssociationDescription, AssociationFilter, AssociationFilterKey};
use awsconf::describe;

use crate::model::{AssociationState, DOCUMENT};
use crate::plan::Association;

/// Returns the associations with the document that updates agents.
///
/// # Errors
/// A call fails: an association that is not seen would be made twice.
pub(crate) async fn associations(client: &Client) -> anyhow::Result<Vec<Association>> {
    let filter = AssociationFilter::builder()
        .key(AssociationFilterKey::Name)
        .value(DOCUMENT)
        .build()?;
    let call = client.list_associations().association_filter_list(filter);
    let mut pages = call.into_paginator().items().send();
    let mut found = Vec::new();
    while let Some(listed) = pages.next().await {
        let listed =
            listed.map_err(|error| describe(format!("ListAssociations {DOCUMENT}"), error))?;
        // An association of the old kind belongs to one instance and has no ID.
        let Some(id) = listed.association_id() else {
            continue;
        };
        let answer = client
            .describe_association()
            .association_id(id)
            .send()
            .await;
        let answer =
            answer.map_err(|error| describe(format!("DescribeAssociation {id}"), error))?;
        let description = answer
            .association_description()
            .with_context(|| format!("DescribeAssociation {id}: answer without association"))?;
        found.push(association(id, description));
    }
    Ok(found)
}

fn association(id: &str, description: &AssociationDescription) -> Association {
    let text = |text: Option<&str>| text.map(str::to_owned);
    let is_for_all_nodes = matches!(
        description.targets(),
        [target] if target.key() == Some("InstanceIds") && target.values() == ["*"]
    );
    let settings = [
        (
            "Parameters",
            description.parameters().is_some_and(|map| !map.is_empty()),
        ),
        ("OutputLocation", description.output_location().is_some()),
        (
            "DocumentVersion",
            !matches!(description.document_version(), None | Some("$DEFAULT")),
        ),
        (
            "ComplianceSeverity",
            description
                .compliance_severity()
                .is_some_and(|severity| severity.as_str() != "UNSPECIFIED"),
        ),
        (
            "SyncCompliance",
            description
                .sync_compliance()
                .is_some_and(|sync| sync.as_str() != "AUTO"),
        ),
        (
            "ApplyOnlyAtCronInterval",
            description.apply_only_at_cron_interval(),
        ),
        ("CalendarNames", !description.calendar_names().is_empty()),
        (
            "TargetLocations",
            !description.target_locations().is_empty(),
        ),
        ("TargetMaps", !description.target_maps().is_empty()),
        ("ScheduleOffset", description.schedule_offset().is_some()),
        ("Duration", description.duration().is_some()),
        (
            "AlarmConfiguration",
            description.alarm_configuration().is_some(),
        ),
    ];
    Association {
        association_id: id.to_owned(),
        state: AssociationState {
            association_name: text(description.association_name()).unwrap_or_default(),
            schedule_expression: text(description.schedule_expression()),
            max_concurrency: text(description.max_concurrency()),
            max_errors: text(description.max_errors()),
        },
        is_for_all_nodes,
        other_settings: settings
            .into_iter()
            .filter(|(_, is_set)| *is_set)
            .map(|(name, _)| name.to_owned())
            .collect(),
    }
}
