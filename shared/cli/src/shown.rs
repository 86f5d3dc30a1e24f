//! What another tool's `show` printed into a file. Nothing else passes for it: records that say nothing would be taken for "nothing there".

use std::path::Path;

use anyhow::{Context, bail};
use records::Unreachable;
use serde::de::DeserializeOwned;

use crate::IoArgs;
use crate::mistakes::{from_value, kin};

/// Returns what `show` of a tool printed into a file: its records, all of one kind, and where it could read nothing; at least one of
/// either, for the tool prints one for every account and region.
///
/// # Errors
/// As [`read_listed`], and: nothing there, as when the command that was to print it has failed.
pub fn read_shown<T: DeserializeOwned>(
    path: &Path,
    what: &str,
    (kind, tool): (&str, &str),
) -> anyhow::Result<(Vec<T>, Vec<Unreachable>)> {
    let (records, unreachable) = read_listed(path, what, (kind, tool))?;
    if records.is_empty() && unreachable.is_empty() {
        bail!(
            "read {what} from {}: the input is empty: pipe in what `{tool} show` prints",
            path.display()
        );
    }
    Ok((records, unreachable))
}

/// As [`read_shown`], of a tool that prints one record for each thing that is there, such as a node: there may be none.
///
/// # Errors
/// As [`crate::read_records`], and: a record of another kind, or of none.
pub fn read_listed<T: DeserializeOwned>(
    path: &Path,
    what: &str,
    (kind, tool): (&str, &str),
) -> anyhow::Result<(Vec<T>, Vec<Unreachable>)> {
    let (mut records, mut unreachable) = (Vec::new(), Vec::new());
    crate::for_each_record(&IoArgs::of_file(path), what, |record: serde_json::Value| {
        let number = records.len() + unreachable.len() + 1;
        let place = || format!("record {number}");
        match record["kind"].as_str() {
            Some("unreachable") => unreachable.push(from_value(&record).with_context(place)?),
            Some(one) if one == kind => records.push(from_value(&record).with_context(place)?),
            _ => {
                let other = kin("", &record);
                let other = other.as_deref().unwrap_or("a value without a kind");
                bail!("record {number}: expected what `{tool} show` prints, found {other}");
            }
        }
        Ok(())
    })?;
    Ok((records, unreachable))
}

#[cfg(test)]
mod tests {
    use super::{read_listed, read_shown};
    use crate::from_value;

    #[derive(serde::Deserialize)]
    #[serde(default)]
    struct Node {
        kind: String,
    }

    impl Default for Node {
        fn default() -> Node {
            Node {
                kind: "node".to_owned(),
            }
        }
    }

    #[test]
    fn what_show_does_not_print_is_refused() {
        let path = std::env::temp_dir().join(format!("cli-shown-{}-x.json", std::process::id()));
        let of = ("node", "ssm-x");
        for (text, expected) in [
            ("{}", "found a value without a kind"),
            ("[]", "found a value without a kind"),
            ("{\"kind\":7}", "found a value without a kind"),
            (
                "{\"policy_name\":\"p\"}",
                "found a desired state of ssm-scp",
            ),
            (
                "{\"kind\":\"node\"} {\"kind\":\"plan\"}",
                "record 2: expected what `ssm-x show` prints, found a record of kind plan",
            ),
            ("", "the input is empty: pipe in what `ssm-x show` prints"),
        ] {
            std::fs::write(&path, text).unwrap();
            let read = read_shown::<Node>(&path, "nodes", of);
            let complaint = format!("{:#}", read.err().unwrap());
            assert!(complaint.contains(expected), "{text}: {complaint}");
            assert!(complaint.contains("x.json"), "{complaint}");
        }
        std::fs::write(&path, "\n").unwrap();
        assert!(
            read_listed::<Node>(&path, "nodes", of)
                .unwrap()
                .0
                .is_empty()
        );
        std::fs::write(&path, "{\"kind\":\"node\"}").unwrap();
        let (nodes, _) = read_shown::<Node>(&path, "nodes", of).unwrap();
        assert_eq!(nodes.len(), 1);
        std::fs::remove_file(&path).unwrap();
        // The type alone would have taken it.
        assert_eq!(
            from_value::<Node>(&serde_json::json!({})).unwrap().kind,
            "node"
        );
    }
}
