//! Everything that is wrong with the preferences and with what stands behind them.

mod removal;

use cli::{Change, Finding, Reading, Target};
use iam_policy::{Arn, Verdict};
use records::{Document, SessionDocument};
use serde_json::Value;

use crate::finding::{error, info, unread, warning};
use crate::model::{Action, DOCUMENT, Desired, Observed};
use crate::plan::{self, PlanError};
use crate::roles::Roles;
use crate::session_document::{Inputs, normalized, without_parameters};
use crate::{TOOL, lint, preflight};

/// The ID of a finding about a layer of the desired state whose last day is over.
pub(crate) const OVERRIDE_EXPIRED: &str = "prefs.override.expired";

/// Returns the findings about one account and region, most important subjects first.
pub(crate) fn check(
    desired: &Desired,
    observed: &Observed,
    roles: &Roles,
    target: &Target,
    partition: &str,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    match &observed.document {
        Reading::Present(document) => {
            versions(document, &mut findings);
            findings.extend(lint::lint_content(&document.default.content));
            findings.extend(preflight::preflight(
                &document.default.content,
                observed,
                roles,
                target,
            ));
            destinations(&document.default.content, &mut findings);
            let given = (roles, target);
            removal::removal(
                &document.default.content,
                desired,
                observed,
                given,
                &mut findings,
            );
        }
        Reading::Absent => {}
        Reading::Unknown(reason) => {
            findings.push(unread(
                "document.unknown",
                DOCUMENT,
                format!("the document could not be read: {reason}"),
                "allow ssm:DescribeDocument and ssm:GetDocument",
            ));
        }
    }
    drift(desired, observed, target, partition, &mut findings);
    trails(observed, &mut findings);
    session_documents(observed, roles, target, &mut findings);
    findings
}

/// Says how default and latest version differ; `None` when sessions cannot get anything but what the console shows.
pub(crate) fn versions_differ(document: &Document) -> Option<String> {
    let Document { default, latest } = document;
    if default.version == latest.version {
        return None;
    }
    let same = normalized(&default.content) == normalized(&latest.content);
    let content = if same {
        "with the same settings"
    } else {
        "with other settings"
    };
    Some(format!(
        "version {} is the default, version {} is newer {content}",
        default.version, latest.version
    ))
}

/// Finds that the default version is not the latest.
pub(crate) fn versions(document: &Document, findings: &mut Vec<Finding>) {
    if let Some(difference) = versions_differ(document) {
        let message = format!(
            "{difference}: the console shows the default, sessions are reported to use the latest"
        );
        findings.push(error(
            "document.versions_differ",
            DOCUMENT,
            message,
            "let ssm-prefs plan and apply make the required version both latest and default",
        ));
    }
}

fn destinations(content: &Value, findings: &mut Vec<Finding>) {
    let inputs = Inputs::of(content);
    if inputs.text("s3BucketName").is_none() && inputs.text("cloudWatchLogGroupName").is_none() {
        findings.push(error(
            "logging.off",
            DOCUMENT,
            "neither a bucket nor a log group is named: sessions leave no transcript",
            "name s3.bucket or cloudwatch.log_group",
        ));
    } else {
        findings.push(info("logging.port_and_ssh", DOCUMENT, "port forwarding and SSH sessions are never logged or KMS-encrypted, whatever the preferences say", "allow ssm:StartSession on the documents that are meant to be used only"));
    }
    if inputs.text("kmsKeyId").is_none() {
        findings.push(warning(
            "encryption.off",
            DOCUMENT,
            "no KMS key is named: sessions have TLS only",
            "name kms_key",
        ));
    }
}

fn drift(
    desired: &Desired,
    observed: &Observed,
    target: &Target,
    partition: &str,
    findings: &mut Vec<Finding>,
) {
    match plan::plan(desired, observed, target, partition) {
        Ok(changes) => {
            unmet(&changes, observed, target, partition, findings);
            let missing = changes.iter().filter(|change| is_creation(change.action));
            let missing: Vec<&str> = missing.map(|change| change.resource.as_str()).collect();
            for change in &changes {
                let is_missing = missing.contains(&change.resource.as_str());
                let Some(found) = drifted(change, is_missing) else {
                    continue;
                };
                match same(findings, &found) {
                    Some(known) => known.fix = found.fix,
                    None => findings.push(found),
                }
            }
        }
        Err(problem) => {
            let mut rest = desired.clone();
            let message = problem.to_string();
            match (problem, rest.s3.as_mut().and_then(Option::as_mut)) {
                (PlanError::NoTranscript { object }, Some(s3)) => {
                    s3.legal_hold.clear();
                    let fix = "correct the ID, or use a layer to set its account and region";
                    findings.push(error("bucket.no_transcript", &object, message, fix));
                }
                (PlanError::NoObjectLock { bucket }, Some(s3)) => {
                    s3.object_lock = None;
                    s3.legal_hold.clear();
                    let fix = "enable it by the command in the message, name another bucket, or leave s3.object_lock and legal_hold out";
                    findings.push(error("bucket.no_object_lock", &bucket, message, fix));
                }
                _ => {
                    let message = format!(
                        "whether anything differs from the desired state is not known: {message}"
                    );
                    let fix = "allow what the message names, or correct the desired state";
                    return findings.push(unread("drift.unknown", DOCUMENT, message, fix));
                }
            }
            // The rest is to be known nevertheless.
            drift(&rest, observed, target, partition, findings);
        }
    }
}

/// Returns what a change says is wrong. What is missing has no settings that could be wrong.
fn drifted(change: &Change<Action>, is_missing: bool) -> Option<Finding> {
    let fix = format!("let {TOOL} plan and apply it");
    let (id, message) = match change.action {
        Action::CreateDocument => ("document.missing", change.why.as_str()),
        Action::UpdateDocument => ("document.drifted", change.why.as_str()),
        Action::CreateKey => (
            "key.missing",
            "the key does not exist, and sessions are to be encrypted with it",
        ),
        Action::CreateBucket => (
            "bucket.missing",
            "the bucket does not exist, and transcripts are to be kept in it",
        ),
        Action::CreateLogGroup => (
            "log_group.missing",
            "the log group does not exist, and sessions are to be logged to it",
        ),
        _ if is_missing => return None,
        _ => {
            let (resource, message) = (&change.resource, change.why.clone());
            return Some(warning("resource.drifted", resource, message, &fix));
        }
    };
    Some(error(id, &change.resource, message, &fix))
}

fn is_creation(action: Action) -> bool {
    matches!(
        action,
        Action::CreateKey | Action::CreateBucket | Action::CreateLogGroup
    )
}

/// Returns what says the same of the document in force, with what it does to sessions.
fn same<'f>(findings: &'f mut [Finding], found: &Finding) -> Option<&'f mut Finding> {
    let mut missing = findings
        .iter_mut()
        .filter(|one| one.id.ends_with(".missing"));
    missing.find(|one| one.id == found.id && one.resource == found.resource)
}

/// Finds what keeps a change from being made: CloudWatch Logs takes no key that it may not use.
fn unmet(
    changes: &[Change<Action>],
    observed: &Observed,
    target: &Target,
    partition: &str,
    findings: &mut Vec<Finding>,
) {
    let gives_key = |change: &&Change<Action>| {
        matches!(
            change.action,
            Action::CreateLogGroup | Action::AssociateKmsKey
        )
    };
    if let Some(change) = changes.iter().find(gives_key) {
        let after = plan::after(observed, changes, target, partition);
        preflight::log_group_key(&change.resource, &after, target, findings);
    }
}

fn trails(observed: &Observed, findings: &mut Vec<Finding>) {
    let fix = "create a multi-region trail that records management events";
    let trails = match &observed.trails {
        Reading::Present(trails) => trails.as_slice(),
        Reading::Absent => &[],
        Reading::Unknown(reason) => {
            return findings.push(unread(
                "trail.unknown",
                "CloudTrail",
                format!("trails could not be read: {reason}"),
                "allow cloudtrail:DescribeTrails, GetTrailStatus and GetEventSelectors",
            ));
        }
    };
    let on = |reading: &Reading<bool>| reading.present() == Some(&true);
    if trails
        .iter()
        .any(|trail| on(&trail.logging) && on(&trail.management_events))
    {
        return;
    }
    let unsure = |reading: &Reading<bool>| matches!(reading, Reading::Unknown(_));
    match trails.iter().find(|trail| unsure(&trail.logging) || unsure(&trail.management_events)) {
        Some(trail) => findings.push(unread("trail.unknown", &trail.arn, "whether this trail records management events could not be read", "allow cloudtrail:GetTrailStatus and GetEventSelectors")),
        None => findings.push(error("trail.missing", "CloudTrail", "no trail records management events of this region: session starts are kept for 90 days only and cause no alerts", fix)),
    }
}

/// Reports which documents lead around the preferences, and which of the roles that were given may name them.
fn session_documents(
    observed: &Observed,
    roles: &Roles,
    target: &Target,
    findings: &mut Vec<Finding>,
) {
    let documents = match &observed.session_documents {
        Reading::Present(documents) => documents.as_slice(),
        Reading::Absent => &[],
        Reading::Unknown(reason) => {
            return findings.push(unread(
                "session_document.unknown",
                "Session documents",
                format!("they could not be listed: {reason}"),
                "allow ssm:ListDocuments",
            ));
        }
    };
    let fix = "allow ssm:StartSession on named documents only, with ssm:SessionDocumentAccessCheck";
    let mut of_amazon = Vec::new();
    for document in documents {
        let Reading::Present(content) = &document.content else {
            findings.push(unread(
                "session_document.unknown",
                &document.name,
                "the document could not be read",
                "allow ssm:GetDocument",
            ));
            continue;
        };
        if let Some(behind) = observed.behind_documents.get(&document.name) {
            own_document(&document.name, content, behind, (roles, target), findings);
        }
        let inputs = Inputs::of(content);
        let logged = inputs.text("s3BucketName").is_some()
            || inputs.text("cloudWatchLogGroupName").is_some();
        if logged && content["sessionType"] != "Port" {
            continue;
        }
        // Everybody has AWS's own documents; what somebody made in this account is worth a warning.
        if document.owner == "Amazon" {
            of_amazon.push(document);
            continue;
        }
        let message = format!(
            "sessions that name this document leave no transcript{}",
            starters(&[document], roles, target)
        );
        findings.push(warning(
            "session_document.untranscribed",
            &document.name,
            message,
            fix,
        ));
    }
    if !of_amazon.is_empty() {
        let names: Vec<&str> = of_amazon
            .iter()
            .map(|document| document.name.as_str())
            .collect();
        let message = format!(
            "sessions that name one of AWS's own documents escape the preferences and leave no transcript{}",
            starters(&of_amazon, roles, target)
        );
        findings.push(info(
            "session_document.untranscribed",
            &names.join(", "),
            message,
            fix,
        ));
    }
}

/// Judges a document of the account like the preferences: whoever names it gets its settings instead. What is said of the
/// preferences already is not said again.
fn own_document(
    name: &str,
    content: &Value,
    behind: &Observed,
    (roles, target): (&Roles, &Target),
    findings: &mut Vec<Finding>,
) {
    // Nothing is encrypted or logged, and nobody is another user, behind a forwarded port.
    if content["sessionType"] == "Port" {
        return;
    }
    let content = without_parameters(content);
    let users = lint::lint_run_as(&content).into_iter();
    let users = users.map(|finding| Finding {
        resource: name.to_owned(),
        ..finding
    });
    let found = users.chain(preflight::preflight(&content, behind, roles, target));
    let found: Vec<Finding> = found.filter(|one| !findings.contains(one)).collect();
    findings.extend(found.into_iter().map(|finding| Finding {
        message: format!("in sessions that name {name}: {}", finding.message),
        ..finding
    }));
}

/// Returns the operators who may, or might, start one of the documents; empty when none were given.
fn starters(documents: &[&SessionDocument], roles: &Roles, target: &Target) -> String {
    // Where they cannot be judged, the preflight says so.
    let operators = roles.of_operators(target).unwrap_or_default();
    let may = operators.iter().filter(|role| {
        let partition = Arn::parse(&role.arn).map_or("aws", |arn| arn.partition);
        documents.iter().any(|SessionDocument { name, owner, .. }| {
            let account = if owner == "Amazon" { "" } else { owner };
            let arn = format!(
                "arn:{partition}:ssm:{}:{account}:document/{name}",
                target.region
            );
            transcripts::may(role, "ssm:StartSession", &arn) != Verdict::Denied
        })
    });
    let names: Vec<&str> = may.map(|role| role.arn.as_str()).collect();
    if names.is_empty() {
        String::new()
    } else {
        format!("; may be started by {}", names.join(", "))
    }
}
