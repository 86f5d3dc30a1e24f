//! Reads the text of the reference: where each service begins at first, and a service when it is wanted.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{Action, ActionResource, Key, KeyKind, Level, ResourceType, Service, TEXT};

/// What is known without reading a service.
pub(super) struct Index {
    pub(super) keys: &'static [Key],
    /// In the order of their prefixes.
    pub(super) services: Vec<Section>,
}

/// A service that is read when it is wanted.
pub(super) struct Section {
    pub(super) prefix: &'static str,
    text: &'static str,
    global: &'static [Key],
    service: OnceLock<Service>,
}

impl Section {
    pub(super) fn read(&self) -> &Service {
        let read = || service(self.prefix, self.text, self.global);
        self.service.get_or_init(read)
    }
}

/// Finds the services in the text.
pub(super) fn index(text: &'static str) -> Index {
    let mut sections = text.split("\nservice ");
    let head = sections.next().unwrap_or_default();
    let keys = keep(head.lines().filter_map(key).collect());
    let section = |text: &'static str| {
        let (prefix, text) = text.split_once('\n').unwrap_or((text, ""));
        Section {
            prefix,
            text,
            global: keys,
            service: OnceLock::new(),
        }
    };
    let mut services: Vec<Section> = sections.map(section).collect();
    services.sort_by_key(|section| section.prefix);
    Index { keys, services }
}

/// The keys of all services.
pub(super) struct AllKeys {
    /// By their names in lower case.
    pub(super) named: BTreeMap<String, Key>,
    /// Those of whose names a part is filled in.
    pub(super) open: Vec<Key>,
}

/// Returns the keys of all services, without reading the services.
pub(super) fn all_keys() -> &'static AllKeys {
    static KEYS: OnceLock<AllKeys> = OnceLock::new();
    KEYS.get_or_init(|| {
        let (open, named) = TEXT
            .lines()
            .filter_map(key)
            .partition::<Vec<Key>, _>(|key| key.name.contains('*'));
        // Of a key that several services have, the first stays: the global one.
        let named = named.into_iter().rev();
        AllKeys {
            named: named
                .map(|key| (key.name.to_ascii_lowercase(), key))
                .collect(),
            open,
        }
    })
}

/// Gives away what lives as long as the program anyway, so that a key can be part of many actions.
fn keep<T>(list: Vec<T>) -> &'static [T] {
    Vec::leak(list)
}

fn service(prefix: &'static str, text: &'static str, global: &'static [Key]) -> Service {
    let keys = keep(text.lines().filter_map(key).collect());
    let numbered = |word: &'static str| -> Vec<&'static Key> {
        let find = |number: &str| match number.strip_prefix('g') {
            Some(number) => global.get(number.parse::<usize>().ok()?),
            None => keys.get(number.parse::<usize>().ok()?),
        };
        word.split(',').filter_map(find).collect()
    };
    let resource_type = |line: &'static str| {
        let mut words = line.strip_prefix("type ")?.rsplitn(3, ' ');
        let keys = numbered(words.next()?);
        let (arn, name) = (words.next()?, words.next()?);
        Some(ResourceType { name, arn, keys })
    };
    let resource_types = keep(text.lines().filter_map(resource_type).collect());
    let resource = |word: &str| {
        let number = word.trim_end_matches('!');
        Some(ActionResource {
            of: resource_types.get(number.parse::<usize>().ok()?)?,
            required: number != word,
        })
    };
    let mut actions = Vec::new();
    for line in text.lines() {
        let mut words = line.split(' ');
        let Some(level) = words.next().and_then(level) else {
            continue;
        };
        let types = words.next().unwrap_or_default();
        let keys = numbered(words.next().unwrap_or_default());
        let resources: Vec<ActionResource> = types.split(',').filter_map(resource).collect();
        actions.extend(words.map(|name| Action {
            service: prefix,
            name,
            level,
            resources: resources.clone(),
            keys: keys.clone(),
            lower: format!("{prefix}:{name}").to_ascii_lowercase(),
        }));
    }
    actions.sort_by(|one, other| one.lower.cmp(&other.lower));
    Service {
        prefix,
        actions,
        resource_types,
        keys,
    }
}

fn key(line: &'static str) -> Option<Key> {
    let (name, kind) = line.strip_prefix("key ")?.rsplit_once(' ')?;
    let single = kind.strip_prefix("ArrayOf");
    Some(Key {
        name,
        kind: match single.unwrap_or(kind) {
            "ARN" => KeyKind::Arn,
            "Bool" => KeyKind::Bool,
            "Numeric" => KeyKind::Numeric,
            "Date" => KeyKind::Date,
            "IPAddress" => KeyKind::IpAddress,
            _ => KeyKind::String,
        },
        several: single.is_some(),
    })
}

fn level(letter: &str) -> Option<Level> {
    Some(match letter {
        "L" => Level::List,
        "R" => Level::Read,
        "W" => Level::Write,
        "T" => Level::Tagging,
        "P" => Level::Permissions,
        _ => return None,
    })
}
