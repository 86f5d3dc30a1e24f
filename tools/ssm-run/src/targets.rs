//! What a run is about: nodes, what SSM chooses nodes by, and what was sent before. Pure.

use crate::batch::{Batch, Node};
use crate::in_flight::InFlightCommand;

/// What a run is sent to, and what was sent before it.
#[derive(Default)]
pub(crate) struct Targets {
    /// In the order of the waves.
    pub(crate) nodes: Vec<Node>,
    /// What SSM chooses the nodes of, by place.
    pub(crate) choices: Vec<(usize, Batch)>,
    /// Commands of a run that is resumed, by place.
    pub(crate) flown: Vec<(usize, InFlightCommand)>,
}
