//! One pass over saved answers: what is found in them goes into books, or into what is known of saved lists.

use std::collections::BTreeSet;
use std::rc::Rc;

use anyhow::bail;
use cli::Target;
use records::Arn;
use serde_json::{Map, Value};

use super::answer::{self, Answers, Found};
use super::{Books, FactsOf, Listing, coverage, seconds};
use crate::records::sessions::{
    Book, Facts, Listed, Logging, Object, Session, Store, Stream, is_encrypted_since,
};

/// The number of a book, in their order, and of a session in it. Where transcripts are looked for, none is added.
type Place = (u32, u32);

/// What the files are read for.
#[derive(Clone, Copy)]
pub(super) enum Stage<'s> {
    /// Of which place each answer is.
    Places,
    Sessions {
        /// Of answers of which that is not known.
        region: &'s str,
        places: &'s [Option<Target>],
    },
    /// Where transcripts should be.
    Transcripts(&'s FactsOf),
}

/// One pass over the files.
pub(super) struct Pass<'p> {
    stage: Stage<'p>,
    listing: &'p mut Listing,
    books: &'p mut Books,
    /// The place of each answer, as far as one of its sessions says that.
    pub(super) places: Vec<Option<Target>>,
    place: Option<Target>,
    /// The sessions whose objects are in this answer, of which the name of the bucket may come later: as many as it has objects.
    of_answer: Vec<Place>,
    /// The lists of this answer, and whether one of its log streams names the log group.
    lists: BTreeSet<&'static str>,
    has_group: bool,
}

impl<'p> Pass<'p> {
    pub(super) fn new(
        stage: Stage<'p>,
        listing: &'p mut Listing,
        books: &'p mut Books,
    ) -> Pass<'p> {
        Pass {
            stage,
            listing,
            books,
            places: Vec::new(),
            place: None,
            of_answer: Vec::new(),
            lists: BTreeSet::new(),
            has_group: false,
        }
    }
}

impl Pass<'_> {
    fn find(&self, id: &str) -> Option<Place> {
        let mut books = (0..).zip(self.books.values());
        books.find_map(|(book, of)| Some((book, u32::try_from(of.find(id)?).ok()?)))
    }

    /// Returns a book with what is known of its place.
    fn book(&mut self, (book, _): Place) -> Option<(Option<&Facts>, &mut Book)> {
        let (target, book) = self.books.iter_mut().nth(book as usize)?;
        let facts = match self.stage {
            Stage::Transcripts(facts) => facts.get(target),
            Stage::Places | Stage::Sessions { .. } => None,
        };
        Some((facts, book))
    }

    /// Returns the place of a session that is in a book.
    fn place_of(&self, id: &str) -> Option<&Target> {
        let (book, _) = self.find(id)?;
        self.books.keys().nth(book as usize)
    }

    fn session(&mut self, one: &answer::Session, region: &str, places: &[Option<Target>]) {
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
        let account = Arn::parse(&listed.owner).map_or("", |arn| arn.account);
        let of_answer = places.get(self.places.len()).and_then(Option::as_ref);
        let of_answer = of_answer.filter(|place| place.account == account);
        let place = self.place_of(&listed.id).or(of_answer).cloned();
        let place = place.unwrap_or_else(|| Target {
            account: account.to_owned(),
            region: region.to_owned(),
        });
        self.listing.described.insert(place.clone());
        self.books.entry(place).or_default().describe(&listed);
    }

    /// Takes an object as the transcript of the session that it is called as.
    fn object(&mut self, one: &answer::Object) {
        let (folder, name) = one.key.split_at(one.key.rfind('/').map_or(0, |at| at + 1));
        let id = name.strip_suffix(".log");
        let Some(place) = id.and_then(|id| self.find(id)) else {
            return;
        };
        let modified = one.last_modified.as_ref().and_then(seconds);
        let Some((facts, book)) = self.book(place) else {
            return;
        };
        let object = Object {
            bucket: None,
            folder: book.text(folder),
            bytes: one.size,
            encrypted: modified.and_then(is_encrypted_since),
        };
        let session = &mut book.sessions[place.1 as usize];
        if session.filled_object().is_none()
            && is_expected(facts, session, |one| is_of(&object, one))
        {
            session.object = Some(object);
            self.of_answer.push(place);
        }
    }

    /// Takes a log stream as the transcript of the session that it is called as.
    fn stream(&mut self, one: &answer::Stream) {
        let Some(place) = self.find(&one.log_stream_name) else {
            return;
        };
        let Some((facts, book)) = self.book(place) else {
            return;
        };
        let log_group = group(one).map(|group| book.text(group));
        let times = [
            one.first_event_timestamp,
            one.last_event_timestamp,
            one.last_ingestion_time,
        ];
        let session = &mut book.sessions[place.1 as usize];
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
                .for_each(|place| self.bucket(name, place));
        }
        self.places.push(self.place.take());
        if !matches!(self.stage, Stage::Sessions { .. }) {
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
    fn bucket(&mut self, name: &str, place: Place) {
        let Some((facts, book)) = self.book(place) else {
            return;
        };
        let name = book.text(name);
        let session = &mut book.sessions[place.1 as usize];
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
        match (found, self.stage) {
            (Found::Session(one), Stage::Places) if self.place.is_none() => {
                let place = self.place_of(&one.session_id);
                self.place = place.filter(|place| !place.region.is_empty()).cloned();
            }
            (Found::Session(one), Stage::Sessions { region, places }) => {
                self.session(&one, region, places);
            }
            (Found::Object(one), Stage::Transcripts(_)) => self.object(&one),
            (Found::Stream(one), Stage::Transcripts(_)) => self.stream(&one),
            (Found::Stream(one), Stage::Sessions { .. }) => {
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
