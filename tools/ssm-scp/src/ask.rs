//! The verbs that judge: reads policies, organizations and records from files, stdin or AWS, and hands them to the pure
//! rules. Never writes.

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};
use std::path::Path;

use anyhow::{Context, bail, ensure};
use awsconf::{AwsArgs, Session};
use futures_util::StreamExt;
use policy::Compiled;
use serde_json::Value;
use toolio::{IoArgs, Outcome, Output, Reading};

use crate::arguments::{GuardArgs, ImpactArgs, LintArgs, ReplayArgs, SimulateArgs};
use crate::desired::Desired;
use crate::hierarchy::{FULL_ACCESS, Organization, compile};
use crate::impact::{AccountPrincipals, Candidate, anybody, denied_actions, partition};
use crate::replay::{Counts, DeniedCall, Replay};
use crate::simulate::{Judges, Questions, simulate as answers};
use crate::table::write_row;
use crate::through::Through;
use crate::trail::Record;
use crate::{guard, lint, observe};

/// `lint`: finds what is wrong with policy files.
pub(crate) fn lint(arguments: &LintArgs, io: &IoArgs, out: &Output) -> anyhow::Result<Outcome> {
    let max_characters = arguments.limits.quota.max_characters;
    let mut outcome = Outcome::Fine;
    let texts = toolio::read_texts(&arguments.files, io, "policy")?;
    for (source, text) in texts {
        for finding in lint::lint(&source, &text, arguments.r#type, max_characters) {
            out.write(&finding)?;
            if finding.severity != toolio::Severity::Info {
                outcome = Outcome::Found;
            }
        }
    }
    Ok(outcome)
}

/// `simulate`: answers whether principals may do something, by policy files, a saved organization or the live one.
pub(crate) async fn simulate(
    arguments: &SimulateArgs,
    aws: &AwsArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let questions = Questions {
        principals: principals(&arguments.principals)?,
        actions: arguments.actions.clone(),
        resources: arguments.resources.clone(),
        context: arguments.context.clone(),
    };
    let source = &arguments.source;
    let guard = guard_of(source)?;
    let mut organization = match &source.organization {
        Some(path) => Some(saved(path)?),
        None if guard.compiled.is_empty() => Some(live(&aws.global_session().await?).await?),
        None => None,
    };
    let simulations = match &mut organization {
        Some(organization) => {
            guard.join(organization);
            answers(&questions, &Judges::Organization(&organization.judge()?))?
        }
        None => {
            let full = compile("FullAWSAccess", FULL_ACCESS)?;
            let level = std::iter::once(&full).chain(&guard.compiled).collect();
            answers(&questions, &Judges::Levels(vec![level]))?
        }
    };
    let mut outcome = Outcome::Fine;
    for simulation in &simulations {
        write_row(out, simulation)?;
        if arguments
            .expect
            .is_some_and(|expected| simulation.answer != expected.answer())
        {
            outcome = Outcome::Found;
        }
    }
    Ok(outcome)
}

/// `replay`: tells which recorded calls a guard would have denied.
pub(crate) fn replay(arguments: &ReplayArgs, io: &IoArgs, out: &Output) -> anyhow::Result<Outcome> {
    let guard = guard_of(&arguments.source)?;
    ensure!(
        !guard.compiled.is_empty(),
        "no guard: pass --guard FILE or --policy FILE"
    );
    let governed = match &arguments.source.organization {
        None => None,
        Some(path) => Some(guard.governed(&saved(path)?)),
    };
    let is_governed = |account: &str| {
        governed
            .as_ref()
            .is_none_or(|accounts| accounts.contains(account))
    };
    let mut replay = Replay::default();
    toolio::for_each_record(io, "CloudTrail records", |record: Record| {
        record.unwrap(&mut |record| {
            replay.record(&record, &guard.compiled, &is_governed);
            Ok(())
        })
    })?;
    out.note(&told(&replay.counts));
    let mut outcome = Outcome::Fine;
    for call in replay.into_denied() {
        write_row(out, &call)?;
        if arguments.exit_code {
            outcome = Outcome::Found;
        }
    }
    Ok(outcome)
}

fn told(counts: &Counts) -> String {
    let Counts {
        n_records,
        n_not_governed,
        n_denied_before,
        n_without_principal,
        n_no_call,
    } = counts;
    format!(
        "{n_records} records: {n_not_governed} by AWS or in accounts that the guard does not bind, {n_denied_before} denied \
         when they were made, {n_without_principal} that do not tell who called, {n_no_call} that are no call"
    )
}

/// Replays a file of records.
pub(crate) fn history(
    path: &Path,
    guard: &[Compiled],
    governed: &BTreeSet<String>,
) -> anyhow::Result<Vec<DeniedCall>> {
    let mut replay = Replay::default();
    toolio::for_each_record_of(path, "CloudTrail records", |record: Record| {
        record.unwrap(&mut |record| {
            replay.record(&record, guard, &|account| governed.contains(account));
            Ok(())
        })
    })?;
    Ok(replay.into_denied().collect())
}

/// `impact`: tells what becomes of every principal.
pub(crate) async fn impact(
    arguments: &ImpactArgs,
    aws: &AwsArgs,
    io: &IoArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let desired: Desired = toolio::read(io, "desired policy")?;
    let guard = Guard::of(&desired, arguments.limits.quota.max_characters)?;
    let through = Through::of(aws);
    let session = aws.split_account_roles().0.global_session().await?;
    let before = match &arguments.organization {
        Some(path) => saved(path)?,
        None => live(&session).await?,
    };
    let mut after = before.clone();
    guard.join(&mut after);
    let governed = guard.governed(&before);
    let (judged_before, judged_after) = (before.judge()?, after.judge()?);
    let mut outcome = Outcome::Fine;
    let ids: Vec<String> = before
        .accounts()
        .map(|account| account.id.clone())
        .collect();
    let progress = out.progress(false);
    progress.begin(ids.len());
    let mut reading = std::pin::pin!(through.each(&session, &ids));
    while let Some(read) = reading.next().await {
        progress.step();
        match &read.principals {
            Reading::Present(principals) => {
                let actions = actions(&guard.compiled, &governed, &read);
                let candidate = Candidate {
                    before: &judged_before,
                    after: &judged_after,
                    guard: &guard.compiled,
                    actions: &actions,
                    governed: &governed,
                };
                for principal in principals {
                    write_row(out, &candidate.impact(&read.account, principal)?)?;
                }
            }
            Reading::Absent => {}
            Reading::Unknown(why) => {
                let target = toolio::Target {
                    account: read.account.clone(),
                    region: session.target.region.clone(),
                };
                let error = anyhow::anyhow!("{why}");
                out.write(&toolio::Unreachable::new(crate::TOOL, &target, &error))?;
                outcome = Outcome::Trouble;
            }
        }
    }
    Ok(outcome)
}

/// Returns the actions that a guard denies to anybody of the accounts that it binds, or to somebody who was found in this one.
pub(crate) fn actions(
    guard: &[Compiled],
    governed: &BTreeSet<String>,
    account: &AccountPrincipals,
) -> Vec<String> {
    let found = account.principals.present().into_iter().flatten();
    let found = found.map(|principal| principal.arn.as_str());
    let partition = partition(found.clone());
    let anybodies: Vec<String> = governed.iter().map(|id| anybody(partition, id)).collect();
    // Of whoever is bound by nothing it does not matter what the guard would say.
    let found = found.filter(|_| governed.contains(&account.account));
    denied_actions(guard, anybodies.iter().map(String::as_str).chain(found))
}

/// Reads the organization from AWS.
pub(crate) async fn live(session: &Session) -> anyhow::Result<Organization> {
    observe::organization(&aws_sdk_organizations::Client::new(&session.config)).await
}

fn saved(path: &Path) -> anyhow::Result<Organization> {
    let mut records: Vec<Value> = Vec::new();
    if path.as_os_str() == "-" {
        let stdin = std::io::read_to_string(std::io::stdin().lock())?;
        let values = serde_json::Deserializer::from_str(&stdin).into_iter();
        records = values
            .collect::<Result<_, _>>()
            .context("read organization from stdin")?;
    } else {
        toolio::for_each_record_of(path, "organization", |record| {
            records.push(record);
            Ok(())
        })?;
    }
    Organization::from_records(records)
}

/// Policies that may come to be, and where.
pub(crate) struct Guard {
    parts: Vec<guard::Part>,
    pub(crate) compiled: Vec<Compiled>,
    targets: Vec<String>,
}

impl Guard {
    /// Returns the guard that a desired state renders to.
    pub(crate) fn of(desired: &Desired, max_characters: usize) -> anyhow::Result<Guard> {
        let parts = guard::render(desired, max_characters)?;
        let compiled = parts
            .iter()
            .map(|part| compile(&part.name, &part.document.to_string()));
        Ok(Guard {
            compiled: compiled.collect::<anyhow::Result<_>>()?,
            parts,
            targets: desired
                .targets
                .0
                .iter()
                .map(|target| target.0.clone())
                .collect(),
        })
    }

    /// Attaches the policies in an organization; those of files, which name no target, to every root.
    pub(crate) fn join(&self, organization: &mut Organization) {
        for part in &self.parts {
            organization.with_policy(&part.name, &part.document, &self.targets_in(organization));
        }
    }

    fn targets_in(&self, organization: &Organization) -> Vec<String> {
        if !self.targets.is_empty() {
            return self.targets.clone();
        }
        let roots = organization
            .entities
            .iter()
            .filter(|entity| entity.parent.is_none());
        roots.map(|root| root.id.clone()).collect()
    }

    /// Returns the accounts that the policies will bind.
    pub(crate) fn governed(&self, organization: &Organization) -> BTreeSet<String> {
        governed(organization, &self.targets_in(organization))
    }
}

/// Returns the accounts below some targets, without the management account.
pub(crate) fn governed(organization: &Organization, targets: &[String]) -> BTreeSet<String> {
    let below = |account: &str| {
        organization
            .lineage(account)
            .iter()
            .any(|entity| targets.contains(&entity.id))
    };
    let accounts = organization
        .accounts()
        .filter(|account| !account.management && below(&account.id));
    accounts.map(|account| account.id.clone()).collect()
}

fn guard_of(source: &GuardArgs) -> anyhow::Result<Guard> {
    let mut guard = match &source.guard {
        None => Guard {
            parts: Vec::new(),
            compiled: Vec::new(),
            targets: Vec::new(),
        },
        Some(path) => {
            let mut desired: Vec<Desired> = toolio::read_records_from(path, "desired policy")?;
            let desired = desired.pop().filter(|_| desired.is_empty());
            let desired = desired
                .with_context(|| format!("{}: expected one desired policy", path.display()))?;
            Guard::of(&desired, policy::MAX_SCP_CHARACTERS)?
        }
    };
    for path in &source.policies {
        let (name, text) = (path.display().to_string(), text(path, "policy")?);
        guard.compiled.push(compile(&name, &text)?);
        let document =
            serde_json::from_str(&text).with_context(|| format!("read policy from {name}"))?;
        guard.parts.push(guard::Part { name, document });
    }
    Ok(guard)
}

fn text(path: &Path, what: &str) -> anyhow::Result<String> {
    if path.as_os_str() != "-" {
        return std::fs::read_to_string(path)
            .with_context(|| format!("read {what} from {}", path.display()));
    }
    let stdin = std::io::stdin();
    ensure!(
        !stdin.is_terminal(),
        "read {what} from stdin: it is a terminal: pipe JSON in or name a file"
    );
    std::io::read_to_string(stdin.lock()).with_context(|| format!("read {what} from stdin"))
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
        if let Some(mistake) = policy::principal_mistake(principal) {
            bail!("{}", mistake.message());
        }
        ensure!(
            !principal.contains(['*', '?']),
            "'{principal}' is a pattern: name one user or role"
        );
    }
    Ok(principals)
}
