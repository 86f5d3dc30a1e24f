//! What AWS tells of instances and networks, and where it is, as plain data: for those who read it and for those who only judge
//! it. No SDK.

mod instance;
mod network;
mod partition;

pub use instance::{Instance, InstanceProfileAssociation, MetadataDefaults, MetadataOptions};
pub use network::{Route, RouteTable, SecurityGroup, SecurityRule, VpcEndpoint};
pub use partition::{Partition, partition_of, suffix_of};
