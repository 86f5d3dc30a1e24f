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

/// By what the history is asked: one attribute a request is all that the API takes.
#[derive(Clone, Debug)]
pub(crate) enum By {
    /// The name of a call. Asked by source, it would page through the heartbeats of every node.
    Name(String),
    /// What a call was made on: of `AssumeRole` and its like the ARN of the role.
    Resource(String),
    /// Who made a call: the name of a user, `root` for the root user, of a role's session its own name.
    User(String),
    Everything,
}

impl By {
    fn attribute(&self) -> anyhow::Result<Option<LookupAttribute>> {
        let (key, value) = match self {
            By::Name(name) => (LookupAttributeKey::EventName, name),
            By::Resource(arn) => (LookupAttributeKey::ResourceName, arn),
            By::User(name) => (LookupAttributeKey::Username, name),
            By::Everything => return Ok(None),
        };
        let attribute = LookupAttribute::builder();
        let attribute = attribute.attribute_key(key).attribute_value(value);
        Ok(Some(attribute.build()?))
    }
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
    let names = filter.events.iter();
    let mut by: Vec<By> = names.map(|(_, name)| By::Name(name.clone())).collect();
    if by.is_empty() {
        by.push(By::Everything);
    }
    let (counts, _) = read_by(session, filter, &by, usize::MAX, pages).await?;
    Ok(counts)
}

/// What there is more of than was to be read.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) by: By,
    /// How many events were read, the newest.
    pub(crate) n_read: usize,
}

/// As [`read`], by these attributes, and of each no further page than the one that reaches this number of events: a page takes half a
/// second, so that whoever makes a million calls would be read for hours.
///
/// # Errors
/// As [`read`].
pub(crate) async fn read_by(
    session: &Session,
    filter: &EventFilter,
    by: &[By],
    most: usize,
    pages: &mpsc::Sender<RegionEvents>,
) -> anyhow::Result<(Counts, Vec<Cut>)> {
    let client = aws_sdk_cloudtrail::Client::new(&session.config);
    let (mut counts, mut damaged) = (Counts::default(), Damaged::default());
    let mut not_before = Deadline::after(Duration::ZERO);
    let mut cut = Vec::new();
    for one in by {
        let attribute = one.attribute()?;
        let (mut token, mut n_read) = (None, 0);
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
            n_read += page.events().len();
            token = page.next_token;
            if token.is_none() {
                break;
            }
            if n_read >= most {
                cut.push(Cut {
                    by: one.clone(),
                    n_read,
                });
                break;
            }
        }
    }
    match damaged.reason(None) {
        Some(reason) => anyhow::bail!(reason),
        None => Ok((counts, cut)),
    }
}

fn time(time: Timestamp) -> DateTime {
    DateTime::from_secs(time.as_second())
}
