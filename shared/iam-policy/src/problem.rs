//! What is wrong with a policy: rule, place, effect and cure. [`Rule`] is the one list of all rules.

use std::fmt;

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

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.position, self.message)
    }
}

impl std::error::Error for Problem {}

/// The rules. Their IDs are never renamed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// The text is not JSON.
    Json,
    /// An object has the same key twice; readers keep one of them, and not all the same one.
    DuplicateKey,
    /// There is no such policy element here.
    UnknownElement,
    /// A needed policy element is not there.
    MissingElement,
    /// Two policy elements exclude each other.
    ConflictingElements,
    /// An element has a value of the wrong type.
    WrongType,
    /// This type of policy may not have this element.
    ForbiddenElement,
    /// A list that needs values has none.
    EmptyList,
    /// `Version` is missing, old or unknown.
    Version,
    /// `Effect` is neither Allow nor Deny.
    Effect,
    /// A Sid has characters that AWS refuses, or is there twice.
    Sid,
    /// An action has no service, or characters that no action has.
    Action,
    /// AWS's service reference has no such action.
    UnknownAction,
    /// AWS's service reference has no such service.
    UnknownService,
    /// `NotPrincipal`: who is named is denied all the same, or everybody is allowed.
    NotPrincipal,
    /// A resource is neither `*` nor an ARN.
    Resource,
    /// An ARN has fewer than six parts, or a wildcard in the type of the resource.
    LooseArn,
    /// An ARN that nothing has: of an account or a partition where what it names never is.
    ImpossibleResource,
    /// None of the actions is ever asked on such a resource.
    ResourceType,
    /// An action is asked on none of the resources.
    ActionResource,
    /// There is no such condition operator.
    Operator,
    /// AWS's service reference has no such condition key.
    UnknownKey,
    /// No request for the actions of the statement has the condition key.
    AbsentKey,
    /// The operator compares another type of values than the key has.
    KeyType,
    /// A value does not suit the condition operator and would never match.
    OperatorValue,
    /// A wildcard is compared as a plain character.
    LiteralWildcard,
    /// The operator depends on a key that many requests do not have.
    IfExists,
    /// A policy variable is malformed or may be without a value.
    Variable,
    /// Text of a template was never replaced.
    Placeholder,
    /// `aws:PrincipalArn` is compared with something that it never is.
    PrincipalArn,
    /// A policy is longer than its quota.
    Size,
    /// The guard denies exactly those that it should spare.
    InvertedGuard,
    /// The guard denies everyone, including whoever could repair it.
    NobodyExempt,
    /// The guard spares everybody.
    EverybodyExempt,
    /// Whoever may create a role may take the exemption.
    TakeableExemption,
    /// Sessions or commands are denied on some kinds of nodes only.
    OpenNodes,
    /// A condition spares requests, whoever makes them.
    RequestExempt,
    /// Agents need what is denied: nodes go offline.
    AgentsDenied,
    /// Resource control policies do not govern the service of an action.
    UngovernedService,
    /// An Allow list leaves out what FullAWSAccess grants.
    AllowList,
    /// A command cannot be sent with a session document.
    SendCommandOnSessionDocument,
    /// Sessions are allowed on nodes without naming a session document.
    MissingDocument,
    /// Commands are allowed on nodes without naming a document.
    MissingCommandDocument,
    /// The check of session documents is not demanded.
    DocumentAccessCheck,
    /// Sessions of other people can be ended or taken over.
    ForeignSessions,
    /// A condition on tags applies to a document too, which does not have these tags.
    TagConditionOnDocument,
    /// The KMS action is that of the other end of the session.
    KmsSide,
}

impl Rule {
    /// All rules.
    pub const ALL: &[Rule] = &[
        Rule::Json,
        Rule::DuplicateKey,
        Rule::UnknownElement,
        Rule::MissingElement,
        Rule::ConflictingElements,
        Rule::WrongType,
        Rule::ForbiddenElement,
        Rule::EmptyList,
        Rule::Version,
        Rule::Effect,
        Rule::Sid,
        Rule::Action,
        Rule::UnknownAction,
        Rule::UnknownService,
        Rule::NotPrincipal,
        Rule::Resource,
        Rule::LooseArn,
        Rule::ImpossibleResource,
        Rule::ResourceType,
        Rule::ActionResource,
        Rule::Operator,
        Rule::UnknownKey,
        Rule::AbsentKey,
        Rule::KeyType,
        Rule::OperatorValue,
        Rule::LiteralWildcard,
        Rule::IfExists,
        Rule::Variable,
        Rule::Placeholder,
        Rule::PrincipalArn,
        Rule::Size,
        Rule::InvertedGuard,
        Rule::NobodyExempt,
        Rule::EverybodyExempt,
        Rule::TakeableExemption,
        Rule::OpenNodes,
        Rule::RequestExempt,
        Rule::AgentsDenied,
        Rule::UngovernedService,
        Rule::AllowList,
        Rule::SendCommandOnSessionDocument,
        Rule::MissingDocument,
        Rule::MissingCommandDocument,
        Rule::DocumentAccessCheck,
        Rule::ForeignSessions,
        Rule::TagConditionOnDocument,
        Rule::KmsSide,
    ];

    /// Returns the rule of an ID.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Rule> {
        Rule::ALL.iter().copied().find(|rule| rule.id() == id)
    }

    /// Returns the ID: `subject.problem`.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Rule::Json => "json.syntax",
            Rule::DuplicateKey => "json.duplicate_key",
            Rule::UnknownElement => "element.unknown",
            Rule::MissingElement => "element.missing",
            Rule::ConflictingElements => "element.conflict",
            Rule::WrongType => "element.type",
            Rule::ForbiddenElement => "element.forbidden",
            Rule::EmptyList => "element.empty",
            Rule::Version => "version.old",
            Rule::Effect => "effect.unknown",
            Rule::Sid => "sid.invalid",
            Rule::Action => "action.invalid",
            Rule::UnknownAction => "action.unknown",
            Rule::UnknownService => "action.service",
            Rule::NotPrincipal => "principal.negated",
            Rule::Resource => "resource.invalid",
            Rule::LooseArn => "resource.loose",
            Rule::ImpossibleResource => "resource.impossible",
            Rule::ResourceType => "resource.type",
            Rule::ActionResource => "action.resource",
            Rule::Operator => "operator.unknown",
            Rule::UnknownKey => "condition_key.unknown",
            Rule::AbsentKey => "condition_key.absent",
            Rule::KeyType => "condition_key.type",
            Rule::OperatorValue => "operator.value",
            Rule::LiteralWildcard => "operator.literal_wildcard",
            Rule::IfExists => "operator.if_exists",
            Rule::Variable => "variable.invalid",
            Rule::Placeholder => "placeholder.left",
            Rule::PrincipalArn => "principal_arn.never",
            Rule::Size => "size.exceeded",
            Rule::InvertedGuard => "guard.inverted",
            Rule::NobodyExempt => "guard.nobody_exempt",
            Rule::EverybodyExempt => "guard.everybody_exempt",
            Rule::TakeableExemption => "guard.takeable",
            Rule::OpenNodes => "guard.open_nodes",
            Rule::RequestExempt => "guard.request_exempt",
            Rule::AgentsDenied => "agents.denied",
            Rule::UngovernedService => "service.not_governed",
            Rule::AllowList => "allow.list",
            Rule::SendCommandOnSessionDocument => "ssm.send_command_on_session_document",
            Rule::MissingDocument => "ssm.missing_document",
            Rule::MissingCommandDocument => "ssm.missing_command_document",
            Rule::DocumentAccessCheck => "ssm.document_access_check",
            Rule::ForeignSessions => "ssm.foreign_sessions",
            Rule::TagConditionOnDocument => "ssm.tag_condition_on_document",
            Rule::KmsSide => "ssm.kms_side",
        }
    }
}
