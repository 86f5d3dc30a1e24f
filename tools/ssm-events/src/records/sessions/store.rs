//! The places where transcripts lie.

use std::rc::Rc;

/// Where transcripts lie.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Store {
    /// Keys are `PREFIX/SESSION-ID.log`: fileutil.BuildS3Path and sessionplugin.go of
    /// <https://github.com/aws/amazon-ssm-agent>.
    Bucket { name: Rc<str>, prefix: Rc<str> },
    /// Log streams are called as the session.
    LogGroup { name: Rc<str> },
}

impl std::fmt::Display for Store {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Store::Bucket { name, prefix } => write!(formatter, "s3://{name}/{}", folder(prefix)),
            Store::LogGroup { name } => write!(formatter, "log group {name}"),
        }
    }
}

/// Returns what keys begin with, below a prefix of a document.
pub(crate) fn folder(prefix: &str) -> String {
    match prefix {
        "" => String::new(),
        prefix => format!("{prefix}/"),
    }
}
