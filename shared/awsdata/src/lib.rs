//! What AWS reports about instances and networks as plain data, and where it is: for those who read it and those who only judge
//! it. No SDK.

mod instance;
mod network;
mod part;
mod partition;

pub use instance::{Instance, InstanceProfileAssociation, MetadataDefaults, MetadataOptions};
pub use network::{Route, RouteTable, SecurityGroup, SecurityRule, VpcEndpoint};
pub use part::{SAVE_ALL, is_cut, part, sign_of_part};
pub use partition::{Partition, partition_of, suffix_of};
