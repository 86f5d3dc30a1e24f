//! AWS's service authorization reference as data: every action with its access level, resource types and condition keys.
//!
//! The data is a text of 0.8 MB in the program; a service is read when somebody asks for it, and kept. It is of a day
//! ([`date`]): AWS adds actions and keys, so that what is missing here may still exist.
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/reference.html>
//!
//! ```
//! use iam_policy::reference;
//!
//! let action = reference::action("ssm:StartSession").expect("an action of the reference");
//! assert!(action.resources.iter().any(|one| one.of.arn == "ec2:*:*:instance/*"));
//! assert!(action.keys().any(|key| key.name == "ssm:SessionDocumentAccessCheck"));
//! assert_eq!(reference::actions("ssmmessages:Open*").count(), 2);
//! ```

mod read;

use std::sync::OnceLock;

use crate::Version;
use crate::pattern::{self, Template};

/// Made by `scripts/service_reference.py`; its head describes the format.
const TEXT: &str = include_str!("../data/service_reference.txt");

/// A service: what stands before the colon of its actions.
#[derive(Debug)]
pub struct Service {
    /// `ssm`, `ec2`, ..
    pub prefix: &'static str,
    /// Its actions, in the order of their names whatever the case.
    pub actions: Vec<Action>,
    /// The types of resources of its actions, those of other services among them.
    pub resource_types: &'static [ResourceType],
    /// The condition keys of its actions, without the global ones.
    pub keys: &'static [Key],
}

/// An action.
#[derive(Debug)]
pub struct Action {
    /// The prefix of its service.
    pub service: &'static str,
    /// The name without the prefix: `StartSession`.
    pub name: &'static str,
    /// What it does.
    pub level: Level,
    /// The types of resources that a request is about; empty for an action that knows only `*`.
    pub resources: Vec<ActionResource>,
    keys: Vec<&'static Key>,
    /// `ssm:startsession`.
    lower: String,
}

/// A type of resource of an action.
#[derive(Clone, Copy, Debug)]
pub struct ActionResource {
    /// The type.
    pub of: &'static ResourceType,
    /// Whether every request is about a resource of this type.
    pub required: bool,
}

/// A type of resource.
#[derive(Debug)]
pub struct ResourceType {
    /// AWS's name for it: `managed-instance`.
    pub name: &'static str,
    /// Its ARN without `arn:PARTITION:`, with `*` for what varies: `ec2:*:*:instance/*`.
    pub arn: &'static str,
    keys: Vec<&'static Key>,
}

/// A condition key.
#[derive(Debug)]
pub struct Key {
    /// Its name, with `*` for what varies: `aws:ResourceTag/*`.
    pub name: &'static str,
    /// What its values are.
    pub kind: KeyKind,
    /// Whether a request may have several values.
    pub several: bool,
}

/// What an action does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// It lists resources.
    List,
    /// It reads.
    Read,
    /// It makes, changes or deletes.
    Write,
    /// It changes tags.
    Tagging,
    /// It changes who may do what.
    Permissions,
}

/// What the values of a key are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// Any text.
    String,
    /// ARNs.
    Arn,
    /// `true` or `false`.
    Bool,
    /// Numbers.
    Numeric,
    /// Points in time.
    Date,
    /// IP addresses.
    IpAddress,
}

impl Key {
    /// Returns whether the key has this name, whose case does not matter.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        if !self.name.contains('*') {
            return self.name.eq_ignore_ascii_case(name);
        }
        let (own, name) = (self.name.to_ascii_lowercase(), name.to_ascii_lowercase());
        let first = own.split('*').next().unwrap_or_default();
        // What is filled in is never empty.
        name.len() > first.len() && crate::glob(&own, &name)
    }
}

impl Action {
    /// Returns the keys that a request may have beside the global ones: those of the action and of its resources.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> {
        let of_resources = self.resources.iter().flat_map(|one| &one.of.keys);
        self.keys.iter().chain(of_resources).copied()
    }

    /// Returns the whole name: `ssm:StartSession`.
    #[must_use]
    pub fn full_name(&self) -> String {
        format!("{}:{}", self.service, self.name)
    }
}

/// Returns the day of the data, `2026-09-26`.
#[must_use]
pub fn date() -> &'static str {
    let date = TEXT.lines().find_map(|line| line.strip_prefix("date "));
    date.unwrap_or_default()
}

/// Returns the day of the data, as a linter's `--version` prints it behind its own version.
#[must_use]
pub fn version() -> &'static str {
    static VERSION: OnceLock<String> = OnceLock::new();
    VERSION.get_or_init(|| format!("with AWS's service reference of {}", date()))
}

/// Returns the prefixes of all services.
pub fn services() -> impl Iterator<Item = &'static str> {
    index().services.iter().map(|one| one.prefix)
}

/// Returns a service by its prefix, whose case does not matter.
#[must_use]
pub fn service(prefix: &str) -> Option<&'static Service> {
    let prefix = prefix.to_ascii_lowercase();
    let services = &index().services;
    let found = services.binary_search_by(|one| one.prefix.cmp(&prefix));
    Some(services[found.ok()?].read())
}

/// Returns an action by its whole name, whose case does not matter.
#[must_use]
pub fn action(name: &str) -> Option<&'static Action> {
    let lower = name.to_ascii_lowercase();
    let (prefix, _) = lower.split_once(':')?;
    let actions = &service(prefix)?.actions;
    let found = actions.binary_search_by(|action| action.lower.cmp(&lower));
    actions.get(found.ok()?)
}

/// Returns the actions that a pattern of a policy covers, such as `ssm:Start*` or `*`.
pub fn actions(pattern: &str) -> impl Iterator<Item = &'static Action> {
    // Actions know no variables, so that nothing can be malformed.
    let lower = pattern.to_ascii_lowercase();
    let bytes = match Template::parse(&lower, Version::Of2008, true) {
        Ok(Template::Fixed(bytes)) => bytes,
        _ => Box::default(),
    };
    let prefix = lower.split(':').next().unwrap_or_default().to_owned();
    // `*` is all of them; else a wildcard may reach across the colon.
    let covers = move |prefix: &str, wanted: &str| match wanted.find(['*', '?']) {
        Some(wild) => prefix.starts_with(&wanted[..wild]),
        None => prefix == wanted,
    };
    index()
        .services
        .iter()
        .filter(move |one| covers(one.prefix, &prefix))
        .flat_map(|one| &one.read().actions)
        .filter(move |action| pattern::matches(&bytes, action.lower.as_bytes()))
}

/// Returns the keys that a request for any action may have.
#[must_use]
pub fn global_keys() -> &'static [Key] {
    index().keys
}

/// Returns a condition key of any service by its name, whose case does not matter: `aws:ResourceTag/team`.
#[must_use]
pub fn key(name: &str) -> Option<&'static Key> {
    let keys = read::all_keys();
    let named = keys.named.get(name.to_ascii_lowercase().as_str());
    named.or_else(|| keys.open.iter().find(|key| key.is(name)))
}

/// Returns the condition keys of a prefix, `aws` or that of a service, whichever service has them.
pub fn keys_of(prefix: &str) -> impl Iterator<Item = &'static Key> {
    let keys = read::all_keys();
    let all = keys.named.values().chain(&keys.open);
    all.filter(move |key| {
        let own = key.name.split_once(':').map(|(own, _)| own);
        own.is_some_and(|own| own.eq_ignore_ascii_case(prefix))
    })
}

fn index() -> &'static read::Index {
    static INDEX: OnceLock<read::Index> = OnceLock::new();
    INDEX.get_or_init(|| read::index(TEXT))
}

#[cfg(test)]
#[path = "reference/tests.rs"]
mod tests;
