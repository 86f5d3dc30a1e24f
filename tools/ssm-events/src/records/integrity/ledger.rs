//! The digests and log files of one account and Region, day by day: what each digest names is held against what is there. Holds no
//! more than the days of which something is not judged yet.

use std::collections::BTreeMap;

use records::{IntegrityStatus, LogIntegrity, Target, Timestamp, VerifiedFile};

use super::digest::{Digest, Flaw, Previous};
use super::file_name::{FileName, OfDigest, day, day_of, file_name};
use super::keys::PublicKeys;
use super::period::{self, verified_file};
use super::window::{Naming, Window};

/// A digest that was looked for.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// Object or file, as it is shown.
    pub(crate) place: String,
    pub(crate) id: String,
    pub(crate) name: FileName,
    pub(crate) digest: Result<Digest, Flaw>,
    pub(crate) signature: Option<String>,
}

/// What became of a log file.
#[derive(Debug)]
pub(crate) struct Judged {
    pub(crate) id: String,
    pub(crate) place: String,
    pub(crate) flaw: Option<Flaw>,
}

/// Digests of one trail, each of which names the one before.
#[derive(Debug, Default)]
struct Chain {
    last: Option<Last>,
    /// Waits for the digest that follows, which has its signature once more.
    pending: Option<Loaded>,
}

#[derive(Debug)]
struct Last {
    id: String,
    to: Timestamp,
    sha256: Option<String>,
    period: Option<usize>,
}

#[derive(Debug)]
struct Period {
    record: LogIntegrity,
    n_waiting: usize,
    /// Whether it ends before the time asked for, so that it is returned only where something is wrong with it.
    is_early: bool,
}

/// A log file that proved digests name.
#[derive(Debug, Default)]
struct Named {
    /// The periods, each with the hash that the file should have.
    by: Vec<(usize, Option<String>)>,
    /// Whether it is judged. A copy may be there twice.
    is_judged: bool,
}

#[derive(Debug)]
pub(crate) struct Ledger {
    target: Target,
    naming: Naming,
    window: Window,
    chains: BTreeMap<OfDigest, Chain>,
    periods: BTreeMap<usize, Period>,
    n_periods: usize,
    /// Log files by day and ID.
    expected: BTreeMap<(String, String), Named>,
    /// Log files that no proved digest names, of the days that are not returned yet.
    unnamed: Vec<(String, VerifiedFile)>,
    is_over: bool,
}

impl Ledger {
    pub(crate) fn new(target: Target, naming: Naming, window: Window) -> Ledger {
        Ledger {
            chains: BTreeMap::new(),
            target,
            naming,
            window,
            periods: BTreeMap::new(),
            n_periods: 0,
            expected: BTreeMap::new(),
            unnamed: Vec::new(),
            is_over: false,
        }
    }

    /// Takes the next digest, in the order of their ends.
    pub(crate) fn digest(&mut self, loaded: Loaded, keys: &PublicKeys) {
        let Some(key) = loaded.name.digest.clone() else {
            return;
        };
        let pending = self.chains.entry(key.clone()).or_default().pending.take();
        if let Some(mut pending) = pending {
            let previous = loaded.digest.as_ref().ok().and_then(Digest::previous);
            let follows = previous.filter(|previous| self.id(previous) == pending.id);
            let signature = follows.and_then(|previous| previous.signature.clone());
            pending.signature = pending.signature.or(signature);
            self.settle(&key, pending, keys);
        }
        match loaded.signature {
            Some(_) => self.settle(&key, loaded, keys),
            None => self.chains.entry(key).or_default().pending = Some(loaded),
        }
    }

    /// Says that there are no more digests.
    pub(crate) fn no_more_digests(&mut self, keys: &PublicKeys) {
        self.is_over = true;
        let waiting = self.chains.iter_mut();
        let pending: Vec<_> = waiting
            .filter_map(|(key, chain)| Some((key.clone(), chain.pending.take()?)))
            .collect();
        for (key, loaded) in pending {
            self.settle(&key, loaded, keys);
        }
        let Some(end) = self.window.end() else {
            return;
        };
        let regular = self.chains.iter().filter(|(key, _)| !key.is_backfill);
        let last = |(key, chain): (&OfDigest, &Chain)| {
            let last = chain.last.as_ref().map(|last| last.to);
            (Some(key.trail.clone()), last)
        };
        let mut regular: Vec<_> = regular.map(last).collect();
        for trail in &self.window.trails {
            let is_there = regular.iter().any(|(of, _)| of.as_ref() == Some(trail));
            regular.extend((!is_there).then(|| (Some(trail.clone()), None)));
        }
        if regular.is_empty() {
            let why = "there is no digest: log file validation is off, or digests were removed";
            self.hole(None, self.window.since, Some(end), Flaw::unproved(why));
        }
        for (trail, last) in regular {
            if last.is_none() {
                let why = "there is no digest of this trail: log file validation is off, or digests were removed";
                self.hole(trail, self.window.since, Some(end), Flaw::unproved(why));
            } else if last.is_some_and(|last| last < end) {
                let why = "no digest follows: logging was stopped, log file validation turned off, or digests were removed";
                self.hole(trail, last, Some(end), Flaw::unproved(why));
            }
        }
    }

    fn id(&self, previous: &Previous) -> String {
        self.naming.id(&previous.bucket, &previous.object)
    }

    /// Judges a digest, now that all is there which can prove it.
    fn settle(&mut self, key: &OfDigest, loaded: Loaded, keys: &PublicKeys) {
        let trail = &key.trail;
        let last = self.chains.get_mut(key).and_then(|chain| chain.last.take());
        let verified = loaded.digest.and_then(|digest| {
            let (bucket, object) = digest.place();
            if self.naming.id(bucket, object) != loaded.id {
                let moved = format!("it was moved: CloudTrail put it at s3://{bucket}/{object}");
                return Err(Flaw::altered(moved));
            }
            digest.verify(loaded.signature.as_deref(), keys)?;
            Ok(digest)
        });
        let to = match &verified {
            Ok(digest) => digest.to(),
            Err(_) => loaded.name.time,
        };
        let from = match (&verified, &last) {
            (Ok(digest), _) => digest.from(),
            // Nothing that it says may be believed.
            (Err(_), Some(last)) if last.to < to => last.to,
            (Err(_), _) => self.window.since_or_hour_before(to),
        };
        let is_unknown = verified.is_err() && last.is_none();
        if let Ok(digest) = &verified {
            self.link(trail, key.is_backfill, digest, last.as_ref());
        }
        let sha256 = verified.as_ref().ok().map(|one| one.sha256().to_owned());
        // The log files of the first day that lie before the time asked for are read as well.
        let is_early = verified.is_ok() && self.window.is_before(to);
        let mut period = None;
        if is_early || is_unknown || !self.window.is_behind(from) {
            let flaw = verified.as_ref().err();
            let number = self.period(Some(trail.clone()), (Some(from), Some(to)), flaw);
            if let Some(period) = self.periods.get_mut(&number) {
                period.record.digest = Some(verified_file(loaded.place, flaw));
                period.is_early = is_early;
            }
            if let Ok(digest) = &verified {
                self.expect(number, is_early, digest);
            }
            period = Some(number);
        }
        let last = Last {
            id: loaded.id,
            to,
            sha256,
            period,
        };
        self.chains.entry(key.clone()).or_default().last = Some(last);
    }

    /// Takes the log files that a digest names; of one that is before the time asked for, only those that are listed.
    fn expect(&mut self, number: usize, is_early: bool, digest: &Digest) {
        let first_day = self.window.since.map(day_of);
        for file in digest.log_files() {
            let of_key = day(&file.s3_object).unwrap_or_else(|| day_of(digest.to()));
            if is_early && first_day.as_ref().is_some_and(|first| of_key < *first) {
                continue;
            }
            let id = self.naming.id(&file.s3_bucket, &file.s3_object);
            let sha256 = file.sha256().map(str::to_owned);
            let named = self.expected.entry((of_key, id)).or_default();
            named.by.push((number, sha256));
            if let Some(period) = self.periods.get_mut(&number) {
                period.n_waiting += 1;
            }
        }
    }

    /// Says what is missing between a digest and the one before it.
    fn link(&mut self, trail: &str, is_backfill: bool, digest: &Digest, last: Option<&Last>) {
        let named = digest.previous().map(|previous| self.id(previous));
        let from = digest.from();
        let begin = last.map(|last| last.to).or(self.window.since);
        let is_linked = last.is_some_and(|last| Some(&last.id) == named.as_ref());
        if is_linked {
            self.compare(digest, last);
        }
        // What is before the period that is asked for was not looked at.
        let of_before = digest.previous().filter(|_| is_backfill);
        let of_before = of_before.and_then(|previous| file_name(&previous.object));
        let is_first = last.is_none()
            && (self.window.since.is_some_and(|since| from <= since)
                // Backfill digests do not follow each other hour by hour.
                || of_before.is_some_and(|name| self.window.is_before(name.time)));
        let is_late = begin.is_some_and(|begin| begin < from);
        let flaw = match digest.previous() {
            Some(_) if is_linked || is_first => None,
            Some(previous) if digest.root() != previous.root() => Some(Flaw::unproved(format!(
                "the trail wrote to s3://{} before: verify that too",
                previous.root()
            ))),
            Some(_) => Some(Flaw::missing(
                "the digest that the next one names is not there",
            )),
            None if is_late && !is_backfill => Some(Flaw::unproved(
                "no digests were written: logging was stopped, or log file validation was off",
            )),
            None => None,
        };
        if let Some(flaw) = flaw {
            let hole = self.hole(Some(trail.to_owned()), begin, Some(from), flaw.clone());
            let period = hole.and_then(|number| self.periods.get_mut(&number));
            if let Some((period, previous)) = period.zip(digest.previous()) {
                let place = format!("s3://{}/{}", previous.bucket, previous.object);
                period.record.digest = Some(verified_file(place, Some(&flaw)));
            }
        } else if is_linked && is_late && !is_backfill {
            let why = "no digest covers this time";
            self.hole(
                Some(trail.to_owned()),
                begin,
                Some(from),
                Flaw::unproved(why),
            );
        }
    }

    /// Holds the digest before one against what that one says of it.
    fn compare(&mut self, digest: &Digest, last: Option<&Last>) {
        let written = digest.previous().and_then(|one| one.sha256.as_ref());
        let Some((last, written)) = last.zip(written) else {
            return;
        };
        let number = last
            .period
            .filter(|_| last.sha256.as_ref().is_some_and(|one| one != written));
        let period = number.and_then(|number| self.periods.get_mut(&number));
        if let Some(period) = period {
            let flaw = Flaw::altered("its SHA-256 is not that in the digest that follows");
            let record = &mut period.record;
            record.status = flaw.status;
            record.message = Some(flaw.message.clone());
            let digest = record.digest.take();
            record.digest = digest.map(|digest| verified_file(digest.file, Some(&flaw)));
        }
    }

    fn hole(
        &mut self,
        trail: Option<String>,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
        flaw: Flaw,
    ) -> Option<usize> {
        if to.is_some_and(|to| self.window.is_before(to))
            || from.is_some_and(|from| self.window.is_behind(from))
        {
            return None;
        }
        Some(self.period(trail, (from, to), Some(&flaw)))
    }

    fn period(
        &mut self,
        trail: Option<String>,
        times: (Option<Timestamp>, Option<Timestamp>),
        flaw: Option<&Flaw>,
    ) -> usize {
        let record = period::of(&self.target, trail, times, flaw);
        self.n_periods += 1;
        let period = Period {
            record,
            n_waiting: 0,
            is_early: false,
        };
        self.periods.insert(self.n_periods, period);
        self.n_periods
    }

    /// Returns the day of the first log file that is named and not judged.
    pub(crate) fn first_day(&self) -> Option<&str> {
        let ((day, _), _) = self.expected.first_key_value()?;
        Some(day)
    }

    /// Returns the days and IDs of log files that are named and not judged, of a day and before.
    pub(crate) fn named(&self, day: &str) -> Vec<(String, String)> {
        let named = self.expected.keys();
        named
            .take_while(|(of, _)| of.as_str() <= day)
            .cloned()
            .collect()
    }

    /// Returns the hashes that a log file should have; none for one that no proved digest names.
    pub(crate) fn hashes(&self, day: &str, id: &str) -> Vec<Option<String>> {
        let named = self.expected.get(&(day.to_owned(), id.to_owned()));
        let by = named.into_iter().flat_map(|named| &named.by);
        by.map(|(_, sha256)| sha256.clone()).collect()
    }

    /// Takes what became of a log file of a day.
    pub(crate) fn judged(&mut self, day: &str, judged: Judged) {
        let file = verified_file(judged.place, judged.flaw.as_ref());
        let Some(named) = self.expected.get_mut(&(day.to_owned(), judged.id)) else {
            return self.unnamed.push((day.to_owned(), file));
        };
        for (number, _) in &named.by {
            if let Some(period) = self.periods.get_mut(number) {
                period.n_waiting -= usize::from(!named.is_judged);
                period.record.log_files.push(file.clone());
            }
        }
        named.is_judged = true;
    }

    /// Returns the period of an account and Region of which no other was returned: nothing was looked at, and nothing is proved.
    pub(crate) fn nothing(&self) -> LogIntegrity {
        let flaw =
            Flaw::unproved("no digest covers this time: CloudTrail writes one after its hour");
        let times = (self.window.since, self.window.until.or(self.window.now));
        period::of(&self.target, None, times, Some(&flaw))
    }

    /// Returns the periods of which all is judged.
    pub(crate) fn done(&mut self) -> Vec<LogIntegrity> {
        self.expected.retain(|_, named| !named.is_judged);
        // The digest that follows the last one may still say that it was altered.
        let chains = self.chains.values().filter(|_| !self.is_over);
        let held: Vec<usize> = chains
            .filter_map(|chain| chain.last.as_ref()?.period)
            .collect();
        let is_done =
            |(number, period): &(&usize, &Period)| period.n_waiting == 0 && !held.contains(number);
        let done: Vec<usize> = self
            .periods
            .iter()
            .filter(is_done)
            .map(|(number, _)| *number)
            .collect();
        let done = done.iter().filter_map(|number| self.periods.remove(number));
        let finished = |period: Period| {
            let record = period::finished(period.record);
            (!period.is_early || record.status != IntegrityStatus::Proved).then_some(record)
        };
        let mut done: Vec<LogIntegrity> = done.filter_map(finished).collect();
        let unnamed = std::mem::take(&mut self.unnamed);
        done.extend(period::unnamed(&self.target, unnamed));
        done
    }
}
