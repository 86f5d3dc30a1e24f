//! What says the same of several resources, but for values such as a time or a version: one text, their count and a few names.

use std::collections::BTreeSet;

use serde_json::Value;

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
    pub(super) resource: String,
    pub(super) message: String,
    pub(super) fix: String,
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
            .flat_map(|one| differing(text(one), text(first), &one.resource));
        let places: BTreeSet<usize> = places.collect();
        places.into_iter().collect()
    }

    /// Returns whether a finding differs from the first in so few values that they are beside the point.
    fn says_like(&self, member: &Member) -> bool {
        let first = &self.members[0];
        let n_differing = |one: &str, other: &str| differing(one, other, &member.resource).count();
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
        let words = text(first).split(' ').enumerate().map(|(place, word)| {
            if differing.contains(&place) {
                format!("(above){}", bare(word).1)
            } else if !is_same && is_of(word, &first.resource) {
                word.replace(&first.resource, "ID")
            } else {
                word.to_owned()
            }
        });
        words.collect::<Vec<_>>().join(" ")
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
        let named: Vec<String> = self.members.iter().take(N_NAMED).map(name).collect();
        match self.members.len() {
            1 => named.concat(),
            n if n <= N_NAMED => format!("{n}: {}", named.join(", ")),
            n => format!("{n}: {} and {} more", named.join(", "), n - N_NAMED),
        }
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

/// Returns the places of the words in which a text about a resource differs from another, those that name the resource aside.
fn differing<'t>(
    text: &'t str,
    other: &'t str,
    resource: &'t str,
) -> impl Iterator<Item = usize> + 't {
    let words = text.split(' ').zip(other.split(' ')).enumerate();
    let differing = words.filter(move |(_, (one, other))| one != other && !is_of(one, resource));
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
