//! Saved answers of AWS in place of calls: lists of objects, log streams, sessions and documents, as the AWS CLI or
//! `ssm-prefs show` prints them, known by their shape. Lists of any length are read item by item.

mod answer;
mod coverage;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};
use cli::Target;
use records::{Arn, Preferences, Reading, Timestamp};
use serde_json::{Map, Value};

use crate::records::sessions::{
    Book, Document, Facts, Listed, Logging, Object, PREFERENCES, Session, Store, Stream, Version,
    is_encrypted_since,
};
use answer::{Answers, Found};
use coverage::Names;

/// The sessions of all accounts and Regions.
pub(crate) type Books = BTreeMap<Target, Book>;

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
    /// Documents by name, in places that the answers do not name.
    documents: BTreeMap<String, Vec<Version>>,
    /// The preferences of places.
    preferences: BTreeMap<Target, Document>,
}

/// Reads saved answers: sessions into the books, and then what lies in buckets and log groups.
///
/// # Errors
/// A file cannot be read, or holds something else.
pub(crate) fn read(paths: &[PathBuf], region: &str, books: &mut Books) -> anyhow::Result<Listing> {
    let mut listing = Listing::default();
    // Transcripts are located by the IDs of sessions, so that these come first.
    pass(paths, region, true, &mut listing, books)?;
    pass(paths, region, false, &mut listing, books)?;
    Ok(listing)
}

/// Looks once more for what lies in buckets and log groups, for sessions that AWS has listed since.
///
/// # Errors
/// As [`read`].
pub(crate) fn locate(paths: &[PathBuf], place: &Target, book: &mut Book) -> anyhow::Result<()> {
    let is_missing = |session: &Session| session.object.is_none() || session.stream.is_none();
    if !book.sessions.iter().any(|session| is_missing(session)) {
        return Ok(());
    }
    let mut books = Books::from([(place.clone(), std::mem::take(book))]);
    let located = pass(paths, "", false, &mut Listing::default(), &mut books);
    *book = books.remove(place).unwrap_or_default();
    located
}

fn pass(
    paths: &[PathBuf],
    region: &str,
    is_first: bool,
    listing: &mut Listing,
    books: &mut Books,
) -> anyhow::Result<()> {
    for path in paths {
        let what = || format!("read a listing from {}", path.display());
        let mut pass = Pass {
            listing: &mut *listing,
            books: &mut *books,
            region,
            is_first,
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

    /// Returns whether saved answers have documents of a place. Those of the AWS CLI name no place, and are only its where there
    /// is no other: documents of one name differ from place to place.
    pub(crate) fn has_documents(&self, place: &Target, is_only: bool) -> bool {
        self.preferences.contains_key(place) || (is_only && !self.documents.is_empty())
    }

    /// Adds what was saved to the facts of a place.
    pub(crate) fn known(&self, place: &Target, is_only: bool, book: &Book, facts: &mut Facts) {
        for (name, versions) in self.documents.iter().filter(|_| is_only) {
            let document = Reading::Present(versions.clone());
            facts.documents.insert(name.clone(), document);
        }
        if let Some(document) = self.preferences.get(place) {
            facts
                .documents
                .insert(PREFERENCES.to_owned(), document.clone());
        }
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
            let is_listed = match &store {
                Store::Bucket { name, .. } => self.buckets.cover(name, buckets.len()),
                Store::LogGroup { name } => self.log_groups.cover(name, groups.len()),
            };
            if is_listed {
                facts.stores.insert(store, None);
            }
        }
    }
}

/// One of the two passes over the files.
struct Pass<'p> {
    listing: &'p mut Listing,
    books: &'p mut Books,
    region: &'p str,
    is_first: bool,
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
        let folder = book.text(folder);
        book.sessions[at].object = Some(Object {
            bucket: None,
            folder,
            bytes: one.size,
            encrypted: modified.and_then(is_encrypted_since),
        });
        self.of_answer.push((place, at));
    }

    fn stream(&mut self, one: &answer::Stream) {
        // arn:aws:logs:eu-central-1:111122223333:log-group:/sessions:log-stream:ann-0
        let rest = one.arn.split_once(":log-group:").map(|(_, rest)| rest);
        let group = rest
            .and_then(|rest| rest.split_once(":log-stream:"))
            .map(|(group, _)| group);
        if let Some(group) = group {
            self.has_group = true;
            self.listing.log_groups.named(group);
        }
        let Some((place, at)) = self.find(&one.log_stream_name) else {
            return;
        };
        let place = place.clone();
        let Some(book) = self.books.get_mut(&place) else {
            return;
        };
        let log_group = group.map(|group| book.text(group));
        let times = [
            one.first_event_timestamp,
            one.last_event_timestamp,
            one.last_ingestion_time,
        ];
        book.sessions[at].stream = Some(Stream {
            log_group,
            is_filled: times.iter().any(Option::is_some),
            encrypted: None,
        });
    }

    fn rest(&mut self, rest: Map<String, Value>) -> anyhow::Result<()> {
        let of_answer = std::mem::take(&mut self.of_answer);
        let mut lists = std::mem::take(&mut self.lists);
        coverage::is_whole(&rest)?;
        if lists.is_empty() && coverage::is_empty_bucket(&rest) {
            lists.insert(answer::OBJECTS);
            self.listing.has_objects = true;
        }
        let has_group = std::mem::take(&mut self.has_group);
        if lists.contains(answer::STREAMS) && !self.is_first && !has_group {
            self.listing.log_groups.nameless();
        }
        let name = rest.get("Name").and_then(Value::as_str);
        if lists.contains(answer::OBJECTS) && name.is_none() {
            self.listing.buckets.nameless();
        }
        if let Some(name) = name.filter(|_| lists.contains(answer::OBJECTS)) {
            self.listing.buckets.named(name);
            for (place, at) in of_answer {
                if let Some(book) = self.books.get_mut(&place) {
                    let name = book.text(name);
                    if let Some(object) = &mut book.sessions[at].object {
                        object.bucket = Some(name);
                    }
                }
            }
        }
        if !lists.is_empty() || !self.is_first {
            return Ok(());
        }
        let rest = Value::Object(rest);
        if rest["kind"] == "preferences" {
            self.preferences(&rest)
        } else if rest["DocumentVersions"].is_array() {
            let versions = rest["DocumentVersions"].as_array().into_iter().flatten();
            versions.for_each(|one| self.version(one));
            Ok(())
        } else if rest.get("Content").is_some() && rest.get("DocumentVersion").is_some() {
            self.version(&rest);
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

    /// Takes what either `list-document-versions` or `get-document` says of a version.
    fn version(&mut self, one: &Value) {
        let text = |key: &str| one[key].as_str().unwrap_or_default();
        let number = text("DocumentVersion").parse().unwrap_or(0);
        let versions = self
            .listing
            .documents
            .entry(text("Name").to_owned())
            .or_default();
        let place = versions.iter().position(|version| version.number == number);
        let place = place.unwrap_or_else(|| {
            versions.push(Version {
                number,
                created: None,
                is_default: false,
                logging: Reading::Absent,
            });
            versions.len() - 1
        });
        let version = &mut versions[place];
        version.created = version.created.or_else(|| seconds(&one["CreatedDate"]));
        version.is_default |= one["IsDefaultVersion"] == true;
        let content = match &one["Content"] {
            Value::String(text) => serde_json::from_str(text).ok(),
            Value::Null => None,
            content => Some(content.clone()),
        };
        if let Some(content) = content {
            version.logging = Reading::Present(Rc::new(Logging::of(&content)));
        }
    }

    fn preferences(&mut self, record: &Value) -> anyhow::Result<()> {
        let shown: Preferences = cli::from_value(record)?;
        let document = shown.document.map(|document| {
            let is_one = document.default.version == document.latest.version;
            let read = |one: &records::DocumentVersion, is_default| Version {
                number: one.version.parse().unwrap_or(0),
                // `ssm-prefs show` does not say it.
                created: None,
                is_default,
                logging: Reading::Present(Rc::new(Logging::of(&one.content))),
            };
            let latest = (!is_one).then(|| read(&document.latest, false));
            std::iter::once(read(&document.default, true))
                .chain(latest)
                .collect()
        });
        self.listing.preferences.insert(shown.target, document);
        Ok(())
    }
}

impl Answers for Pass<'_> {
    fn found(&mut self, found: Found) {
        match found {
            Found::Session(one) if self.is_first => self.session(&one),
            Found::Object(one) if !self.is_first => self.object(&one),
            Found::Stream(one) if !self.is_first => self.stream(&one),
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
