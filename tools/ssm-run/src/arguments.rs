//! The flags that say what to run, where and how, and for which account. Parsing validates; nothing is read or called.

use std::path::PathBuf;

use crate::rate_control::{Waves, above_zero};
use cli::CountOrPercent;

/// What to run: one of these.
#[derive(clap::Args)]
#[group(id = "what_group")]
#[command(next_help_heading = "What to run")]
pub(crate) struct What {
    /// Run this command line, arguments joined with spaces, as in ssh: by sh on Linux and macOS, by PowerShell on Windows
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["script", "windows_script", "document", "patch_scan"])]
    pub(crate) command: Vec<String>,

    /// Run the script in FILE, of at most 64 KB: on Windows nodes when it ends in .ps1, else on Linux and macOS
    #[arg(long, value_name = "FILE", conflicts_with_all = ["document", "patch_scan"])]
    pub(crate) script: Option<PathBuf>,

    /// Run the PowerShell script in FILE on Windows nodes
    #[arg(long, value_name = "FILE", conflicts_with_all = ["document", "patch_scan"])]
    pub(crate) windows_script: Option<PathBuf>,

    /// Run this document
    #[arg(long, value_name = "NAME", conflicts_with = "patch_scan", value_parser = document)]
    pub(crate) document: Option<String>,

    /// Run this version of the document [default: its default version]
    #[arg(long, value_name = "VERSION", requires = "document", value_parser = document_version)]
    pub(crate) document_version: Option<String>,

    /// Give the document this parameter; repeat a key for a list
    #[arg(long = "parameter", value_name = "KEY=VALUE", requires = "document", value_parser = key_value)]
    pub(crate) parameters: Vec<(String, String)>,

    /// Scan for missing patches with AWS-RunPatchBaseline, and print what it found on each node
    #[arg(long, conflicts_with = "execution_timeout")]
    pub(crate) patch_scan: bool,
}

/// On which nodes, when they are not on stdin.
#[derive(clap::Args)]
#[command(next_help_heading = "Nodes")]
pub(crate) struct Where {
    /// Run on the nodes with this tag, instead of those on stdin; repeat for several
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) tags: Vec<(String, String)>,

    /// Run on the nodes of this resource group, instead of those on stdin
    #[arg(long, value_name = "NAME", conflicts_with = "tags")]
    pub(crate) resource_group: Option<String>,
}

impl Where {
    pub(crate) fn is_given(&self) -> bool {
        !self.tags.is_empty() || self.resource_group.is_some()
    }
}

/// How to go about it.
#[derive(clap::Args)]
#[command(next_help_heading = "How to run")]
pub(crate) struct How {
    /// Add this reason to the comment of each command, which AWS keeps for audits; with the run's token and your name it may have
    /// 100 characters
    #[arg(long, value_name = "TEXT")]
    pub(crate) comment: Option<String>,

    /// Wait this long for a node to take the command, 30 to 2592000 seconds [default: 3600]
    #[arg(long, value_name = "SECONDS", value_parser = timeout)]
    pub(crate) timeout: Option<i32>,

    /// Stop the command on a node after this long: its executionTimeout, 5 to 172800 seconds [default: the document's]
    #[arg(long, value_name = "SECONDS", value_parser = execution_timeout)]
    pub(crate) execution_timeout: Option<u32>,

    /// Run on this many nodes at once, or on this percentage [default: all]
    #[arg(long, value_name = "N|N%", value_parser = above_zero)]
    pub(crate) node_concurrency: Option<CountOrPercent>,

    /// Stop sending when more nodes than this, or than this percentage, have failed in a wave [default: no limit, and 0 with --waves]
    #[arg(long, value_name = "N|N%")]
    pub(crate) max_errors: Option<CountOrPercent>,

    /// Run on these shares of the nodes, one after another, such as 1,10%,100%
    #[arg(long, value_name = "SHARES")]
    pub(crate) waves: Option<Waves>,

    /// Store full output in S3; read it from there when the API truncates it
    #[arg(long, value_name = "s3://BUCKET/PREFIX", value_parser = bucket)]
    pub(crate) output_s3: Option<Bucket>,

    /// Store full output in this log group; read it from there when the API truncates it
    #[arg(long, value_name = "NAME")]
    pub(crate) output_log_group: Option<String>,

    /// Write what each node printed into ID.stdout and ID.stderr in DIR, which only you can read
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Resume an interrupted run, given any of its command IDs
    #[arg(long, value_name = "COMMAND_ID", value_parser = command_id)]
    pub(crate) resume: Option<String>,
}

/// The flags that all tools have.
#[derive(clap::Args)]
pub(crate) struct GlobalArgs {
    #[command(flatten)]
    pub(crate) aws: awsconf::AwsArgs,
    #[command(flatten)]
    pub(crate) accounts: awsconf::AccountArgs,
    #[command(flatten)]
    pub(crate) io: cli::IoArgs,
}

/// Where in S3 nodes write to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub(crate) name: String,
    /// Without a slash at its ends; may be empty.
    pub(crate) prefix: String,
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html> (TimeoutSeconds)
fn timeout(text: &str) -> Result<i32, String> {
    let seconds = text.parse().ok();
    let seconds = seconds.filter(|seconds| (30..=2_592_000).contains(seconds));
    seconds.ok_or_else(|| "expected 30 to 2592000 seconds".to_owned())
}

/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitor-commands.html>
fn execution_timeout(text: &str) -> Result<u32, String> {
    let seconds = text.parse().ok();
    let seconds = seconds.filter(|seconds| (5..=172_800).contains(seconds));
    seconds.ok_or_else(|| "expected 5 to 172800 seconds".to_owned())
}

fn bucket(text: &str) -> Result<Bucket, String> {
    let expected = "expected s3://BUCKET or s3://BUCKET/PREFIX";
    let rest = text.strip_prefix("s3://").ok_or(expected)?;
    let (name, prefix) = rest.split_once('/').unwrap_or((rest, ""));
    if !(3..=63).contains(&name.len()) || prefix.len() > 500 {
        return Err(expected.to_owned());
    }
    Ok(Bucket {
        name: name.to_owned(),
        prefix: prefix.trim_matches('/').to_owned(),
    })
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html> (DocumentName)
fn document(text: &str) -> Result<String, String> {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_-.:/".contains(&b);
    match (3..=128).contains(&text.len()) && text.bytes().all(is_allowed) {
        true => Ok(text.to_owned()),
        false => Err("expected the name or ARN of a document".to_owned()),
    }
}

fn document_version(text: &str) -> Result<String, String> {
    let is_number = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    match ["$LATEST", "$DEFAULT"].contains(&text) || (!text.is_empty() && is_number) {
        true => Ok(text.to_owned()),
        false => Err("expected a number, $LATEST or $DEFAULT".to_owned()),
    }
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

fn command_id(text: &str) -> Result<String, String> {
    let is_uuid = text.len() == 36 && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    match is_uuid {
        true => Ok(text.to_owned()),
        false => Err("expected the ID of a command, 36 characters".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Bucket, bucket, command_id, document_version, execution_timeout, timeout};

    #[test]
    fn a_place_in_s3_is_a_bucket_and_a_prefix() {
        let place = |name: &str, prefix: &str| {
            Ok(Bucket {
                name: name.to_owned(),
                prefix: prefix.to_owned(),
            })
        };
        assert_eq!(bucket("s3://logs"), place("logs", ""));
        assert_eq!(bucket("s3://logs/a/b/"), place("logs", "a/b"));
        assert!(bucket("logs").is_err() && bucket("s3:///a").is_err());
    }

    #[test]
    fn times_are_in_seconds_that_systems_manager_takes() {
        assert_eq!((timeout("30"), timeout("2592000")), (Ok(30), Ok(2_592_000)));
        assert_eq!(execution_timeout("5"), Ok(5));
        assert_eq!(execution_timeout("172800"), Ok(172_800));
        for bad in ["5", "29", "2592001", "1h", ""] {
            let expected = Err("expected 30 to 2592000 seconds".to_owned());
            assert_eq!(timeout(bad), expected, "{bad}");
        }
        for bad in ["4", "172801", "1m"] {
            let expected = Err("expected 5 to 172800 seconds".to_owned());
            assert_eq!(execution_timeout(bad), expected, "{bad}");
        }
    }

    #[test]
    fn versions_and_command_ids_have_their_shapes() {
        assert!(document_version("12").is_ok() && document_version("$LATEST").is_ok());
        assert!(document_version("").is_err() && document_version("0").is_err());
        assert!(command_id("01234567-89ab-cdef-0123-456789abcdef").is_ok());
        assert!(command_id("i-0123456789abcdef0").is_err());
    }
}
