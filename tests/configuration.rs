//! What users set up around the tools: the AWS environment and config files, proxies and certificates, servers that are not AWS.

#[path = "configuration/answers.rs"]
mod answers;
#[path = "configuration/certificates.rs"]
mod certificates;
#[path = "configuration/codes.rs"]
mod codes;
#[path = "configuration/mistakes.rs"]
mod mistakes;
#[path = "configuration/throttled.rs"]
mod throttled;

use std::path::{Path, PathBuf};

use testbed::{Account, Output, Run, repository};

/// Two tools, each with a verb that reads.
const READERS: [(&str, &[&str], &str); 2] = [
    ("ssm-prefs", &["show"], ""),
    ("ssm-role", &["plan"], r#"{"default_host_management": {}}"#),
];

/// Returns a run of each reader, in the order of [`READERS`].
fn readers(account: &Account) -> impl Iterator<Item = (&'static str, Run)> {
    READERS.iter().map(|(tool, arguments, stdin)| {
        let exe = repository().join("target/debug").join(tool);
        let run = account.tool(exe).args(*arguments).stdin(*stdin);
        (*tool, run.env_remove("AWS_MAX_ATTEMPTS"))
    })
}

/// Writes a config file, which is read in place of `~/.aws/config`.
fn config(account: &Account, text: &str) -> PathBuf {
    write(account.home(), "config", text)
}

fn write(directory: &Path, name: &str, text: &str) -> PathBuf {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Fails the test unless the run has ended in one line, with status 2, that has `part` in it.
#[track_caller]
fn complains(output: &Output, tool: &str, part: &str) {
    output.assert_status(2).assert_complains(part);
    let is_one_line = output.stderr.lines().count() == 1;
    let prefix = format!("{tool}: ");
    assert!(
        is_one_line && output.stderr.starts_with(&prefix),
        "{}",
        output.stderr
    );
    assert!(!output.stderr.contains("panicked"), "{}", output.stderr);
    assert_eq!(output.stdout, "");
}
