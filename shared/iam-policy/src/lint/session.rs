//! Policies of operators: what keeps a session from starting, or lets too many start.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-examples.html>

use super::Problems;
use crate::arn::Arn;
use crate::operator::Family;
use crate::pattern::glob;
use crate::{Effect, Located, Policy, Rule, SetOperator, Severity, Statement};

/// Documents of sessions, which Run Command refuses: the preferences and AWS's own session documents.
const SESSION_DOCUMENTS: &[&str] = &[
    "SSM-SessionManagerRunShell",
    "AWS-StartSSHSession",
    "AWS-StartPortForwardingSession",
    "AWS-StartPortForwardingSessionToRemoteHost",
    "AWS-StartPortForwardingSessionToSocket",
    "AWS-StartInteractiveCommand",
    "AWS-StartNonInteractiveCommand",
    "AWS-PasswordReset",
];

/// In lower case.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-sessiondocumentaccesscheck.html>
const DOCUMENT_ACCESS_CHECK: &str = "ssm:sessiondocumentaccesscheck";

pub(super) fn session(policy: &Policy, found: &mut Problems) {
    let allows: Vec<&Statement> = policy
        .statements
        .iter()
        .filter(|statement| statement.effect == Effect::Allow)
        .collect();
    for statement in &allows {
        if allows_action(statement, "ssm:SendCommand") {
            for resource in resources(statement) {
                if session_document(&resource.value) {
                    let message = format!(
                        "{} is a session document, and no command can be sent with it",
                        resource.value
                    );
                    let fix = "give ssm:SendCommand a statement of its own with command documents such as AWS-RunShellScript";
                    found.add(
                        Rule::SendCommandOnSessionDocument,
                        Severity::Error,
                        &resource.position,
                        message,
                        fix,
                    );
                }
            }
        }
        if allows_action(statement, "ssm:StartSession") {
            start_session(statement, found);
        }
        let mut actions = vec!["ssm:TerminateSession", "ssm:ResumeSession"];
        actions.retain(|action| names_action(statement, action));
        if !actions.is_empty() {
            foreign_sessions(statement, &actions, found);
        }
    }
    documents(&allows, found);
    command_documents(&allows, found);
    kms_side(&allows, found);
}

pub(super) fn allows_action(statement: &Statement, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    let named = statement
        .actions
        .values
        .iter()
        .any(|pattern| glob(&pattern.value.to_ascii_lowercase(), &action));
    named != statement.actions.negated
}

/// Returns whether the statement is about this action, not about all of a service: an administrator may do more than this.
fn names_action(statement: &Statement, action: &str) -> bool {
    let action = action.to_ascii_lowercase();
    !statement.actions.negated
        && statement.actions.values.iter().any(|pattern| {
            let pattern = pattern.value.to_ascii_lowercase();
            let name = pattern.split_once(':').map_or("", |(_, name)| name);
            name.bytes().any(|byte| byte != b'*') && glob(&pattern, &action)
        })
}

pub(super) fn resources(statement: &Statement) -> &[Located<String>] {
    statement
        .resources
        .as_ref()
        .map_or(&[], |resources| &resources.values)
}

fn session_document(resource: &str) -> bool {
    let name = Arn::parse(resource).and_then(|arn| arn.named("document"));
    name.is_some_and(|name| SESSION_DOCUMENTS.contains(&name))
}

fn is_document(resource: &str) -> bool {
    resource == "*"
        || Arn::parse(resource)
            .is_some_and(|arn| arn.named("document").is_some() || arn.resource == "*")
}

fn has_key(statement: &Statement, key: &str) -> bool {
    statement
        .conditions
        .iter()
        .any(|condition| condition.key.value.to_ascii_lowercase().starts_with(key))
}

fn start_session(statement: &Statement, found: &mut Problems) {
    // Without nodes there is nothing to reach; where every document is allowed, the check would always pass.
    let nodes = resources(statement)
        .iter()
        .any(|resource| !is_document(&resource.value));
    let all = resources(statement)
        .iter()
        .any(|resource| resource.value == "*");
    if nodes && !all && !has_key(statement, DOCUMENT_ACCESS_CHECK) {
        let message = "without ssm:SessionDocumentAccessCheck the default document needs no permission of its own, so \
                       anybody who may reach the node may start a shell";
        let fix =
            "add \"Condition\": {\"BoolIfExists\": {\"ssm:SessionDocumentAccessCheck\": \"true\"}}";
        found.add(
            Rule::DocumentAccessCheck,
            Severity::Warning,
            statement.position(),
            message.to_owned(),
            fix,
        );
    }
    // Only conditions that fail without the tag.
    let tagged = statement.conditions.iter().any(|condition| {
        let key = condition.key.value.to_ascii_lowercase();
        let operator = condition.operator;
        (key.starts_with("ssm:resourcetag/") || key.starts_with("aws:resourcetag/"))
            && !operator.if_exists
            && !operator.test.negated
            && operator.set != Some(SetOperator::ForAllValues)
            && operator.test.family != Family::Null
    });
    let document = resources(statement)
        .iter()
        .find(|resource| resource.value != "*" && is_document(&resource.value));
    if let (true, Some(document)) = (tagged, document) {
        let message = format!(
            "the condition on tags applies to {} too, which does not have the tags of nodes: no session starts",
            document.value
        );
        let fix = "move the document into a statement without the condition on tags";
        found.add(
            Rule::TagConditionOnDocument,
            Severity::Error,
            &document.position,
            message,
            fix,
        );
    }
}

/// The document and the node are authorised both.
fn documents(allows: &[&Statement], found: &mut Problems) {
    let starting: Vec<&&Statement> = allows
        .iter()
        .filter(|statement| allows_action(statement, "ssm:StartSession"))
        .collect();
    // Without the check nodes are enough for the default document, which is reported as such.
    let named = starting.iter().any(|statement| {
        !has_key(statement, DOCUMENT_ACCESS_CHECK)
            || resources(statement)
                .iter()
                .any(|resource| is_document(&resource.value))
    });
    if let (Some(first), false) = (starting.first(), named) {
        let message = "ssm:StartSession is allowed on nodes, but on no session document".to_owned();
        let fix = "allow it on arn:aws:ssm:*:*:document/SSM-SessionManagerRunShell too";
        found.add(
            Rule::MissingDocument,
            Severity::Warning,
            first.position(),
            message,
            fix,
        );
    }
}

/// So are the document of a command and the node.
fn command_documents(allows: &[&Statement], found: &mut Problems) {
    let mut sending = allows
        .iter()
        .filter(|statement| allows_action(statement, "ssm:SendCommand"));
    let Some(first) = sending.clone().next() else {
        return;
    };
    let names_one = |statement: &&&Statement| {
        let mut resources = resources(statement).iter();
        let negated = statement.resources.as_ref().is_some_and(|one| one.negated);
        negated || resources.any(|resource| is_document(&resource.value))
    };
    if !sending.any(|statement| names_one(&statement)) {
        found.add(
            Rule::MissingCommandDocument,
            Severity::Warning,
            first.position(),
            "ssm:SendCommand is allowed on nodes, but on no document: no command can be sent"
                .to_owned(),
            "allow it on arn:aws:ssm:*::document/AWS-RunShellScript or other documents too",
        );
    }
}

fn foreign_sessions(statement: &Statement, actions: &[&str], found: &mut Problems) {
    if !statement.conditions.is_empty() {
        return;
    }
    let broad = resources(statement).iter().find(|resource| {
        let name = Arn::parse(&resource.value).map_or(resource.value.as_str(), |arn| arn.resource);
        name == "*" || name == "session/*"
    });
    if let Some(resource) = broad {
        let verb = if actions.len() == 1 { "is" } else { "are" };
        let message = format!(
            "{} {verb} allowed on everybody's sessions, not only on one's own",
            actions.join(" and ")
        );
        let fix = "write arn:aws:ssm:*:*:session/${aws:userid}-*, or compare ssm:resourceTag/aws:ssmmessages:session-id with \
                   ${aws:userid}";
        found.add(
            Rule::ForeignSessions,
            Severity::Warning,
            &resource.position,
            message,
            fix,
        );
    }
}

/// The operator's end makes the data key, the node's end decrypts it.
fn kms_side(allows: &[&Statement], found: &mut Problems) {
    let any = |action: &str| {
        allows
            .iter()
            .find(|statement| allows_action(statement, action))
    };
    let (operator, node) = (
        any("ssm:StartSession"),
        any("ssmmessages:OpenControlChannel"),
    );
    let (make, decrypt) = (any("kms:GenerateDataKey"), any("kms:Decrypt"));
    if let (Some(_), None, None, Some(decrypt)) = (operator, node, make, decrypt) {
        let message =
            "who starts a session needs kms:GenerateDataKey; kms:Decrypt is what the node needs"
                .to_owned();
        found.add(
            Rule::KmsSide,
            Severity::Warning,
            decrypt.position(),
            message,
            "allow kms:GenerateDataKey",
        );
    }
    if let (None, Some(_), Some(make), None) = (operator, node, make, decrypt) {
        let message = "a node needs kms:Decrypt for encrypted sessions; kms:GenerateDataKey is what the operator needs".to_owned();
        found.add(
            Rule::KmsSide,
            Severity::Warning,
            make.position(),
            message,
            "allow kms:Decrypt",
        );
    }
}
