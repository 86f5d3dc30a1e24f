//! `updateinfo.xml` from the repositories of Amazon Linux, AlmaLinux, Rocky Linux, Oracle Linux, Red Hat and SUSE: what
//! `dnf updateinfo` and `zypper patches` read. <https://docs.aws.amazon.com/linux/al2023/ug/listing-applicable-advisories.html>

use std::io::BufRead;

use anyhow::{Context, bail};
use quick_xml::events::{BytesStart, Event as Xml};
use quick_xml::{Reader as XmlReader, XmlVersion};

use super::updateinfo_names::{ecosystems, is_beside, topic, url};
use super::{Reader, osv, verb_of};
use crate::model::advisory::{Advisory, Affected, Event, Line, Scope, is_no_vulnerability, names};
use crate::model::distribution::Ecosystem;
use crate::model::package::with_epoch;
use crate::model::severity::Severity;

/// One `update` while it is read.
#[derive(Default)]
struct Update {
    is_security: bool,
    id: String,
    title: String,
    severity: String,
    /// The day on which it was changed last, else on which it came out.
    day: String,
    references: Vec<String>,
    url: String,
    /// Repositories of Amazon Linux 2: `amazon-linux-2---php8.0`.
    collection: String,
    /// The module of the collection that is being read.
    module: Option<String>,
    packages: Vec<Package>,
    /// What of it cannot be read.
    damage: Option<anyhow::Error>,
}

/// A package that is fixed.
#[derive(PartialEq)]
struct Package {
    name: String,
    fixed: String,
    release: String,
    module: Option<String>,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    content: &mut dyn BufRead,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<()> {
    let mut xml = XmlReader::from_reader(content);
    xml.config_mut().trim_text(true);
    let (mut buffer, mut text) = (Vec::new(), String::new());
    let (mut update, mut others, mut is_updateinfo) = (Update::default(), Others::default(), false);
    let mut depth = 0_usize;
    loop {
        match xml
            .read_event_into(&mut buffer)
            .context("it is not XML, or the end is missing")?
        {
            Xml::Start(start) => {
                is_updateinfo |= start.name().as_ref() == "updates";
                if !is_updateinfo {
                    bail!(
                        "it is XML, but not of updateinfo: its element is {}",
                        start.name().as_ref()
                    );
                }
                text.clear();
                depth += 1;
                update.take(&start);
            }
            Xml::Empty(start) => update.take(&start),
            Xml::Text(part) => text.push_str(&part.xml10_content()),
            Xml::GeneralRef(reference) => match reference.resolve_char_ref() {
                Ok(Some(c)) => text.push(c),
                Ok(None) => {
                    let known = quick_xml::escape::resolve_predefined_entity(&reference);
                    text.push_str(known.unwrap_or_default());
                }
                Err(error) => update.damage = Some(error.into()),
            },
            Xml::CData(part) => text.push_str(&part.xml10_content()),
            Xml::End(end) => {
                let content = std::mem::take(&mut text);
                depth = depth.saturating_sub(1);
                match end.name().as_ref() {
                    "update" => std::mem::take(&mut update).end(reader, &mut others, each),
                    name => update.content(name, content),
                }
            }
            Xml::Eof if depth > 0 => bail!("it is XML, but its end is missing"),
            Xml::Eof if is_updateinfo => break,
            Xml::Eof => bail!("it is XML, but not of updateinfo"),
            _ => {}
        }
        buffer.clear();
    }
    reader.left_out.extend(others.message());
    if let Some(error) = others.first_damage {
        let n_damaged = cli::count(others.n_damaged, "update");
        return Err(error.context(format!(
            "{n_damaged} in it cannot be read, the first of them"
        )));
    }
    Ok(())
}

/// What is not judged: fixed packages of distributions that are not known here, and updates that cannot be read.
#[derive(Default)]
struct Others {
    n_packages: usize,
    such_as: String,
    n_damaged: usize,
    first_damage: Option<anyhow::Error>,
}

impl Others {
    fn message(&self) -> Option<String> {
        let fixed = cli::count(self.n_packages, "fixed package");
        let (verb, such_as) = (verb_of(self.n_packages), &self.such_as);
        (self.n_packages > 0).then(|| {
            format!("{fixed} {verb} not for a distribution that is known here, such as {such_as}")
        })
    }
}

fn attribute(start: &BytesStart<'_>, name: &str) -> anyhow::Result<String> {
    let value = start.try_get_attribute(name)?;
    Ok(match value {
        Some(value) => value
            .normalized_value(XmlVersion::Implicit1_0)?
            .into_owned(),
        None => String::new(),
    })
}

/// Returns a date as it is, or that of the seconds which SUSE writes: `1593505741`.
fn as_date(date: String) -> String {
    let seconds = date.parse().ok();
    let time = seconds.and_then(|seconds| jiff::Timestamp::from_second(seconds).ok());
    time.map_or(date, |time| time.to_string())
}

impl Update {
    /// What cannot be read of one update says nothing of the others.
    fn take(&mut self, start: &BytesStart<'_>) {
        if let Err(error) = self.begin(start) {
            self.damage.get_or_insert(error);
        }
    }

    fn begin(&mut self, start: &BytesStart<'_>) -> anyhow::Result<()> {
        match start.name().as_ref() {
            "update" => {
                // SUSE takes an update back so, RFC of retracted patches in https://github.com/uyuni-project/uyuni-rfc.
                let is_retracted = attribute(start, "status")? == "retracted";
                *self = Update {
                    is_security: attribute(start, "type")? == "security" && !is_retracted,
                    ..Update::default()
                };
            }
            "issued" | "updated" => {
                let day = as_date(attribute(start, "date")?);
                if day > self.day {
                    self.day = day;
                }
            }
            "reference" => {
                let (kind, id, href) = (
                    attribute(start, "type")?,
                    attribute(start, "id")?,
                    attribute(start, "href")?,
                );
                if kind == "cve" {
                    self.references.push(id);
                } else if kind == "self" || (self.url.is_empty() && id == self.id) {
                    self.url = href;
                }
            }
            "collection" => self.collection = attribute(start, "short")?,
            "module" => {
                let (name, stream) = (attribute(start, "name")?, attribute(start, "stream")?);
                self.module = (!name.is_empty()).then(|| format!("{name}:{stream}"));
            }
            "package" => self.package(start)?,
            _ => {}
        }
        Ok(())
    }

    /// Every architecture and repository has the same package once more.
    fn package(&mut self, start: &BytesStart<'_>) -> anyhow::Result<()> {
        let (name, epoch) = (attribute(start, "name")?, attribute(start, "epoch")?);
        let (version, release) = (attribute(start, "version")?, attribute(start, "release")?);
        let package = Package {
            name,
            fixed: with_epoch(&epoch, &format!("{version}-{release}")),
            release,
            module: self.module.clone(),
        };
        let arch = attribute(start, "arch")?;
        if arch != "src" && arch != "nosrc" && !self.packages.contains(&package) {
            self.packages.push(package);
        }
        Ok(())
    }

    fn content(&mut self, name: &str, content: String) {
        match name {
            "id" if self.id.is_empty() => self.id = content,
            "title" if self.title.is_empty() => self.title = content,
            "severity" => self.severity = content,
            "collection" => self.module = None,
            _ => {}
        }
    }

    fn end(self, reader: &mut Reader<'_>, others: &mut Others, each: &mut dyn FnMut(Advisory)) {
        if let Some(error) = self.damage {
            others.n_damaged += 1;
            others.first_damage.get_or_insert(error);
            return;
        }
        if !self.is_security || is_no_vulnerability(&self.id) {
            return;
        }
        let topic = topic(&self.collection, &self.id);
        let titled = osv::modules(&self.title);
        let mut affected = Vec::new();
        for package in &self.packages {
            let all = ecosystems(&self.id, &package.release);
            if all.is_empty() {
                others.n_packages += 1;
                if others.such_as.is_empty() {
                    others.such_as = format!("{}-{}", package.name, package.fixed);
                }
                continue;
            }
            // Extras judge what is of their topic, and nothing of the core repository, which every node has.
            match topic.is_some() || is_beside(&package.release) {
                true => reader.n_in_force += 1,
                false => all
                    .iter()
                    .for_each(|one| reader.cover(one, Some(&self.day))),
            }
            let is_wanted = |one: &Ecosystem| reader.wanted.has(&one.name, &package.name);
            let all: Vec<Ecosystem> = all.into_iter().filter(is_wanted).collect();
            if all.is_empty() {
                continue;
            }
            let modules = match &package.module {
                Some(module) => vec![module.clone()],
                None => titled.clone(),
            };
            affected.extend(all.into_iter().map(|ecosystem| Affected {
                ecosystem,
                name: package.name.clone(),
                line: Line {
                    modules: modules.clone(),
                    scope: topic.clone().map_or(Scope::Any, Scope::Topic),
                },
                ranges: vec![Event::until(Some(package.fixed.clone()))],
                versions: Vec::new(),
                severity: Severity::of([self.severity.as_str()], []),
            }));
        }
        if affected.is_empty() {
            return;
        }
        let (cves, aliases) = names(&self.id, self.references.iter().map(String::as_str));
        each(Advisory {
            url: if self.url.is_empty() {
                url(&self.id)
            } else {
                self.url
            },
            id: self.id,
            cves,
            aliases,
            summary: self.title,
            affected,
        });
    }
}
