//! The organization that verbs judge in: the live one, or what `show` printed of one.

use std::path::Path;

use anyhow::Context;
use awsconf::Session;
use serde_json::Value;

use crate::hierarchy::Organization;
use crate::observe;

/// Reads the organization from AWS.
pub(super) async fn live(session: &Session) -> anyhow::Result<Organization> {
    observe::organization(&aws_sdk_organizations::Client::new(&session.config)).await
}

/// Reads the organization from a file, or from stdin when it is `-`.
pub(super) fn saved(path: &Path) -> anyhow::Result<Organization> {
    let mut records: Vec<Value> = Vec::new();
    if path.as_os_str() == "-" {
        let stdin = std::io::read_to_string(std::io::stdin().lock())?;
        let values = serde_json::Deserializer::from_str(&stdin).into_iter();
        records = values
            .collect::<Result<_, _>>()
            .context("read organization from stdin")?;
    } else {
        cli::for_each_record_of(path, "organization", |record| {
            records.push(record);
            Ok(())
        })?;
    }
    Organization::from_records(records)
}
