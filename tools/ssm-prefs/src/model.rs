//! What is desired, what is there, and the actions between them. Plain data without AWS types.

mod action;
mod desired;
mod observed;
mod probe;

pub(crate) use self::action::Action;
pub(crate) use self::desired::{CloudWatch, Desired, KmsKey, Retention, RetentionMode, S3, Shell};
pub(crate) use self::observed::{
    Archive, Bucket, Encryption, Key, LogGroup, ObjectLock, Observed, PublicAccessBlock, Trail,
    is_aws_managed,
};

pub(crate) use self::probe::{
    Conversation, Destination, DestinationState, Look, ManagedNode, Places, Probe, ProbeKind,
    ProbeVerdict, SessionState,
};

/// The name that makes a Session document the preferences of its account and region.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-preferences-cli.html>
pub(crate) const DOCUMENT: &str = "SSM-SessionManagerRunShell";
