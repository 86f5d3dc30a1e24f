//! Which URL the destinations of a run lead to: what waits for one URL, and what it has got, says nothing of another behind the same
//! source.

use std::collections::{BTreeSet, HashMap};
use std::fmt::{Display, Formatter};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Digits that distinguish URLs.
const DIGITS: usize = 16;

/// What names a URL, which is a secret: a part of its SHA-256. Whoever guesses the URL can see that the guess is right, so that it hides
/// only what has a long random part, as webhooks do.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Address(String);

impl Address {
    /// Returns what names the URL with this SHA-256, in hexadecimal digits.
    pub(in super::super) fn of(sha256: &str) -> Address {
        Address(sha256.chars().take(DIGITS).collect())
    }
}

impl FromStr for Address {
    type Err = String;

    fn from_str(text: &str) -> Result<Address, String> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        match text.len() == DIGITS && text.bytes().all(is_digit) {
            true => Ok(Address(text.to_owned())),
            false => Err(format!(
                "expected the {DIGITS} digits that `send` prints of what is held for the earlier URL"
            )),
        }
    }
}

impl Display for Address {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whom a message is for: a destination, at its address in this run or at another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Recipient {
    pub(in super::super) destination: String,
    /// The address, where it is not the one that the destination has in this run.
    pub(in super::super) elsewhere: Option<Address>,
}

impl Recipient {
    /// Returns a destination of this run.
    pub(super) fn here(destination: &str) -> Recipient {
        Recipient {
            destination: destination.to_owned(),
            elsewhere: None,
        }
    }
}

/// The addresses of the destinations of a run; none for one that is not called by a URL. One whose URL could not be read is not here.
#[derive(Debug)]
pub(crate) struct Addresses {
    pub(in super::super) of: HashMap<String, Option<Address>>,
    /// Earlier ones, whose place those of this run have taken.
    pub(in super::super) replaced: Vec<Address>,
}

impl Addresses {
    /// Returns the address that a destination has in this run.
    pub(super) fn now(&self, destination: &str) -> Option<Address> {
        self.of.get(destination).cloned().flatten()
    }

    /// Returns who gets what is for a destination at an address.
    pub(super) fn recipient(&self, destination: &str, address: &Option<Address>) -> Recipient {
        let is_here = match self.of.get(destination) {
            Some(now) => now.is_none() || now == address,
            None => false,
        };
        Recipient {
            destination: destination.to_owned(),
            elsewhere: address.clone().filter(|_| !is_here),
        }
    }

    /// Gives lines that have no address, or one that was replaced, that of their destination. Returns whether any has changed.
    pub(super) fn adopt<'l>(
        &self,
        lines: impl Iterator<Item = (&'l str, &'l mut Option<Address>)>,
    ) -> bool {
        let mut is_changed = false;
        for (destination, address) in lines {
            let now = self.of.get(destination).and_then(Option::as_ref);
            let Some(now) = now.filter(|now| address.as_ref() != Some(now)) else {
                continue;
            };
            let is_replaced = |address: &Address| self.replaced.contains(address);
            if address.as_ref().is_none_or(is_replaced) {
                *address = Some(now.clone());
                is_changed = true;
            }
        }
        is_changed
    }

    /// Returns what keeps addresses from being replaced: a destination whose own is not known, or that none of these lines is for them.
    pub(super) fn unused<'l>(
        &self,
        lines: impl Iterator<Item = (&'l str, &'l Option<Address>)> + Clone,
    ) -> Vec<String> {
        let why = |replaced: &Address| {
            let lines = lines.clone();
            let lines = lines.filter(|(_, address)| address.as_ref() == Some(replaced));
            let destinations: BTreeSet<&str> = lines.map(|(destination, _)| destination).collect();
            let is_closed = |destination: &&&str| !self.of.contains_key(**destination);
            let closed = destinations.iter().filter(is_closed);
            let mut notes: Vec<String> = closed
                .map(|destination| {
                    let destination = named(destination);
                    format!(
                        "--url-replaced {replaced}: what is for {destination} is still for that URL: its new one is not known in this run"
                    )
                })
                .collect();
            let is_adopted =
                |destination: &&str| self.now(destination).is_some_and(|now| now != *replaced);
            if notes.is_empty() && !destinations.iter().any(is_adopted) {
                notes.push(format!(
                    "--url-replaced {replaced}: nothing in the spool is for such an earlier URL of a destination of this run"
                ));
            }
            notes
        };
        self.replaced.iter().flat_map(why).collect()
    }
}

/// Returns what people call a destination; the webhook of the flags has no name of its own.
pub(in super::super) fn named(destination: &str) -> String {
    match destination {
        "" => "--webhook".to_owned(),
        name => format!("the destination '{name}'"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Address, Addresses, Recipient};

    fn address(digit: char) -> Address {
        digit.to_string().repeat(16).parse().unwrap()
    }

    fn addresses(replaced: &[&Address]) -> Addresses {
        Addresses {
            of: [
                ("url".to_owned(), Some(address('c'))),
                ("topic".to_owned(), None),
            ]
            .into(),
            replaced: replaced.iter().copied().cloned().collect(),
        }
    }

    #[test]
    fn what_is_for_another_url_is_for_another_recipient() {
        let [here, other] = ['c', 'a'].map(|digit| Some(address(digit)));
        for (destination, at, expected) in [
            ("url", &None, &None),
            ("url", &here, &None),
            ("url", &other, &other),
            // It was another kind of destination.
            ("topic", &other, &None),
            // Whose address is not known in this run.
            ("gone", &other, &other),
            ("gone", &None, &None),
        ] {
            let found = addresses(&[]).recipient(destination, at);
            assert_eq!(
                (found.destination.as_str(), &found.elsewhere),
                (destination, expected)
            );
        }
        assert_eq!(
            addresses(&[]).recipient("url", &None),
            Recipient::here("url")
        );
    }

    #[test]
    fn of_the_earlier_urls_only_the_one_that_is_named_is_adopted() {
        let [here, a, b] = ['c', 'a', 'b'].map(address);
        for (replaced, expected) in [(vec![], [&a, &b]), (vec![&a], [&here, &b])] {
            let mut lines = [
                ("url", None),
                ("url", Some(a.clone())),
                ("url", Some(b.clone())),
                ("topic", None),
                ("gone", Some(a.clone())),
            ];
            let addresses = addresses(&replaced);
            let adopt = |lines: &mut [(&str, Option<Address>)]| {
                let lines = lines.iter_mut().map(|(name, at)| (&**name, at));
                addresses.adopt(lines)
            };
            assert!(adopt(&mut lines));
            let found = lines.each_ref().map(|(_, at)| at.as_ref());
            let [first, second] = expected.map(Some);
            assert_eq!(found, [Some(&here), first, second, None, Some(&a)]);
            assert!(!adopt(&mut lines), "and a second time changes nothing");
        }
    }

    #[test]
    fn only_digits_name_a_url() {
        assert_eq!(
            Address::of(&"0123456789abcdef".repeat(4)).to_string(),
            "0123456789abcdef"
        );
        for wrong in [
            "",
            "0123456789abcde",
            "0123456789ABCDEF",
            "https://h.example",
            "é123456789abcde",
        ] {
            assert!(wrong.parse::<Address>().is_err(), "{wrong}");
        }
    }
}
