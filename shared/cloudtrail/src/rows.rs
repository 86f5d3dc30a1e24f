//! Rows of CloudTrail Lake and of Athena. Columns are the members of a record, Athena's in lower case; what is not a text there is JSON, or
//! the text form of a structure: `{type=IAMUser, arn=arn:aws:iam::111122223333:user/ann}`.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetQueryResults.html>
//! <https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html>
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_Row.html>

use serde_json::{Map, Value};

/// Names as CloudTrail writes them, of records and of what is in structures.
const NAMES: [&str; 44] = [
    "accessKeyId",
    "accountId",
    "additionalEventData",
    "annotation",
    "apiVersion",
    "arn",
    "attributes",
    "awsRegion",
    "creationDate",
    "errorCode",
    "errorMessage",
    "eventCategory",
    "eventID",
    "eventName",
    "eventSource",
    "eventTime",
    "eventType",
    "eventVersion",
    "federatedProvider",
    "identityStoreArn",
    "inScopeOf",
    "invokedBy",
    "managementEvent",
    "mfaAuthenticated",
    "onBehalfOf",
    "principalId",
    "readOnly",
    "recipientAccountId",
    "requestID",
    "requestParameters",
    "resources",
    "responseElements",
    "serviceEventDetails",
    "sessionContext",
    "sessionIssuer",
    "sharedEventID",
    "sourceIPAddress",
    "tlsDetails",
    "type",
    "userAgent",
    "userId",
    "userIdentity",
    "userName",
    "vpcEndpointId",
];
/// Members that hold structures.
const STRUCTURES: [&str; 8] = [
    "userIdentity",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "resources",
    "serviceEventDetails",
    "tlsDetails",
    "sessionContext",
];

/// Returns the record of a row of GetQueryResults of CloudTrail Lake: a list of objects of one member each.
pub(crate) fn of_lake(items: &[Value]) -> Option<Value> {
    let mut row = Map::new();
    for item in items {
        let members = item.as_object().filter(|members| members.len() == 1)?;
        row.extend(
            members
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    of_row(&row)
}

/// Returns the record of a row whose columns are members.
pub(crate) fn of_athena(members: &Map<String, Value>) -> Option<Value> {
    let names = ["eventname", "eventsource"];
    names
        .iter()
        .all(|name| members.contains_key(*name))
        .then(|| of_row(members))?
}

/// Returns the records of an answer of CloudTrail Lake or of Athena's GetQueryResults.
pub(crate) fn of_answer(members: &mut Map<String, Value>) -> Option<Vec<Value>> {
    if let Some(Value::Array(rows)) = members.get("QueryResultRows") {
        let of_row = |row: &Value| of_lake(row.as_array()?);
        return Some(
            rows.iter()
                .map(|row| of_row(row).unwrap_or_else(|| row.clone()))
                .collect(),
        );
    }
    let rows = members.get("ResultSet")?["Rows"].as_array()?;
    let cells = |row: &Value| -> Vec<Value> {
        let data = row["Data"].as_array().into_iter().flatten();
        data.map(|cell| cell["VarCharValue"].clone()).collect()
    };
    // The first row names the columns.
    let names: Vec<String> = cells(rows.first()?)
        .iter()
        .map(|name| name.as_str().unwrap_or_default().to_owned())
        .collect();
    let record = |row: &Value| {
        let row: Map<String, Value> = names.iter().cloned().zip(cells(row)).collect();
        of_row(&row).unwrap_or(Value::Object(row))
    };
    Some(rows.iter().skip(1).map(record).collect())
}

fn of_row(row: &Map<String, Value>) -> Option<Value> {
    let mut record = Map::new();
    for (column, value) in row {
        let name = name(column);
        let value = match value {
            Value::String(text) => cell(name, text),
            other => other.clone(),
        };
        record.insert(name.to_owned(), value);
    }
    let is_text = |name: &str| record.get(name).is_some_and(Value::is_string);
    (is_text("eventName") && is_text("eventSource")).then_some(Value::Object(record))
}

fn name(column: &str) -> &str {
    let known = NAMES.iter().find(|name| name.eq_ignore_ascii_case(column));
    known.copied().unwrap_or(column)
}

fn cell(name: &str, text: &str) -> Value {
    if text.is_empty() || text == "null" {
        return Value::Null;
    }
    if name == "eventTime" {
        return Value::from(time(text));
    }
    if !STRUCTURES.contains(&name) || !text.starts_with(['{', '[']) {
        return Value::from(text);
    }
    let parsed = serde_json::from_str(text).ok();
    parsed
        .or_else(|| Structure(text).whole())
        .unwrap_or_else(|| Value::from(text))
}

/// Returns a time as records have it: `2026-11-01 09:00:00.000` is UTC.
fn time(text: &str) -> String {
    match text.split_once(' ') {
        Some((day, clock)) if text.len() >= 19 && text.is_ascii() => {
            format!("{day}T{}Z", clock.get(..8).unwrap_or(clock))
        }
        _ => text.to_owned(),
    }
}

/// The text form of a structure. No name in it has a space, so that a comma and a space only stand between members.
struct Structure<'t>(&'t str);

impl Structure<'_> {
    fn whole(mut self) -> Option<Value> {
        let value = self.value(0)?;
        self.0.is_empty().then_some(value)
    }

    fn value(&mut self, depth: usize) -> Option<Value> {
        // A deeper one is none of CloudTrail's.
        if depth > 16 {
            return None;
        }
        match self.0.chars().next() {
            Some('{') => self.members(depth),
            Some('[') => self.items(depth),
            _ => {
                let ends = [", ", "}", "]"]
                    .into_iter()
                    .filter_map(|end| self.0.find(end));
                let end = ends.min().unwrap_or(self.0.len());
                let (text, rest) = self.0.split_at(end);
                self.0 = rest;
                Some(match text {
                    "null" | "" => Value::Null,
                    text => Value::from(text),
                })
            }
        }
    }

    fn members(&mut self, depth: usize) -> Option<Value> {
        self.0 = self.0.strip_prefix('{')?;
        let mut members = Map::new();
        while !self.0.starts_with('}') {
            let (key, rest) = self.0.split_once('=')?;
            self.0 = rest;
            let value = self.value(depth + 1)?;
            members.insert(name(key.trim()).to_owned(), value);
            self.0 = self.0.strip_prefix(", ").unwrap_or(self.0);
        }
        self.0 = self.0.strip_prefix('}')?;
        Some(Value::Object(members))
    }

    fn items(&mut self, depth: usize) -> Option<Value> {
        self.0 = self.0.strip_prefix('[')?;
        let mut items = Vec::new();
        while !self.0.starts_with(']') {
            if self.0.is_empty() {
                return None;
            }
            items.push(self.value(depth + 1)?);
            self.0 = self.0.strip_prefix(", ").unwrap_or(self.0);
        }
        self.0 = self.0.strip_prefix(']')?;
        Some(Value::Array(items))
    }
}
