//! One event as a row of comma-separated values (RFC 4180).

use anyhow::Context;
use serde_json::json;

use crate::records::record::Event;

/// The columns.
pub(crate) const HEADER: &str = "time,event,outcome,principal_type,principal,session_name,mfa,source_address,account,region,\
                          nodes,document,reason,session_id,command_id,parameters,error,error_message,event_id,service";

pub(super) fn row(event: &Event) -> anyhow::Result<String> {
    let outcome = json!(event.outcome);
    let (nodes, parameters) = (event.nodes.join(" "), event.parameters.join("; "));
    let who = &event.who;
    let mfa = who.mfa.map(|mfa| mfa.to_string()).unwrap_or_default();
    let fields = [
        &event.time,
        &event.event,
        outcome.as_str().unwrap_or_default(),
        &who.principal_type,
        &who.principal,
        &who.session_name,
        &mfa,
        &event.source_address,
        &event.account,
        &event.region,
        &nodes,
        &event.document,
        &event.reason,
        &event.session_id,
        &event.command_id,
        &parameters,
        &event.error,
        &event.error_message,
        &event.event_id,
        event.service(),
    ];
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(fields.map(cli::inert))?;
    let bytes = writer.into_inner().context("write a row")?;
    Ok(String::from_utf8(bytes)?.trim_end().to_owned())
}
