//! OSV, <https://ossf.github.io/osv-schema/>, in all variants that distributions have published over the years.

use std::borrow::Cow;

use anyhow::Context;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::Reader;
use crate::model::advisory::{Advisory, Affected, Event, Line, Scope, is_no_vulnerability, names};
use crate::model::package::stream;
use crate::model::severity::Severity;

#[derive(Deserialize)]
struct Osv<'a> {
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    modified: Option<Cow<'a, str>>,
    #[serde(borrow)]
    withdrawn: Option<Cow<'a, str>>,
    #[serde(borrow)]
    aliases: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow)]
    upstream: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow)]
    related: Option<Vec<Cow<'a, str>>>,
    #[serde(borrow)]
    summary: Option<Cow<'a, str>>,
    #[serde(borrow)]
    details: Option<&'a RawValue>,
    #[serde(borrow)]
    references: Option<&'a RawValue>,
    #[serde(borrow)]
    severity: Option<&'a RawValue>,
    #[serde(borrow)]
    database_specific: Option<&'a RawValue>,
    #[serde(borrow)]
    affected: Option<Vec<About<'a>>>,
}

/// What it says of one package. Only what is looked at of all is parsed; the rest once the package is installed.
#[derive(Deserialize)]
struct About<'a> {
    #[serde(borrow)]
    package: Option<Named<'a>>,
    #[serde(borrow)]
    ranges: Option<&'a RawValue>,
    #[serde(borrow)]
    versions: Option<&'a RawValue>,
    #[serde(borrow)]
    severity: Option<&'a RawValue>,
    #[serde(borrow)]
    ecosystem_specific: Option<&'a RawValue>,
}

#[derive(Deserialize)]
struct Named<'a> {
    #[serde(borrow)]
    ecosystem: Cow<'a, str>,
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    purl: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Range {
    r#type: Option<String>,
    #[serde(default)]
    events: Vec<RangeEvent>,
}

#[derive(Deserialize)]
struct RangeEvent {
    introduced: Option<String>,
    fixed: Option<String>,
    last_affected: Option<String>,
}

#[derive(Deserialize)]
struct Rating {
    r#type: Option<String>,
    score: Option<String>,
}

/// Words of severity in `ecosystem_specific` and `database_specific`.
#[derive(Default, Deserialize)]
struct Words {
    urgency: Option<serde_json::Value>,
    severity: Option<serde_json::Value>,
    ubuntu_priority: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Reference {
    r#type: Option<String>,
    url: Option<String>,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    text: &str,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<()> {
    let osv: Osv<'_> = serde_json::from_str(text).context("it is not OSV as its schema has it")?;
    if osv.withdrawn.is_some() || is_no_vulnerability(&osv.id) {
        return Ok(());
    }
    let mut affected = Vec::new();
    for about in osv.affected.iter().flatten() {
        let Some(package) = &about.package else {
            continue;
        };
        let Some(ecosystem) = reader.ecosystem(&package.ecosystem) else {
            continue;
        };
        if !is_usable(about) {
            continue;
        }
        reader.cover(&ecosystem, osv.modified.as_deref());
        if reader.wanted.has(&ecosystem.name, &package.name) {
            affected.push(Affected {
                ecosystem,
                name: package.name.clone().into_owned(),
                line: line(osv.summary.as_deref(), package.purl.as_deref()),
                ranges: ranges(about)?,
                versions: about
                    .versions
                    .map(|raw| serde_json::from_str(raw.get()))
                    .transpose()?
                    .unwrap_or_default(),
                severity: severity(&osv, about),
            });
        }
    }
    if affected.is_empty() {
        return Ok(());
    }
    let related = osv
        .related
        .iter()
        .flatten()
        .filter(|one| one.starts_with("CVE-"));
    let all = osv
        .aliases
        .iter()
        .flatten()
        .chain(osv.upstream.iter().flatten())
        .chain(related);
    let (cves, aliases) = names(&osv.id, all.map(|name| &**name));
    each(Advisory {
        url: url(&osv),
        summary: summary(&osv),
        id: osv.id.into_owned(),
        cves,
        aliases,
        affected,
    });
    Ok(())
}

fn summary(osv: &Osv<'_>) -> String {
    if let Some(summary) = osv.summary.as_deref().filter(|text| !text.is_empty()) {
        return summary.to_owned();
    }
    let details = osv
        .details
        .and_then(|raw| serde_json::from_str::<String>(raw.get()).ok());
    details
        .and_then(|text| text.lines().next().map(short))
        .unwrap_or_default()
}

/// "It is recommended that this field be kept short, on the order of no more than 120 characters":
/// <https://ossf.github.io/osv-schema/#summary-details-fields>. Details are paragraphs, and a fleet has the same one a thousand times.
const LONGEST_SUMMARY: usize = 120;

/// Returns the beginning of a line, up to the end of a word.
fn short(line: &str) -> String {
    let Some((end, _)) = line.char_indices().nth(LONGEST_SUMMARY) else {
        return line.to_owned();
    };
    let cut = &line[..end];
    let words = cut.rsplit_once(char::is_whitespace);
    format!("{} ..", words.map_or(cut, |(words, _)| words.trim_end()))
}

fn url(osv: &Osv<'_>) -> String {
    let references = osv
        .references
        .and_then(|raw| serde_json::from_str::<Vec<Reference>>(raw.get()).ok());
    let is_advisory = |one: &Reference| one.r#type.as_deref() == Some("ADVISORY");
    let found = references
        .into_iter()
        .flatten()
        .find(is_advisory)
        .and_then(|one| one.url);
    found.unwrap_or_else(|| format!("https://osv.dev/vulnerability/{}", osv.id))
}

/// Returns whether it says which versions are affected, without parsing what most are not asked for. Ranges of commits say nothing of
/// packages.
fn is_usable(about: &About<'_>) -> bool {
    let ranges = about.ranges.map_or("", RawValue::get);
    let has_ranges = ranges.contains("\"introduced\"")
        && (["\"ECOSYSTEM\"", "\"SEMVER\""]
            .iter()
            .any(|kind| ranges.contains(kind))
            || !ranges.contains("\"GIT\""));
    has_ranges || about.versions.is_some_and(|raw| raw.get().contains('"'))
}

/// Ranges of commits say nothing of packages.
fn ranges(about: &About<'_>) -> anyhow::Result<Vec<Vec<Event>>> {
    let ranges: Vec<Range> = match about.ranges {
        Some(raw) => serde_json::from_str::<Option<_>>(raw.get())
            .context("ranges")?
            .unwrap_or_default(),
        None => Vec::new(),
    };
    let of_packages = ranges
        .into_iter()
        .filter(|range| range.r#type.as_deref() != Some("GIT"));
    let events = |range: Range| {
        let one = |event: RangeEvent| {
            let introduced = event.introduced.map(Event::Introduced);
            let fixed = event.fixed.map(Event::Fixed);
            [
                introduced,
                fixed,
                event.last_affected.map(Event::LastAffected),
            ]
        };
        range.events.into_iter().flat_map(one).flatten().collect()
    };
    Ok(of_packages.map(events).collect())
}

/// Advisories for modules name them in their title, `Important: nodejs:18 security update`, or in the package URL.
fn line(summary: Option<&str>, purl: Option<&str>) -> Line {
    let of_purl = purl.and_then(|purl| purl.split_once("rpmmod="));
    let modules = match of_purl {
        Some((_, label)) => {
            let label = label
                .split('&')
                .next()
                .unwrap_or_default()
                .replace("%3A", ":");
            vec![stream(&label).to_owned()]
        }
        None => modules(summary.unwrap_or_default()),
    };
    Line {
        modules,
        scope: Scope::Any,
    }
}

/// Returns every NAME:STREAM of a title.
pub(super) fn modules(title: &str) -> Vec<String> {
    let words = title.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '(' | ')'));
    let is_module = |word: &&str| {
        let is_plain = |text: &str| {
            !text.is_empty()
                && text
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "._+-".contains(c))
        };
        word.split_once(':')
            .is_some_and(|(name, stream)| is_plain(name) && is_plain(stream))
    };
    words.filter(is_module).map(str::to_owned).collect()
}

/// The distribution knows best how the package is built.
fn severity(osv: &Osv<'_>, about: &About<'_>) -> Severity {
    let words = |raw: Option<&RawValue>| {
        raw.and_then(|raw| serde_json::from_str::<Words>(raw.get()).ok())
            .unwrap_or_default()
    };
    let ratings = |raw: Option<&RawValue>| {
        raw.and_then(|raw| serde_json::from_str::<Vec<Rating>>(raw.get()).ok())
            .unwrap_or_default()
    };
    let (specific, database) = (
        words(about.ecosystem_specific),
        words(osv.database_specific),
    );
    let mut ratings_of_both = ratings(about.severity);
    ratings_of_both.extend(ratings(osv.severity));
    let of_ubuntu = |one: &Rating| one.r#type.as_deref() == Some("Ubuntu");
    let ubuntu = ratings_of_both
        .iter()
        .find(|one| of_ubuntu(one))
        .and_then(|one| one.score.as_deref());
    let title = osv
        .summary
        .as_deref()
        .and_then(|summary| summary.split_once(':'))
        .map(|(word, _)| word);
    let text = |value: &'_ Option<serde_json::Value>| {
        value
            .as_ref()
            .and_then(|one| one.as_str().map(str::to_owned))
    };
    let of_specific = [
        text(&specific.urgency),
        text(&specific.severity),
        text(&specific.ubuntu_priority),
    ];
    let all = of_specific.iter().map(Option::as_deref).chain([ubuntu]);
    let database = text(&database.severity);
    let all = all.chain([database.as_deref(), title]).flatten();
    let vectors = ratings_of_both
        .iter()
        .filter(|one| !of_ubuntu(one))
        .filter_map(|one| one.score.as_deref());
    Severity::of(all, vectors)
}

#[cfg(test)]
mod tests {
    use super::{modules, short};

    #[test]
    fn a_paragraph_is_no_summary() {
        assert_eq!(short("a race in sshd"), "a race in sshd");
        assert_eq!(short(&"ü".repeat(120)), "ü".repeat(120));
        assert_eq!(short(&"ü".repeat(121)), format!("{} ..", "ü".repeat(120)));
        let long = "a race in sshd ".repeat(20);
        assert_eq!(
            short(&long),
            format!("{} ..", "a race in sshd ".repeat(8).trim_end())
        );
    }

    #[test]
    fn a_title_may_name_several_modules() {
        for (title, expected) in [
            ("Important: nodejs:18 security update", &["nodejs:18"][..]),
            (
                "Red Hat Security Advisory: python38:3.8 and python38-devel:3.8 security update",
                &["python38:3.8", "python38-devel:3.8"],
            ),
            (
                "Moderate: idm:DL1 and idm:client security",
                &["idm:DL1", "idm:client"],
            ),
            ("new module: ruby:3.0", &["ruby:3.0"]),
            ("Important: kernel security update", &[]),
        ] {
            assert_eq!(modules(title), expected, "{title}");
        }
    }
}
