//! Node IDs in what `aws` prints: answers of DescribeInstances and DescribeInstanceInformation. Pure.

use anyhow::{Context, bail};
use serde_json::Value;

/// The lists of such answers, with the list in each of their entries, if there is one.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html>
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html>
const LISTS: [(&str, Option<&str>); 2] = [
    ("Reservations", Some("Instances")),
    ("InstanceInformationList", None),
];

/// Returns the IDs in an answer of AWS; none where a value is not one.
///
/// # Errors
/// An answer that is only a part, and an instance without an ID.
pub(crate) fn ids(value: &Value) -> anyhow::Result<Option<Vec<String>>> {
    let Some((key, inner)) = LISTS.iter().find(|(key, _)| value.get(key).is_some()) else {
        return Ok(None);
    };
    if let Some(part) = value.as_object().and_then(awsdata::part) {
        bail!(part);
    }
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned();
    let outer = list(value, key).with_context(|| format!("$.{key}: expected a list"))?;
    let instances: Vec<Value> = match inner {
        None => outer,
        Some(inner) => {
            let lists = outer.iter().map(|one| list(one, inner));
            let lists: Option<Vec<Vec<Value>>> = lists.collect();
            let lists = lists.with_context(|| format!("$.{key}[].{inner}: expected a list"))?;
            lists.concat()
        }
    };
    let ids = instances
        .iter()
        .map(|one| one["InstanceId"].as_str().map(str::to_owned));
    let ids: Option<Vec<String>> = ids.collect();
    ids.with_context(|| format!("$.{key}: an instance without InstanceId"))
        .map(Some)
}
