//! One session, small enough for a hundred thousand of them.

use std::rc::Rc;

use records::{RecordedSession, RecordedSessionKind, SessionEnd, Target, Timestamp, Transcript};

/// What is known of a session. Times are seconds since 1970.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) id: Rc<str>,
    /// Whether the record of its start was read.
    pub(super) is_begun: bool,
    pub(super) principal: Option<Rc<str>>,
    pub(super) session_name: Option<Rc<str>>,
    pub(super) person: Option<Rc<str>>,
    pub(super) mfa: Option<bool>,
    pub(super) source_address: Option<Rc<str>>,
    pub(crate) node: Option<Rc<str>>,
    pub(crate) document: Option<Rc<str>>,
    /// What its document was given, `NAME=VALUE` each; `None` where no record says it.
    pub(super) parameters: Option<Box<[Rc<str>]>>,
    pub(super) reason: Option<Box<str>>,
    pub(super) event_id: Option<Box<str>>,
    pub(crate) started: Option<i64>,
    pub(super) resumed: Vec<i64>,
    pub(super) terminated: Option<i64>,
    pub(super) terminated_by: Option<Rc<str>>,
    pub(super) described: Option<Described>,
    pub(crate) object: Option<Object>,
    pub(crate) stream: Option<Stream>,
}

/// What `DescribeSessions` adds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Described {
    pub(crate) status: Status,
    pub(crate) ended: Option<i64>,
    pub(crate) max_minutes: Option<u32>,
}

/// The state of a session, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    Open,
    Ended,
    Failed,
}

/// An object that is called as the session.
#[derive(Clone, Debug)]
pub(crate) struct Object {
    pub(crate) bucket: Option<Rc<str>>,
    /// What stands before the ID in the key.
    pub(crate) folder: Rc<str>,
    pub(crate) bytes: u64,
    pub(crate) encrypted: Option<bool>,
}

/// A log stream that is called as the session.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) log_group: Option<Rc<str>>,
    /// Whether anything is in it: a role may create a log stream and not be allowed to write to it.
    pub(crate) is_filled: bool,
    pub(crate) encrypted: Option<bool>,
}

impl Object {
    /// Returns whether it is where a document has transcripts written. A saved list may not say of which bucket it is.
    pub(crate) fn is_of(&self, bucket: &str, prefix: &str) -> bool {
        let folder = self.folder.strip_suffix('/').unwrap_or(&self.folder);
        folder == prefix && self.bucket.as_deref().is_none_or(|name| name == bucket)
    }
}

impl Status {
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Session.html>: `Connected`, `Connecting`,
    /// `Disconnected` (it can be resumed), `Terminated`, `Terminating`, `Failed`.
    pub(super) fn of(text: &str) -> Status {
        match text {
            "Failed" => Status::Failed,
            "Terminated" => Status::Ended,
            _ => Status::Open,
        }
    }
}

impl Session {
    pub(super) fn new(id: Rc<str>) -> Session {
        Session {
            id,
            ..Session::default()
        }
    }

    /// Returns the transcript in a bucket. An object without a byte shows nothing of the session, as a log stream without an
    /// event: even who types nothing leaves the lines in which `script` says when it began and ended.
    pub(crate) fn filled_object(&self) -> Option<&Object> {
        self.object.as_ref().filter(|object| object.bytes > 0)
    }

    /// Returns the transcript in a log group.
    pub(crate) fn filled_stream(&self) -> Option<&Stream> {
        self.stream.as_ref().filter(|stream| stream.is_filled)
    }

    /// Returns when it began, or when it was first heard of.
    pub(crate) fn began(&self) -> Option<i64> {
        let first = self.resumed.iter().min().copied();
        self.started.or(first).or(self.terminated)
    }

    /// Returns when it ended, as far as that is known.
    pub(super) fn ended(&self) -> Option<i64> {
        self.described
            .and_then(|described| described.ended)
            .or(self.terminated)
    }

    pub(super) fn how_it_ended(&self) -> SessionEnd {
        match self.described {
            Some(Described {
                status: Status::Failed,
                ..
            }) => SessionEnd::Failed,
            // A listing may be older than the record.
            _ if self.terminated.is_some() => SessionEnd::Terminated,
            Some(Described {
                status: Status::Open,
                ..
            }) => SessionEnd::Open,
            Some(described) => {
                let lasted = self
                    .started
                    .zip(described.ended)
                    .map(|(from, to)| to - from);
                let most = described.max_minutes.map(|minutes| i64::from(minutes) * 60);
                match lasted.zip(most) {
                    // AWS rounds neither: a minute early is the clock of the node.
                    Some((lasted, most)) if lasted + 60 >= most => SessionEnd::MaxDuration,
                    _ => SessionEnd::Closed,
                }
            }
            None => SessionEnd::Unknown,
        }
    }

    /// Returns it as a record.
    pub(crate) fn record(&self, place: &Target, transcript: Transcript) -> RecordedSession {
        let text = |text: &Option<Rc<str>>| text.as_deref().map(str::to_owned);
        let time = |seconds: i64| Timestamp::from_seconds(seconds).to_string();
        let ended = self.ended();
        let mut resumed = self.resumed.clone();
        resumed.sort_unstable();
        RecordedSession {
            kind: RecordedSessionKind::Session,
            target: (!place.account.is_empty() || !place.region.is_empty()).then(|| place.clone()),
            session_id: self.id.to_string(),
            principal: text(&self.principal).unwrap_or_default(),
            session_name: text(&self.session_name),
            mfa: self.mfa,
            source_address: text(&self.source_address),
            node: text(&self.node),
            node_name: None,
            document: text(&self.document),
            reason: self.reason.as_deref().map(str::to_owned),
            started: self.started.map(time),
            resumed: resumed.into_iter().map(time).collect(),
            ended: ended.map(time),
            duration_seconds: self.started.zip(ended).map(|(from, to)| to - from),
            event_id: self.event_id.as_deref().unwrap_or_default().to_owned(),
            person: text(&self.person),
            how_it_ended: Some(self.how_it_ended()),
            ended_by: text(&self.terminated_by),
            transcript: Some(transcript),
        }
    }
}
