//! What keeps an event from reaching Slack.

use cli::{Finding, FindingKind, Reading, Severity, Target};

use crate::alerts::model::{Desired, Hashes, Observed, PLAN};
use crate::alerts::{function, rule, trail};

/// The ID of a finding about a layer of the desired state whose last day is over.
pub(crate) const OVERRIDE_EXPIRED: &str = "events.override.expired";

/// Returns the findings; what is secret or large is known by its hash.
pub(crate) fn check(
    desired: &Desired,
    hashes: &Hashes,
    observed: &Observed,
    target: &Target,
    partition: &str,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut add = |severity, id: &str, resource: &str, message: &str, fix: &str| {
        found.push(Finding {
            kind: FindingKind::Finding,
            id: id.to_owned(),
            severity,
            target: Some(target.clone()),
            resource: resource.to_owned(),
            message: message.to_owned(),
            fix: fix.to_owned(),
            is_unread: id.ends_with(".unknown"),
        });
    };
    let (name, role) = (desired.rule_name.0.as_str(), desired.role_name.0.as_str());
    let way = desired.function.as_ref();
    let wanted_target = match way {
        None => rule::target(desired, target, partition),
        Some(way) => function::target(desired, way, target, partition),
    };
    let (error, warning, apply) = (Severity::Error, Severity::Warning, PLAN);
    let allow = "allow the read that the message names";
    match &observed.rule {
        Reading::Absent => add(
            error,
            "events.rule.missing",
            name,
            "there is no rule: no alerts are sent for sessions and commands",
            apply,
        ),
        Reading::Unknown(why) => add(
            warning,
            "events.rule.unknown",
            name,
            &format!("the rule could not be read: {why}"),
            allow,
        ),
        Reading::Present(rule) => {
            if !rule.enabled {
                add(
                    error,
                    "events.rule.disabled",
                    name,
                    "the rule is disabled: no alerts are sent for sessions and commands",
                    apply,
                );
            }
            if rule::asks_for_reads(desired) && !rule.read_only_calls {
                add(
                    error,
                    "events.rule.without_reads",
                    name,
                    "the rule does not match read-only calls, which are among the desired ones",
                    apply,
                );
            }
            if rule.pattern != rule::pattern(desired) {
                add(
                    error,
                    "events.pattern.drifted",
                    name,
                    "the rule matches other events than the desired ones",
                    apply,
                );
            }
        }
    }
    if let Some(what) = rule::too_long(&rule::pattern(desired)) {
        let (severity, message) = match &what {
            Ok(warned) => (warning, warned),
            Err(refused) => (error, refused),
        };
        let fix = "name fewer events, or ask for a higher quota in Service Quotas";
        add(severity, "events.pattern.too_long", name, message, fix);
    }
    match &observed.target {
        Reading::Absent => add(
            error,
            "events.target.missing",
            name,
            "the rule has no target of this tool: what it matches goes nowhere",
            apply,
        ),
        Reading::Unknown(why) => add(
            warning,
            "events.target.unknown",
            name,
            &format!("the targets could not be read: {why}"),
            allow,
        ),
        Reading::Present(existing) if *existing != wanted_target => {
            add(
                error,
                "events.target.drifted",
                name,
                "the target points elsewhere or sends another text",
                apply,
            );
        }
        Reading::Present(_) => {}
    }
    let queue = rule::queue_name(name);
    match &observed.queue {
        Reading::Absent => add(
            error,
            "events.queue.missing",
            &queue,
            "there is no dead-letter queue: alerts that Slack rejects are lost after a day of retries",
            apply,
        ),
        Reading::Unknown(why) => add(
            warning,
            "events.queue.unknown",
            &queue,
            &format!("the dead-letter queue could not be read: {why}"),
            allow,
        ),
        Reading::Present(existing) => {
            if existing.policy != rule::queue_policy(name, target, partition) {
                add(
                    error,
                    "events.queue.denied",
                    &queue,
                    "the queue's policy is not the one that lets EventBridge use it: undelivered events may be lost",
                    apply,
                );
            }
            if existing.n_messages > 0 {
                let n_messages = existing.n_messages;
                add(
                    error,
                    "events.queue.not_empty",
                    &queue,
                    &format!("about {n_messages} events did not reach Slack"),
                    "fix what the messages' ERROR_CODE names, send them with `ssm-events send`, then purge the queue",
                );
            }
        }
    }
    if let Some(way) = way {
        for (severity, id, message, fix) in
            function::problems(desired, way, hashes, observed, target, partition)
        {
            add(severity, id, &way.name.0, &message, fix);
        }
    } else {
        match &observed.connection {
            Reading::Absent => add(
                error,
                "events.connection.missing",
                name,
                "there is no connection: the destination cannot be called",
                apply,
            ),
            Reading::Unknown(why) => add(
                warning,
                "events.connection.unknown",
                name,
                &format!("the connection could not be read: {why}"),
                allow,
            ),
            Reading::Present(connection)
                if connection.state != "AUTHORIZED" && connection.state != "ACTIVE" =>
            {
                let message = format!(
                    "the connection is {}: EventBridge does not call the destination",
                    connection.state
                );
                add(
                    error,
                    "events.connection.not_authorized",
                    name,
                    &message,
                    "delete the connection, then let ssm-events plan and apply it",
                );
            }
            Reading::Present(_) => {}
        }
        match &observed.destination {
            Reading::Absent => add(
                error,
                "events.destination.missing",
                name,
                "there is no API destination for the webhook",
                apply,
            ),
            Reading::Unknown(why) => add(
                warning,
                "events.destination.unknown",
                name,
                &format!("the API destination could not be read: {why}"),
                allow,
            ),
            Reading::Present(destination) => {
                match &hashes.endpoint {
                    Reading::Present(endpoint) if *endpoint != destination.endpoint_sha256 => add(
                        error,
                        "events.destination.drifted",
                        name,
                        "the API destination has another URL than the webhook: somebody else may be reading",
                        apply,
                    ),
                    Reading::Present(_) | Reading::Absent => {}
                    Reading::Unknown(why) => add(
                        warning,
                        "events.destination.unknown",
                        name,
                        &format!(
                            "whether the API destination has the URL of the webhook is not known: {why}"
                        ),
                        "give check the URL as well, or let it read where the URL is kept",
                    ),
                }
                if !destination.active {
                    add(
                        error,
                        "events.destination.inactive",
                        name,
                        "the API destination is inactive: its connection is not authorized",
                        "delete the connection, then let ssm-events plan and apply it",
                    );
                }
            }
        }
    }
    match &observed.role {
        Reading::Absent => add(
            error,
            "events.role.missing",
            role,
            "the role does not exist: no alerts are sent",
            apply,
        ),
        Reading::Unknown(why) => add(
            warning,
            "events.role.unknown",
            role,
            &format!("the role could not be read: {why}"),
            allow,
        ),
        Reading::Present(existing) => {
            let (trust, policy) = match way {
                None => (
                    rule::trust(target),
                    rule::role_policy(name, target, partition),
                ),
                Some(way) => (
                    function::trust(target),
                    function::role_policy(desired, way, target, partition),
                ),
            };
            if existing.policy != policy || existing.trust != trust {
                add(
                    error,
                    "events.role.drifted",
                    role,
                    "the role's trust or policy is not the one that alerts need",
                    apply,
                );
            }
        }
    }
    if let Some(desired) = &desired.trail {
        for (severity, id, resource, message, fix) in
            trail::problems(desired, observed, target, partition)
        {
            add(severity, id, &resource, &message, fix);
        }
    }
    found
}

/// Returns what is wrong where no trail, whoever made it, has the calls of a region.
pub(crate) fn coverage(covered: &Reading<bool>, target: &Target) -> Option<Finding> {
    let (severity, id, message, fix) = match covered {
        Reading::Present(true) => return None,
        Reading::Present(false) | Reading::Absent => (
            Severity::Error,
            "events.trail.none",
            "no active trail records the write calls of this region: EventBridge receives no session and no command".to_owned(),
            "add `trail` to the desired state, or start a trail of the account or organization",
        ),
        Reading::Unknown(why) => (
            Severity::Warning,
            "events.trail.unknown",
            format!("whether a trail covers this region could not be read: {why}"),
            "allow the read that the message names",
        ),
    };
    Some(Finding {
        kind: FindingKind::Finding,
        id: id.to_owned(),
        severity,
        target: Some(target.clone()),
        resource: "cloudtrail".to_owned(),
        message,
        fix: fix.to_owned(),
        is_unread: id.ends_with(".unknown"),
    })
}
