//! What AWS says of the sessions of one account and Region: Systems Manager's list, the documents they were started with, and
//! what lies in the buckets and log groups that those name. Calls as often as it must: each list is read once, or asked for
//! each session where that is less.

mod bucket;
mod documents;
mod log_group;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use aws_sdk_ssm::types::{SessionFilter, SessionFilterKey, SessionState};
use awsconf::{Deadline, Session, describe};
use records::Timestamp;

use crate::records::sessions::{Book, Facts, Listed, Store};

/// Calls of one kind are this far apart: five a second. Quotas of Systems Manager are per account and Region, and shared with
/// who works there; CloudWatch Logs has 25 a second.
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html>
const BETWEEN: Duration = Duration::from_millis(200);
/// The most that one page of sessions has.
const PAGE: i32 = 200;

/// Which sessions are asked for, and what is known already and is not read.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Ask {
    pub(crate) since: Option<i64>,
    pub(crate) until: Option<i64>,
    pub(crate) has_sessions: bool,
    pub(crate) has_objects: bool,
    pub(crate) has_streams: bool,
}

/// Calls one after another, never faster than [`BETWEEN`].
#[derive(Debug)]
struct Pace(Deadline);

impl Pace {
    fn begin() -> Pace {
        Pace(Deadline::after(Duration::ZERO))
    }

    async fn step(&mut self) {
        self.0.wait().await;
        self.0 = Deadline::after(BETWEEN);
    }
}

/// Adds the sessions that Systems Manager lists to a book, and reads where their transcripts are. What cannot be read is in
/// the facts.
pub(crate) async fn read(session: &Session, ask: &Ask, book: &mut Book, facts: &mut Facts) {
    let session = session.clone().with_adaptive_retry();
    let ssm = aws_sdk_ssm::Client::new(&session.config);
    if !ask.has_sessions {
        // A session that ends in between would be in neither, were the history read first.
        for state in [SessionState::Active, SessionState::History] {
            match described(&ssm, ask, state.clone(), book).await {
                Ok(()) if state == SessionState::Active => facts.lists_all_open = true,
                Ok(()) => {}
                Err(error) => facts.undescribed = Some(format!("{error:#}")),
            }
        }
    }
    documents::read(&session, &ssm, book, facts).await;
    for (store, wanted) in wanted(book, facts) {
        let read = match &store {
            Store::Bucket { .. } if ask.has_objects => continue,
            Store::LogGroup { .. } if ask.has_streams => continue,
            Store::Bucket { name, prefix } => {
                bucket::read(&session, (name, prefix), wanted, book).await
            }
            Store::LogGroup { name } => log_group::read(&session, name, wanted, book).await,
        };
        let text = |error: anyhow::Error| format!("{error:#}");
        let trouble = match read {
            Ok(unknown) => {
                let unknown = unknown.map(|error| (store.clone(), text(error)));
                facts.unknown_keys.extend(unknown);
                None
            }
            Err(error) => Some(text(error)),
        };
        facts.stores.insert(store, trouble);
    }
}

/// Returns the stores, each with the sessions whose transcripts may be there.
fn wanted(book: &Book, facts: &Facts) -> BTreeMap<Store, Vec<usize>> {
    let mut wanted = BTreeMap::<Store, Vec<usize>>::new();
    for (place, session) in book.sessions.iter().enumerate() {
        for store in facts.stores_of(session) {
            let places = wanted.entry(store).or_default();
            if places.last() != Some(&place) && !session.id.is_empty() {
                places.push(place);
            }
        }
    }
    wanted
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeSessions.html>
async fn described(
    client: &aws_sdk_ssm::Client,
    ask: &Ask,
    state: SessionState,
    book: &mut Book,
) -> anyhow::Result<()> {
    let mut filters = Vec::new();
    for (key, at) in [
        (SessionFilterKey::InvokedAfter, ask.since),
        (SessionFilterKey::InvokedBefore, ask.until),
    ] {
        if let Some(at) = at {
            let filter = SessionFilter::builder()
                .key(key)
                .value(Timestamp::from_seconds(at).to_string());
            filters.push(filter.build().context("filter sessions")?);
        }
    }
    let filters = (!filters.is_empty()).then_some(filters);
    let (mut pace, mut token) = (Pace::begin(), None);
    loop {
        pace.step().await;
        let page = client
            .describe_sessions()
            .state(state.clone())
            .set_filters(filters.clone())
            .max_results(PAGE)
            .set_next_token(token)
            .send()
            .await
            .map_err(|error| describe("DescribeSessions", error))?;
        for one in page.sessions() {
            let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
            book.describe(&Listed {
                id: text(one.session_id()),
                node: text(one.target()),
                status: one
                    .status()
                    .map(|status| status.as_str().to_owned())
                    .unwrap_or_default(),
                started: one.start_date.map(|date| date.secs()),
                ended: one.end_date.map(|date| date.secs()),
                document: text(one.document_name()),
                owner: text(one.owner()),
                reason: text(one.reason()),
                max_minutes: one
                    .max_session_duration()
                    .and_then(|minutes| minutes.parse().ok()),
            });
        }
        token = page.next_token;
        if token.is_none() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use awsconf::scaled;
    use tokio::time::{Instant, sleep};

    use super::{BETWEEN, Pace};

    /// Makes calls that take so long each, and returns when each began.
    async fn begun(calls: &[Duration]) -> Vec<Duration> {
        let (start, mut pace, mut begun) = (Instant::now(), Pace::begin(), Vec::new());
        for call in calls {
            pace.step().await;
            begun.push(start.elapsed());
            sleep(*call).await;
        }
        begun
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_call_waits_for_nothing_and_each_next_one_for_its_turn() {
        let between = scaled(BETWEEN);
        let begun = begun(&[Duration::ZERO; 6]).await;
        let expected: Vec<Duration> = (0..6).map(|n| between * n).collect();
        assert_eq!(begun, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_call_is_not_waited_for_twice_and_saves_up_nothing() {
        let between = scaled(BETWEEN);
        let (slow, quick) = (between * 5, between / 4);
        let begun = begun(&[slow, quick, Duration::ZERO, Duration::ZERO]).await;
        // After the slow one at once, and from then on again one after another: never two in the time of one.
        let expected = [Duration::ZERO, slow, slow + between, slow + between * 2];
        assert_eq!(begun, expected);
    }

    #[tokio::test(start_paused = true)]
    async fn calls_of_two_kinds_do_not_wait_for_each_other() {
        let (mut one, mut other, start) = (Pace::begin(), Pace::begin(), Instant::now());
        one.step().await;
        other.step().await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        one.step().await;
        other.step().await;
        assert_eq!(start.elapsed(), scaled(BETWEEN));
    }
}
