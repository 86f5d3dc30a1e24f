//! The order of versions as dpkg has it, <https://www.debian.org/doc/debian-policy/ch-controlfields.html#version>. The crate
//! `debversion` 0.5 has another one for what ends in neither a digit nor a letter: to dpkg, `12.2.` and `12.2.0` are equal.

use std::cmp::Ordering;

/// A version in its parts.
#[derive(Clone, Debug)]
pub(crate) struct Version {
    epoch: u32,
    upstream: String,
    revision: String,
}

impl Version {
    /// Returns the version, or none for what is not one to dpkg.
    pub(crate) fn parse(text: &str) -> Option<Version> {
        let (epoch, rest) = match text.split_once(':') {
            Some((epoch, rest)) => (epoch.parse().ok()?, rest),
            None => (0, text),
        };
        let (upstream, revision) = rest.rsplit_once('-').unwrap_or((rest, ""));
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".+-~_:".contains(c);
        let is_version = !upstream.is_empty() && rest.chars().all(is_plain);
        is_version.then(|| Version {
            epoch,
            upstream: upstream.to_owned(),
            revision: revision.to_owned(),
        })
    }

    pub(crate) fn compare(&self, other: &Version) -> Ordering {
        let by_epoch = self.epoch.cmp(&other.epoch);
        by_epoch
            .then_with(|| part(&self.upstream, &other.upstream))
            .then_with(|| part(&self.revision, &other.revision))
    }
}

/// Compares runs of other characters and of digits in turns; what is missing is not a character, and zero.
fn part(one: &str, other: &str) -> Ordering {
    let (mut one, mut other) = (one.as_bytes(), other.as_bytes());
    while !one.is_empty() || !other.is_empty() {
        let (first, second) = (run(&mut one, false), run(&mut other, false));
        for at in 0..first.len().max(second.len()) {
            let order = weight(first.get(at)).cmp(&weight(second.get(at)));
            if order != Ordering::Equal {
                return order;
            }
        }
        let (first, second) = (number(run(&mut one, true)), number(run(&mut other, true)));
        // Without leading zeros, the longer one is greater.
        let order = (first.len(), first).cmp(&(second.len(), second));
        if order != Ordering::Equal {
            return order;
        }
    }
    Ordering::Equal
}

/// Takes the digits, or what is not digits, at the beginning.
fn run<'t>(rest: &mut &'t [u8], digits: bool) -> &'t [u8] {
    let ends = |byte: &u8| byte.is_ascii_digit() != digits;
    let end = rest.iter().position(ends).unwrap_or(rest.len());
    let (run, behind) = rest.split_at(end);
    *rest = behind;
    run
}

fn number(digits: &[u8]) -> &[u8] {
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    &digits[zeros..]
}

/// `~` goes before the end, the end before letters, letters before everything else.
fn weight(character: Option<&u8>) -> i32 {
    match character {
        None => 0,
        Some(b'~') => -1,
        Some(letter) if letter.is_ascii_alphabetic() => i32::from(*letter),
        Some(other) => i32::from(*other) + 256,
    }
}
