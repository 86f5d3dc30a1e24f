//! Rows of CloudTrail Lake and of Athena. Columns are the members of a record, Athena's in lower case; what is not a text there is
//! JSON, or the text form of a structure: `{type=IAMUser, arn=arn:aws:iam::111122223333:user/ann}`.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_GetQueryResults.html>
//! <https://docs.aws.amazon.com/athena/latest/ug/cloudtrail-logs.html>
//! <https://docs.aws.amazon.com/athena/latest/APIReference/API_Row.html>

use serde_json::{Map, Value};

use crate::nameless;
use crate::names::name;
use crate::structure;
use crate::value::parse;

/// What a row is: a record, none (`None`), or what cannot be read in it.
pub(crate) type Row = Result<Option<Value>, String>;

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
pub(crate) fn of_lake(items: &[Value]) -> Row {
    let mut row = Map::new();
    for item in items {
        let Some(members) = item.as_object().filter(|members| members.len() == 1) else {
            return Ok(None);
        };
        row.extend(
            members
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
    }
    of_row(&row)
}

/// Returns the record of a row whose columns are members.
pub(crate) fn of_athena(members: &Map<String, Value>) -> Row {
    match members.keys().any(|name| nameless::is_column(name)) {
        true => of_row(members),
        false => Ok(None),
    }
}

/// Returns the rows of an answer of CloudTrail Lake or of Athena's GetQueryResults, each with the value it has where it is no
/// record; `None` for what is not such a answer.
pub(crate) fn of_answer(members: &Map<String, Value>) -> Option<Vec<(Row, Value)>> {
    if let Some(Value::Array(rows)) = members.get("QueryResultRows") {
        let of_row = |row: &Value| row.as_array().map_or(Ok(None), |items| of_lake(items));
        return Some(rows.iter().map(|row| (of_row(row), row.clone())).collect());
    }
    let set = members.get("ResultSet")?;
    let mut rows = set["Rows"].as_array()?.as_slice();
    let described = set["ResultSetMetadata"]["ColumnInfo"].as_array();
    let described = described.map(|columns| columns.iter().map(|column| text(&column["Name"])));
    // The first row names the columns, on the first page only.
    let first: Vec<String> = rows.first().map(cells).iter().flatten().map(text).collect();
    let names = match described.map(Iterator::collect::<Vec<_>>) {
        Some(names) if !names.is_empty() => names,
        _ if is_header(&first) => first.clone(),
        _ if rows.is_empty() => Vec::new(),
        _ => {
            let why = "a page of Athena that does not say what its columns are".to_owned();
            return Some(vec![(Err(why), Value::Null)]);
        }
    };
    if first == names {
        rows = rows.get(1..).unwrap_or_default();
    }
    let record = |row: &Value| {
        let row: Map<String, Value> = names.iter().cloned().zip(cells(row)).collect();
        (of_row(&row), Value::Object(row))
    };
    Some(rows.iter().map(record).collect())
}

fn cells(row: &Value) -> Vec<Value> {
    let data = row["Data"].as_array().into_iter().flatten();
    data.map(|cell| cell["VarCharValue"].clone()).collect()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn is_header(cells: &[String]) -> bool {
    let names = ["eventname", "eventsource"];
    names
        .iter()
        .all(|name| cells.iter().any(|cell| cell.eq_ignore_ascii_case(name)))
}

fn of_row(row: &Map<String, Value>) -> Row {
    let (mut record, mut unread) = (Map::new(), None);
    for (column, value) in row {
        let name = name(column);
        let value = match value {
            Value::String(text) => cell(name, text).unwrap_or_else(|| {
                let why =
                    format!("its {name} is not a structure that can be distinguished from text");
                unread.get_or_insert(why);
                Value::Null
            }),
            other => other.clone(),
        };
        record.insert(name.to_owned(), value);
    }
    match (nameless::is_named(&record), unread) {
        (true, None) => Ok(Some(Value::Object(record))),
        (true, Some(why)) => Err(why),
        (false, _) => nameless::damage(&record).map_or(Ok(None), Err),
    }
}

/// Returns what a cell holds; `None` for a structure that is not read. As a text it would hide what was asked for.
fn cell(name: &str, text: &str) -> Option<Value> {
    if text.is_empty() || text == "null" {
        return Some(Value::Null);
    }
    if name == "eventTime" {
        return Some(Value::from(time(text)));
    }
    if !STRUCTURES.contains(&name) {
        return Some(Value::from(text));
    }
    let parsed = parse(text).ok();
    parsed
        .filter(|value| value.is_object() || value.is_array())
        .or_else(|| structure::of(text))
}

/// Returns a time as records have it. Athena writes `2026-11-01 09:00:00.000`, and a zone behind it where the type of the column
/// has one: only UTC is what records have.
/// <https://docs.aws.amazon.com/athena/latest/ug/data-types.html>
fn time(text: &str) -> String {
    let plain = text.strip_suffix(" UTC").unwrap_or(text);
    // A time without zone, up to the second and as a fraction of it.
    let (whole, fraction) = plain.split_once('.').unwrap_or((plain, "0"));
    let shape: String = whole
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    let is_fraction = !fraction.is_empty() && fraction.bytes().all(|byte| byte.is_ascii_digit());
    match whole.split_once(' ') {
        Some((day, clock)) if shape == "0000-00-00 00:00:00" && is_fraction => {
            format!("{day}T{clock}Z")
        }
        _ => text.to_owned(),
    }
}
