//! What was found, for people, spreadsheets and code scanning: an advisory and a package of one version a line.

pub(crate) mod records;
mod sarif;
mod table;
pub(crate) mod to_file;

use crate::matching::Found;
use crate::model::fleet::{Fleet, Node};
use crate::model::record::{Difference, Foreign, Gap};
use crate::{differences, foreign};

/// Everything that a run has found.
pub(crate) struct All<'a> {
    pub(crate) fleet: &'a Fleet,
    pub(crate) found: &'a [Found],
    pub(crate) gaps: &'a [Gap],
    pub(crate) differences: &'a [Difference<'a>],
    pub(crate) foreign: &'a [Foreign<'a>],
}

impl All<'_> {
    /// Returns a line for people about each thing that a table has no row for, and that is not a gap.
    fn lines(&self) -> Vec<String> {
        let mut lines = differences::lines(self.differences);
        let foreign = self.foreign.iter().map(foreign::line);
        lines.extend(foreign.map(|line| format!("warning: {line}")));
        lines
    }
}

/// Returns nodes by their places, in the order of their names.
fn by_name<'f>(fleet: &'f Fleet, places: &[u32]) -> Vec<&'f Node> {
    let nodes = places.iter().map(|at| &fleet.nodes[*at as usize]);
    let mut nodes: Vec<&Node> = nodes.collect();
    nodes.sort_unstable_by_key(|node| node.rank);
    nodes
}
