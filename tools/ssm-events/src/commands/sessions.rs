//! `sessions`: every session with its end and its transcript, or why there is none.

use std::cell::{Cell, RefCell};
use std::path::PathBuf;

use awsconf::{AccountsFrom, Session};
use cli::{Finding, FindingKind, Next, Outcome, Output, Severity, Target};

use super::GlobalArgs;
use crate::records::history::{self, SYSTEMS_MANAGER};
use crate::records::observe::listing::{self, Books, FactsOf, Listing};
use crate::records::observe::sessions::{self as observe, Ask};
use crate::records::sessions::{Book, DOCUMENT_CALLS, Facts, Judged, Rules, UNREAD, judge};
use crate::records::source::{self, LeftOut};

/// A transcript is uploaded at the end of its session, and CloudWatch Logs "typically" says within an hour that something is in
/// a log stream. <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_LogStream.html>
pub(super) const GRACE_MINUTES: u32 = 60;

/// Print each session with its end and its transcript, or why there is none
///
/// The records on stdin, such as `history` prints, say who began and ended it, and what became of its document; Systems Manager
/// adds the sessions of the last 30 days. Without records these alone are printed.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-events history --since 7d | ssm-events sessions --since 7d\n  ssm-events sessions --offline --listing objects.json,ended.json,versions.json -f records.jsonl"
)]
pub(crate) struct SessionsArgs {
    /// Only sessions that began at or after this time, such as 2026-11-01T00:00:00Z or 7d (ago)
    #[arg(long, value_name = "TIME")]
    since: Option<String>,

    /// Only sessions that began before this time
    #[arg(long, value_name = "TIME")]
    until: Option<String>,

    /// Call a transcript missing this many minutes after the end of its session
    #[arg(long, value_name = "MINUTES", default_value_t = GRACE_MINUTES)]
    grace: u32,

    /// Take from this file what AWS answered before: list-objects-v2, describe-log-streams, describe-sessions, get-document and
    /// list-document-versions of the AWS CLI, or `ssm-prefs show`; what is there is not read again
    #[arg(long = "listing", value_name = "FILE", value_delimiter = ',')]
    listings: Vec<PathBuf>,

    /// Make no call to AWS
    #[arg(long, requires = "listings")]
    offline: bool,
}

pub(crate) async fn run(
    args: &SessionsArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let ended = list(args, global, out).await;
    source::or_unread(out, "sessions", ended)
}

async fn list(args: &SessionsArgs, global: &GlobalArgs, out: &Output) -> anyhow::Result<Outcome> {
    out.suggest(Next::Saved("sessions", "report --sessions"));
    out.list_of("session");
    let now = jiff::Timestamp::now();
    let time = |flag, text| -> anyhow::Result<Option<i64>> {
        Ok(history::time(flag, text, now)?.map(jiff::Timestamp::as_second))
    };
    let (since, until) = (time("--since", &args.since)?, time("--until", &args.until)?);
    let mut books = Books::new();
    let reading = match args.listings.is_empty() {
        true => out.reading("the records"),
        false => Some(out.working("reading the records and what AWS answered before")),
    };
    let left_out = records(global, &mut books)?;
    let regions = global.aws.resolve_regions().await?;
    let region = match regions.as_slice() {
        [one] if one != "all" => Some(one.as_str()),
        _ => None,
    };
    let is_only = region.is_some() && global.accounts.accounts.is_none();
    let listing = listing::read(&args.listings, region.unwrap_or_default(), &mut books)?;
    let ask = Ask {
        since,
        until,
        has_objects: listing.has_objects,
        has_streams: listing.has_streams,
        ..Ask::default()
    };
    let printer = Printer {
        out,
        rules: Rules {
            now: now.as_second(),
            grace: i64::from(args.grace) * 60,
        },
        since,
        until,
        n_unread: Cell::new(0),
        has_printed: Cell::new(false),
    };
    let mut outcome = Outcome::Fine;
    let books = RefCell::new(books);
    let mut waiting = FactsOf::new();
    if !args.offline {
        // The bar of the places comes next.
        drop(reading);
        let work = async |session: &Session, _: &()| {
            let mut book = books
                .borrow_mut()
                .remove(&session.target)
                .unwrap_or_default();
            let mut facts = Facts {
                changes: std::mem::take(&mut book.changes),
                ..Facts::default()
            };
            listing.documents(&session.target, (is_only, true), &mut facts);
            let ask = Ask {
                has_sessions: listing.describes(&session.target, false),
                ..ask
            };
            observe::read(session, &ask, &mut book, &mut facts).await;
            forget(&mut books.borrow_mut(), &session.target, &book);
            Ok((book, facts))
        };
        let fleet = global.fleet(out).await?;
        outcome = fleet
            .visit(out, work, |session, (book, facts)| {
                // Saved lists are read once, for all places.
                if ask.has_objects || ask.has_streams {
                    books.borrow_mut().insert(session.target.clone(), book);
                    waiting.insert(session.target.clone(), facts);
                    return Ok(Outcome::Fine);
                }
                printer.print(&session.target, book, &facts)
            })
            .await?;
    }
    let mut books = books.into_inner();
    // Records of documents alone say nothing of sessions.
    books.retain(|place, book| !book.sessions.is_empty() || waiting.contains_key(place));
    let is_only = args.offline && books.len() == 1;
    for (place, book) in &mut books {
        if !waiting.contains_key(place) {
            let facts = offline(&listing, place, book, (args.offline, is_only));
            waiting.insert(place.clone(), facts);
        }
    }
    listing::locate(&args.listings, &mut books, &waiting)?;
    for (place, book) in books {
        let mut facts = waiting.remove(&place).unwrap_or_default();
        listing.cover(&book, &mut facts);
        outcome = outcome.and(printer.print(&place, book, &facts)?);
    }
    if !printer.has_printed.get() {
        // There is nothing to report about.
        out.suggest_nothing();
    }
    if printer.n_unread.get() > 0 {
        let n = cli::count(printer.n_unread.get(), "session");
        out.note(&format!(
            "whether there is a transcript, as demanded, is not known of {n}: see transcript.message"
        ));
    }
    let outcome = left_out.end(out, outcome);
    left_out.print_gaps(out)?;
    Ok(outcome)
}

/// Reads the records of the input, if there is one.
fn records(global: &GlobalArgs, books: &mut Books) -> anyhow::Result<LeftOut> {
    let path = global.io.path();
    let is_taken = global.accounts.accounts == Some(AccountsFrom::Stdin);
    if (path.is_none() && is_taken) || cli::is_missing(path) {
        return Ok(LeftOut::default());
    }
    source::records(&global.io, |_, event| {
        let is_of_session =
            ["StartSession", "ResumeSession", "TerminateSession"].contains(&event.event.as_str());
        let is_of_document = DOCUMENT_CALLS.contains(&event.event.as_str());
        // Athena and others have sessions of their own.
        if event.source == SYSTEMS_MANAGER && (is_of_session || is_of_document) {
            let place = Target {
                account: event.account.clone(),
                region: event.region.clone(),
            };
            let book = books.entry(place).or_default();
            match is_of_session {
                true => book.add(event),
                false => book.changes.add(event),
            }
        }
        Ok(())
    })
}

/// Forgets sessions of saved answers of which only now the Region is known: AWS was asked, and they are in this book.
fn forget(books: &mut Books, place: &Target, book: &Book) {
    let nowhere = Target {
        account: place.account.clone(),
        region: String::new(),
    };
    if let Some(others) = books.get_mut(&nowhere) {
        others.forget(|id| book.find(id).is_some());
    }
}

/// Returns what is known of a place that was not asked.
fn offline(
    listing: &Listing,
    place: &Target,
    book: &mut Book,
    (is_wanted, is_only): (bool, bool),
) -> Facts {
    let mut facts = Facts {
        changes: std::mem::take(&mut book.changes),
        ..Facts::default()
    };
    if !listing.describes(place, is_only) {
        facts.undescribed = Some(match is_wanted {
            true => format!("no answer of describe-sessions was given that has one of {place}"),
            false => format!("{place} was not asked: pass --accounts and --region"),
        });
    }
    listing.documents(place, (is_only, false), &mut facts);
    facts
}

/// Prints sessions, and counts those of which too little is known.
struct Printer<'o> {
    out: &'o Output,
    rules: Rules,
    since: Option<i64>,
    until: Option<i64>,
    n_unread: Cell<usize>,
    has_printed: Cell<bool>,
}

impl Printer<'_> {
    fn print(&self, place: &Target, mut book: Book, facts: &Facts) -> anyhow::Result<Outcome> {
        let is_wanted = |began: Option<i64>| {
            began.is_none_or(|began| {
                self.since.is_none_or(|since| since <= began)
                    && self.until.is_none_or(|until| began < until)
            })
        };
        book.sessions.retain(|session| is_wanted(session.began()));
        book.sort();
        let mut n_unread = 0;
        for session in &book.sessions {
            let Judged {
                transcript,
                unknown,
                ..
            } = judge(session, facts, &self.rules);
            n_unread += usize::from(unknown.is_some());
            self.out.write(&session.record(place, transcript))?;
            self.has_printed.set(true);
        }
        self.n_unread.set(self.n_unread.get() + n_unread);
        if let Some(reason) = &facts.undescribed {
            self.out.write(&unread(place, reason))?;
        }
        Ok(match n_unread == 0 && facts.undescribed.is_none() {
            true => Outcome::Fine,
            false => Outcome::Trouble,
        })
    }
}

/// Sessions that are not in the records are missing as well: no session can say that.
fn unread(place: &Target, reason: &str) -> Finding {
    Finding {
        kind: FindingKind::Finding,
        id: UNREAD.to_owned(),
        severity: Severity::Error,
        target: Some(place.clone()),
        resource: "DescribeSessions".to_owned(),
        message: format!(
            "ends of sessions, and sessions that are not in the records, are not known: {reason}"
        ),
        fix: "grant what `ssm-events --generate policy --for sessions` prints".to_owned(),
        is_unread: true,
    }
}
