//! The documents promise what the sources hold: every finding ID stands in `docs/findings.md`, and nothing else does.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use testbed::repository;

const TOOLS: &[&str] = &[
    "agentcheck",
    "role",
    "prefs",
    "scp",
    "events",
    "run",
    "vulns",
];

#[test]
fn the_table_lists_the_finding_ids_of_the_sources() {
    let table = std::fs::read_to_string(repository().join("docs/findings.md")).unwrap();
    let listed: BTreeSet<String> = table
        .lines()
        .filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()))
        .collect();
    let mut known = BTreeSet::new();
    for tool in TOOLS {
        let mut sources = String::new();
        collect(
            &repository().join(format!("tools/ssm-{tool}/src")),
            &mut sources,
        );
        known.extend(ids(tool, &sources));
    }
    // The reasons why nodes do not answer have the IDs of ssm-agentcheck, whichever tool reports them.
    let mut reasons = String::new();
    collect(&repository().join("shared/diagnosis/src"), &mut reasons);
    known.extend(ids("agentcheck", &reasons));
    // ssm-scp and ssm-role print the rules of the linter as their own.
    let rules = repository().join("shared/iam-policy/src/problem.rs");
    let rules = std::fs::read_to_string(rules).unwrap();
    known.extend(ids("scp", &rules));
    let of_guards = |id: &String| {
        GUARDS_ONLY
            .iter()
            .any(|rule| id.starts_with(&format!("role.{rule}")))
    };
    known.extend(ids("role", &rules).into_iter().filter(|id| !of_guards(id)));
    let missing: Vec<_> = known.difference(&listed).collect();
    let surplus: Vec<_> = listed.difference(&known).collect();
    assert!(
        missing.is_empty() && surplus.is_empty(),
        "docs/findings.md lacks {missing:#?} and lists {surplus:#?}, which no tool prints"
    );
}

/// Code scanning shows the title, and nobody searches for an ID.
#[test]
fn every_finding_id_has_a_title() {
    let read = |path: &str| std::fs::read_to_string(repository().join(path)).unwrap();
    let table = read("docs/findings.md");
    let titles = read("shared/cli/data/titles.txt");
    let titles: BTreeMap<&str, &str> = titles
        .lines()
        .map(|line| line.split_once(' ').unwrap())
        .collect();
    let mut used = BTreeSet::new();
    let ids = table.lines().filter_map(|line| line.strip_prefix("| `"));
    for id in ids.map(|line| line.split('`').next().unwrap()) {
        let of_any_tool = format!("*.{}", id.split_once('.').unwrap().1);
        let entry = titles
            .get_key_value(id)
            .or_else(|| titles.get_key_value(of_any_tool.as_str()));
        let (key, title) = entry.unwrap_or_else(|| panic!("{id} has no title"));
        used.insert(*key);
        let is_short = title.chars().count() <= 60 && !title.ends_with('.');
        assert!(is_short && title.starts_with(char::is_uppercase), "{title}");
    }
    let all: BTreeSet<&str> = titles.into_keys().collect();
    let unused: Vec<_> = all.difference(&used).collect();
    assert!(unused.is_empty(), "no finding has {unused:?}");
}

/// The scan of the sources sees literals only; these are the IDs that were really made, and none may be put together.
#[test]
fn the_table_lists_the_finding_ids_of_the_fixtures() {
    let table = std::fs::read_to_string(repository().join("docs/findings.md")).unwrap();
    let mut made = BTreeSet::new();
    for tool in ["ssm-agentcheck", "ssm-prefs", "ssm-role", "ssm-scp"] {
        fixture_ids(&repository().join("tests/fixtures").join(tool), &mut made);
    }
    assert!(made.iter().any(|id| id.ends_with("_unknown")), "{made:?}");
    let missing: Vec<_> = made
        .iter()
        .filter(|id| !table.contains(&format!("| `{id}` |")))
        .collect();
    assert!(missing.is_empty(), "docs/findings.md lacks {missing:#?}");
    for tool in TOOLS {
        let mut sources = String::new();
        collect(
            &repository().join(format!("tools/ssm-{tool}/src")),
            &mut sources,
        );
        assert!(!sources.contains("}_unknown\""), "ssm-{tool} makes ids");
    }
}

fn fixture_ids(directory: &Path, ids: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            fixture_ids(&path, ids);
            continue;
        }
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if ["findings.json", "lint.json", "preflight.json"].contains(&name.as_str()) {
            let text = std::fs::read_to_string(&path).unwrap();
            let found: serde_json::Value = serde_json::from_str(&text).unwrap();
            let found = found.as_array().into_iter().flatten();
            ids.extend(found.filter_map(|one| Some(one["id"].as_str()?.to_owned())));
        }
    }
}

#[test]
fn the_readme_names_every_tool() {
    let readme = std::fs::read_to_string(repository().join("README.md")).unwrap();
    for tool in TOOLS {
        assert!(readme.contains(&format!("| `ssm-{tool}` |")), "ssm-{tool}");
    }
}

/// Who follows a link of the README or of the book's list finds a page of that title.
#[test]
fn links_to_pages_are_called_as_the_pages_are() {
    let documents = repository().join("docs");
    let title = |page: &str| {
        let text = std::fs::read_to_string(documents.join(page)).unwrap();
        let first = text.lines().next().unwrap_or_default();
        first.strip_prefix("# ").unwrap_or_default().to_owned()
    };
    let mut n_links = 0;
    for (list, prefix) in [("README.md", "docs/"), ("docs/SUMMARY.md", "")] {
        let text = std::fs::read_to_string(repository().join(list)).unwrap();
        for (before, after) in text
            .match_indices("](")
            .map(|(at, _)| (&text[..at], &text[at + 2..]))
        {
            let target = after.split(')').next().unwrap_or_default();
            let Some(page) = target
                .strip_prefix(prefix)
                .filter(|page| !page.contains(['/', '#']))
            else {
                continue;
            };
            if !documents.join(page).exists() {
                continue;
            }
            n_links += 1;
            let called = before.rsplit('[').next().unwrap_or_default();
            assert_eq!(called, title(page), "{list} links to {page}");
        }
    }
    assert!(n_links > 50, "only {n_links} links were found");
}

/// Links lead to what exists, and the book has every page.
#[test]
fn links_of_the_documents_lead_somewhere() {
    let mut documents = Vec::new();
    for directory in [repository().to_owned(), repository().join("docs")] {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            documents.extend(
                path.extension()
                    .is_some_and(|end| end == "md")
                    .then_some(path),
            );
        }
    }
    assert!(documents.len() > 15);
    let summary = std::fs::read_to_string(repository().join("docs/SUMMARY.md")).unwrap();
    for document in documents {
        let text = std::fs::read_to_string(&document).unwrap();
        let directory = document.parent().unwrap();
        for link in text.split("](").skip(1) {
            let path = link.split([')', '#']).next().unwrap_or_default();
            let is_web = path.starts_with("https://");
            assert!(
                is_web || directory.join(path).exists(),
                "{}: {path}",
                document.display()
            );
        }
        let name = document.file_name().unwrap().to_string_lossy().into_owned();
        if directory == repository().join("docs") && name != "SUMMARY.md" {
            assert!(
                summary.contains(&format!("]({name})")),
                "docs/SUMMARY.md lacks {name}"
            );
        }
    }
}

/// Appends the product code below a directory; tests may make up IDs.
fn collect(directory: &Path, sources: &mut String) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.to_string_lossy().into_owned();
        if path.is_dir() {
            if !path.ends_with("tests") {
                collect(&path, sources);
            }
        } else if name.ends_with(".rs") && !name.ends_with("tests.rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            sources.push_str(code);
        }
    }
}

/// Returns the finding IDs in a tool's code. They are string literals `subject.problem` or `tool.subject.problem`, and
/// `unknown("subject")` is short for `subject.unknown`.
fn ids(tool: &str, code: &str) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    // Every second piece between quotes is a literal; no ID is near an escaped quote, whose pieces are not IDs either way.
    let pieces: Vec<&str> = code.split('"').collect();
    for pair in pieces.windows(2) {
        let [before, literal] = pair else { continue };
        let short = literal
            .strip_prefix(tool)
            .and_then(|rest| rest.strip_prefix('.'))
            .unwrap_or(literal);
        if before.trim_end().ends_with("unknown(") && is_word(short) {
            ids.insert(format!("{tool}.{short}.unknown"));
        }
        if let Some((subject, problem)) = short.split_once('.')
            && is_word(subject)
            && is_word(problem)
            && !NO_FINDINGS.contains(&short)
        {
            ids.insert(format!("{tool}.{subject}.{problem}"));
        }
    }
    ids
}

/// Rules about policies of Organizations alone.
const GUARDS_ONLY: &[&str] = &[
    "agents.denied",
    "allow.list",
    "guard.",
    "service.not_governed",
    "size.exceeded",
];

/// What looks like an ID and is none.
const NO_FINDINGS: &[&str] = &[
    "1.0",
    "amazonaws.com",
    "amazonaws.eu",
    "aws.ssm",
    "example.json",
    "hibernate.log",
    // Fields of desired preferences.
    "cloudwatch.encrypted",
    "cloudwatch.log_group",
    "cloudwatch.streaming",
    "kms_key.alias",
    "run_as.user",
    "s3.bucket",
    "s3.encrypted",
    "s3.prefix",
];

fn is_word(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}
