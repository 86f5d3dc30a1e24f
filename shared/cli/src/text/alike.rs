//! What says the same of several resources, but for values such as a time or a version: one text, their count and a few names.

use std::collections::BTreeSet;

use serde_json::Value;

use super::plain;

/// Resources that are named where there are more.
const N_NAMED: usize = 5;

/// Words in which the messages of a group may differ: with more, they do not say the same.
const N_VALUES: usize = 2;

/// Texts that say the same.
#[derive(Debug)]
pub(super) struct Alike {
    /// What else is the same, such as the severity.
    pub(super) common: Value,
    pub(super) members: Vec<Member>,
    /// The texts without values.
    texts: [String; 2],
}

/// What is said of one resource.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) place: Place,
    pub(super) resource: String,
    pub(super) message: String,
    pub(super) fix: String,
}

impl Member {
    /// Returns a word as it would be in any place.
    fn anywhere(&self, word: &str) -> String {
        self.place.anywhere(word)
    }
}

/// Where something is; empty where that is nowhere in particular.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    account: String,
    region: String,
}

impl Place {
    pub(super) fn of(target: &Value) -> Place {
        let text = |field: &str| match &target[field] {
            Value::Null => String::new(),
            name => plain(name).into_owned(),
        };
        Place {
            account: text("account"),
            region: text("region"),
        }
    }

    /// Returns a text without the names of the account and the region.
    pub(super) fn anywhere(&self, text: &str) -> String {
        let names = [(&self.account, "ACCOUNT"), (&self.region, "REGION")];
        let names = names.into_iter().filter(|(name, _)| !name.is_empty());
        names.fold(text.to_owned(), |text, (name, shown)| {
            text.replace(name.as_str(), shown)
        })
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.account, self.region)
    }
}

impl Alike {
    /// Returns a group of one.
    pub(super) fn of(common: Value, member: Member) -> Alike {
        let texts = [&member.message, &member.fix];
        Alike {
            texts: texts.map(|text| without_values(text, &member.resource)),
            common,
            members: vec![member],
        }
    }

    /// Returns whether another group says the same.
    pub(super) fn is_like(&self, other: &Alike) -> bool {
        let says_like = |one: &Member| self.says_like(one);
        self.common == other.common
            && self.texts == other.texts
            && other.members.iter().all(says_like)
    }

    /// Returns the places of the words in which texts of the group differ, those that name the resource aside.
    fn differing<'m>(&'m self, text: impl Fn(&'m Member) -> &'m str) -> Vec<usize> {
        let (first, others) = (&self.members[0], &self.members[1..]);
        let places = others
            .iter()
            .flat_map(|one| differing(text(one), text(first), (one, first)));
        let places: BTreeSet<usize> = places.collect();
        places.into_iter().collect()
    }

    /// Returns the places of the words in which texts of the group differ as their accounts and regions do.
    fn of_places<'m>(&'m self, text: impl Fn(&'m Member) -> &'m str) -> Vec<usize> {
        let words = |one: &'m Member| text(one).split(' ').collect::<Vec<_>>();
        let first = words(&self.members[0]);
        let others: Vec<Vec<&str>> = self.members[1..].iter().map(words).collect();
        let differs = |place: &usize| {
            let mut others = others.iter();
            others.any(|other| other.get(*place) != first.get(*place))
        };
        (0..first.len()).filter(differs).collect()
    }

    /// Returns whether a finding differs from the first in so few values that they are beside the point.
    fn says_like(&self, member: &Member) -> bool {
        let first = &self.members[0];
        let n_differing = |one: &str, other: &str| differing(one, other, (member, first)).count();
        // A fix that differs in a value is another one.
        n_differing(&member.message, &first.message) <= N_VALUES
            && n_differing(&member.fix, &first.fix) == 0
    }

    /// Returns what all texts of the group say, with `(above)` for the values in which they differ, which stand behind the resources.
    pub(super) fn template<'m>(&'m self, text: impl Fn(&'m Member) -> &'m str) -> String {
        let first = &self.members[0];
        if self.members.len() == 1 {
            return text(first).to_owned();
        }
        let differing = self.differing(&text);
        let is_same = self.members.iter().all(|one| text(one) == text(first));
        let is_of_places = self.of_places(&text);
        let words = text(first).split(' ').enumerate().map(|(place, word)| {
            if differing.contains(&place) {
                format!("(above){}", bare(word).1)
            } else if !is_same && is_of(word, &first.resource) {
                word.replace(&first.resource, "ID")
            } else if is_of_places.contains(&place) {
                first.anywhere(word)
            } else {
                word.to_owned()
            }
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Returns the places of all, in brackets: an account that is that of all is there once.
    pub(super) fn places(&self) -> String {
        let mut places: Vec<&Place> = Vec::new();
        for member in &self.members {
            if !places.contains(&&member.place) {
                places.push(&member.place);
            }
        }
        let first = &self.members[0].place;
        let is_one_account = places.iter().all(|place| place.account == first.account);
        let name = |place: &&Place| match is_one_account {
            true => place.region.clone(),
            false => place.to_string(),
        };
        match places.as_slice() {
            [place] if **place == Place::default() => String::new(),
            [place] => format!(" [{place}]"),
            places => {
                let names: Vec<String> = places.iter().map(name).collect();
                let named = first_few(&names);
                match is_one_account {
                    true => format!(" [{} regions of {}: {named}]", names.len(), first.account),
                    false => format!(" [{} accounts and regions: {named}]", names.len()),
                }
            }
        }
    }

    /// Returns the names of a few resources, each with the values of its message.
    pub(super) fn resources(&self) -> String {
        let differing = self.differing(|one| &one.message);
        let name = |one: &Member| {
            let words: Vec<&str> = one.message.split(' ').collect();
            let values = differing.iter().map(|place| bare(words[*place]).0);
            match values.collect::<Vec<_>>().join(", ") {
                values if values.is_empty() => one.resource.clone(),
                values => format!("{} ({values})", one.resource),
            }
        };
        let mut names: Vec<String> = self.members.iter().map(name).collect();
        let first = &self.members[0].place;
        // The same name in another account or region is another resource, and is named once for all of them.
        if self.members.iter().any(|one| one.place != *first) {
            let mut known = BTreeSet::new();
            names.retain(|name| known.insert(name.clone()));
        }
        few(&names)
    }
}

/// Returns names with their number, where there are several.
fn few(names: &[String]) -> String {
    match names {
        [name] => name.clone(),
        names => format!("{}: {}", names.len(), first_few(names)),
    }
}

fn first_few(names: &[String]) -> String {
    let named = names[..names.len().min(N_NAMED)].join(", ");
    match names.len() {
        n if n <= N_NAMED => named,
        n => format!("{named} and {} more", n - N_NAMED),
    }
}

/// Returns a text without the words that name its resource or hold a number: a time, a version, an ID.
fn without_values(text: &str, resource: &str) -> String {
    let words = text.split(' ').map(|word| {
        let is_value = word.bytes().any(|b| b.is_ascii_digit()) || is_of(word, resource);
        if is_value { "0" } else { word }
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Returns the places of the words in which a text about a member differs from that about another, those that name its resource, its
/// account or its region aside.
fn differing<'t>(
    text: &'t str,
    other: &'t str,
    (of, of_other): (&'t Member, &'t Member),
) -> impl Iterator<Item = usize> + 't {
    let words = text.split(' ').zip(other.split(' ')).enumerate();
    let differing = words.filter(move |(_, (one, other))| {
        one != other && !is_of(one, &of.resource) && of.anywhere(one) != of_other.anywhere(other)
    });
    differing.map(|(place, _)| place)
}

fn is_of(word: &str, resource: &str) -> bool {
    !resource.is_empty() && word.contains(resource)
}

/// Returns a word without the punctuation behind it, and that.
fn bare(word: &str) -> (&str, &str) {
    let value = word.trim_end_matches([',', ';', ':', ')', '.']);
    (value, &word[value.len()..])
}
