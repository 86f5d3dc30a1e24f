//! Nodes to commands: by place and document, up to 50 IDs each, the largest first. Pure.

use std::collections::BTreeMap;

use records::Choice;

/// As many nodes as one command may name.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html> (InstanceIds)
pub(crate) const MAX_NODES: usize = 50;

/// A node that a command is sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    /// Which of the run's accounts and regions it is in.
    pub(crate) place: usize,
    /// Which of the run's documents is for it.
    pub(crate) job: usize,
    pub(crate) instance_id: String,
    pub(crate) name: Option<String>,
}

/// What one command is sent to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) job: usize,
    pub(crate) nodes: Vec<Node>,
    /// How SSM chooses the nodes, instead of those.
    pub(crate) choice: Option<Choice>,
}

impl Batch {
    pub(crate) fn of_nodes(job: usize, nodes: Vec<Node>) -> Batch {
        Batch {
            job,
            nodes,
            choice: None,
        }
    }

    /// Returns the nodes of a resource group; only SSM knows which they are.
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Target.html>
    pub(crate) fn of_resource_group(job: usize, name: &str) -> Batch {
        let choice = Choice {
            key: "resource-groups:Name".to_owned(),
            values: vec![name.to_owned()],
        };
        Batch {
            job,
            nodes: Vec::new(),
            choice: Some(choice),
        }
    }
}

/// Returns the commands for each place. The largest go first: when something stops the run, most is done.
pub(crate) fn batches(nodes: Vec<Node>) -> BTreeMap<usize, Vec<Batch>> {
    let mut groups: BTreeMap<(usize, usize), Vec<Node>> = BTreeMap::new();
    for node in nodes {
        let group = groups.entry((node.place, node.job)).or_default();
        group.push(node);
    }
    let mut by_place: BTreeMap<usize, Vec<Batch>> = BTreeMap::new();
    for ((place, job), nodes) in groups {
        let batches = by_place.entry(place).or_default();
        let mut nodes = nodes.into_iter().peekable();
        while nodes.peek().is_some() {
            let nodes = nodes.by_ref().take(MAX_NODES).collect();
            batches.push(Batch::of_nodes(job, nodes));
        }
    }
    for batches in by_place.values_mut() {
        batches.sort_by_key(|batch| std::cmp::Reverse(batch.nodes.len()));
    }
    by_place
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, proptest};

    use super::{MAX_NODES, Node, batches};

    proptest! {
        #[test]
        fn every_node_is_in_exactly_one_command(kinds in proptest::collection::vec((0..3usize, 0..2usize, any::<bool>()), 0..400)) {
            let nodes: Vec<Node> = kinds.iter().enumerate().map(|(number, (place, job, is_named))| Node {
                place: *place, job: *job, instance_id: format!("i-{number:017x}"), name: is_named.then(|| "x".to_owned()),
            }).collect();
            let mut found = Vec::new();
            for (place, batches) in batches(nodes.clone()) {
                let sizes: Vec<usize> = batches.iter().map(|batch| batch.nodes.len()).collect();
                assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
                assert!(sizes.iter().all(|size| (1..=MAX_NODES).contains(size)), "{sizes:?}");
                for batch in batches {
                    assert!(batch.nodes.iter().all(|node| node.job == batch.job && node.place == place));
                    found.extend(batch.nodes);
                }
            }
            found.sort_by(|a, b| a.instance_id.cmp(&b.instance_id));
            assert_eq!(found, nodes);
        }
    }
}
