//! Reads log files by the digests that name them: records of what is proved are handed on, and of every period is said whether it is.

use std::cell::Cell;
use std::io::Seek;
use std::sync::Arc;

use anyhow::Context;
use futures_util::{StreamExt, TryStreamExt, stream};
use records::{LogIntegrity, Target, Timestamp};
use tempfile::SpooledTempFile;
use tokio::sync::mpsc;

use super::bodies::{self, AHEAD, Part};
use super::files::{Hand, Read};
use super::public_keys::KeySource;
use super::store::{Content, Item, LARGEST, Listing};
use crate::records::digest::sha256_of;
use crate::records::history::EventFilter;
use crate::records::integrity::{
    Digest, Flaw, Judged, Ledger, Loaded, Naming, Signatures, Window, day_after, file_name,
};

/// Files that are read at once.
const AT_ONCE: usize = 8;

/// The log files and digests of one account and Region.
pub(crate) struct Shelf {
    pub(crate) target: Target,
    pub(crate) naming: Naming,
    pub(crate) logs: Listing,
    pub(crate) digests: Listing,
}

/// What it takes to verify.
pub(crate) struct Verifier<'v> {
    pub(crate) keys: KeySource,
    pub(crate) signatures: Signatures,
    pub(crate) window: Window,
    pub(crate) filter: Arc<EventFilter>,
    pub(crate) hand: &'v Hand<'v>,
}

/// A log file that was held against its digests.
struct Checked {
    item: Item,
    /// What is found in it, where it is as CloudTrail delivered it: looked for as it is taken, as all of it may be asked for.
    found: Result<mpsc::Receiver<Part>, Flaw>,
}

/// What was read of a digest.
struct ReadDigest {
    item: Item,
    digest: Result<Digest, Flaw>,
    signature: Option<String>,
    generated: Option<Timestamp>,
}

impl Verifier<'_> {
    /// Hands on the records of proved log files, and gives every period to `each`.
    ///
    /// # Errors
    /// A listing fails, or those of `hand` and `each`.
    pub(crate) async fn read(
        &mut self,
        mut shelf: Shelf,
        read: &mut Read,
        each: &mut dyn FnMut(LogIntegrity) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let mut ledger = Ledger::new(shelf.target.clone(), shelf.naming, self.window.clone());
        let (mut is_over, n_periods) = (false, Cell::new(0));
        let mut each = |period| {
            n_periods.set(n_periods.get() + 1);
            each(period)
        };
        loop {
            let next = [
                shelf.logs.next_day().await?,
                shelf.digests.next_day().await?,
                ledger.first_day().map(str::to_owned),
            ];
            let day = next.into_iter().flatten().min();
            let Some(day) = day else {
                if is_over {
                    break;
                }
                is_over = true;
                ledger.no_more_digests(&self.keys.known);
                continue;
            };
            // Log files of a day's last minutes are named on the next one; and what follows a digest has its signature.
            self.digests(&mut shelf, &mut ledger, &day_after(&day))
                .await?;
            if let Some(more) = shelf.digests.next_day().await? {
                self.digests(&mut shelf, &mut ledger, &more).await?;
            } else if !is_over {
                is_over = true;
                ledger.no_more_digests(&self.keys.known);
            }
            self.logs(&mut shelf, &mut ledger, &day, read).await?;
            ledger.done().into_iter().try_for_each(&mut each)?;
        }
        ledger.done().into_iter().try_for_each(&mut each)?;
        match n_periods.get() {
            0 => each(ledger.nothing()),
            _ => Ok(()),
        }
    }

    async fn digests(
        &mut self,
        shelf: &mut Shelf,
        ledger: &mut Ledger,
        through: &str,
    ) -> anyhow::Result<()> {
        let mut items = shelf.digests.take(through).await?;
        items.retain(|item| file_name(&item.id).is_some_and(|name| name.digest.is_some()));
        // Trails share a folder: the time decides, and not the name.
        items.sort_by_cached_key(|item| file_name(&item.id).map(|name| name.time));
        let tasks = stream::iter(items).map(|item| tokio::spawn(digest(item)));
        let mut done = tasks.buffered(AT_ONCE);
        while let Some(read) = done.try_next().await.context("read a digest")? {
            let ReadDigest {
                item,
                digest,
                signature,
                generated,
            } = read;
            let Some(name) = file_name(&item.id) else {
                continue;
            };
            if let Ok(digest) = &digest {
                let is_backfill = name.digest.as_ref().is_some_and(|name| name.is_backfill);
                // It is signed at its end; a backfill digest when it is made, which a copy does not say.
                let at = match generated {
                    Some(at) => (at, at),
                    None if is_backfill => (digest.to(), self.window.now.unwrap_or(digest.to())),
                    None => (digest.to(), digest.to()),
                };
                self.keys
                    .know(&shelf.target.region, digest.fingerprint(), at)
                    .await;
            }
            let of_file = self.signatures.of(&item.id).map(str::to_owned);
            let loaded = Loaded {
                place: item.place.to_string(),
                id: item.id,
                name,
                digest,
                signature: signature.or(of_file),
            };
            ledger.digest(loaded, &self.keys.known);
        }
        Ok(())
    }

    async fn logs(
        &self,
        shelf: &mut Shelf,
        ledger: &mut Ledger,
        day: &str,
        read: &mut Read,
    ) -> anyhow::Result<()> {
        let mut items = shelf.logs.take(day).await?;
        let mut listed: Vec<&str> = items.iter().map(|item| item.id.as_str()).collect();
        listed.sort_unstable();
        let named = ledger.named(day).into_iter();
        let others: Vec<Item> = named
            .filter(|(_, id)| listed.binary_search(&id.as_str()).is_err())
            .map(|(day, id)| Item {
                place: shelf.logs.unlisted(&id),
                id,
                day,
            })
            .collect();
        items.extend(others);
        items.sort_by(|one, other| (&one.day, &one.id).cmp(&(&other.day, &other.id)));
        let tasks = stream::iter(items).map(|item| {
            let hashes = ledger.hashes(&item.day, &item.id);
            tokio::spawn(log(item, hashes, self.filter.clone()))
        });
        let mut done = tasks.buffered(AT_ONCE);
        let mut judged = Vec::new();
        while let Some(Checked { item, found }) =
            done.try_next().await.context("read a log file")?
        {
            let place = item.place.to_string();
            let flaw = match found {
                Ok(parts) => {
                    bodies::hand_on(place.clone(), parts, self.hand, read).await?;
                    None
                }
                Err(flaw) => Some(flaw),
            };
            let id = item.id;
            judged.push((item.day, Judged { id, place, flaw }));
        }
        drop(done);
        for (day, judged) in judged {
            ledger.judged(&day, judged);
        }
        Ok(())
    }
}

/// Reads a digest.
async fn digest(item: Item) -> ReadDigest {
    let (read, signature, generated) = match item.place.read().await {
        Ok(content) => (Ok(content.bytes), content.signature, content.generated),
        Err(flaw) => (Err(flaw), None, None),
    };
    let digest = read.and_then(|bytes| {
        let mut text = Vec::new();
        let unpacked = cloudtrail::unpacked(bytes);
        let sha256 = unpacked.and_then(|unpacked| {
            sha256_of(unpacked, |read| {
                text.extend_from_slice(read);
                match text.len() as u64 > LARGEST {
                    true => Err(std::io::Error::other("it is too large")),
                    false => Ok(()),
                }
            })
        });
        let invalid = |error| Flaw::altered(format!("it is not a valid digest: {error}"));
        Digest::read(&text, sha256.map_err(invalid)?)
    });
    ReadDigest {
        item,
        digest,
        signature,
        generated: generated.and_then(|time| time.parse().ok()),
    }
}

/// Compares a log file with the hashes that it should have, and begins to find what is asked for in one that has them.
async fn log(item: Item, hashes: Vec<Option<String>>, filter: Arc<EventFilter>) -> Checked {
    let found = proved(&item, hashes).await.map(|content| {
        let (sender, parts) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || {
            bodies::find(content.bytes, &filter, &sender);
        });
        parts
    });
    Checked { item, found }
}

/// Returns a log file that is as CloudTrail delivered it.
async fn proved(item: &Item, hashes: Vec<Option<String>>) -> Result<Content, Flaw> {
    if hashes.is_empty() {
        return Err(Flaw::unproved("no proved digest names it"));
    }
    let mut content = item.place.read().await?;
    let work = tokio::task::spawn_blocking(move || {
        compare(&mut content.bytes, &hashes)?;
        Ok(content)
    });
    let unknown = |panic: tokio::task::JoinError| Flaw::unproved(panic.to_string());
    work.await.map_err(unknown)?
}

/// What is compared is what is read afterwards: the same bytes, unpacked in the same way.
fn compare(bytes: &mut SpooledTempFile, hashes: &[Option<String>]) -> Result<(), Flaw> {
    let unpacked = cloudtrail::unpacked(&mut *bytes);
    let sha256 = unpacked.and_then(|unpacked| sha256_of(unpacked, |_| Ok(())));
    let sha256 =
        sha256.map_err(|error| Flaw::altered(format!("it cannot be unpacked: {error}")))?;
    for hash in hashes {
        match hash {
            None => {
                return Err(Flaw::unproved(
                    "its digest has a hash that is not a SHA-256",
                ));
            }
            Some(hash) if !hash.eq_ignore_ascii_case(&sha256) => {
                return Err(Flaw::altered("its SHA-256 is not the one in its digest"));
            }
            Some(_) => {}
        }
    }
    let unread = |error: std::io::Error| Flaw::unproved(error.to_string());
    bytes.rewind().map_err(unread)
}
