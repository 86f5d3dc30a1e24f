//! The files that rules are for, and what of them is code.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use testbed::repository;

/// The folders of a tool of several jobs, each laid out as a tool.
pub(crate) const JOBS: [&str; 2] = ["alerts", "records"];

pub(crate) struct File {
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) executable: bool,
}

impl File {
    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Returns `ssm-x` and `plan.rs` for `tools/ssm-x/src/plan.rs`, and for `tools/ssm-x/src/JOB/plan.rs` in a tool of
    /// several jobs.
    pub(crate) fn in_tool(&self) -> Option<(&str, &str)> {
        let (tool, path) = self.path.strip_prefix("tools/")?.split_once("/src/")?;
        let of_job = JOBS.iter().find_map(|job| {
            let rest = path.strip_prefix(job)?;
            rest.strip_prefix('/')
        });
        Some((tool, of_job.unwrap_or(path)))
    }

    /// Returns the lines that are code for the product: no comments, nothing of the tests at the end of a file.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.text.find("#[cfg(test)]\nmod tests {");
        let product = &self.text[..tests.unwrap_or(self.text.len())];
        let lines = product.lines().enumerate();
        lines
            .filter(|(_, line)| !line.trim_start().starts_with("//"))
            .map(|(index, line)| (index + 1, line))
    }

    /// Returns a complaint for every line of code that contains one of the words.
    pub(crate) fn lines_with(&self, words: &[&str]) -> Vec<String> {
        let mut complaints = Vec::new();
        for (number, line) in self.code() {
            for word in words.iter().filter(|word| line.contains(**word)) {
                complaints.push(format!("{}:{number}: {word}", self.path));
            }
        }
        complaints
    }
}

pub(crate) fn tools(files: &[File]) -> Vec<String> {
    let manifest = |file: &File| {
        let name = file
            .path
            .strip_prefix("tools/")?
            .strip_suffix("/Cargo.toml")?;
        Some(name.to_owned())
    };
    files.iter().filter_map(manifest).collect()
}

/// Returns what the manifests of tools and shared crates depend on.
pub(crate) fn dependencies(files: &[File]) -> Vec<(&File, String)> {
    let mut found = Vec::new();
    for file in files {
        let of_crate = file.path.starts_with("tools/") || file.path.starts_with("shared/");
        if !of_crate || !file.path.ends_with("/Cargo.toml") {
            continue;
        }
        let mut inside = false;
        for line in file.text.lines() {
            if line.starts_with('[') {
                inside = line.contains("dependencies");
            } else if inside && let Some((name, _)) = line.split_once(['.', ' ', '=']) {
                found.push((file, name.to_owned()));
            }
        }
    }
    found
}

pub(crate) fn tree() -> Vec<File> {
    let mut files = Vec::new();
    for top in ["tools", "shared", "tests", "scripts", ".ci", "docs"] {
        walk(&repository().join(top), &mut files);
    }
    for page in ["README", "ARCHITECTURE", "CONTRIBUTING", "SECURITY"] {
        let path = format!("{page}.md");
        let text = std::fs::read_to_string(repository().join(&path)).unwrap();
        let executable = false;
        files.push(File {
            path,
            text,
            executable,
        });
    }
    files
}

fn walk(directory: &Path, files: &mut Vec<File>) {
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, files);
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let mode = path.metadata().unwrap().permissions().mode();
            let path = path.strip_prefix(repository()).unwrap();
            files.push(File {
                path: path.to_str().unwrap().to_owned(),
                text,
                executable: mode & 0o111 != 0,
            });
        }
    }
}
