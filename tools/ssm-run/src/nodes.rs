//! What stands on stdin to nodes: records, IDs, places, answers of AWS, lists of all of them. Pure.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, bail};
use cli::{Target, Unreachable};
use records::{EcsTarget, InstanceId, Node};
use serde::Deserialize;
use serde_json::Value;

use crate::answers;

/// Everything that the input names, each thing once.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) nodes: Vec<AskedNode>,
    /// Accounts and regions without nodes, for tags and resource groups.
    pub(crate) places: Vec<Target>,
    /// What could not be read when the records were made; passed on.
    pub(crate) unreachable: Vec<Unreachable>,
}

/// A node as far as the input describes it.
#[derive(Debug)]
pub(crate) struct AskedNode {
    /// Null for a bare ID, which is where the flags say.
    pub(crate) target: Option<Target>,
    pub(crate) instance_id: String,
    /// What a record says of it.
    pub(crate) record: Option<Box<Node>>,
}

/// A node's ID and place, as they are in the records of other tools and in our own.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeAddress {
    target: Target,
    instance_id: Option<String>,
}

/// Reads records and IDs in any order: JSON values one after another, bare IDs parted by white space or commas, comments after `#`.
///
/// # Errors
/// Malformed JSON, a record of another kind, a word that is not an ID; each with its line.
pub(crate) fn parse(text: &str) -> anyhow::Result<Asked> {
    let mut asked = Asked::default();
    let mut seen = BTreeSet::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    let whole = rest.len();
    let line_of = |at: usize| 1 + text[..at.min(text.len())].matches('\n').count();
    loop {
        rest = rest.trim_start_matches(is_between);
        let at = whole - rest.len();
        if rest.is_empty() {
            return Ok(asked);
        }
        if rest.starts_with('#') {
            rest = rest.find('\n').map_or("", |end| &rest[end..]);
        } else if rest.starts_with(['{', '[', '"']) {
            let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
            let value = match values.next() {
                Some(Ok(value)) => value,
                Some(Err(error)) => {
                    let (line, column) = (line_of(at) + error.line() - 1, error.column());
                    let message = error.to_string();
                    let message = message.split(" at line ").next().unwrap_or_default();
                    bail!("{message} at line {line} column {column}")
                }
                None => return Ok(asked),
            };
            rest = &rest[values.byte_offset()..];
            let place = || format!("line {}", line_of(at));
            add(&mut asked, &mut seen, value).with_context(place)?;
        } else {
            let end = rest
                .find(|c: char| is_between(c) || c == '#')
                .unwrap_or(rest.len());
            let id = &rest[..end];
            let place = || format!("line {}", line_of(at));
            add_node(&mut asked, &mut seen, None, id, None).with_context(place)?;
            rest = &rest[end..];
        }
    }
}

/// Commas as in `--instance-ids i-1,i-2`, and tabs as in `--output text`.
fn is_between(c: char) -> bool {
    c.is_whitespace() || c == ','
}

/// Returns the accounts and regions of nodes, that of bare IDs first, and each node with the number of its own. A node that
/// was given both as an ID and as a record is there once.
pub(crate) fn by_target(
    nodes: Vec<AskedNode>,
    home: Option<&Target>,
) -> (Vec<Target>, Vec<(usize, AskedNode)>) {
    let key = |target: &Target| (target.account.clone(), target.region.clone());
    let mut targets: Vec<Target> = home.into_iter().cloned().collect();
    let mut numbers: BTreeMap<(String, String), usize> = BTreeMap::new();
    numbers.extend(home.map(|home| (key(home), 0)));
    let mut seen = BTreeSet::new();
    let mut seated = Vec::new();
    for node in nodes {
        let number = match &node.target {
            None => 0,
            Some(target) => *numbers.entry(key(target)).or_insert_with(|| {
                targets.push(target.clone());
                targets.len() - 1
            }),
        };
        if seen.insert((number, node.instance_id.clone())) {
            seated.push((number, node));
        }
    }
    (targets, seated)
}

/// The IDs that were seen, each with its place.
type Seen = BTreeSet<(String, Option<(String, String)>)>;

fn add(asked: &mut Asked, seen: &mut Seen, value: Value) -> anyhow::Result<()> {
    if let Value::Array(values) = value {
        // A list of what may stand alone; `--query` makes lists of lists of IDs.
        let mut values = values.into_iter().enumerate();
        return values.try_for_each(|(index, value)| {
            add(asked, seen, value).with_context(|| format!("[{index}]"))
        });
    }
    if let Some(ids) = answers::ids(&value)? {
        let mut ids = ids.iter();
        return ids.try_for_each(|id| add_node(asked, seen, None, id, None));
    }
    match value.get("kind").and_then(Value::as_str) {
        Some("node") => {
            let node: Node = cli::from_value(&value)?;
            let (target, id) = (node.target.clone(), node.instance_id.clone());
            add_node(asked, seen, Some(target), &id, Some(Box::new(node)))
        }
        // What failed may be tried again: `jq 'select(.status != "Success")'` of our own records.
        Some("invocation") => {
            let place =
                serde_json::json!({"target": value["target"], "instance_id": value["instance_id"]});
            let NodeAddress {
                target,
                instance_id,
            } = cli::from_value(&place)?;
            let id = instance_id.context("$.instance_id: expected an ID")?;
            add_node(asked, seen, Some(target), &id, None)
        }
        Some("unreachable") => {
            asked.unreachable.push(cli::from_value(&value)?);
            Ok(())
        }
        Some(other) => {
            bail!("a record of kind '{other}': expected nodes, as ssm-agentcheck show prints them")
        }
        None if value.is_string() => {
            let id = value.as_str().unwrap_or_default();
            add_node(asked, seen, None, id, None)
        }
        None => {
            let NodeAddress {
                target,
                instance_id,
            } = cli::from_value(&value)?;
            match instance_id {
                Some(id) => add_node(asked, seen, Some(target), &id, None),
                None => {
                    if !asked.places.contains(&target) {
                        asked.places.push(target);
                    }
                    Ok(())
                }
            }
        }
    }
}

fn add_node(
    asked: &mut Asked,
    seen: &mut Seen,
    target: Option<Target>,
    id: &str,
    record: Option<Box<Node>>,
) -> anyhow::Result<()> {
    if EcsTarget::parse(id).is_some()
        && let Err(error) = id.parse::<InstanceId>()
    {
        bail!("{}", error.escape_default());
    }
    if id.parse::<InstanceId>().is_err() {
        let shown: String = id.chars().take(60).collect();
        bail!(
            "'{}' is not the ID of a node such as i-0123456789abcdef0 or mi-0123456789abcdef0",
            shown.escape_default()
        );
    }
    let place = target
        .as_ref()
        .map(|target| (target.account.clone(), target.region.clone()));
    if seen.insert((id.to_owned(), place)) {
        asked.nodes.push(AskedNode {
            target,
            instance_id: id.to_owned(),
            record,
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use cli::Target;

    use super::{by_target, parse};

    fn complaint(text: &str) -> String {
        format!("{:#}", parse(text).unwrap_err())
    }

    #[test]
    fn containers_of_ecs_are_called_what_they_are() {
        let said =
            complaint("ecs:prod_0123456789abcdef0123456789abcdef_0123456789abcdef-1234567890");
        let expected =
            "is a container of ECS task 0123456789abcdef0123456789abcdef in cluster prod";
        assert!(said.contains(expected), "{said}");
    }

    #[test]
    fn reads_ids_and_places_in_any_order_each_once() {
        let text = "i-0123456789abcdef0 # web\n\n# all\nmi-0123456789abcdef0\n\"i-01234567\" i-0123456789abcdef0\n\
            {\"target\": {\"account\": \"111122223333\",\n \"region\": \"us-east-1\"}, \"instance_id\": \"i-0123456789abcdef0\"}\n\
            {\"target\":{\"account\":\"111122223333\",\"region\":\"us-east-1\"}}\n";
        let asked = parse(text).unwrap();
        let ids: Vec<_> = asked
            .nodes
            .iter()
            .map(|node| (node.instance_id.as_str(), node.target.is_some()))
            .collect();
        let expected = [
            ("i-0123456789abcdef0", false),
            ("mi-0123456789abcdef0", false),
            ("i-01234567", false),
            ("i-0123456789abcdef0", true),
        ];
        assert_eq!(ids, expected);
        assert_eq!(asked.places.len(), 1);
        assert!(parse(" \n").unwrap().nodes.is_empty());
    }

    fn ids(text: &str) -> Vec<String> {
        let nodes = parse(text).unwrap().nodes.into_iter();
        nodes.map(|node| node.instance_id).collect()
    }

    #[test]
    fn ids_are_read_as_others_print_them() {
        let expected = ["i-0123456789abcdef0", "i-01234567"];
        for text in [
            "i-0123456789abcdef0,i-01234567,\n",
            "i-0123456789abcdef0\ti-01234567\n",
            "[\n    \"i-0123456789abcdef0\",\n    \"i-01234567\"\n]\n",
            "[[\"i-0123456789abcdef0\"], [\"i-01234567\"]]",
            "[\"i-0123456789abcdef0\"], [\"i-01234567\"]",
            r#"{"Reservations": [{"OwnerId": "1", "Instances": [{"InstanceId": "i-0123456789abcdef0", "State": {"Name": "running"}}]},
                {"Instances": [{"InstanceId": "i-01234567"}]}]}"#,
            r#"{"InstanceInformationList": [{"InstanceId": "i-0123456789abcdef0"}, {"InstanceId": "i-01234567"}]}"#,
        ] {
            assert_eq!(ids(text), expected, "{text}");
        }
        assert_eq!(ids(r#"{"Reservations": []}"#), [""; 0]);
    }

    #[test]
    fn lists_may_hold_records_and_places_are_named_in_errors() {
        let target = r#"{"account": "111122223333", "region": "us-east-1"}"#;
        let text = format!(
            r#"[{{"target": {target}, "instance_id": "i-01234567"}}, "i-0123456789abcdef0"]"#
        );
        assert_eq!(ids(&text), ["i-01234567", "i-0123456789abcdef0"]);
        assert_eq!(
            complaint("[\"i-01234567\", [\"web-1\"]]"),
            "line 1: [1]: [0]: 'web-1' is not the ID of a node such as i-0123456789abcdef0 or mi-0123456789abcdef0"
        );
        for (text, expected) in [
            (
                r#"{"Reservations": [], "NextToken": "x"}"#,
                "line 1: the answer is only a part, as its NextToken says",
            ),
            (
                r#"{"Reservations": [{"Groups": []}]}"#,
                "line 1: $.Reservations[].Instances: expected a list",
            ),
            (
                r#"{"InstanceInformationList": [{"PingStatus": "Online"}]}"#,
                "line 1: $.InstanceInformationList: an instance without InstanceId",
            ),
        ] {
            assert!(complaint(text).starts_with(expected), "{}", complaint(text));
        }
    }

    #[test]
    fn a_bare_id_is_at_home_and_no_node_is_there_twice() {
        let text = "i-0123456789abcdef0 {\"target\":{\"account\":\"111122223333\",\"region\":\"us-east-1\"},\"instance_id\":\"i-0123456789abcdef0\"}\
            {\"target\":{\"account\":\"111122223333\",\"region\":\"us-east-2\"},\"instance_id\":\"i-0123456789abcdef0\"}";
        let home = Target {
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
        };
        let (targets, seated) = by_target(parse(text).unwrap().nodes, Some(&home));
        let numbers: Vec<usize> = seated.iter().map(|(number, _)| *number).collect();
        assert_eq!((targets.len(), numbers), (2, vec![0, 1]));
    }

    #[test]
    fn an_error_names_its_line() {
        assert_eq!(
            complaint("i-01234567\n{\"target\": }"),
            "expected value at line 2 column 12"
        );
        assert_eq!(
            complaint("\n\nweb-1\n"),
            "line 3: 'web-1' is not the ID of a node such as i-0123456789abcdef0 or mi-0123456789abcdef0"
        );
        assert_eq!(
            complaint("{\"kind\": \"finding\"}"),
            "line 1: a record of kind 'finding': expected nodes, as ssm-agentcheck show prints them"
        );
        assert!(
            complaint("{\"target\": {\"account\": 1}}").starts_with("line 1: $.target.account: ")
        );
    }
}
