//! What is wrong with a policy: rule, place, effect and cure. [`Rule`] is the one list of all rules.

use crate::Position;

/// How grave a problem is. An error makes AWS refuse the policy, or makes it do something else than it seems to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// AWS refuses it, or it locks people out, lets people in or cuts nodes off.
    Error,
    /// It works, but perhaps not as meant.
    Warning,
    /// Worth knowing.
    Info,
}

/// One mistake in a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Which rule found it.
    pub rule: Rule,
    /// How grave it is here.
    pub severity: Severity,
    /// Where it is.
    pub position: Position,
    /// What is wrong and what that causes.
    pub message: String,
    /// What to write instead.
    pub fix: String,
}

macro_rules! rules {
    ($($(#[doc = $cause:literal])+ $name:ident = $id:literal;)+) => {
        /// The rules. Their ids are never renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Rule {
            $($(#[doc = $cause])+ $name,)+
        }

        impl Rule {
            /// All rules in the order of their ids' subjects.
            pub const ALL: &[Rule] = &[$(Rule::$name,)+];

            /// Returns the id: `subject.problem`.
            #[must_use]
            pub fn id(self) -> &'static str {
                match self {
                    $(Rule::$name => $id,)+
                }
            }
        }
    };
}

rules! {
    /// The text is no JSON.
    Json = "json.syntax";
    /// An object has the same key twice; readers keep one of them, and not all the same one.
    DuplicateKey = "json.duplicate_key";
    /// There is no such policy element here.
    UnknownElement = "element.unknown";
    /// A needed policy element is not there.
    MissingElement = "element.missing";
    /// Two policy elements exclude each other.
    ConflictingElements = "element.conflict";
    /// An element has a value of the wrong type.
    WrongType = "element.type";
    /// This type of policy may not have this element.
    ForbiddenElement = "element.forbidden";
    /// A list that needs values has none.
    EmptyList = "element.empty";
    /// `Version` is missing, old or unknown.
    Version = "version.old";
    /// `Effect` is neither Allow nor Deny.
    Effect = "effect.unknown";
    /// A Sid has characters that AWS refuses, or is there twice.
    Sid = "sid.invalid";
    /// An action has no service, or characters that no action has.
    Action = "action.invalid";
    /// There is no such action in the services of Systems Manager.
    UnknownAction = "action.unknown";
    /// A resource is neither `*` nor an ARN.
    Resource = "resource.invalid";
    /// There is no such condition operator.
    Operator = "operator.unknown";
    /// A value does not suit the condition operator and would never match.
    OperatorValue = "operator.value";
    /// A wildcard is compared as a plain character.
    LiteralWildcard = "operator.literal_wildcard";
    /// The operator depends on a key that many requests do not have.
    IfExists = "operator.if_exists";
    /// A policy variable is malformed or may be without a value.
    Variable = "variable.invalid";
    /// Text of a template was never replaced.
    Placeholder = "placeholder.left";
    /// `aws:PrincipalArn` is compared with something that it never is.
    PrincipalArn = "principal_arn.never";
    /// A policy is longer than its quota.
    Size = "size.exceeded";
    /// The guard denies exactly those that it should spare.
    InvertedGuard = "guard.inverted";
    /// The guard denies everybody, who could repair it included.
    NobodyExempt = "guard.nobody_exempt";
    /// The guard spares everybody.
    EverybodyExempt = "guard.everybody_exempt";
    /// Whoever may create a role may take the exemption.
    TakeableExemption = "guard.takeable";
    /// Agents need what is denied: nodes go offline.
    AgentsDenied = "agents.denied";
    /// An Allow list leaves out what FullAWSAccess grants.
    AllowList = "allow.list";
    /// A command cannot be sent with a session document.
    SendCommandOnSessionDocument = "ssm.send_command_on_session_document";
    /// Sessions are allowed on nodes without naming a session document.
    MissingDocument = "ssm.missing_document";
    /// The check of session documents is not demanded.
    DocumentAccessCheck = "ssm.document_access_check";
    /// Sessions of other people can be ended or taken over.
    ForeignSessions = "ssm.foreign_sessions";
    /// A condition on tags is asked of a document too, which has not these tags.
    TagConditionOnDocument = "ssm.tag_condition_on_document";
    /// The KMS action is that of the other end of the session.
    KmsSide = "ssm.kms_side";
}
