//! Which URL the destinations of a run lead to: what waits for one URL, and what it has got, says nothing of another behind the same
//! source. A URL is a secret, so that a part of its SHA-256 names it.

use std::collections::HashMap;

use crate::records::digest::sha256;

/// Digits that distinguish URLs and are of no use to who wants to know one.
const DIGITS: usize = 16;

/// Returns what names a URL.
pub(in super::super) fn address(url: &str) -> String {
    sha256(url).chars().take(DIGITS).collect()
}

/// What waits for one another: a destination, and its address where that is not the one that it has in this run.
pub(crate) type Lane = (String, Option<String>);

/// Returns the lane of a destination of this run.
pub(super) fn lane(destination: &str) -> Lane {
    (destination.to_owned(), None)
}

/// The addresses of the destinations of a run; none for one that is not called by a URL. One whose URL could not be read is not here.
#[derive(Debug)]
pub(crate) struct Addresses {
    pub(in super::super) of: HashMap<String, Option<String>>,
    /// Whether these are in the place of all that their destinations had before.
    pub(in super::super) are_replaced: bool,
}

impl Addresses {
    /// Returns the address that a destination has in this run.
    pub(super) fn now(&self, destination: &str) -> Option<String> {
        self.of.get(destination).cloned().flatten()
    }

    /// Returns the lane of what is for a destination at an address.
    pub(super) fn lane(&self, destination: &str, address: &Option<String>) -> Lane {
        let is_here = match self.of.get(destination) {
            Some(now) => now.is_none() || now == address,
            None => false,
        };
        let elsewhere = address.clone().filter(|_| !is_here);
        (destination.to_owned(), elsewhere)
    }

    /// Gives lines that have no address that of their destination, or all lines where it was replaced. Returns whether any has changed.
    pub(super) fn adopt<'l>(
        &self,
        lines: impl Iterator<Item = (&'l str, &'l mut Option<String>)>,
    ) -> bool {
        let mut is_changed = false;
        for (destination, address) in lines {
            let now = self.of.get(destination).and_then(Option::as_ref);
            let Some(now) = now.filter(|now| address.as_ref() != Some(now)) else {
                continue;
            };
            if address.is_none() || self.are_replaced {
                *address = Some(now.clone());
                is_changed = true;
            }
        }
        is_changed
    }
}

#[cfg(test)]
mod tests {
    use super::{Addresses, address, lane};

    #[test]
    fn what_is_for_another_url_is_in_another_lane() {
        let [here, before] = ["https://h.example/a", "https://h.example/b"].map(address);
        let addresses = |are_replaced| Addresses {
            of: [
                ("url".to_owned(), Some(here.clone())),
                ("topic".to_owned(), None),
            ]
            .into(),
            are_replaced,
        };
        let other = Some(before.clone());
        for (destination, at, expected) in [
            ("url", &None, &None),
            ("url", &Some(here.clone()), &None),
            ("url", &other, &other),
            // It was another kind of destination.
            ("topic", &other, &None),
            // Whose address is not known in this run.
            ("gone", &other, &other),
            ("gone", &None, &None),
        ] {
            let lane = addresses(false).lane(destination, at);
            assert_eq!((lane.0.as_str(), &lane.1), (destination, expected));
        }
        assert_eq!(addresses(false).lane("url", &None), lane("url"));
        for (are_replaced, expected) in [(false, &other), (true, &Some(here.clone()))] {
            let mut lines = [
                ("url", None),
                ("url", other.clone()),
                ("topic", None),
                ("gone", other.clone()),
            ];
            let adopt = |lines: &mut [(&str, Option<String>)]| {
                let lines = lines.iter_mut().map(|(name, at)| (&**name, at));
                addresses(are_replaced).adopt(lines)
            };
            assert!(adopt(&mut lines));
            let found = lines.each_ref().map(|(_, at)| at);
            assert_eq!(found, [&Some(here.clone()), expected, &None, &other]);
            assert!(!adopt(&mut lines), "and a second time changes nothing");
        }
    }
}
