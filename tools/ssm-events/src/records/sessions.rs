//! Every session with its end and its transcript: CloudTrail's records joined with what Systems Manager says of sessions and
//! with what lies in buckets and log groups. Decides; reads nothing.

mod changes;
mod document;
mod facts;
mod findings;
mod inputs;
mod judge;
mod known;
mod session;
mod store;

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use records::{Arn, Timestamp};
use serde_json::json;

pub(crate) use changes::{CALLS as DOCUMENT_CALLS, Changes, SHOWN_AFTER_MINUTES};
pub(crate) use document::{Document, PREFERENCES, Version, in_force, is_of_aws};
pub(crate) use facts::Facts;
pub(crate) use findings::{UNREAD, findings};
pub(crate) use inputs::{Inputs, Logging};
pub(crate) use judge::{Judged, Rules, judge};
pub(crate) use known::{KnownSession, KnownSessions, SessionKey};
pub(crate) use session::{Described, Object, Session, Status, Stream};
pub(crate) use store::{Store, folder};

use crate::records::record::{Event, Identity, Outcome};

/// A session as `DescribeSessions` has it.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Session.html>
#[derive(Clone, Debug, Default)]
pub(crate) struct Listed {
    pub(crate) id: String,
    pub(crate) node: String,
    pub(crate) status: String,
    pub(crate) started: Option<i64>,
    pub(crate) ended: Option<i64>,
    pub(crate) document: String,
    pub(crate) owner: String,
    pub(crate) reason: String,
    pub(crate) max_minutes: Option<u32>,
}

/// Seconds that CloudTrail and Systems Manager may differ in when a session began.
const APART: i64 = 2;

/// The sessions of one account and Region.
#[derive(Debug, Default)]
pub(crate) struct Book {
    #[expect(
        clippy::vec_box,
        reason = "a vector of a hundred thousand large sessions would hold twice as many while it grows"
    )]
    pub(crate) sessions: Vec<Box<Session>>,
    by_id: HashMap<Rc<str>, usize>,
    /// Records of starts whose ID was stripped, by node and time: several people may begin one in the same second.
    nameless: HashMap<(Rc<str>, i64), Vec<usize>>,
    /// The IDs of records whose session has none, by which the same record is known.
    nameless_records: HashSet<Box<str>>,
    /// Texts that many sessions share.
    texts: HashSet<Rc<str>>,
    /// What records say of documents.
    pub(crate) changes: Changes,
}

impl Book {
    /// Takes a record in: `StartSession`, `ResumeSession` or `TerminateSession` that was let through, in any order, the same one
    /// any number of times.
    pub(crate) fn add(&mut self, event: &Event) {
        if event.outcome != Outcome::Allowed {
            return;
        }
        let at = event.time.parse::<Timestamp>().ok().map(Timestamp::seconds);
        let who = (
            self.some(&event.who.principal),
            self.some(&event.who.session_name),
            self.person(&event.who),
        );
        let (address, node) = (
            self.some(&event.source_address),
            event.nodes.first().and_then(|node| self.some(node)),
        );
        let document = self.some(local(&event.document, &event.account));
        let parameters = self.parameters(event);
        if event.session_id.is_empty() {
            let id = event.event_id.as_str();
            if !id.is_empty() && !self.nameless_records.insert(id.into()) {
                return;
            }
            if let Some(key) = node.clone().zip(at) {
                let place = self.sessions.len();
                let places = self.nameless.entry(key).or_default();
                let is_same = |known: &usize| {
                    let known = &self.sessions[*known];
                    let known_as = (&known.principal, &known.session_name);
                    id.is_empty()
                        && known.event_id.as_deref() == Some("")
                        && known_as == (&who.0, &who.1)
                };
                if places.iter().any(is_same) {
                    return;
                }
                places.push(place);
            }
        }
        let session = self.session(&event.session_id);
        // Who ends or resumes a session need not be who began it; without a beginning they are all there is.
        if event.event == "StartSession" || (session.principal.is_none() && !session.is_begun) {
            (session.principal, session.session_name, session.person) = who.clone();
            session.mfa = event.who.mfa;
            session.source_address = address;
            session.event_id = Some(event.event_id.as_str().into());
        }
        match event.event.as_str() {
            "StartSession" => {
                session.is_begun = true;
                session.started = at;
                session.node = node;
                session.document = document;
                session.parameters = parameters;
                session.reason = (!event.reason.is_empty()).then(|| event.reason.as_str().into());
            }
            "ResumeSession" => session
                .resumed
                .extend(at.filter(|at| !session.resumed.contains(at))),
            // Ending what has ended is not an error, and the first time counts.
            _ => {
                if at.is_some_and(|at| session.terminated.is_none_or(|ended| at < ended)) {
                    session.terminated = at;
                    session.terminated_by = who.0;
                }
            }
        }
    }

    /// Takes what Systems Manager says of a session. Without a record it is all that is known.
    pub(crate) fn describe(&mut self, listed: &Listed) {
        let owner = json!({"type": "AssumedRole", "arn": listed.owner});
        let who = Identity::of(&owner);
        let person = self.person(&who);
        let (principal, session_name) = (self.some(&who.principal), self.some(&who.session_name));
        let (node, document) = (self.some(&listed.node), self.some(&listed.document));
        if self.find(&listed.id).is_none()
            && let Some((node, started)) = node.clone().zip(listed.started)
        {
            let role = principal.as_deref().map(last_name);
            self.name(&listed.id, &node, started, (role, session_name.as_deref()));
        }
        let session = self.session(&listed.id);
        let described = Described {
            status: Status::of(&listed.status),
            ended: listed.ended,
            max_minutes: listed.max_minutes,
        };
        // No session begins again, so that an older answer cannot open one that has ended.
        let is_over = |known: Described| known.status != Status::Open;
        if described.status != Status::Open || !session.described.is_some_and(is_over) {
            session.described = Some(described);
        }
        session.started = session.started.or(listed.started);
        session.node = session.node.take().or(node);
        session.document = session.document.take().or(document);
        if session.reason.is_none() && !listed.reason.is_empty() {
            session.reason = Some(listed.reason.as_str().into());
        }
        if !session.is_begun {
            (session.principal, session.session_name, session.person) =
                (principal, session_name, person);
        }
    }

    /// Returns the place of a session, by its ID.
    pub(crate) fn find(&self, id: &str) -> Option<usize> {
        self.by_id.get(id).copied()
    }

    /// Returns a text that is kept once.
    pub(crate) fn text(&mut self, text: &str) -> Rc<str> {
        if let Some(known) = self.texts.get(text) {
            return Rc::clone(known);
        }
        let new: Rc<str> = text.into();
        self.texts.insert(Rc::clone(&new));
        new
    }

    /// Forgets sessions. Those that stay have a place of their own again, and nothing more is described.
    pub(crate) fn forget(&mut self, is_known: impl Fn(&str) -> bool) {
        self.sessions.retain(|session| !is_known(&session.id));
        self.nameless.clear();
        let places = self.sessions.iter().enumerate();
        let named = places.filter(|(_, session)| !session.id.is_empty());
        self.by_id = named
            .map(|(place, session)| (Rc::clone(&session.id), place))
            .collect();
    }

    /// Puts sessions into the order of their beginnings. Nothing can be found in the book any more.
    pub(crate) fn sort(&mut self) {
        self.by_id.clear();
        self.sessions
            .sort_by(|one, other| (one.began(), &one.id).cmp(&(other.began(), &other.id)));
    }

    /// Gives a session its ID whose record has none: the one that the same person began on the same node at that time. A person is
    /// the name of a user, or of a role, whose path Systems Manager does not say, and its session.
    fn name(
        &mut self,
        id: &str,
        node: &Rc<str>,
        started: i64,
        person: (Option<&str>, Option<&str>),
    ) {
        for apart in -APART..=APART {
            let key = (Rc::clone(node), started + apart);
            let Some(places) = self.nameless.get_mut(&key) else {
                continue;
            };
            let is_theirs = |place: &usize| {
                let known = &self.sessions[*place];
                let principal = known.principal.as_deref().map(last_name);
                (principal, known.session_name.as_deref()) == person
            };
            if let Some(at) = places.iter().position(is_theirs) {
                let place = places.swap_remove(at);
                let id: Rc<str> = id.into();
                self.sessions[place].id = Rc::clone(&id);
                self.by_id.insert(id, place);
                return;
            }
        }
    }

    /// Returns what a document was given, as far as it may matter: those of AWS's own decide nothing about transcripts.
    fn parameters(&mut self, event: &Event) -> Option<Box<[Rc<str>]>> {
        let given: &[String] = match is_of_aws(local(&event.document, &event.account)) {
            true => &[],
            false => &event.parameters,
        };
        let given: Box<[Rc<str>]> = given.iter().map(|one| self.text(one)).collect();
        (!event.is_hidden).then_some(given)
    }

    fn some(&mut self, text: &str) -> Option<Rc<str>> {
        (!text.is_empty()).then(|| self.text(text))
    }

    fn person(&mut self, who: &Identity) -> Option<Rc<str>> {
        match who.session_name.as_str() {
            "" => self.some(who.principal.rsplit(['/', ':']).next().unwrap_or_default()),
            name => self.some(name),
        }
    }

    fn session(&mut self, id: &str) -> &mut Session {
        // Stores strip the answer, and the ID with it: each such call is a session of its own.
        let known = (!id.is_empty()).then(|| self.find(id)).flatten();
        let place = known.unwrap_or_else(|| {
            let id: Rc<str> = id.into();
            if !id.is_empty() {
                self.by_id.insert(Rc::clone(&id), self.sessions.len());
            }
            self.sessions.push(Box::new(Session::new(id)));
            self.sessions.len() - 1
        });
        &mut self.sessions[place]
    }
}

/// Returns the plain name of a document that a call names by its ARN, where that is the same: of this account or of AWS. One that
/// another account shares has no other name.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_StartSession.html>
fn local<'d>(document: &'d str, account: &str) -> &'d str {
    let arn = Arn::parse(document).filter(|arn| arn.account.is_empty() || arn.account == account);
    arn.and_then(|arn| arn.named("document"))
        .unwrap_or(document)
}

/// Returns the name of a user or a role without its path.
fn last_name(principal: &str) -> &str {
    match principal.split_once(":assumed-role/") {
        // arn:aws:sts::111122223333:assumed-role/Admin/ann
        Some((_, rest)) => rest.split('/').next().unwrap_or_default(),
        None => principal.rsplit(['/', ':']).next().unwrap_or_default(),
    }
}

/// Returns whether an object is encrypted, by the time when it was written; `None` for one that has to be asked for: "Starting
/// January 5, 2023, all new object uploads to Amazon S3 are automatically encrypted".
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html>
pub(crate) fn is_encrypted_since(modified: i64) -> Option<bool> {
    const BEGIN: i64 = 1_672_876_800;
    (modified >= BEGIN).then_some(true)
}

#[cfg(test)]
#[path = "sessions/book_tests.rs"]
mod tests;
