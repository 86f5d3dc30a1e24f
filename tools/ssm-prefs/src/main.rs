//! Session Manager preferences of one account and region: renders, lints, shows, plans, applies and checks them.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod apply;
mod check;
mod content;
mod finding;
#[cfg(test)]
mod fixture_tests;
mod lint;
mod model;
mod observe;
mod plan;
mod policies;
mod preflight;
mod roles;
mod state;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use awsconf::{Interrupt, Session};
use model::{Action, Desired, Observed, PreferencesKind, PreferencesRecord};
use preflight::Roles;
use toolio::{Finding, IoArgs, Outcome, Output, Plan, Reading, Severity};

const TOOL: &str = "ssm-prefs";

/// Manage the Session Manager preferences of an account and region
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None)]
struct Args {
    #[command(flatten)]
    aws: awsconf::AwsArgs,
    #[command(flatten)]
    io: IoArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Print the document that a desired state stands for (offline)
    Render,
    /// Find mistakes in a desired state or a document (offline)
    Lint,
    /// Print the preferences in force and the documents beside them
    Show,
    /// Print the changes that a desired state needs
    Plan {
        /// Exit with 1 when something needs to change
        #[arg(long)]
        exit_code: bool,
        #[command(flatten)]
        roles: RoleArgs,
    },
    /// Carry out plans read from stdin and print what was done
    Apply,
    /// Find what is wrong with the preferences and with what stands behind them
    Check {
        #[command(flatten)]
        roles: RoleArgs,
    },
}

/// Records of roles, to find out whose sessions would be refused.
#[derive(clap::Args)]
struct RoleArgs {
    /// Judge the roles of nodes in FILE, as `ssm-role show` prints them
    #[arg(long, value_name = "FILE")]
    roles: Option<PathBuf>,
    /// Judge the roles of people who start sessions in FILE, in the same form
    #[arg(long, value_name = "FILE")]
    operators: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match toolio::arguments::<Args>(model::schemas) {
        Ok(args) => toolio::finish(TOOL, run(args).await),
        Err(status) => status,
    }
}

async fn run(args: Args) -> anyhow::Result<Outcome> {
    let out = Output::new(TOOL, &args.io)?;
    match &args.verb {
        Verb::Render => {
            let desired = desired(&args.io)?;
            out.write(&content::render(&desired, None, None))?;
            Ok(Outcome::Fine)
        }
        Verb::Lint => report(
            &out,
            &lint::lint(&toolio::read(
                &args.io,
                "desired preferences or a document",
            )?),
        ),
        Verb::Show => {
            each_region(&args, &out, async |session| {
                let clients = observe::Clients::new(session);
                show(&clients, session, &out).await
            })
            .await
        }
        Verb::Plan { exit_code, roles } => {
            let (desired, roles) = (desired(&args.io)?, read_roles(roles)?);
            let mut plans = Vec::new();
            for session in args.aws.sessions().await? {
                let observed =
                    observe::observe(&observe::Clients::new(&session), &session, &desired).await;
                plans.push(plan(&desired, &observed, &roles, &session, &out)?);
            }
            // All or nothing: the other end of the pipe must not apply half of what was asked for.
            let changes = plans.iter().any(|plan| !plan.changes.is_empty());
            plans.iter().try_for_each(|plan| out.write(plan))?;
            Ok(if *exit_code && changes {
                Outcome::Found
            } else {
                Outcome::Fine
            })
        }
        Verb::Apply => apply(&args, &out).await,
        Verb::Check { roles } => {
            let (desired, roles) = (desired(&args.io)?, read_roles(roles)?);
            each_region(&args, &out, async |session| {
                let clients = observe::Clients::new(session);
                let observed = observe::observe(&clients, session, &desired).await;
                let observed = observe::surroundings(&clients, observed).await;
                let findings = check::check(
                    &desired,
                    &observed,
                    &roles,
                    &session.target,
                    &session.partition,
                );
                report(&out, &finding::at(&session.target, findings))
            })
            .await
        }
    }
}

/// Reads the desired state and refuses one with errors, before anything is called.
fn desired(io: &IoArgs) -> anyhow::Result<Desired> {
    let desired: Desired = toolio::read(io, "desired preferences")?;
    match lint::lint_desired(&desired)
        .into_iter()
        .find(|finding| finding.severity == Severity::Error)
    {
        Some(finding) => {
            bail!(
                "desired preferences: {}: {}; {}",
                finding.resource,
                finding.message,
                finding.fix
            )
        }
        None => Ok(desired),
    }
}

fn read_roles(args: &RoleArgs) -> anyhow::Result<Roles> {
    let read = |path: &Option<PathBuf>| -> anyhow::Result<Vec<roles::Role>> {
        let Some(path) = path else {
            return Ok(Vec::new());
        };
        let records = toolio::read_records_from(path, "role records")?;
        let roles = roles::roles(&records);
        if roles.is_empty() {
            bail!(
                "role records from {}: no `roles` in them; pipe in what `ssm-role show` prints",
                shown(path)
            );
        }
        Ok(roles)
    };
    Ok(Roles {
        nodes: read(&args.roles)?,
        operators: read(&args.operators)?,
    })
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

async fn each_region(
    args: &Args,
    out: &Output,
    work: impl AsyncFn(&Session) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let sessions = args.aws.sessions().await?;
    let mut outcome = Outcome::Fine;
    for session in &sessions {
        match work(session).await {
            Ok(one) => outcome = outcome.and(one),
            Err(error) if sessions.len() > 1 => {
                out.write(&toolio::Unreachable::new(TOOL, &session.target, &error))?;
                outcome = outcome.and(Outcome::Trouble);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(outcome)
}

async fn show(
    clients: &observe::Clients,
    session: &Session,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let document = observe::document(&clients.ssm).await;
    if let Reading::Unknown(reason) = &document {
        bail!("{reason}");
    }
    let session_documents = observe::session_documents(&clients.ssm).await;
    out.write(&PreferencesRecord {
        kind: PreferencesKind::Preferences,
        target: session.target.clone(),
        versions_differ: document.present().and_then(check::versions_differ),
        document,
        session_documents,
    })?;
    Ok(Outcome::Fine)
}

/// Makes a plan, and warns of sessions that would be refused once it is carried out.
fn plan(
    desired: &Desired,
    observed: &Observed,
    roles: &Roles,
    session: &Session,
    out: &Output,
) -> anyhow::Result<Plan<Action>> {
    let changes = plan::plan(desired, observed, &session.target, &session.partition)
        .with_context(|| format!("plan for {}", session.target))?;
    let after = plan::after(observed, &changes, &session.target, &session.partition);
    if let Some(document) = after.document.present() {
        for finding in
            preflight::preflight(&document.latest.content, &after, roles, &session.target)
        {
            out.note(&format!(
                "warning: after this plan: {} {}: {}",
                finding.id, finding.resource, finding.message
            ));
        }
    }
    Ok(Plan::new(TOOL, session.target.clone(), changes))
}

async fn apply(args: &Args, out: &Output) -> anyhow::Result<Outcome> {
    let plans: Vec<Plan<Action>> = toolio::read_plans(&args.io, TOOL)?;
    let interrupt = Interrupt::listen();
    let mut outcome = Outcome::Fine;
    for plan in &plans {
        let session = args.aws.session_for(&plan.target).await?;
        let (record, one) =
            apply::apply(&observe::Clients::new(&session), &session, plan, &interrupt).await;
        out.write(&record)?;
        outcome = outcome.and(one);
        if outcome != Outcome::Fine {
            break;
        }
    }
    Ok(outcome)
}

/// Prints findings; only errors and warnings count as found.
fn report(out: &Output, findings: &[Finding]) -> anyhow::Result<Outcome> {
    findings.iter().try_for_each(|finding| out.write(finding))?;
    let found = findings
        .iter()
        .any(|finding| finding.severity != Severity::Info);
    Ok(if found { Outcome::Found } else { Outcome::Fine })
}
