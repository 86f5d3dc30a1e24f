//! Saved answers of AWS in place of calls: lists of objects, log streams, sessions and documents, as the AWS CLI or
//! `ssm-prefs show` prints them, known by their shape. Lists of any length are read item by item.

mod answer;
mod coverage;
mod documents;
mod pass;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail};
use cli::Target;
use records::Timestamp;
use serde_json::Value;

use crate::records::sessions::{Book, Facts, Session, Store, folder};
use coverage::Names;
use documents::Documents;
use pass::{Pass, Stage};

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
/// An answer is of one account and Region and names neither: of those of a session that records have; else of `region`, if that is
/// not empty.
///
/// # Errors
/// A file cannot be read, or holds something else.
pub(crate) fn read(paths: &[PathBuf], region: &str, books: &mut Books) -> anyhow::Result<Listing> {
    let mut known = books.iter().filter(|(_, book)| !book.sessions.is_empty());
    let places = match known.any(|(place, _)| place.region != region) {
        true => pass(paths, Stage::Places, &mut Listing::default(), books)?,
        false => Vec::new(),
    };
    let mut listing = Listing::default();
    let places = &places;
    pass(
        paths,
        Stage::Sessions { region, places },
        &mut listing,
        books,
    )?;
    Ok(listing)
}

/// Looks for the transcripts of sessions, where their documents have them written.
///
/// # Errors
/// As [`read`].
pub(crate) fn locate(paths: &[PathBuf], books: &mut Books, facts: &FactsOf) -> anyhow::Result<()> {
    let is_missing = |session: &Session| session.object.is_none() || session.stream.is_none();
    let mut sessions = books.values().flat_map(|book| &book.sessions);
    if sessions.any(|session| is_missing(session)) {
        pass(
            paths,
            Stage::Transcripts(facts),
            &mut Listing::default(),
            books,
        )?;
    }
    Ok(())
}

/// Reads all files once. Returns of which place each answer is, as far as sessions say that.
fn pass(
    paths: &[PathBuf],
    stage: Stage<'_>,
    listing: &mut Listing,
    books: &mut Books,
) -> anyhow::Result<Vec<Option<Target>>> {
    let mut pass = Pass::new(stage, listing, books);
    for path in paths {
        let what = || format!("read a listing from {}", path.display());
        answer::read(open(path).with_context(what)?, &mut pass).with_context(what)?;
    }
    Ok(pass.places)
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
                    self.buckets.cover(name, &folder(prefix), buckets.len())
                }
                Store::LogGroup { name } => self.log_groups.cover(name, "", groups.len()),
            };
            if let Some(covered) = covered {
                facts.stores.insert(store, covered.err());
            }
        }
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
