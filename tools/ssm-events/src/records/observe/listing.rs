//! Saved answers of AWS in place of calls: lists of objects, log streams, sessions and documents, as the AWS CLI or
//! `ssm-prefs show` prints them, known by their shape. Lists of any length are read item by item.

mod answer;
mod coverage;
mod documents;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};
use cli::Target;
use records::{Arn, Timestamp};
use serde_json::{Map, Value};

use crate::records::sessions::{
    Book, Facts, Listed, Logging, Object, Session, Store, Stream, is_encrypted_since,
};
use answer::{Answers, Found};
use coverage::Names;
use documents::Documents;

/// The sessions of all accounts and Regions.
pub(crate) type Books = BTreeMap<Target, Book>;
/// What is known of the places of books.
pub(crate) type FactsOf = BTreeMap<Target, Facts>;

/// What saved answers hold beside sessions.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    has_sessions: bool,
    /// The places of sessions that the answers describe.
    described: BTreeSet<Target>,
    pub(crate) has_objects: bool,
    pub(crate) has_streams: bool,
    buckets: Names,
    log_groups: Names,
    documents: Documents,
}

/// Reads saved answers, sessions into the books. What lies in buckets and log groups is [`locate`]d once it is known where the
/// transcripts of these sessions should be.
///
/// # Errors
/// A file cannot be read, or holds something else.
pub(crate) fn read(paths: &[PathBuf], region: &str, books: &mut Books) -> anyhow::Result<Listing> {
    let mut listing = Listing::default();
    pass(paths, region, None, &mut listing, books)?;
    Ok(listing)
}

/// Looks for the transcripts of sessions, where their documents have them written.
///
/// # Errors
/// As [`read`].
pub(crate) fn locate(paths: &[PathBuf], books: &mut Books, facts: &FactsOf) -> anyhow::Result<()> {
    let is_missing = |session: &Session| session.object.is_none() || session.stream.is_none();
    let mut sessions = books.values().flat_map(|book| &book.sessions);
    match sessions.any(|session| is_missing(session)) {
        true => pass(paths, "", Some(facts), &mut Listing::default(), books),
        false => Ok(()),
    }
}

fn pass(
    paths: &[PathBuf],
    region: &str,
    facts: Option<&FactsOf>,
    listing: &mut Listing,
    books: &mut Books,
) -> anyhow::Result<()> {
    for path in paths {
        let what = || format!("read a listing from {}", path.display());
        let mut pass = Pass {
            listing: &mut *listing,
            books: &mut *books,
            region,
            facts,
            of_answer: Vec::new(),
            lists: BTreeSet::new(),
            has_group: false,
        };
        answer::read(open(path).with_context(what)?, &mut pass).with_context(what)?;
    }
    Ok(())
}

fn open(path: &Path) -> anyhow::Result<Box<dyn Read>> {
    if !std::fs::metadata(path)?.is_file() {
        bail!("a file is read more than once, and a pipe is empty then: save it as a file");
    }
    Ok(Box::new(cloudtrail::text_of(File::open(path)?)?))
}

impl Listing {
    /// Returns whether saved answers say which sessions a place has. One without sessions names no place, and only says it where
    /// there is no other.
    pub(crate) fn describes(&self, place: &Target, is_only: bool) -> bool {
        self.described.contains(place)
            || (self.has_sessions && self.described.is_empty() && is_only)
    }

    /// Adds what was saved of documents to the facts of a place: whether it is the only one, and whether it is asked for the rest.
    pub(crate) fn documents(
        &self,
        place: &Target,
        (is_only, is_asked): (bool, bool),
        facts: &mut Facts,
    ) {
        self.documents.known(place, (is_only, is_asked), facts);
    }

    /// Adds which stores of a book the saved lists cover to its facts.
    pub(crate) fn cover(&self, book: &Book, facts: &mut Facts) {
        let stores: BTreeSet<Store> = book
            .sessions
            .iter()
            .flat_map(|session| facts.logging(session).unwrap_or_default())
            .flat_map(|logging| logging.stores.clone())
            .collect();
        let (mut buckets, mut groups) = (BTreeSet::new(), BTreeSet::new());
        for store in &stores {
            match store {
                Store::Bucket { name, .. } => buckets.insert(Rc::clone(name)),
                Store::LogGroup { name } => groups.insert(Rc::clone(name)),
            };
        }
        for store in stores {
            let covered = match &store {
                Store::Bucket { name, prefix } => {
                    let root = match &**prefix {
                        "" => String::new(),
                        prefix => format!("{prefix}/"),
                    };
                    self.buckets.cover(name, &root, buckets.len())
                }
                Store::LogGroup { name } => self.log_groups.cover(name, "", groups.len()),
            };
            if let Some(covered) = covered {
                facts.stores.insert(store, covered.err());
            }
        }
    }
}

/// One of the two passes over the files.
struct Pass<'p> {
    listing: &'p mut Listing,
    books: &'p mut Books,
    region: &'p str,
    /// In the second pass: where transcripts should be.
    facts: Option<&'p FactsOf>,
    /// The sessions whose objects are in this answer, of which the name of the bucket may come later.
    of_answer: Vec<(Target, usize)>,
    /// The lists of this answer, and whether one of its log streams names the log group.
    lists: BTreeSet<&'static str>,
    has_group: bool,
}

impl Pass<'_> {
    fn find(&self, id: &str) -> Option<(&Target, usize)> {
        let mut found = self
            .books
            .iter()
            .map(|(place, book)| (place, book.find(id)));
        found.find_map(|(place, at)| at.map(|at| (place, at)))
    }

    fn session(&mut self, one: &answer::Session) {
        let moment = |value: &Option<Value>| value.as_ref().and_then(seconds);
        let listed = Listed {
            id: one.session_id.clone(),
            node: one.target.clone(),
            status: one.status.clone(),
            started: moment(&one.start_date),
            ended: moment(&one.end_date),
            document: one.document_name.clone(),
            owner: one.owner.clone(),
            reason: one.reason.clone(),
            max_minutes: one.max_session_duration.parse().ok(),
        };
        let place = self.find(&listed.id).map(|(place, _)| place.clone());
        let place = place.unwrap_or_else(|| Target {
            account: Arn::parse(&listed.owner).map_or(String::new(), |arn| arn.account.to_owned()),
            region: self.region.to_owned(),
        });
        self.listing.described.insert(place.clone());
        self.books.entry(place).or_default().describe(&listed);
    }

    /// Takes an object as the transcript of the session that it is called as.
    fn object(&mut self, one: &answer::Object) {
        let (folder, name) = one.key.split_at(one.key.rfind('/').map_or(0, |at| at + 1));
        let id = name.strip_suffix(".log");
        let Some((place, at)) = id.and_then(|id| self.find(id)) else {
            return;
        };
        let place = place.clone();
        let modified = one.last_modified.as_ref().and_then(seconds);
        let Some(book) = self.books.get_mut(&place) else {
            return;
        };
        let object = Object {
            bucket: None,
            folder: book.text(folder),
            bytes: one.size,
            encrypted: modified.and_then(is_encrypted_since),
        };
        let facts = self.facts.and_then(|facts| facts.get(&place));
        let session = &mut book.sessions[at];
        if session.filled_object().is_none()
            && is_expected(facts, session, |one| is_of(&object, one))
        {
            session.object = Some(object);
            self.of_answer.push((place, at));
        }
    }

    /// Takes a log stream as the transcript of the session that it is called as.
    fn stream(&mut self, one: &answer::Stream) {
        let Some((place, at)) = self.find(&one.log_stream_name) else {
            return;
        };
        let place = place.clone();
        let Some(book) = self.books.get_mut(&place) else {
            return;
        };
        let log_group = group(one).map(|group| book.text(group));
        let times = [
            one.first_event_timestamp,
            one.last_event_timestamp,
            one.last_ingestion_time,
        ];
        let facts = self.facts.and_then(|facts| facts.get(&place));
        let session = &mut book.sessions[at];
        let is_it = |store: &Store| match store {
            Store::Bucket { .. } => false,
            Store::LogGroup { name } => log_group.as_ref().is_none_or(|group| group == name),
        };
        if session.filled_stream().is_none() && is_expected(facts, session, is_it) {
            session.stream = Some(Stream {
                log_group,
                is_filled: times.iter().any(Option::is_some),
                encrypted: None,
            });
        }
    }

    fn rest(&mut self, rest: Map<String, Value>) -> anyhow::Result<()> {
        let of_answer = std::mem::take(&mut self.of_answer);
        let mut lists = std::mem::take(&mut self.lists);
        coverage::is_whole(&rest)?;
        if lists.is_empty() && coverage::is_empty_bucket(&rest) {
            lists.insert(answer::OBJECTS);
            self.listing.has_objects = true;
        }
        let name = rest.get("Name").and_then(Value::as_str);
        if let Some(name) = name {
            of_answer
                .into_iter()
                .for_each(|(place, at)| self.bucket(name, &place, at));
        }
        if self.facts.is_some() {
            return Ok(());
        }
        let has_group = std::mem::take(&mut self.has_group);
        if lists.contains(answer::STREAMS) && !has_group {
            self.listing.log_groups.listed(None, Some(""));
        }
        if lists.contains(answer::OBJECTS) {
            let prefix = rest.get("Prefix").and_then(Value::as_str);
            self.listing.buckets.listed(name, prefix);
        }
        if !lists.is_empty() {
            return Ok(());
        }
        let documents = &mut self.listing.documents;
        let rest = Value::Object(rest);
        if rest["kind"] == "preferences" {
            documents.preferences(&rest)
        } else if rest["DocumentVersions"].is_array() {
            let versions = rest["DocumentVersions"].as_array().into_iter().flatten();
            versions.for_each(|one| documents.version(one));
            Ok(())
        } else if rest.get("Content").is_some() && rest.get("DocumentVersion").is_some() {
            documents.version(&rest);
            Ok(())
        } else if rest["kind"] == "unreachable" || rest.as_object().is_some_and(Map::is_empty) {
            Ok(())
        } else {
            bail!(
                "an answer of list-objects-v2, describe-log-streams, describe-sessions, list-document-versions or get-document, \
                 or a record of `ssm-prefs show` was expected"
            )
        }
    }

    /// Takes the name of the bucket that an object is in. In another bucket than that of its document it is not a transcript.
    fn bucket(&mut self, name: &str, place: &Target, at: usize) {
        let Some(book) = self.books.get_mut(place) else {
            return;
        };
        let name = book.text(name);
        let facts = self.facts.and_then(|facts| facts.get(place));
        let session = &mut book.sessions[at];
        if let Some(mut object) = session.object.take() {
            object.bucket = Some(name);
            if is_expected(facts, session, |store| is_of(&object, store)) {
                session.object = Some(object);
            }
        }
    }
}

impl Answers for Pass<'_> {
    fn found(&mut self, found: Found) {
        match (found, self.facts) {
            (Found::Session(one), None) => self.session(&one),
            (Found::Object(one), Some(_)) => self.object(&one),
            (Found::Stream(one), Some(_)) => self.stream(&one),
            (Found::Stream(one), None) => {
                if let Some(group) = group(&one) {
                    self.has_group = true;
                    self.listing.log_groups.listed(Some(group), Some(""));
                }
            }
            _ => {}
        }
    }

    fn begins(&mut self, list: &'static str) {
        self.lists.insert(list);
        match list {
            answer::SESSIONS => self.listing.has_sessions = true,
            answer::OBJECTS => self.listing.has_objects = true,
            _ => self.listing.has_streams = true,
        }
    }

    fn ends(&mut self, rest: Map<String, Value>) -> anyhow::Result<()> {
        self.rest(rest)
    }
}

/// Returns whether a transcript may lie where a store is. Where that is not known, it may: then something is unread all the same.
fn is_expected(facts: Option<&Facts>, session: &Session, is_it: impl Fn(&Store) -> bool) -> bool {
    let logging = facts.map(|facts| facts.logging(session));
    match logging {
        Some(Ok(logging)) => {
            let has = |logging: &Rc<Logging>| logging.stores.iter().any(&is_it);
            logging.iter().any(has)
        }
        Some(Err(_)) | None => true,
    }
}

fn is_of(object: &Object, store: &Store) -> bool {
    match store {
        Store::Bucket { name, prefix } => object.is_of(name, prefix),
        Store::LogGroup { .. } => false,
    }
}

/// Returns the log group that a log stream names: `arn:aws:logs:eu-central-1:111122223333:log-group:/sessions:log-stream:ann-0`.
fn group(stream: &answer::Stream) -> Option<&str> {
    let (_, rest) = stream.arn.split_once(":log-group:")?;
    let (group, _) = rest.split_once(":log-stream:")?;
    Some(group)
}

/// Reads a time as the AWS CLI prints it: text, or seconds since 1970.
fn seconds(value: &Value) -> Option<i64> {
    match value {
        Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::seconds),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "seconds since 1970 fit, and a fraction of one does not matter"
        )]
        number => number.as_f64().map(|seconds| seconds as i64),
    }
}
