//! What is desired of the nodes, and the actions that bring it about; what is observed is the record of a node. Never touches
//! the world.

mod action;
mod desired;
mod update;

pub(crate) use self::action::{
    Action, AgentState, AssociationState, DOCUMENT, LATEST, UpdateState,
};
pub(crate) use self::desired::{Connections, Desired, DesiredImds};
pub(crate) use self::update::{DesiredAssociation, Update};
