//! Service control policies that fence off sessions and commands: whom they spare, and what they break. Judged by the
//! evaluator with principals that nobody is, so that no spelling of a policy hides what it does.

use super::Problems;
use crate::actions::{AGENT_ACTIONS, OPERATOR_ACTIONS};
use crate::arn::Arn;
use crate::compiled::Compiled;
use crate::evaluate::{Verdict, denies};
use crate::operator::Family;
use crate::pattern::glob;
use crate::principal::{PrincipalMistake, principal_mistake};
use crate::request::{Context, Request};
use crate::{Condition, Effect, Policy, Rule, Severity, Statement};

/// A role that no list names: what an instance or any colleague may have.
pub(super) const ANYBODY: &str = "arn:aws:iam::111122223333:role/q7zkw4";

pub(super) fn guard(policy: &Policy, found: &mut Problems) {
    // Whether a policy protects its own exemptions takes all of it to say.
    let whole = Compiled::new("", policy).ok();
    for statement in &policy.statements {
        let alone = Policy {
            statements: vec![statement.clone()],
            ..policy.clone()
        };
        let compiled = Compiled::new("", &alone).ok();
        match statement.effect {
            Effect::Deny => deny(whole.as_ref(), statement, compiled.as_ref(), found),
            Effect::Allow => allow(statement, found),
        }
    }
}

pub(super) fn request(principal: &str, action: &str, resource: &str) -> Request {
    let account = Arn::parse(principal).map_or("", |arn| arn.account);
    let context = Context::partial()
        .with("aws:PrincipalArn", principal)
        .with("aws:PrincipalAccount", account);
    Request::new(action, resource, context)
}

fn deny(
    whole: Option<&Compiled>,
    statement: &Statement,
    compiled: Option<&Compiled>,
    found: &mut Problems,
) {
    let denied = |principal: &str, action: &str| {
        compiled.is_some_and(|compiled| {
            denies(compiled, &request(principal, action, "*"))
                .is_some_and(|said| said.verdict == Verdict::Denied)
        })
    };
    let needed: Vec<&str> = AGENT_ACTIONS
        .iter()
        .copied()
        .filter(|action| denied(ANYBODY, action))
        .collect();
    if let Some(first) = needed.first() {
        // Without its channel or its reports of being alive a node is lost; without another action it only lacks a feature.
        let offline = needed.iter().any(|action| {
            action.starts_with("ssmmessages:") || *action == "ssm:UpdateInstanceInformation"
        });
        let effect = if offline {
            "every node goes offline"
        } else {
            "what needs them fails on every node"
        };
        let message = format!(
            "actions that agents need are denied to instance roles, {first} and {} more: {effect}",
            needed.len() - 1
        );
        let denying = statement.actions.values.iter().find(|action| {
            !statement.actions.negated
                && glob(
                    &action.value.to_ascii_lowercase(),
                    &first.to_ascii_lowercase(),
                )
        });
        let fix = "name the actions of operators one by one instead of ssm:*, ssmmessages:* or ec2messages:*";
        found.add(
            Rule::AgentsDenied,
            Severity::Error,
            denying.map_or(statement.position(), |action| &action.position),
            message,
            fix,
        );
    }
    if !statement.actions.negated && !covers_operator_action(statement) {
        return;
    }
    let principals: Vec<&Condition> = statement
        .conditions
        .iter()
        .filter(|condition| condition.key.value.eq_ignore_ascii_case("aws:PrincipalArn"))
        .filter(|condition| matches!(condition.operator.test.family, Family::Arn | Family::String))
        .collect();
    let (negated, positive): (Vec<&Condition>, Vec<&Condition>) = principals
        .into_iter()
        .partition(|condition| condition.operator.test.negated);
    // Beside other conditions the patterns are the scope of a denial, as in AWS's own samples for IAM users.
    // https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_examples.html
    for condition in positive.iter().filter(|_| statement.conditions.len() == 1) {
        inverted(condition, found);
    }
    // A region guard and the like denies all and spares by other keys than the principal; that is not a guard of ours.
    if statement.actions.negated {
        return;
    }
    // A list of what everybody may use spares resources, and nobody has to be spared.
    let spares_resources = statement.resources.as_ref().is_some_and(|one| one.negated);
    if statement.conditions.is_empty() && !spares_resources {
        let message = "nobody is exempt: the people who could repair it are denied too".to_owned();
        let fix = "add \"Condition\": {\"ArnNotLike\": {\"aws:PrincipalArn\": [..]}} with a break-glass role";
        found.add(
            Rule::NobodyExempt,
            Severity::Warning,
            statement.position(),
            message,
            fix,
        );
    }
    let of_accounts: Vec<&Condition> = statement
        .conditions
        .iter()
        .filter(|condition| {
            condition
                .key
                .value
                .eq_ignore_ascii_case("aws:PrincipalAccount")
        })
        .filter(|condition| condition.operator.test.family == Family::String)
        .collect();
    for condition in of_accounts.iter().filter(|one| one.operator.test.negated) {
        no_account(condition, found);
    }
    let accounts: Vec<&Condition> = of_accounts
        .into_iter()
        .filter(|condition| !condition.operator.test.negated)
        .collect();
    // Patterns that cover everybody, or accounts that do, and nothing else that could spare who repairs it.
    let covers_everybody = positive.iter().any(|one| broad(one)) || positive.is_empty();
    let are_all = statement.conditions.len() == positive.len() + accounts.len();
    if are_all && covers_everybody && !statement.conditions.is_empty() {
        let message = "nobody is exempt: of those whom the patterns cover, no condition exempts a break-glass role";
        let fix = "write ArnNotLike with the roles that should keep access, a break-glass role among them";
        found.add(
            Rule::NobodyExempt,
            Severity::Error,
            statement.position(),
            message.to_owned(),
            fix,
        );
    }
    for condition in &negated {
        exemption(whole, condition, found);
    }
}

pub(super) fn covers_operator_action(statement: &Statement) -> bool {
    statement.actions.values.iter().any(|action| {
        let pattern = action.value.to_ascii_lowercase();
        OPERATOR_ACTIONS
            .iter()
            .any(|known| glob(&pattern, &known.to_ascii_lowercase()))
    })
}

/// Returns whether a condition covers every role or every user of an account.
fn broad(condition: &Condition) -> bool {
    condition.values.iter().any(|value| {
        let resource = Arn::parse(&value.value).map_or("", |arn| arn.resource);
        value.value == "*" || glob(resource, "role/q7zkw4") || glob(resource, "user/q7zkw4")
    })
}

fn inverted(condition: &Condition, found: &mut Problems) {
    // To deny the root user is common advice and means what it says.
    if condition
        .values
        .iter()
        .all(|value| value.value.ends_with(":root"))
    {
        return;
    }
    let message = format!(
        "{} denies exactly those whom the patterns cover, and all others keep the actions: a list of exemptions needs the \
         negated operator",
        condition.operator
    );
    let severity = if broad(condition) {
        Severity::Error
    } else {
        Severity::Warning
    };
    let fix = "write ArnNotLike with the principals that should keep access, or keep it if these alone should lose it";
    found.add(
        Rule::InvertedGuard,
        severity,
        &condition.key.position,
        message,
        fix,
    );
}

/// No account has the ID of zeros, which examples and local stand-ins for AWS have: it exempts nobody.
fn no_account(condition: &Condition, found: &mut Problems) {
    for value in &condition.values {
        if !value.value.is_empty() && value.value.bytes().all(|byte| byte == b'0') {
            found.add(
                Rule::NobodyExempt,
                Severity::Error,
                &value.position,
                format!(
                    "no account has the ID {}, so nobody is exempt by it",
                    value.value
                ),
                "write the ID of the account whose principals should keep access",
            );
        }
    }
}

fn exemption(whole: Option<&Compiled>, condition: &Condition, found: &mut Problems) {
    let test = condition.operator.test;
    let wildcards = test.wildcards;
    let mistakes: Vec<Option<PrincipalMistake>> = condition
        .values
        .iter()
        .map(|value| {
            if !wildcards && value.value.contains(['*', '?']) {
                let message = "the wildcard is a plain character here".to_owned();
                return Some(PrincipalMistake::Nobody(message));
            }
            principal_mistake(&value.value)
        })
        .collect();
    let nobody = mistakes
        .iter()
        .all(|mistake| matches!(mistake, Some(PrincipalMistake::Nobody(_))));
    // Wildcards of strings reach across the parts of an ARN, which is not judged.
    if nobody && (test.family == Family::Arn || !wildcards) {
        let message = "no value can match a principal, so nobody is exempt".to_owned();
        let fix = "name at least one role that exists, a break-glass role among them";
        found.add(
            Rule::NobodyExempt,
            Severity::Error,
            &condition.key.position,
            message,
            fix,
        );
    }
    for (value, mistake) in condition.values.iter().zip(&mistakes) {
        if let Some(PrincipalMistake::Everybody(message)) = mistake {
            found.add(
                Rule::EverybodyExempt,
                Severity::Error,
                &value.position,
                message.clone(),
                "name roles",
            );
        } else if mistake.is_none()
            && let Some(kind) = KINDS
                .iter()
                .find(|kind| takeable(whole, &value.value, kind))
        {
            let Kind { name, by, actions } = kind;
            let message = format!(
                "whoever may create a {name} of a name that {} covers, or {by}, takes the exemption",
                value.value
            );
            let fix = format!(
                "exempt {name}s under a path that is protected, or deny to all others what makes or takes one: {}",
                actions.join(", ")
            );
            found.add(
                Rule::TakeableExemption,
                Severity::Warning,
                &value.position,
                message,
                &fix,
            );
        }
    }
}

/// What an account can make itself to be exempt.
struct Kind {
    name: &'static str,
    /// How one that exists is taken over.
    by: &'static str,
    /// What makes one, and what takes it over.
    actions: &'static [&'static str],
}

const KINDS: [Kind; 2] = [
    Kind {
        name: "role",
        by: "change its trust policy",
        actions: &["iam:CreateRole", "iam:UpdateAssumeRolePolicy"],
    },
    Kind {
        name: "user",
        by: "give another user such a name, or make an access key or a password for it",
        // Renaming a user is judged by both names, so that the one that is exempt can be denied.
        // https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateUser.html
        actions: &[
            "iam:CreateUser",
            "iam:UpdateUser",
            "iam:CreateAccessKey",
            "iam:CreateLoginProfile",
            "iam:UpdateLoginProfile",
        ],
    },
];

/// Returns whether accounts can make themselves a role or user that the pattern covers. Nobody can create roles under
/// `/aws-reserved/`, and the policy may itself deny creating them.
fn takeable(whole: Option<&Compiled>, pattern: &str, kind: &Kind) -> bool {
    let arn = Arn::parse(pattern);
    let Some((account, name)) = arn.and_then(|arn| Some((arn.account, arn.named(kind.name)?)))
    else {
        return false;
    };
    let wild = name.contains(['*', '?']) || account.contains(['*', '?']);
    // No role that somebody makes has a colon in its name, as role/aws:ec2-infrastructure of EC2 has.
    // https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html
    if name.contains(':') {
        return false;
    }
    if !wild || name.starts_with("aws-reserved/") || name.starts_with("aws-service-role/") {
        return false;
    }
    let example = name.replace('*', "q7").replace('?', "q");
    let arn = format!("arn:aws:iam::111122223333:{}/{example}", kind.name);
    let Some(whole) = whole else {
        return false;
    };
    let protected = |action: &&str| {
        denies(whole, &request(ANYBODY, action, &arn))
            .is_some_and(|said| said.verdict == Verdict::Denied)
    };
    !kind.actions.iter().all(protected)
}

fn allow(statement: &Statement, found: &mut Problems) {
    let everything = !statement.actions.negated
        && statement.conditions.is_empty()
        && statement
            .actions
            .values
            .iter()
            .any(|action| action.value.bytes().all(|byte| byte == b'*'))
        && statement.resources.as_ref().is_some_and(|resources| {
            !resources.negated
                && resources
                    .values
                    .iter()
                    .any(|resource| resource.value == "*")
        });
    if !everything {
        let covered = |action: &&&str| {
            let action = action.to_ascii_lowercase();
            let named = statement
                .actions
                .values
                .iter()
                .any(|pattern| glob(&pattern.value.to_ascii_lowercase(), &action));
            named == statement.actions.negated
        };
        let cut = AGENT_ACTIONS.iter().filter(covered).count();
        let agents = match cut {
            0 => String::new(),
            n_actions => format!(", including {n_actions} actions that agents need"),
        };
        let message = format!(
            "where this replaces FullAWSAccess, everything that it does not allow is denied{agents}"
        );
        let fix = "keep FullAWSAccess attached at this level and deny what is unwanted";
        found.add(
            Rule::AllowList,
            Severity::Warning,
            statement.position(),
            message,
            fix,
        );
    }
}
