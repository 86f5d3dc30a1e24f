//! Finds out what `--version` says: the commit that a tool is built from, its day, and for which target.
//!
//! A commit must not rebuild every tool of whoever works on them: only release builds ask git. One that cannot ask it has the commit
//! in `SSM_COMMIT`, or in `commit.txt`, where `git archive` writes it.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=commit.txt");
    println!("cargo::rerun-if-env-changed=SSM_COMMIT");
    let given = std::env::var("SSM_COMMIT").ok();
    let given = given.filter(|commit| !commit.is_empty());
    let commit = given.or_else(archived).or_else(of_git);
    let commit = commit.unwrap_or_else(|| "unreleased".to_owned());
    let target = std::env::var("TARGET").unwrap_or_default();
    println!("cargo::rustc-env=SSM_BUILD={commit}, {target}");
}

/// <https://git-scm.com/docs/gitattributes#_export_subst>
fn archived() -> Option<String> {
    let text = std::fs::read_to_string("commit.txt").ok()?;
    let commit = text.trim();
    (!commit.is_empty() && !commit.starts_with('$')).then(|| commit.to_owned())
}

fn of_git() -> Option<String> {
    if std::env::var("PROFILE").ok()? != "release" {
        return None;
    }
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"])?;
    println!("cargo::rerun-if-changed={log}");
    let commit = git(&["log", "-1", "--format=%h %cs"])?;
    let is_changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(if is_changed {
        format!("{commit} and changes")
    } else {
        commit
    })
}

fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then(|| text.trim().to_owned())
}
