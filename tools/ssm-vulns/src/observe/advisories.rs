//! Advisories out of whatever they are kept in, in the form that this tool judges by. The form is recognized by the content.

mod csaf;
mod csaf_names;
mod debian;
mod json;
mod osv;
mod secdb;
mod updateinfo;
mod updateinfo_names;

use std::collections::{HashMap, HashSet};
use std::io::BufRead;
use std::path::Path;

use anyhow::bail;
use jiff::civil::Date;

use super::container::{Origin, Unread, for_each_file};
use crate::coverage::Covered;
use crate::model::advisory::Advisory;
use crate::model::distribution::{self, Ecosystem};

/// The names that are installed, by ecosystem: all else is read and not kept.
#[derive(Debug, Default)]
pub(crate) struct Wanted(pub(crate) HashMap<String, HashSet<String>>);

impl Wanted {
    fn has(&self, ecosystem: &str, name: &str) -> bool {
        self.0
            .get(ecosystem)
            .is_some_and(|names| names.contains(name))
    }
}

/// Reads paths one after another, and remembers what they were about.
pub(crate) struct Reader<'w> {
    wanted: &'w Wanted,
    /// Every ecosystem that some advisory in force is about.
    pub(crate) covered: Covered,
    /// The day on which the file that is being read was changed last.
    changed: Option<Date>,
    /// The last day that something may be of: a day in the future says nothing of how old a database is.
    latest: String,
    /// What is read of a file at once; there may be a file for each advisory.
    buffer: Vec<u8>,
    /// Ecosystems of OSV as they are written: there are few, and a million mentions.
    ecosystems: HashMap<String, Option<Ecosystem>>,
    /// What was found and not used.
    left_out: Vec<String>,
    n_in_force: usize,
}

impl<'w> Reader<'w> {
    pub(crate) fn new(wanted: &'w Wanted, today: Date) -> Reader<'w> {
        // Somewhere it is tomorrow already.
        let latest = today.tomorrow().unwrap_or(today);
        Reader {
            latest: latest.to_string(),
            wanted,
            covered: Covered::new(),
            changed: None,
            buffer: Vec::new(),
            ecosystems: HashMap::new(),
            left_out: Vec::new(),
            n_in_force: 0,
        }
    }

    /// Calls `each` with every advisory of a path that is about something installed. Returns what was given and not used.
    ///
    /// # Errors
    /// The path cannot be read. What cannot be read inside of it is returned.
    pub(crate) fn read(
        &mut self,
        path: &Path,
        each: &mut dyn FnMut(Advisory),
    ) -> anyhow::Result<Vec<String>> {
        (self.n_in_force, self.left_out) = (0, Vec::new());
        let files = for_each_file(path, &mut |origin, content| {
            self.file(origin, content, each)
        })?;
        let name = path.display();
        let mut unread = Vec::new();
        if self.n_in_force == 0 {
            unread.push(format!(
                "{name}: nothing in it is a security advisory in force"
            ));
        }
        let Unread { n_files, first } = files;
        let mut listed: Vec<String> = first
            .iter()
            .map(|(file, why)| format!("{file} ({why})"))
            .collect();
        let n_more = n_files - first.len();
        if n_more > 0 {
            listed.push(format!("{n_more} more"));
        }
        if n_files > 0 {
            let (verb, listed) = (verb_of(n_files), listed.join(", "));
            let n_files = cli::count(n_files, "file");
            unread.push(format!("{name}: {n_files} in it {verb} not read: {listed}"));
        }
        let left_out = std::mem::take(&mut self.left_out);
        unread.extend(left_out.into_iter().map(|one| format!("{name}: {one}")));
        Ok(unread)
    }

    fn file(
        &mut self,
        origin: &Origin,
        content: &mut dyn BufRead,
        each: &mut dyn FnMut(Advisory),
    ) -> anyhow::Result<()> {
        let name = origin.name.as_str();
        self.changed = origin.changed;
        match first(content)? {
            Some(b'<') => updateinfo::read(self, content, each),
            Some(b'{' | b'[') => json::read(self, content, each),
            None => bail!("it is empty"),
            _ => bail!(
                "{} is neither JSON nor XML",
                name.rsplit('/').next().unwrap_or(name)
            ),
        }
    }

    /// Says that an advisory in force is about an ecosystem; `day` is when it was changed last, in any form that begins with
    /// year, month and day.
    fn cover(&mut self, ecosystem: &Ecosystem, day: Option<&str>) {
        self.n_in_force += 1;
        let latest = self.latest.as_str();
        let day = day.filter(|day| day.get(..10).is_some_and(|day| day <= latest));
        // What others pay for does not judge a node.
        if ecosystem.is_of_release() {
            match self.covered.get_mut(&ecosystem.name) {
                Some(coverage) => coverage.add(day, None),
                None => {
                    let coverage = self.covered.entry(ecosystem.name.clone());
                    coverage.or_default().add(day, None);
                }
            }
        }
    }

    /// As [`Reader::cover`], of a form that has no days; `repository` is set where it has a file for each.
    fn cover_by_file(&mut self, ecosystem: &Ecosystem, repository: Option<&str>) {
        self.n_in_force += 1;
        let coverage = self.covered.entry(ecosystem.name.clone()).or_default();
        let changed = self.changed.map(|day| day.to_string());
        let changed = changed.filter(|day| *day <= self.latest);
        coverage.add(changed.as_deref(), repository);
    }

    /// Returns what an ecosystem of OSV is here.
    fn ecosystem(&mut self, text: &str) -> Option<Ecosystem> {
        if let Some(known) = self.ecosystems.get(text) {
            return known.clone();
        }
        let found = distribution::of_osv(text);
        self.ecosystems.insert(text.to_owned(), found.clone());
        found
    }
}

fn verb_of(n_subjects: usize) -> &'static str {
    match n_subjects {
        1 => "is",
        _ => "are",
    }
}

/// Returns the first byte that is not white space, and takes those before it and a byte-order mark.
fn first(content: &mut dyn BufRead) -> std::io::Result<Option<u8>> {
    loop {
        let buffer = content.fill_buf()?;
        if buffer.is_empty() {
            return Ok(None);
        }
        let is_beside =
            |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, 0xef | 0xbb | 0xbf);
        let found = buffer.iter().find(|byte| !is_beside(byte)).copied();
        let n_beside = buffer.iter().take_while(|byte| is_beside(byte)).count();
        content.consume(n_beside);
        if found.is_some() {
            return Ok(found);
        }
    }
}
