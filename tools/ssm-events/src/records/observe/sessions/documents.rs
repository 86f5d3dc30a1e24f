//! The documents that sessions were started with: of each the versions, what became of it in the past, and the content of the
//! versions that may have been in force.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::DocumentFormat;
use awsconf::{Session, describe, reading};
use jiff::{SignedDuration, Timestamp};
use records::Reading;
use serde_json::Value;
use tokio::sync::mpsc;

use super::Pace;
use crate::records::history::{EventFilter, Wanted};
use crate::records::observe::lookup::{self, RegionEvents};
use crate::records::record::Event;
use crate::records::sessions::{
    Book, Changes, DOCUMENT_CALLS, Document, Facts, Inputs, PREFERENCES, SHOWN_AFTER_MINUTES,
    Version, in_force, is_of_aws,
};

/// "You can look up events that occurred in a region within the last 90 days."
/// <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html>
const HISTORY: SignedDuration = SignedDuration::from_hours(90 * 24);
/// How long it takes until a call is in the history: "within an average of about 5 minutes of an API call. This time is not
/// guaranteed", and few take three times as long.
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/get-and-view-cloudtrail-log-files.html>
const DELAY: SignedDuration = SignedDuration::from_mins(SHOWN_AFTER_MINUTES);
/// Pages that wait to be looked at.
const AHEAD: usize = 2;

/// When sessions with a document began.
type Starts = BTreeSet<Option<i64>>;

/// Reads what is not known of documents. What was saved is not read again.
pub(super) async fn read(session: &Session, client: &Client, book: &Book, facts: &mut Facts) {
    let mut starts = BTreeMap::<&str, Starts>::new();
    for session in &book.sessions {
        let name = session.document.as_deref().unwrap_or(PREFERENCES);
        if !is_of_aws(name) {
            starts.entry(name).or_default().insert(session.started);
        }
    }
    for name in starts.keys() {
        if !facts.documents.contains_key(*name) {
            let document = versions(client, name).await;
            facts.documents.insert((*name).to_owned(), document);
        }
    }
    let is_asked = |(name, starts): (&&str, &Starts)| {
        let document = facts.documents.get(*name);
        document.is_some_and(|document| depends_on_past(name, document, &facts.changes, starts))
    };
    if starts.iter().any(is_asked) {
        match changes(session).await {
            Ok(found) => facts.changes.extend(found),
            Err(error) => facts.changes.unread = Some(format!("{error:#}")),
        }
    }
    for (name, starts) in &starts {
        let Some(document) = facts.documents.get(*name) else {
            continue;
        };
        let n_versions = document.present().map_or(0, Vec::len);
        let found = starts.iter().flat_map(|at| {
            match in_force(name, document, &facts.changes, *at) {
                Ok(found) => found.versions.unwrap_or_default(),
                // A transcript may lie where any of them has it written.
                Err(_) => (0..n_versions).collect(),
            }
        });
        let needed: BTreeSet<usize> = found.collect();
        let Some(Reading::Present(versions)) = facts.documents.get_mut(*name) else {
            continue;
        };
        let mut pace = Pace::begin();
        for place in needed {
            let version = &mut versions[place];
            if version.inputs == Reading::Absent {
                pace.step().await;
                version.inputs = content(client, name, version.number).await;
            }
        }
    }
}

/// Returns whether it matters what became of a document since sessions began: more than one version, or none, may have been in
/// force.
fn depends_on_past(name: &str, document: &Document, changes: &Changes, starts: &Starts) -> bool {
    let is_certain = |at: &Option<i64>| match document {
        // Without its document no session begins, so that nothing about it is to be found out.
        Reading::Absent if name != PREFERENCES => true,
        Reading::Unknown(_) => true,
        Reading::Absent | Reading::Present(_) => {
            let found = in_force(name, document, changes, *at);
            found.is_ok_and(|found| found.versions.is_none_or(|found| found.len() == 1))
        }
    };
    !starts.iter().all(is_certain)
}

/// Reads what became of the documents of a Region.
async fn changes(session: &Session) -> anyhow::Result<Changes> {
    let now = awsconf::now().seconds();
    let since = Timestamp::from_second(now)?.saturating_sub(HISTORY)?;
    let wanted = Wanted {
        events: DOCUMENT_CALLS.map(|name| format!("ssm:{name}")).to_vec(),
        ..Wanted::default()
    };
    let mut filter = EventFilter::new(&wanted, Timestamp::from_second(now)?)?;
    filter.since = Some(since);
    let (pages, read) = mpsc::channel(AHEAD);
    let reading = async {
        let ended = lookup::read(session, &filter, &pages).await;
        drop(pages);
        ended
    };
    let (ended, taken) = tokio::join!(reading, taken(read));
    ended?;
    let mut changes = taken?;
    changes.whole_since = Some(since.as_second());
    changes.whole_until = Some(now - DELAY.as_secs());
    Ok(changes)
}

/// Takes pages to their end. They are its own, so that where it ends at one nobody waits for it to take the next.
async fn taken(mut pages: mpsc::Receiver<RegionEvents>) -> anyhow::Result<Changes> {
    let mut changes = Changes::default();
    while let Some(page) = pages.recv().await {
        let RegionEvents::Lines(lines) = page else {
            continue;
        };
        for line in lines.lines() {
            changes.add(&Event::of(&serde_json::from_str::<Value>(line)?));
        }
    }
    Ok(changes)
}

async fn versions(client: &Client, name: &str) -> Document {
    let (mut pace, mut token, mut versions) = (Pace::begin(), None, Vec::new());
    loop {
        pace.step().await;
        let page = client
            .list_document_versions()
            .name(name)
            .set_next_token(token);
        let page = page.send().await;
        let call = format!("ListDocumentVersions {name}");
        let page = match reading(call, &["InvalidDocument"], page) {
            Reading::Present(page) => page,
            Reading::Absent => return Reading::Absent,
            Reading::Unknown(reason) => return Reading::Unknown(reason),
        };
        versions.extend(page.document_versions().iter().map(|one| {
            Version {
                number: one
                    .document_version()
                    .and_then(|number| number.parse().ok())
                    .unwrap_or(0),
                created: one.created_date().map(|date| date.secs()),
                is_default: one.is_default_version(),
                inputs: Reading::Absent,
            }
        }));
        token = page.next_token;
        if token.is_none() {
            return Reading::Present(versions);
        }
    }
}

async fn content(client: &Client, name: &str, number: u64) -> Reading<Rc<Inputs>> {
    let answer = client
        .get_document()
        .name(name)
        .document_version(number.to_string())
        .document_format(DocumentFormat::Json)
        .send()
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let error = describe(format!("GetDocument {name} version {number}"), error);
            return Reading::Unknown(format!("{error:#}"));
        }
    };
    Inputs::read(name, number, answer.content().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::mpsc;

    use super::{AHEAD, RegionEvents, taken};

    #[tokio::test(start_paused = true)]
    async fn a_record_that_is_not_json_ends_the_reading_and_does_not_stop_it_for_ever() {
        let (pages, read) = mpsc::channel(AHEAD);
        let reading = async move {
            for _ in 0..10 * AHEAD {
                // As `lookup::read`, which does not mind that nobody listens any more.
                let _ = pages.send(RegionEvents::Lines("{\n".to_owned())).await;
            }
        };
        let both = async { tokio::join!(reading, taken(read)) };
        let ended = tokio::time::timeout(Duration::from_secs(60), both).await;
        let ((), found) = ended.expect("it ends");
        assert!(found.is_err());
    }
}
