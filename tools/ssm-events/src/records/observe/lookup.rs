//! The event history of CloudTrail: 90 days of every region, without a trail.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>

use std::time::Duration;

use aws_sdk_cloudtrail::primitives::DateTime;
use aws_sdk_cloudtrail::types::{LookupAttribute, LookupAttributeKey};
use awsconf::{Deadline, Session, describe};
use cloudtrail::Found;
use jiff::Timestamp;
use tokio::sync::mpsc;

use crate::records::history::{Counts, Damaged, EventFilter};

/// "The rate of lookup requests is limited to two per second, per account, per Region."
const BETWEEN: Duration = Duration::from_millis(500);
/// The most that one page has.
const PAGE: i32 = 50;

/// What is read of a region.
pub(crate) enum RegionEvents {
    /// Records.
    Lines(String),
    /// How it ended, after all of them.
    Ended(anyhow::Result<Counts>),
}

/// Hands over the records of one region that a filter asks for, JSON lines page by page, call by call, the newest first.
///
/// # Errors
/// A page cannot be read. What came before has been handed over.
pub(crate) async fn read(
    session: &Session,
    filter: &EventFilter,
    pages: &mpsc::Sender<RegionEvents>,
) -> anyhow::Result<Counts> {
    let client = aws_sdk_cloudtrail::Client::new(&session.config);
    let (mut counts, mut damaged) = (Counts::default(), Damaged::default());
    let mut not_before = Deadline::after(Duration::ZERO);
    // One attribute a request is all that the API takes; asked by source, it would page through the heartbeats of every
    // node.
    let mut names: Vec<Option<&str>> = filter
        .events
        .iter()
        .map(|(_, name)| Some(name.as_str()))
        .collect();
    if names.is_empty() {
        names.push(None);
    }
    for name in names {
        let attribute = name.map(|name| {
            LookupAttribute::builder()
                .attribute_key(LookupAttributeKey::EventName)
                .attribute_value(name)
                .build()
        });
        let attribute = attribute.transpose()?;
        let mut token = None;
        loop {
            not_before.wait().await;
            not_before = Deadline::after(BETWEEN);
            let request = client
                .lookup_events()
                .set_lookup_attributes(attribute.clone().map(|attribute| vec![attribute]))
                .set_start_time(filter.since.map(time))
                .set_end_time(filter.until.map(time))
                .max_results(PAGE)
                .set_next_token(token);
            let page = request
                .send()
                .await
                .map_err(|error| describe("LookupEvents", error))?;
            let mut lines = String::new();
            for event in page.events() {
                let Some(record) = event.cloud_trail_event() else {
                    damaged.lost("the event history has an event without its record");
                    continue;
                };
                let found = Found::Object(record.as_bytes());
                damaged.take(&found, filter, &mut counts, &mut lines);
            }
            // Nobody listens any more when printing has failed, which says so itself.
            let _ = pages.send(RegionEvents::Lines(lines)).await;
            token = page.next_token;
            if token.is_none() {
                break;
            }
        }
    }
    match damaged.reason(None) {
        Some(reason) => anyhow::bail!(reason),
        None => Ok(counts),
    }
}

fn time(time: Timestamp) -> DateTime {
    DateTime::from_secs(time.as_second())
}
