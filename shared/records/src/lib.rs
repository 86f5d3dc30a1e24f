//! The records that tools exchange, once for who writes them, who reads them and their JSON Schema. Keys are in this
//! order on the wire and never renamed. No IO, no AWS.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod activity;
mod exclusion;
mod finding;
mod host_management;
mod id;
mod integrity;
mod invocation;
mod node;
mod organization;
mod patch_state;
mod plan;
mod preferences;
mod reading;
mod region;
mod result;
mod schema;
mod target;
mod timestamp;
mod transcript;
mod unreachable;

pub use activity::{
    RecordedCommand, RecordedCommandKind, RecordedSession, RecordedSessionKind, RefusedCall,
    RefusedCallKind,
};
pub use exclusion::{NodeExclusion, TagValues};
pub use finding::{Finding, FindingKind, Severity};
pub use host_management::{
    AttachedPolicy, Boundary, By, DefaultHostManagement, Feature, HostManagement,
    HostManagementKind, InstanceRole, NodeRole, Permission, Verdict,
};
pub use iam_policy::Arn;
pub use id::{AccountId, EcsTarget, InstanceId};
pub use integrity::{IntegrityStatus, LogIntegrity, LogIntegrityKind, VerifiedFile};
pub use invocation::{
    Absence, Choice, Command, CommandKind, Invocation, InvocationKind, Reason, Step, Truncated,
};
pub use node::{
    Agent, DefaultRoute, EgressPaths, Evidence, Firewall, Imds, ManagedBy, Network, Node, NodeKind,
    Platform, RegionHostManagement,
};
pub use organization::{Entity, EntityKind, EntityType, PolicyDocument, PolicyKind, PolicyType};
pub use patch_state::{PatchState, PatchStateKind};
pub use plan::{Change, ForOwner, Plan, PlanKind, Plans};
pub use preferences::{
    BucketEncryption, Document, DocumentVersion, Preferences, PreferencesKind, SessionDocument,
};
pub use reading::Reading;
pub use region::{REGIONS, regions_like};
pub use result::{Applied, ChangeStatus, ResultKind, ResultRecord};
pub use schema::{Definitions, Schemas, of_managing, of_reading};
pub use target::Target;
pub use timestamp::Timestamp;
pub use transcript::{NoTranscript, SessionEnd, Transcript, TranscriptObject, TranscriptStream};
pub use unreachable::{Unreachable, UnreachableKind};
