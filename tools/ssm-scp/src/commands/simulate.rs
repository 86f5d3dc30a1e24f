//! `simulate`: whether principals may do something, by policy files, a saved organization or the live one.

use std::io::{BufRead, IsTerminal};

use anyhow::{Context, bail, ensure};
use cli::{Outcome, Output};
use iam_policy::{meant_action, reference};

use super::GlobalArgs;
use super::guard::GuardArgs;
use crate::simulate::{Effective, Judges, Questions, simulate};
use organization::{FULL_ACCESS, Organization, compile};

/// Evaluate whether principals may perform actions, by policy files or by the policies of the organization
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-scp simulate --guard scp.json --principal arn:aws:iam::111122223333:role/dev\n  ssm-scp simulate --guard scp.json --principal arn:aws:iam::111122223333:role/dev --expect deny"
)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    source: GuardArgs,

    /// Ask about this user or role; repeat for several [default: one ARN a line on stdin]
    #[arg(long = "principal", value_name = "ARN")]
    principals: Vec<String>,

    /// Ask about this action; repeat for several
    #[arg(long = "action", value_name = "ACTION", default_values_t = ["ssm:StartSession".to_owned(), "ssm:SendCommand".to_owned()])]
    actions: Vec<String>,

    /// Ask also about actions that AWS's service reference does not list
    #[arg(long)]
    unlisted_actions: bool,

    /// Ask about this resource; repeat for several [default: not known]
    #[arg(long = "resource", value_name = "ARN")]
    resources: Vec<String>,

    /// Set a context key; KEY alone says that the request does not have it, KEY= that its value is empty; repeat KEY=VALUE for
    /// several values
    #[arg(long = "context", value_name = "KEY[=VALUE]", value_parser = context)]
    context: Vec<(String, Option<String>)>,

    /// Exit with 1 unless this is every answer
    #[arg(long, value_name = "ANSWER")]
    expect: Option<Expected>,
}

/// What `--expect` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Expected {
    Allow,
    Deny,
}

impl Expected {
    /// Returns the answer that is expected.
    fn answer(self) -> Effective {
        match self {
            Expected::Allow => Effective::Allowed,
            Expected::Deny => Effective::Denied,
        }
    }
}

pub(crate) async fn run(
    args: &SimulateArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(args.source.next(&global.aws));
    let questions = Questions {
        principals: principals(&args.principals)?,
        actions: actions(&args.actions, args.unlisted_actions)?,
        resources: args.resources.clone(),
        context: contexts(&args.context)?,
    };
    let source = &args.source;
    let guard = source.read()?;
    let mut organization = match &source.organization {
        Some(path) => Some(Organization::read(path)?),
        None if guard.compiled.is_empty() => Some(global.organization(out).await?),
        None => None,
    };
    let simulations = match &mut organization {
        Some(organization) => {
            guard.join(organization);
            simulate(&questions, &Judges::Organization(&organization.judge()))?
        }
        None => {
            let full = compile("FullAWSAccess", FULL_ACCESS)?;
            let level = std::iter::once(&full).chain(&guard.compiled).collect();
            simulate(&questions, &Judges::Levels(vec![level]))?
        }
    };
    let mut outcome = Outcome::Fine;
    for simulation in &simulations {
        out.write(simulation)?;
        if args
            .expect
            .is_some_and(|expected| simulation.answer != expected.answer())
        {
            outcome = Outcome::Found;
        }
    }
    Ok(outcome)
}

/// Returns the principals of the flags, or of the lines on stdin.
fn principals(named: &[String]) -> anyhow::Result<Vec<String>> {
    let principals = if named.is_empty() {
        let stdin = std::io::stdin();
        ensure!(
            !stdin.is_terminal(),
            "no principal: pass --principal ARN, or one a line on stdin"
        );
        let lines = stdin
            .lock()
            .lines()
            .map(|line| line.map(|line| line.trim().to_owned()));
        let lines = lines.filter(|line| line.as_ref().map_or(true, |line| !line.is_empty()));
        lines
            .collect::<Result<Vec<String>, _>>()
            .context("read principals from stdin")?
    } else {
        named.to_vec()
    };
    for principal in &principals {
        if let Some(mistake) = iam_policy::principal_mistake(principal) {
            bail!("{}", mistake.message());
        }
        ensure!(
            !principal.contains(['*', '?']),
            "'{principal}' is a pattern: name one user or role"
        );
    }
    Ok(principals)
}

/// Returns the actions, each as it was typed. No guard denies one that does not exist: "allowed" would be a false answer.
fn actions(named: &[String], takes_unlisted: bool) -> anyhow::Result<Vec<String>> {
    for action in named {
        ensure!(
            !action.contains(['*', '?']),
            "'{action}' is a pattern: name one action"
        );
        ensure!(
            action.contains(':'),
            "'{action}' is not an action: expected one such as ssm:StartSession"
        );
        if takes_unlisted || reference::action(action).is_some() {
            continue;
        }
        let cure = match meant_action(action) {
            Some(meant) => format!("use {meant}"),
            None => "correct the name".to_owned(),
        };
        bail!(
            "AWS's service reference of {} has no action {action}: {cure}, or pass --unlisted-actions for one that AWS has added since",
            reference::date()
        );
    }
    Ok(named.to_vec())
}

fn context(text: &str) -> Result<(String, Option<String>), String> {
    let (key, value) = match text.split_once('=') {
        Some((key, value)) => (key, Some(value.to_owned())),
        None => (text, None),
    };
    match key.contains(':') {
        true => Ok((key.to_owned(), value)),
        false => Err(
            "expected KEY=VALUE such as aws:MultiFactorAuthPresent=true, or KEY for a request without it"
                .to_owned(),
        ),
    }
}

/// Returns the values of each key, whose case does not matter; none where it is missing.
fn contexts(given: &[(String, Option<String>)]) -> anyhow::Result<Vec<(String, Vec<String>)>> {
    let mut contexts: Vec<(String, Vec<String>)> = Vec::new();
    for (key, value) in given {
        match contexts
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
        {
            None => contexts.push((key.clone(), value.iter().cloned().collect())),
            Some((_, values)) => {
                ensure!(
                    values.is_empty() == value.is_none(),
                    "--context {key}: the request has the key or does not have it, not both"
                );
                values.extend(value.clone());
            }
        }
    }
    Ok(contexts)
}
