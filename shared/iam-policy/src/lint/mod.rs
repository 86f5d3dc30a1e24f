//! What is valid and still wrong. A rule states what happens, not that a style was broken; wherever it can, it asks the
//! evaluator instead of comparing texts.

mod actions;
mod conditions;
mod elements;
mod guard;
mod keys;
mod openings;
mod presence;
mod resource_control;
mod resource_types;
mod resources;
mod session;
mod template;

pub use actions::meant_action;

use crate::quota::MAX_RCP_CHARACTERS;
use crate::{Policy, Position, Problem, Rule, Severity};

/// What a policy is for, which decides what it may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyType {
    /// A service control policy, and its longest allowed length in characters.
    ServiceControl {
        /// Quota of the organization.
        max_characters: usize,
    },
    /// A resource control policy.
    ResourceControl,
    /// A policy of a user, group or role, a permissions boundary or a session policy.
    Identity,
    /// The policy of a bucket, key or queue, or the trust policy of a role.
    Resource,
}

/// Returns everything that is wrong with a policy, in the order of its text.
#[must_use]
pub fn lint(text: &str, policy_type: PolicyType) -> Vec<Problem> {
    let parsed = Policy::parse(text);
    let mut found = Problems {
        problems: parsed.problems,
    };
    match policy_type {
        PolicyType::ServiceControl { max_characters } => {
            elements::size(text, max_characters, &mut found);
        }
        PolicyType::ResourceControl => elements::size(text, MAX_RCP_CHARACTERS, &mut found),
        PolicyType::Identity | PolicyType::Resource => {}
    }
    if let Some(policy) = &parsed.draft {
        elements::elements(policy, policy_type, &mut found);
        actions::actions(policy, &mut found);
        conditions::conditions(policy, &mut found);
        keys::keys(policy, &mut found);
        resources::resources(policy, policy_type, &mut found);
        resource_types::resource_types(policy, &mut found);
        match policy_type {
            PolicyType::ServiceControl { .. } => {
                guard::guard(policy, &mut found);
                openings::openings(policy, &mut found);
            }
            PolicyType::Identity => session::session(policy, &mut found),
            PolicyType::ResourceControl => {
                resource_control::resource_control(policy, &mut found);
            }
            PolicyType::Resource => {}
        }
    }
    template::template(text, &mut found);
    let mut problems = found.problems;
    problems.sort_by_key(|problem| (problem.position.line, problem.position.column, problem.rule));
    problems.dedup();
    without_echoes(problems)
}

/// Returns the Sid of the statement in a policy that the JSON path of a problem leads into.
#[must_use]
pub fn sid_at(text: &str, path: &str) -> Option<String> {
    let statements = Policy::parse(text).draft?.statements;
    let holding = statements.into_iter().find(|statement| {
        let rest = path.strip_prefix(statement.position().path.as_str());
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    });
    holding?.sid.map(|sid| sid.value)
}

/// Leaves out what only repeats or follows from another problem: a mistake is reported once, by the rule that knows best what
/// was meant.
fn without_echoes(problems: Vec<Problem>) -> Vec<Problem> {
    let echoes = |problem: &Problem, other: &Problem| match (problem.rule, other.rule) {
        (Rule::Resource | Rule::OperatorValue, Rule::Placeholder)
        | (Rule::UnknownAction | Rule::UnknownService, Rule::Action) => {
            problem.position == other.position
        }
        (
            Rule::IfExists | Rule::RequestExempt,
            Rule::UnknownKey | Rule::AbsentKey | Rule::KeyType,
        ) => problem.position == other.position,
        // Only that it is not an ARN is a warning.
        (Rule::OperatorValue, Rule::PrincipalArn) => {
            problem.severity == Severity::Warning && problem.position == other.position
        }
        // A condition that was not understood may exempt.
        (Rule::NobodyExempt, Rule::Operator | Rule::WrongType) => {
            let condition = other.position.path.strip_prefix(&problem.position.path);
            condition.is_some_and(|rest| rest.starts_with(".Condition"))
        }
        _ => false,
    };
    problems
        .iter()
        .filter(|problem| !problems.iter().any(|other| echoes(problem, other)))
        .cloned()
        .collect()
}

struct Problems {
    problems: Vec<Problem>,
}

impl Problems {
    fn add(
        &mut self,
        rule: Rule,
        severity: Severity,
        position: &Position,
        message: String,
        fix: &str,
    ) {
        self.problems.push(Problem {
            rule,
            severity,
            position: position.clone(),
            message,
            fix: fix.to_owned(),
        });
    }
}
