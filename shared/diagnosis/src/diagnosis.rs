//! What is said of a node that does not answer: a cause with its cure, in the words of the program that asks.

use records::{Finding, FindingKind, Severity};

use records::Node;

/// A reason and its cure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The end of the finding's ID.
    pub problem: &'static str,
    /// How grave it is.
    pub severity: Severity,
    /// What is wrong and what that causes.
    pub message: String,
    /// What to do about it.
    pub fix: String,
    /// Whether commands may reach the node all the same.
    pub takes_commands: bool,
    /// Whether it is only known that something could not be read.
    pub is_unread: bool,
}

impl Diagnosis {
    pub(crate) fn new(
        problem: &'static str,
        severity: Severity,
        message: impl Into<String>,
        fix: impl Into<String>,
    ) -> Diagnosis {
        Diagnosis {
            problem,
            severity,
            message: message.into(),
            fix: fix.into(),
            takes_commands: false,
            is_unread: false,
        }
    }

    /// Returns the ID of the finding. It is the same whichever tool reports it, so that one table lists its cure.
    #[must_use]
    pub fn id(&self) -> String {
        format!("agentcheck.{}", self.problem)
    }

    /// Returns the finding that reports it for a node.
    #[must_use]
    pub fn into_finding(self, node: &Node) -> Finding {
        Finding {
            kind: FindingKind::Finding,
            id: self.id(),
            severity: self.severity,
            target: Some(node.target.clone()),
            resource: node.instance_id.clone(),
            message: self.message,
            fix: self.fix,
            is_unread: self.is_unread,
        }
    }
}

/// What to do, in the words of the program that asks, when more would be known if more had been read. Each begins a
/// sentence and has no full stop.
#[derive(Clone, Copy, Debug)]
pub struct Hints {
    /// How to find what the roles of instance profiles may do.
    pub roles: &'static str,
    /// How to get nodes with their evidence.
    pub evidence: &'static str,
}
