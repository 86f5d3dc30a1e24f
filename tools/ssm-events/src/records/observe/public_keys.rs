//! The public keys that CloudTrail signs digests with: each Region has its own, and changes them.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_ListPublicKeys.html>

use std::collections::BTreeSet;

use aws_sdk_cloudtrail::Client;
use aws_sdk_cloudtrail::config::{Builder, Region};
use aws_sdk_cloudtrail::primitives::DateTime;
use awsconf::{Session, describe};
use records::Timestamp;

use crate::records::integrity::PublicKeys;

const DAY: i64 = 86_400;

/// Keys that are known, and where others may be found.
pub(crate) struct KeySource {
    pub(crate) known: PublicKeys,
    /// `None` where the keys come from a file.
    session: Option<Session>,
    /// The Regions and days that were asked about.
    asked: BTreeSet<(String, i64, i64)>,
}

impl KeySource {
    pub(crate) fn of_file(known: PublicKeys) -> KeySource {
        KeySource {
            known,
            session: None,
            asked: BTreeSet::new(),
        }
    }

    pub(crate) fn of_aws(session: Session) -> KeySource {
        KeySource {
            known: PublicKeys::default(),
            session: Some(session),
            asked: BTreeSet::new(),
        }
    }

    /// Finds a key, if it is not known, among those of the days in which a digest was signed. Why there is none is kept.
    pub(crate) async fn know(
        &mut self,
        region: &str,
        fingerprint: &str,
        (first, last): (Timestamp, Timestamp),
    ) {
        let [first, last] = [first, last].map(|at| at.seconds().div_euclid(DAY));
        let Some(session) = self.session.as_ref() else {
            return;
        };
        if self.known.has(fingerprint) || !self.asked.insert((region.to_owned(), first, last)) {
            return;
        }
        let config = Builder::from(&session.config).region(Region::new(region.to_owned()));
        let client = Client::from_conf(config.build());
        // A digest is signed after its end.
        let (from, to) = ((first - 1) * DAY, (last + 2) * DAY);
        let mut token = None;
        loop {
            let request = client
                .list_public_keys()
                .start_time(DateTime::from_secs(from))
                .end_time(DateTime::from_secs(to))
                .set_next_token(token);
            let page = match request.send().await {
                Ok(page) => page,
                Err(error) => {
                    let why = describe("ListPublicKeys", error);
                    self.known.unread = Some(format!("{why:#}"));
                    return;
                }
            };
            for key in page.public_key_list() {
                if let (Some(fingerprint), Some(value)) = (key.fingerprint(), key.value()) {
                    self.known.add(fingerprint, value.as_ref().to_vec());
                }
            }
            token = page.next_token;
            if token.is_none() {
                return;
            }
        }
    }
}
