//! The order of versions as apk has it. The one crate for it binds the C library of apk-tools, which no cross build has.
//! <https://man.archlinux.org/man/apk-package.5> describes the form `1.2.3a_rc1~0123abc-r4`.

use std::cmp::Ordering;

/// A version, as a list of parts that ends with [`Part::End`], so that one being the beginning of another decides nothing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(Vec<Part>);

/// What goes on is greater the earlier its part stands in the form, but `_alpha` to `_rc` go before the end.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// `_alpha`, `_beta`, `_pre`, `_rc`.
    Before(u8),
    End,
    Revision(Number),
    Hash(String),
    /// The number behind a suffix.
    OfSuffix(Number),
    /// `_cvs`, `_svn`, `_git`, `_hg`, `_p`.
    After(u8),
    Letter(char),
    /// A number behind a dot. As in Gentoo, digits with a leading zero are compared as text, and go before others.
    Text(String),
    Digits(Number),
}

/// Digits of any length without leading zeros: longer is greater.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Number(String);

impl Ord for Number {
    fn cmp(&self, other: &Number) -> Ordering {
        (self.0.len(), &self.0).cmp(&(other.0.len(), &other.0))
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Number) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

const BEFORE: [&str; 4] = ["alpha", "beta", "pre", "rc"];
const AFTER: [&str; 5] = ["cvs", "svn", "git", "hg", "p"];

impl Version {
    /// Returns the version, or none for what is not one to apk.
    pub(crate) fn parse(text: &str) -> Option<Version> {
        let mut rest = text;
        let mut parts = vec![Part::Digits(number(digits(&mut rest)?))];
        while let Some(after) = rest.strip_prefix('.') {
            rest = after;
            let run = digits(&mut rest)?;
            parts.push(match run.starts_with('0') {
                true => Part::Text(run.to_owned()),
                false => Part::Digits(number(run)),
            });
        }
        if let Some(letter) = rest.chars().next().filter(char::is_ascii_lowercase) {
            rest = &rest[1..];
            parts.push(Part::Letter(letter));
        }
        while let Some(after) = rest.strip_prefix('_') {
            let end = after
                .find(|c: char| !c.is_ascii_lowercase())
                .unwrap_or(after.len());
            let (name, behind) = after.split_at(end);
            let place = |names: &[&str]| {
                names
                    .iter()
                    .position(|one| *one == name)
                    .and_then(|at| u8::try_from(at).ok())
            };
            parts.push(match (place(&BEFORE), place(&AFTER)) {
                (Some(at), _) => Part::Before(at),
                (None, Some(at)) => Part::After(at),
                (None, None) => return None,
            });
            rest = behind;
            if let Some(run) = digits(&mut rest) {
                parts.push(Part::OfSuffix(number(run)));
            }
        }
        if let Some(after) = rest.strip_prefix('~') {
            let end = after
                .find(|c: char| !matches!(c, '0'..='9' | 'a'..='f'))
                .unwrap_or(after.len());
            let (hash, behind) = after.split_at(end);
            if hash.is_empty() {
                return None;
            }
            parts.push(Part::Hash(hash.to_owned()));
            rest = behind;
        }
        if let Some(after) = rest.strip_prefix("-r") {
            rest = after;
            parts.push(Part::Revision(number(digits(&mut rest)?)));
        }
        parts.push(Part::End);
        rest.is_empty().then_some(Version(parts))
    }
}

/// Takes the digits at the beginning of a text; none where it begins with something else.
fn digits<'t>(rest: &mut &'t str) -> Option<&'t str> {
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (run, behind) = rest.split_at(end);
    *rest = behind;
    (!run.is_empty()).then_some(run)
}

fn number(run: &str) -> Number {
    Number(run.trim_start_matches('0').to_owned())
}
