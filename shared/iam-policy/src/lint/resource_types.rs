//! Resources that the actions of a statement are never asked on, and actions that none of its resources is for.
//!
//! <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html>

use std::collections::BTreeSet;

use super::Problems;
use super::keys::of_statement;
use super::session::resources as of;
use crate::pattern::{Template, arn_parts, in_segment, overlap};
use crate::reference::{self, Action};
use crate::{Effect, Located, Policy, Rule, Severity, Statement, Version};

/// Resources that the reference lacks, each with what shows it.
const BEYOND: &[(&str, &str)] = &[
    // AmazonEKSConnectorServiceRolePolicy.
    ("ssm:StartSession", "eks:*:*:cluster/*"),
    ("ssm:DeregisterManagedInstance", "eks:*:*:cluster/*"),
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-quickstart.html
    ("ssmmessages:OpenDataChannel", "ssm:*:*:session/*"),
];

/// Actions all of whose resources are known: by the reference, and by what AWS's pages and managed policies write.
const CERTAIN: &[&str] = &[
    "ec2:DescribeInstances",
    "ssm:DescribeInstanceInformation",
    "ssm:DescribeInstanceProperties",
    "ssm:DescribeSessions",
    "ssm:GetParameter",
    "ssm:GetParameterHistory",
    "ssm:GetParameters",
    "ssm:GetParametersByPath",
    "ssm:ListCommandInvocations",
    "ssm:ListCommands",
    "ssm:PutParameter",
    "ssm:ResumeSession",
    "ssm:SendCommand",
    "ssm:StartSession",
    "ssm:TerminateSession",
];

pub(super) fn resource_types(policy: &Policy, found: &mut Problems) {
    for statement in &policy.statements {
        let is_negated = statement.resources.as_ref().is_none_or(|one| one.negated);
        // Most statements are for everything, and need no look at the reference.
        let are_all = of(statement).iter().any(|resource| resource.value == "*");
        if is_negated || statement.actions.negated || are_all {
            continue;
        }
        let Some(actions) = of_statement(statement).filter(|actions| !actions.is_empty()) else {
            continue;
        };
        let are_certain = actions.iter().all(|action| is_certain(action));
        let there = Resources::of(&actions, are_certain);
        let suits = |resource: &&Located<String>| there.may_be(&resource.value);
        let (suiting, others): (Vec<_>, Vec<_>) = of(statement).iter().partition(suits);
        // Lists that serve several statements hold more than each needs, and the reference has gaps; where not one resource
        // suits, the statement is wrong.
        let all_have_types = actions.iter().all(|action| !action.resources.is_empty());
        if are_certain || (suiting.is_empty() && all_have_types) {
            for resource in others {
                found.add(
                    Rule::ResourceType,
                    match are_certain {
                        true => Severity::Error,
                        false => Severity::Warning,
                    },
                    &resource.position,
                    format!(
                        "none of the actions is ever asked on {}: the statement {} nothing there",
                        resource.value,
                        verb(statement)
                    ),
                    &cure(&actions),
                );
            }
        }
        if !suiting.is_empty() {
            idle(statement, found);
        }
    }
}

/// Looks for actions that no resource of the statement is for.
fn idle(statement: &Statement, found: &mut Problems) {
    for named in &statement.actions.values {
        let action = reference::action(&named.value);
        let Some(action) = action.filter(|action| is_certain(action)) else {
            continue;
        };
        let there = Resources::of(&[action], true);
        let mut resources = of(statement).iter();
        if resources.any(|resource| there.may_be(&resource.value)) {
            continue;
        }
        found.add(
            Rule::ActionResource,
            Severity::Warning,
            &named.position,
            format!(
                "{} is asked on none of the resources of the statement, which {} it nowhere",
                named.value,
                verb(statement)
            ),
            &cure(&[action]),
        );
    }
}

fn verb(statement: &Statement) -> &'static str {
    match statement.effect {
        Effect::Allow => "allows",
        Effect::Deny => "denies",
    }
}

fn is_certain(action: &Action) -> bool {
    CERTAIN.iter().any(|name| *name == action.full_name())
}

/// What requests for some actions are about.
struct Resources {
    /// The name of the service and a pattern of ARNs.
    patterns: Vec<(&'static str, Box<[u8]>)>,
    /// Whether no star reaches beyond its segment; see [`names_type`].
    is_strict: bool,
}

impl Resources {
    fn of(actions: &[&'static Action], is_strict: bool) -> Resources {
        let (mut arns, mut services) = (BTreeSet::new(), BTreeSet::new());
        for action in actions {
            let name = action.full_name();
            arns.extend(action.resources.iter().map(|one| one.of.arn));
            let beyond = BEYOND.iter().filter(|(action, _)| *action == name);
            arns.extend(beyond.map(|(_, arn)| *arn));
            if action.resources.is_empty() {
                services.insert(action.service);
            }
        }
        let service = |arn: &'static str| arn.split(':').next().unwrap_or_default();
        let arns = arns.into_iter().map(|arn| (service(arn), possible(arn)));
        let services = services.into_iter().map(|name| (name, anything(name)));
        Resources {
            patterns: arns.chain(services).collect(),
            is_strict,
        }
    }

    /// Returns whether a request may be about something that the text of a policy covers.
    fn may_be(&self, text: &str) -> bool {
        // What is not an ARN is reported as that.
        if !text.starts_with("arn:") {
            return true;
        }
        let plain = without_variables(text);
        let wanted = compiled(&plain, self.is_strict || names_type(&plain));
        // A name without wildcards is compared much faster than the pattern.
        let service = plain.split(':').nth(2).unwrap_or_default();
        let is_name = !service.contains(['*', '?']);
        self.patterns.iter().any(|(name, pattern)| {
            (!is_name || service == *name || *name == "*") && overlap(&wanted, pattern)
        })
    }
}

/// Returns whether the last part of an ARN begins with a type, as `volume/*` does. A star before it may reach beyond its
/// segment; AWS's own policies mean it so only where no type is named: `arn:aws:secretsmanager:*:*:sqlworkbench!*`.
fn names_type(arn: &str) -> bool {
    let name = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let word = name.split(['/', ':']).next().unwrap_or_default();
    word.len() < name.len()
        && !word.is_empty()
        && word
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Puts a `*` for each policy variable, and for the parts of an ARN that are left out.
fn without_variables(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        plain.push_str(before);
        plain.push('*');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    plain.push_str(rest);
    for _ in arn_parts(&plain, Version::Of2008).len()..6 {
        plain.push_str(":*");
    }
    plain
}

fn compiled(text: &str, is_strict: bool) -> Box<[u8]> {
    let template = Template::parse(text, Version::Of2008, true);
    let Ok(Template::Fixed(mut bytes)) = template.map(Template::bounded_by_segments) else {
        return Box::default();
    };
    let mut n_colons = 0;
    for byte in bytes.iter_mut().filter(|_| is_strict) {
        n_colons += usize::from(*byte == b':');
        if n_colons < 5 {
            *byte = in_segment(*byte);
        }
    }
    bytes
}

/// Returns the ARNs of a type of resource as a pattern. A region is never empty where the reference has one; an account
/// may be, as that of AWS's own documents is.
fn possible(arn: &str) -> Box<[u8]> {
    let mut parts = arn.splitn(4, ':');
    let mut part = || parts.next().unwrap_or_default();
    let (service, region, account, name) = (part(), part(), part(), part());
    let region = region.replace('*', "?*");
    compiled(&format!("arn:*:{service}:{region}:{account}:{name}"), true)
}

/// Returns what a request is about whose action knows no resources: `arn:aws:ssm:eu-west-1:111122223333:*` in messages of
/// AWS that deny ssm:DescribeInstanceInformation, and `arn:aws:s3:::*` for buckets. The last star is a plain character.
fn anything(service: &str) -> Box<[u8]> {
    let mut bytes = compiled(&format!("arn:*:{service}:*:*:x"), true);
    if let Some(last) = bytes.last_mut() {
        *last = b'*';
    }
    bytes
}

fn cure(actions: &[&Action]) -> String {
    let mut forms: Vec<String> = actions
        .iter()
        .flat_map(|action| &action.resources)
        .map(|one| format!("arn:aws:{}", one.of.arn))
        .collect();
    forms.sort();
    forms.dedup();
    match forms.as_slice() {
        [] => "write \"*\": the actions know no resources".to_owned(),
        [form] => format!("write {form}"),
        forms if forms.len() <= 6 => format!("write one of {}", forms.join(", ")),
        forms => format!(
            "write one of {} and {} more",
            forms[..6].join(", "),
            forms.len() - 6
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::Resources;
    use crate::reference::{action, service, services};

    #[test]
    fn every_resource_of_the_reference_suits_its_actions() {
        let mut seen = BTreeSet::new();
        for action in services().flat_map(|prefix| &service(prefix).unwrap().actions) {
            for resource in &action.resources {
                if seen.insert(resource.of.arn) {
                    let arn = format!("arn:aws:{}", resource.of.arn);
                    let there = Resources::of(&[action], true);
                    assert!(there.may_be(&arn), "{} on {arn}", action.full_name());
                }
            }
        }
        assert!(seen.len() > 2_000, "{}", seen.len());
    }

    #[test]
    fn a_resource_suits_where_a_request_may_be_about_it() {
        for (name, arn, expected) in [
            ("ssm:StartSession", "*", true),
            ("ssm:StartSession", "arn:*", true),
            ("ssm:StartSession", "arn:aws:ec2:*:*:instance/i-1", true),
            (
                "ssm:StartSession",
                "arn:*:ec2:${aws:RequestedRegion}:*:instance/*",
                true,
            ),
            ("ssm:StartSession", "arn:aws:ec2:*", true),
            ("ssm:StartSession", "arn:aws:ec2:*:*:*", true),
            (
                "ssm:StartSession",
                "arn:aws:ssm:*::document/AWS-StartSSHSession",
                true,
            ),
            ("ssm:StartSession", "arn:aws:ssm:*:*:instance/*", false),
            ("ssm:StartSession", "arn:aws:ec2::*:instance/*", false),
            ("ssm:StartSession", "arn:aws:ec2:*:*:volume/*", false),
            ("ssm:StartSession", "arn:aws:eks:*:*:cluster/*", true),
            ("ssm:DescribeSessions", "arn:aws:ssm:*:*:*", true),
            ("ssm:DescribeSessions", "arn:aws:ssm:*:*:session/*", false),
            ("s3:ListAllMyBuckets", "arn:aws:s3:::*", true),
        ] {
            let there = Resources::of(&[action(name).unwrap()], true);
            assert_eq!(there.may_be(arn), expected, "{name} on {arn}");
        }
    }
}
