//! Athena finds the log files with records that are asked for; those files alone are then read like any others, so that
//! the same records come out as without it.
//!
//! <https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html>

use std::time::Duration;

use anyhow::{Context, bail};
use aws_sdk_athena::Client;
use aws_sdk_athena::types::{QueryExecutionState, ResultConfiguration};
use awsconf::{Session, describe};

use super::objects::{Prefix, S3Location, days};
use crate::records::digest::sha256;
use crate::records::history::EventFilter;

/// Between two looks at a query that runs.
const PAUSE: Duration = Duration::from_millis(500);

/// How Athena is asked.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct AthenaArgs {
    /// Table name prefix; a hash of the log location is appended. Missing tables are created
    #[arg(long, value_name = "DATABASE.TABLE", default_value = concat!("default", ".", "ssm_events_cloudtrail"), value_parser = table)]
    table: String,

    /// Run queries in this workgroup of Athena
    #[arg(long, value_name = "NAME", default_value = "primary")]
    workgroup: String,

    /// Where Athena leaves its results [default: the workgroup's]
    #[arg(long, value_name = "s3://BUCKET/PREFIX")]
    query_results: Option<String>,
}

fn table(text: &str) -> Result<String, String> {
    let part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    };
    match text.split_once('.') {
        Some((database, name)) if part(database) && part(name) => Ok(text.to_owned()),
        _ => Err("expected DATABASE.TABLE of a-z 0-9 _".to_owned()),
    }
}

/// Returns the keys of the files that have what a filter asks for.
///
/// # Errors
/// A query fails, in Athena's words.
pub(crate) async fn keys(
    session: &Session,
    args: &AthenaArgs,
    place: &S3Location,
    prefixes: &[Prefix],
    filter: &EventFilter,
) -> anyhow::Result<Vec<String>> {
    let client = Client::new(&session.config);
    let location = location(place, prefixes)?;
    // A table of that name over another bucket would answer with nothing, as if nothing had happened.
    let table = format!("{}_{}", args.table, &sha256(&location)[..8]);
    run(&client, args, &create_table(&table, &location))
        .await
        .context("make the table")?;
    let id = run(&client, args, &query(&table, prefixes, filter)).await?;
    let mut pages = client
        .get_query_results()
        .query_execution_id(&id)
        .into_paginator()
        .send();
    let (mut keys, mut is_header) = (Vec::new(), true);
    let root = format!("s3://{}/", place.bucket);
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| describe(format!("GetQueryResults {id}"), error))?;
        for row in page.result_set().map(|set| set.rows()).unwrap_or_default() {
            // The first row of the first page names the columns.
            if std::mem::take(&mut is_header) {
                continue;
            }
            let path = row
                .data()
                .first()
                .and_then(|datum| datum.var_char_value())
                .unwrap_or_default();
            let key = path.strip_prefix(&root).with_context(|| {
                format!("{path} is not in the bucket: --table is of another one")
            })?;
            keys.push(key.to_owned());
        }
    }
    keys.sort();
    Ok(keys)
}

async fn run(client: &Client, args: &AthenaArgs, sql: &str) -> anyhow::Result<String> {
    let results = args.query_results.as_ref().map(|location| {
        ResultConfiguration::builder()
            .output_location(location)
            .build()
    });
    let started = client
        .start_query_execution()
        .query_string(sql)
        .work_group(&args.workgroup)
        .set_result_configuration(results)
        .send()
        .await;
    let id = started
        .map_err(|error| describe("StartQueryExecution", error))?
        .query_execution_id;
    let id = id.context("StartQueryExecution: answer without ID")?;
    loop {
        let got = client
            .get_query_execution()
            .query_execution_id(&id)
            .send()
            .await;
        let got = got.map_err(|error| describe(format!("GetQueryExecution {id}"), error))?;
        let status = got.query_execution.and_then(|execution| execution.status);
        let reason = status
            .as_ref()
            .and_then(|status| status.state_change_reason().map(str::to_owned));
        match status.and_then(|status| status.state) {
            Some(QueryExecutionState::Succeeded) => return Ok(id),
            Some(QueryExecutionState::Queued | QueryExecutionState::Running) => {
                awsconf::sleep(PAUSE).await
            }
            state => bail!(
                "query {id}: {}: {}",
                state.map_or("no state".to_owned(), |state| state.to_string()),
                reason.unwrap_or_default()
            ),
        }
    }
}

/// Returns what the folders of all accounts are in: `AWSLogs/`, or `AWSLogs/o-example/` of an organization's trail.
fn location(place: &S3Location, prefixes: &[Prefix]) -> anyhow::Result<String> {
    let root = |prefix: &Prefix| {
        let end = format!("{}/CloudTrail/{}/", prefix.account, prefix.region);
        prefix
            .prefix
            .strip_suffix(&end)
            .unwrap_or_default()
            .to_owned()
    };
    let mut roots: Vec<String> = prefixes.iter().map(root).collect();
    roots.sort();
    roots.dedup();
    match roots.as_slice() {
        [root] => Ok(format!("s3://{}/{root}", place.bucket)),
        roots => bail!(
            "a table is over the files of one trail, but the bucket has those of {} ({}): choose with --account",
            roots.len(),
            roots.join(", ")
        ),
    }
}

/// Accounts and regions are injected: each query names those that the bucket has now, so that an account which joins
/// later is not missed.
/// <https://docs.aws.amazon.com/athena/latest/ug/partition-projection-supported-types.html#partition-projection-injected-type>
fn create_table(table: &str, location: &str) -> String {
    format!(
        "CREATE EXTERNAL TABLE IF NOT EXISTS {table} (\n\
         useridentity STRUCT<type:STRING,arn:STRING>, eventtime STRING, eventsource STRING, eventname STRING, \
         errorcode STRING, requestparameters STRING)\n\
         PARTITIONED BY (account STRING, region STRING, `timestamp` STRING)\n\
         ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'\n\
         STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat' \
         OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'\n\
         LOCATION '{location}'\n\
         TBLPROPERTIES ('projection.enabled'='true', 'projection.account.type'='injected', \
         'projection.region.type'='injected', 'projection.timestamp.type'='date', \
         'projection.timestamp.format'='yyyy/MM/dd', 'projection.timestamp.interval'='1', \
         'projection.timestamp.interval.unit'='DAYS', 'projection.timestamp.range'='2013/01/01,NOW+1DAY', \
         'storage.location.template'='{location}${{account}}/CloudTrail/${{region}}/${{timestamp}}')"
    )
}

fn query(table: &str, prefixes: &[Prefix], filter: &EventFilter) -> String {
    let mut accounts: Vec<&str> = prefixes
        .iter()
        .map(|prefix| prefix.account.as_str())
        .collect();
    let mut regions: Vec<&str> = prefixes
        .iter()
        .map(|prefix| prefix.region.as_str())
        .collect();
    accounts.dedup();
    regions.sort_unstable();
    regions.dedup();
    let mut conditions = vec![
        format!("account IN ({})", list(&accounts)),
        format!("region IN ({})", list(&regions)),
    ];
    let (first, last) = days(filter);
    conditions.extend(first.map(|day| format!("\"timestamp\" >= '{day}'")));
    conditions.extend(last.map(|day| format!("\"timestamp\" <= '{day}'")));
    // Times are ISO 8601 in UTC, so that texts compare as times do.
    let time = |time: jiff::Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    conditions.extend(
        filter
            .since
            .map(|since| format!("eventtime >= '{}'", time(since))),
    );
    conditions.extend(
        filter
            .until
            .map(|until| format!("eventtime <= '{}'", time(until))),
    );
    if !filter.events.is_empty() {
        let names: Vec<&str> = filter
            .events
            .iter()
            .map(|(_, name)| name.as_str())
            .collect();
        conditions.push(format!("eventname IN ({})", list(&names)));
    }
    // The other filters look into records; the files of those that are left are few.
    format!(
        "SELECT DISTINCT \"$path\" FROM {table} WHERE {}",
        conditions.join(" AND ")
    )
}

/// Returns values as a list of SQL; a quote is doubled.
fn list(values: &[&str]) -> String {
    let quoted = values
        .iter()
        .map(|value| format!("'{}'", value.replace('\'', "''")));
    quoted.collect::<Vec<_>>().join(", ")
}
