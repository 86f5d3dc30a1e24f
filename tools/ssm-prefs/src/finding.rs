//! Short constructors for this tool's findings, so that the rules read as rules.

use cli::{Finding, FindingKind, Severity, Target};

/// A finding without its target, as the pure rules make it.
pub(crate) fn finding(
    severity: Severity,
    id: &str,
    resource: &str,
    message: impl Into<String>,
    fix: &str,
) -> Finding {
    Finding {
        kind: FindingKind::Finding,
        id: format!("prefs.{id}"),
        severity,
        target: None,
        resource: resource.to_owned(),
        message: message.into(),
        fix: fix.to_owned(),
        is_unread: false,
    }
}

/// A finding that breaks access, encryption or the audit trail.
pub(crate) fn error(id: &str, resource: &str, message: impl Into<String>, fix: &str) -> Finding {
    finding(Severity::Error, id, resource, message, fix)
}

/// A finding about something that works, but not as it should, or that could not be read.
pub(crate) fn warning(id: &str, resource: &str, message: impl Into<String>, fix: &str) -> Finding {
    finding(Severity::Warning, id, resource, message, fix)
}

/// A finding about something that could not be read.
pub(crate) fn unread(id: &str, resource: &str, message: impl Into<String>, fix: &str) -> Finding {
    Finding {
        is_unread: true,
        ..warning(id, resource, message, fix)
    }
}

/// A finding worth knowing.
pub(crate) fn info(id: &str, resource: &str, message: impl Into<String>, fix: &str) -> Finding {
    finding(Severity::Info, id, resource, message, fix)
}

/// Returns the findings with their target filled in.
pub(crate) fn at(target: &Target, findings: Vec<Finding>) -> Vec<Finding> {
    findings
        .into_iter()
        .map(|finding| Finding {
            target: Some(target.clone()),
            ..finding
        })
        .collect()
}
