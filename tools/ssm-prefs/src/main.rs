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
mod schema;
mod stack;
mod state;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use awsconf::{Fleet, Interrupt, Session};
use model::{Action, Desired, Document, Observed, PreferencesKind, PreferencesRecord};
use preflight::Roles;
use toolio::{ApplyArgs, Finding, IoArgs, Layers, Outcome, Output, Plan, Reading, Severity};

const TOOL: &str = "ssm-prefs";

/// Manage the Session Manager preferences of an account and region
#[derive(clap::Parser)]
#[command(name = TOOL, version, about, long_about = None)]
struct Args {
    #[command(flatten)]
    aws: awsconf::AwsArgs,
    #[command(flatten)]
    accounts: awsconf::AccountArgs,
    #[command(flatten)]
    io: IoArgs,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Print the document that a desired state stands for, and that of each override (offline)
    Render {
        /// Print a CloudFormation template that makes what apply makes in a new account and region
        #[arg(long)]
        cloudformation: bool,
    },
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
    Apply(ApplyArgs),
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
    match toolio::arguments::<Args>(schema::SCHEMAS) {
        Ok(args) => toolio::finish(TOOL, run(args).await),
        Err(status) => status,
    }
}

async fn run(args: Args) -> anyhow::Result<Outcome> {
    let out = Output::new(TOOL, &args.io)?;
    match &args.verb {
        Verb::Render {
            cloudformation: true,
        } => {
            let template = stack::template(&layers(&args.io)?.only()?)?;
            Output::of_document(TOOL, &args.io)?.write(&template)?;
            Ok(Outcome::Fine)
        }
        Verb::Render {
            cloudformation: false,
        } => {
            for desired in layers(&args.io)?.all()? {
                out.write(&content::render(&desired, None, None))?;
            }
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
            let fleet = fleet(&args, &out).await?;
            let work = async |session: &Session, _: &()| show(session).await;
            fleet
                .visit(&out, work, |_, record| {
                    out.write(&record)?;
                    Ok(Outcome::Fine)
                })
                .await
        }
        Verb::Plan { exit_code, roles } => {
            let (layers, roles) = (layers(&args.io)?, read_roles(roles)?);
            let fleet = fleet(&args, &out).await?;
            let work = async |session: &Session, _: &()| {
                let clients = observe::Clients::new(session);
                let desired = layers.at(&session.target, session.units.as_deref())?;
                let observed = observe::observe(&clients, session, &desired).await;
                plan(&desired, &observed, &roles, session)
            };
            fleet
                .visit(&out, work, |_, (plan, findings)| {
                    for finding in findings {
                        out.note(&format!(
                            "warning: after this plan: {} {}: {}",
                            finding.id, finding.resource, finding.message
                        ));
                    }
                    out.write(&plan)?;
                    Ok(match *exit_code && !plan.changes.is_empty() {
                        true => Outcome::Found,
                        false => Outcome::Fine,
                    })
                })
                .await
        }
        Verb::Apply(how) => {
            let plans = toolio::read_plans(&args.io, TOOL)?;
            let interrupt = Interrupt::listen();
            let work = async |session: &Session, plan: &Plan<Action>, _| {
                let resources = apply::Resources::new(session, plan);
                ::apply::apply(&resources, plan, *how, &interrupt, &out).await
            };
            args.aws.apply(&out, &plans, &interrupt, work).await
        }
        Verb::Check { roles } => {
            let (layers, roles) = (layers(&args.io)?, read_roles(roles)?);
            let fleet = fleet(&args, &out).await?;
            let work = async |session: &Session, _: &()| {
                let clients = observe::Clients::new(session);
                let (target, units) = (&session.target, session.units.as_deref());
                let desired = layers.at(target, units)?;
                let observed = observe::observe(&clients, session, &desired).await;
                let observed = observe::surroundings(&clients, observed).await;
                let findings =
                    check::check(&desired, &observed, &roles, target, &session.partition);
                let mut findings = finding::at(target, findings);
                findings.extend(layers.expired(check::OVERRIDE_EXPIRED, target, units)?);
                Ok(findings)
            };
            fleet
                .visit(&out, work, |_, findings| report(&out, &findings))
                .await
        }
    }
}

async fn fleet(args: &Args, out: &Output) -> anyhow::Result<Fleet> {
    Fleet::open(TOOL, &args.aws, &args.accounts, out).await
}

/// Reads the desired state and refuses one with errors, before anything is called.
fn layers(io: &IoArgs) -> anyhow::Result<Layers<Desired>> {
    let layers: Layers<Desired> = Layers::read(io, "desired preferences")?;
    let findings = layers.all()?;
    let findings = findings.iter().flat_map(lint::lint_desired);
    let mut errors = findings.filter(|finding| finding.severity == Severity::Error);
    match errors.next() {
        Some(finding) => {
            bail!(
                "desired preferences: {}: {}; {}",
                finding.resource,
                finding.message,
                finding.fix
            )
        }
        None => Ok(layers),
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

async fn show(session: &Session) -> anyhow::Result<PreferencesRecord> {
    let clients = observe::Clients::new(session);
    let document = observe::document(&clients.ssm).await;
    if let Reading::Unknown(reason) = &document {
        bail!("{reason}");
    }
    let named = |input| {
        document
            .present()
            .map(|document| named(document, input))
            .unwrap_or_default()
    };
    let (buckets, keys) = (named("s3BucketName"), named("kmsKeyId"));
    let bucket_encryption = observe::bucket_encryption(&clients, buckets, keys).await;
    let session_documents = observe::session_documents(&clients.ssm).await;
    Ok(PreferencesRecord {
        kind: PreferencesKind::Preferences,
        target: session.target.clone(),
        versions_differ: document.present().and_then(check::versions_differ),
        document,
        bucket_encryption,
        session_documents,
    })
}

/// Returns what sessions may use as an input says: in the default version, and in the latest.
fn named<'d>(document: &'d Document, input: &str) -> BTreeSet<&'d str> {
    let versions = [&document.default, &document.latest].into_iter();
    versions
        .filter_map(|version| content::Inputs::of(&version.content).text(input))
        .collect()
}

/// Makes a plan, and finds sessions that would be refused once it is carried out.
fn plan(
    desired: &Desired,
    observed: &Observed,
    roles: &Roles,
    session: &Session,
) -> anyhow::Result<(Plan<Action>, Vec<Finding>)> {
    let changes = plan::plan(desired, observed, &session.target, &session.partition)
        .with_context(|| format!("plan for {}", session.target))?;
    let after = plan::after(observed, &changes, &session.target, &session.partition);
    let findings = after.document.present().map(|document| {
        let content = &document.latest.content;
        preflight::preflight(content, &after, roles, &session.target)
    });
    let plan = Plan::new(TOOL, session.target.clone(), changes);
    Ok((plan, findings.unwrap_or_default()))
}

/// Prints findings; only errors and warnings count as found.
fn report(out: &Output, findings: &[Finding]) -> anyhow::Result<Outcome> {
    findings.iter().try_for_each(|finding| out.write(finding))?;
    let found = findings
        .iter()
        .any(|finding| finding.severity != Severity::Info);
    Ok(if found { Outcome::Found } else { Outcome::Fine })
}
