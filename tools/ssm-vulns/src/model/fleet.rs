//! What is installed on a fleet. Most nodes have most of their packages in common, so each distinct package is kept once,
//! with the nodes that have it.

use std::collections::HashMap;
use std::hash::Hash;

use records::Target;

use super::package::Package;
use super::patches::Scans;
use super::system::System;

/// A node and the packages on it.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) target: Option<Target>,
    pub(crate) instance_id: String,
    pub(crate) name: Option<String>,
    /// `ACCOUNT/REGION/INSTANCE`, or what an SBOM calls the node.
    pub(crate) full_name: String,
    /// Its place among all nodes by that name, once all are there.
    pub(crate) rank: u32,
    pub(crate) system: usize,
    packages: Vec<usize>,
    /// What of it is not a package: how many texts, and the first of them.
    pub(crate) unread: Option<(usize, String)>,
}

impl Node {
    /// Returns the name of the file of its SBOM, of characters that every file system takes.
    pub(crate) fn file_name(&self) -> String {
        file_name(self.target.as_ref(), &self.instance_id)
    }
}

/// As [`Node::file_name`], of a node that is not of a fleet.
pub(crate) fn file_name(target: Option<&Target>, instance_id: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let place = target.map(|Target { account, region }| format!("{account}_{region}_"));
    let name = format!("{}{instance_id}", place.unwrap_or_default());
    let plain = name.chars().map(|c| if is_plain(c) { c } else { '-' });
    format!("{}.cdx.json", plain.collect::<String>())
}

/// A package of one version on one release of a distribution.
#[derive(Clone, Debug)]
pub(crate) struct Installed {
    pub(crate) system: usize,
    pub(crate) package: Package,
    /// The nodes that have it, by their places.
    pub(crate) nodes: Vec<u32>,
}

/// All nodes, systems and packages, each by its place.
#[derive(Debug, Default)]
pub(crate) struct Fleet {
    pub(crate) nodes: Vec<Node>,
    pub(crate) systems: Vec<System>,
    pub(crate) installed: Vec<Installed>,
    /// What Patch Manager says of the nodes.
    pub(crate) scans: Scans,
    place_of_node: HashMap<(Option<Target>, String), usize>,
    place_of_system: HashMap<(System, String), usize>,
    /// Places by system and text, which is what a package was made from.
    known: Vec<HashMap<Box<str>, usize>>,
}

impl Fleet {
    /// Adds a node with its packages, each given by a text that is made a package once. A node that is there already is
    /// replaced: what was asked later is newer.
    pub(crate) fn add<'t>(
        &mut self,
        (target, instance_id, name): (Option<Target>, String, Option<String>),
        (system, arch): (System, &str),
        texts: impl Iterator<Item = &'t str>,
        package: impl Fn(&str) -> Option<Package>,
    ) {
        let n_systems = self.systems.len();
        let system = *place(
            &mut self.place_of_system,
            (system.clone(), arch.to_owned()),
            n_systems,
            || {
                self.systems.push(system);
                self.known.push(HashMap::new());
            },
        );
        let known = &mut self.known[system];
        let (mut packages, mut unread) = (Vec::new(), None);
        for text in texts {
            let at = match known.get(text) {
                Some(at) => *at,
                None => {
                    let Some(package) = package(text) else {
                        let (n_unread, _) = unread.get_or_insert_with(|| (0, text.to_owned()));
                        *n_unread += 1;
                        continue;
                    };
                    let at = self.installed.len();
                    known.insert(text.into(), at);
                    self.installed.push(Installed {
                        system,
                        package,
                        nodes: Vec::new(),
                    });
                    at
                }
            };
            packages.push(at);
        }
        let full_name = match &target {
            Some(target) => format!("{target}/{instance_id}"),
            None => instance_id.clone(),
        };
        let node = Node {
            full_name,
            rank: 0,
            target: target.clone(),
            instance_id: instance_id.clone(),
            name,
            system,
            packages,
            unread,
        };
        let n_nodes = self.nodes.len();
        let at = *place(
            &mut self.place_of_node,
            (target, instance_id),
            n_nodes,
            || {},
        );
        match self.nodes.get_mut(at) {
            Some(before) => *before = node,
            None => self.nodes.push(node),
        }
    }

    /// Returns whether a node is there.
    pub(crate) fn has(&self, target: Option<&Target>, instance_id: &str) -> bool {
        self.place_of_node
            .contains_key(&(target.cloned(), instance_id.to_owned()))
    }

    /// Says of each package which nodes have it, once all are there.
    pub(crate) fn complete(&mut self) {
        for (at, node) in self.nodes.iter_mut().enumerate() {
            let Ok(at) = u32::try_from(at) else { break };
            for package in std::mem::take(&mut node.packages) {
                let nodes = &mut self.installed[package].nodes;
                if nodes.last() != Some(&at) {
                    nodes.push(at);
                }
            }
        }
        // Of a node that was replaced.
        self.known.clear();
        let mut by_name: Vec<usize> = (0..self.nodes.len()).collect();
        by_name.sort_unstable_by(|one, other| {
            self.nodes[*one]
                .full_name
                .cmp(&self.nodes[*other].full_name)
        });
        for (rank, at) in (0..).zip(by_name) {
            self.nodes[at].rank = rank;
        }
    }
}

/// Returns the place of a key, which is the next one if the key is new; `add` puts it there.
fn place<K: Eq + Hash>(
    places: &mut HashMap<K, usize>,
    key: K,
    next: usize,
    add: impl FnOnce(),
) -> &usize {
    places.entry(key).or_insert_with(|| {
        add();
        next
    })
}

#[cfg(test)]
mod tests {
    use super::Fleet;
    use crate::model::package::Package;
    use crate::model::system::System;

    #[test]
    fn a_package_is_kept_once_and_a_node_as_it_was_asked_last() {
        let mut fleet = Fleet::default();
        let mut add = |id: &str, lines: &[&'static str]| {
            let node = (None, id.to_owned(), None);
            fleet.add(
                node,
                (System::default(), "x"),
                lines.iter().copied(),
                |line| Package::of_line(line, "x"),
            )
        };
        add("i-1", &["deb\ta\t1", "neither", "deb\tb\t1"]);
        add("i-2", &["deb\ta\t1", "not a package", "neither"]);
        add("i-1", &["deb\ta\t2"]);
        fleet.complete();
        let unread: Vec<_> = fleet.nodes.iter().map(|one| one.unread.clone()).collect();
        assert_eq!(unread, [None, Some((2, "not a package".to_owned()))]);
        let nodes: Vec<_> = fleet
            .installed
            .iter()
            .map(|one| (one.package.version.as_str(), one.nodes.as_slice()))
            .collect();
        assert_eq!(nodes, [("1", &[1][..]), ("1", &[]), ("2", &[0])]);
        assert_eq!(fleet.nodes.len(), 2);
    }
}
