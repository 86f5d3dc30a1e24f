//! A policy made ready to be asked, once, and what it says to a request. Whether a key is known decides as well: what
//! depends on an unknown key is unknown, neither a match nor none.

mod classes;
mod condition;
mod resource;
mod within;

use self::condition::CompiledCondition;
use self::resource::Resource;
pub(crate) use self::resource::has_doubtful_type;
use crate::arn::Arn;
use crate::model::{Effect, Patterns, Policy, PrincipalType, Principals, Statement};
use crate::pattern::{self, Template};
use crate::request::{Principal, Request};
use crate::{Position, Problem, Rule, Severity, Version};

/// Whether something holds, as far as that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Truth<'p> {
    No,
    Yes,
    /// It depends on this context key.
    Unknown(&'p str),
}

/// What an answer depends on where the resource is not known and a statement is about some only.
pub(crate) const RESOURCE: &str = "resource";

impl<'p> Truth<'p> {
    fn of(holds: bool) -> Truth<'p> {
        if holds { Truth::Yes } else { Truth::No }
    }

    /// Returns whether it says more than another. What is in doubt for some resources only leaves others alone; any other doubt
    /// may be about all of them, whichever statement comes first.
    pub(crate) fn outweighs(self, other: Truth<'_>) -> bool {
        let weight = |truth: Truth<'_>| match truth {
            Truth::No => 0,
            Truth::Unknown(RESOURCE) => 1,
            Truth::Unknown(_) => 2,
            Truth::Yes => 3,
        };
        weight(self) > weight(other)
    }
}

/// A policy that can be asked.
#[derive(Clone, Debug)]
pub struct Compiled {
    /// What people call it: its name or file.
    pub name: String,
    statements: Vec<CompiledStatement>,
}

/// A statement that can be asked.
#[derive(Clone, Debug)]
pub(crate) struct CompiledStatement {
    pub(crate) effect: Effect,
    pub(crate) sid: String,
    pub(crate) position: Position,
    principal: Option<CompiledPrincipals>,
    not_actions: bool,
    actions: Vec<Template>,
    not_resources: bool,
    /// `None` without a Resource: a trust policy.
    resources: Option<Vec<Resource>>,
    conditions: Vec<CompiledCondition>,
}

#[derive(Clone, Debug, PartialEq)]
struct CompiledPrincipals {
    negated: bool,
    everyone: bool,
    entries: Vec<(PrincipalType, String)>,
}

/// What decides beside the request.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Asker {
    /// Whether who asks has a permissions boundary.
    pub(crate) has_boundary: bool,
    /// Whether the policy is one of those whose incomplete ARNs AWS completes.
    pub(crate) completes_arns: bool,
}

/// What a policy says to a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Says<'p> {
    /// The first statement that denies, else the first of those that may and are most in doubt.
    pub(crate) deny: Option<(&'p CompiledStatement, Truth<'p>)>,
    /// The first statement that allows, else the first of those that may and are most in doubt.
    pub(crate) allow: Option<(&'p CompiledStatement, Truth<'p>)>,
    /// Whether a statement allows the very user or session who asks.
    pub(crate) allows_directly: bool,
}

impl Compiled {
    /// Compiles a policy.
    ///
    /// # Errors
    /// The policy was not read without errors; the first of them.
    pub fn new(name: impl Into<String>, policy: &Policy) -> Result<Compiled, Problem> {
        let version = policy.language();
        let statements = policy
            .statements
            .iter()
            .map(|statement| compile(statement, version));
        Ok(Compiled {
            name: name.into(),
            statements: statements.collect::<Result<_, _>>()?,
        })
    }

    /// Returns the condition keys that answers may depend on, in lower case; one that several conditions compare comes several
    /// times.
    pub fn condition_keys(&self) -> impl Iterator<Item = &str> {
        let conditions = self.statements.iter().flat_map(|one| &one.conditions);
        conditions.flat_map(CompiledCondition::keys)
    }

    /// Returns what the statements say, without looking further than a certain denial.
    pub(crate) fn says<'p>(&'p self, request: &Request) -> Says<'p> {
        self.says_to(request, Asker::default())
    }

    /// Returns the same where more is known of the policy and of who asks.
    pub(crate) fn says_to<'p>(&'p self, request: &Request, asker: Asker) -> Says<'p> {
        let mut says = Says {
            deny: None,
            allow: None,
            allows_directly: false,
        };
        for statement in &self.statements {
            let found = match statement.effect {
                Effect::Deny => &mut says.deny,
                Effect::Allow => &mut says.allow,
            };
            // A resource's policy may still have a statement that names who asks.
            if matches!(found, Some((_, Truth::Yes))) && statement.principal.is_none() {
                continue;
            }
            match statement.applies(request, asker) {
                Truth::No => {}
                truth => {
                    if found.is_none_or(|(_, known)| truth.outweighs(known)) {
                        *found = Some((statement, truth));
                    }
                    if truth != Truth::Yes {
                        continue;
                    }
                    if statement.effect == Effect::Deny {
                        return says;
                    }
                    says.allows_directly |= statement.grants_directly(request);
                }
            }
        }
        says
    }

    /// Returns each statement of an effect that applies, or may.
    pub(crate) fn applying<'p>(
        &'p self,
        effect: Effect,
        request: &Request,
    ) -> impl Iterator<Item = (&'p CompiledStatement, Truth<'p>)> {
        let statements = self.statements.iter();
        let statements = statements.filter(move |statement| statement.effect == effect);
        let asked =
            statements.map(|statement| (statement, statement.applies(request, Asker::default())));
        asked.filter(|(_, truth)| *truth != Truth::No)
    }

    /// Returns whether a statement allows, as if none denied.
    pub(crate) fn says_allowed<'p>(&'p self, request: &Request) -> Truth<'p> {
        let mut allowed = Truth::No;
        let allowing = self.statements.iter();
        for statement in allowing.filter(|statement| statement.effect == Effect::Allow) {
            match statement.applies(request, Asker::default()) {
                Truth::Yes => return Truth::Yes,
                Truth::No => {}
                unknown => allowed = unknown,
            }
        }
        allowed
    }
}

fn compile(statement: &Statement, version: Version) -> Result<CompiledStatement, Problem> {
    let template = |text: &str, version| Template::parse(text, version, true);
    let broken = |rule, position: &Position, why: &str| Problem {
        rule,
        severity: Severity::Error,
        position: position.clone(),
        message: why.to_owned(),
        fix: "correct it".to_owned(),
    };
    let mut actions = Vec::with_capacity(statement.actions.values.len());
    for action in &statement.actions.values {
        // Actions know no variables, and their case does not matter.
        let lower = action.value.to_ascii_lowercase();
        let action = template(&lower, Version::Of2008)
            .map_err(|why| broken(Rule::Action, &action.position, why))?;
        actions.push(action);
    }
    let mut resources = None;
    if let Some(Patterns { values, .. }) = &statement.resources {
        let compiled = resources.insert(Vec::with_capacity(values.len()));
        for resource in values {
            let invalid = |why| broken(Rule::Variable, &resource.position, why);
            compiled.push(Resource::compile(&resource.value, version).map_err(invalid)?);
        }
    }
    let conditions = statement.conditions.iter();
    let conditions = conditions.map(|condition| CompiledCondition::new(condition, version));
    Ok(CompiledStatement {
        effect: statement.effect,
        sid: statement.sid().to_owned(),
        position: statement.position().clone(),
        principal: statement.principal.as_ref().map(compile_principals),
        not_actions: statement.actions.negated,
        actions,
        not_resources: statement
            .resources
            .as_ref()
            .is_some_and(|resources| resources.negated),
        resources,
        conditions: conditions.collect::<Result<_, _>>()?,
    })
}

fn compile_principals(principals: &Principals) -> CompiledPrincipals {
    let entries = principals.entries.iter();
    CompiledPrincipals {
        negated: principals.negated,
        everyone: principals.everyone,
        entries: entries
            .map(|(kind, name)| (*kind, name.value.clone()))
            .collect(),
    }
}

impl CompiledStatement {
    fn applies<'p>(&'p self, request: &Request, asker: Asker) -> Truth<'p> {
        if !self.covers_action(request) || !self.covers_principal(request, asker.has_boundary) {
            return Truth::No;
        }
        let mut truth = match self.covers_resource(request, asker) {
            Truth::No => return Truth::No,
            truth => truth,
        };
        for condition in &self.conditions {
            match condition.holds(&request.context) {
                Truth::No => return Truth::No,
                Truth::Yes => {}
                unknown @ Truth::Unknown(_) if truth == Truth::Yes => truth = unknown,
                Truth::Unknown(_) => {}
            }
        }
        truth
    }

    fn covers_action(&self, request: &Request) -> bool {
        let covered = self.actions.iter().any(|action| match action {
            Template::Fixed(pattern) => pattern::matches(pattern, request.action.as_bytes()),
            Template::Variable(_) => false,
        });
        covered != self.not_actions
    }

    fn covers_principal(&self, request: &Request, has_boundary: bool) -> bool {
        let Some(principals) = &self.principal else {
            return true;
        };
        let Some(principal) = &request.principal else {
            return principals.everyone;
        };
        // NotPrincipal with Deny "will always deny any IAM principal that has a permissions boundary policy attached".
        // https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html
        let is_principal = matches!(principal, Principal::Aws { .. });
        if principals.negated && self.effect == Effect::Deny && has_boundary && is_principal {
            return true;
        }
        // Allowing an account leaves it to the account's own policies whom; denying it denies everybody in it. Beside a
        // user whom NotPrincipal spares, the ARN of the account spares nobody else.
        let whole_accounts = self.effect == Effect::Deny && !principals.negated;
        let named = principals.everyone
            || principals
                .entries
                .iter()
                .any(|(kind, name)| names(*kind, name, principal, whole_accounts));
        named != principals.negated
    }

    /// Returns whether the statement grants to the very user or session who asks, which no boundary, session policy or lack
    /// of an own policy takes away.
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic_policy-eval-denyallow.html>
    fn grants_directly(&self, request: &Request) -> bool {
        let (Some(principals), Some(Principal::Aws { arn, session })) =
            (&self.principal, &request.principal)
        else {
            return false;
        };
        let named = |wanted: &str| {
            principals
                .entries
                .iter()
                .any(|(kind, name)| *kind == PrincipalType::Aws && name == wanted)
        };
        let everyone = principals.everyone || named("*");
        let by_key = everyone
            && self.conditions.iter().any(|condition| {
                &*condition.key == "aws:principalarn" && !condition.operator.test.negated
            });
        let by_name = match session {
            Some(session) => named(session),
            None => arn.contains(":user/") && named(arn),
        };
        !principals.negated && (by_name || by_key)
    }

    fn covers_resource<'p>(&'p self, request: &Request, asker: Asker) -> Truth<'p> {
        let Some(resources) = &self.resources else {
            return Truth::Yes;
        };
        match (
            resource::cover(resources, request, asker),
            self.not_resources,
        ) {
            (Truth::Yes, true) => Truth::No,
            (Truth::No, true) => Truth::Yes,
            (covered, _) => covered,
        }
    }
}

/// Returns whether an entry of a map of principals names the one who asks.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html>
fn names(kind: PrincipalType, name: &str, principal: &Principal, whole_accounts: bool) -> bool {
    match (kind, principal) {
        (PrincipalType::Service, Principal::Service(service)) => service == name,
        (PrincipalType::Aws, Principal::Aws { arn, session }) => {
            let account = Arn::parse(arn).map_or("", |arn| arn.account);
            let whole_account = name == account
                || name
                    .strip_suffix(":root")
                    .is_some_and(|rest| rest.ends_with(&format!(":iam::{account}")));
            name == "*"
                || name == arn
                || session.as_deref() == Some(name)
                || (whole_accounts && whole_account && !account.is_empty())
        }
        _ => false,
    }
}
