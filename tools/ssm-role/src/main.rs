//! Shows, plans, applies and checks what lets nodes talk to Systems Manager: Default Host Management, the roles of
//! instance profiles, and profiles for instances without one; writes and lints the policies of operators, too.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod arguments;
mod model;
mod preferences;

mod grant;
mod linting;
mod needs;

mod iam;
mod observe;
mod show;

mod check;
mod plan;
mod step;

mod apply;
mod current;
mod undo;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::ExitCode;

use awsconf::Session;
use serde_json::Value;
use toolio::{IoArgs, Outcome, Output, Target, Unreachable};

use crate::arguments::{GrantArgs, Grantee, LintArgs, NarrowArgs};
use crate::grant::Place;
use crate::model::{Action, Desired, Observed};
use crate::plan::Given;
use crate::preferences::{Preferences, partition_of, preferences};

const TOOL: &str = "ssm-role";

/// Let every node talk to Systems Manager: Default Host Management and instance profile roles
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
    /// Print Default Host Management, and the roles of nodes with their policies and what those allow
    Show(NarrowArgs),
    /// Print a least-privilege policy for nodes or operators, without calling AWS
    Policy(GrantArgs),
    /// Find what is wrong with policies of users, groups and roles; exit with 1 when there is something
    Lint(LintArgs),
    /// Print what apply would change
    Plan {
        #[command(flatten)]
        narrow: NarrowArgs,
        /// Exit with 1 when something needs to change
        #[arg(long)]
        exit_code: bool,
    },
    /// Change what the plans on stdin say, and print how to undo it
    Apply,
    /// Print what is wrong; exit with 1 when something is
    Check(NarrowArgs),
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
        Verb::Show(narrow) => {
            let narrow = Narrow::read(narrow)?;
            everywhere(&args, &out, None, &narrow, |observed, preferences| {
                out.write(&show::record(observed, preferences)?)?;
                Ok(Outcome::Fine)
            })
            .await
        }
        Verb::Policy(arguments) => policy(arguments, &args.io),
        Verb::Lint(arguments) => {
            let mut outcome = Outcome::Fine;
            for (source, text) in toolio::read_texts(&arguments.files, &args.io, "policy")? {
                let findings = linting::lint(&source, &text);
                findings.iter().try_for_each(|finding| out.write(finding))?;
                outcome = outcome.and(check::outcome(&findings));
            }
            Ok(outcome)
        }
        Verb::Plan { narrow, exit_code } => {
            let desired: Desired = toolio::read(&args.io, "desired roles")?;
            let narrow = Narrow::read(narrow)?;
            let is_narrowed = narrow.nodes.is_some();
            everywhere(
                &args,
                &out,
                Some(&desired),
                &narrow,
                |observed, preferences| {
                    let given = Given {
                        preferences,
                        is_narrowed,
                    };
                    let plan = plan::plan(&desired, observed, given)?;
                    out.write(&plan)?;
                    Ok(if *exit_code && !plan.changes.is_empty() {
                        Outcome::Found
                    } else {
                        Outcome::Fine
                    })
                },
            )
            .await
        }
        Verb::Apply => {
            let plans = step::plans(toolio::read_records::<toolio::Plan<Action>>(
                &args.io, "plans",
            )?)?;
            let interrupt = awsconf::Interrupt::listen();
            let mut outcome = Outcome::Fine;
            for (plan, steps) in &plans {
                let session = args.aws.session_for(&plan.target).await?;
                let (result, ended) = apply::apply(&session, plan, steps, &interrupt).await;
                out.write(&result)?;
                outcome = outcome.and(ended);
            }
            Ok(outcome)
        }
        Verb::Check(narrow) => {
            let desired: Desired = toolio::read(&args.io, "desired roles")?;
            let narrow = Narrow::read(narrow)?;
            everywhere(
                &args,
                &out,
                Some(&desired),
                &narrow,
                |observed, preferences| {
                    let findings = check::check(&desired, observed, preferences);
                    findings.iter().try_for_each(|finding| out.write(finding))?;
                    Ok(check::outcome(&findings))
                },
            )
            .await
        }
    }
}

/// What was given besides the desired state.
#[derive(Default)]
struct Narrow {
    preferences: Option<BTreeMap<String, Preferences>>,
    /// Ids by `ACCOUNT/REGION`.
    nodes: Option<BTreeMap<String, BTreeSet<String>>>,
}

impl Narrow {
    fn read(arguments: &NarrowArgs) -> anyhow::Result<Narrow> {
        let mut narrow = Narrow::default();
        if let Some(path) = &arguments.prefs {
            let places = read_preferences(path)?.into_iter();
            let by_target = places.map(|place| (place.target.to_string(), place.preferences));
            narrow.preferences = Some(by_target.collect());
        }
        if let Some(path) = &arguments.nodes {
            narrow.nodes = Some(arguments::read_nodes(path)?);
        }
        Ok(narrow)
    }

    /// Preferences that were given, but not for this region, are no reason to think that it needs none.
    fn preferences(&self, target: &Target) -> anyhow::Result<Option<&Preferences>> {
        let Some(all) = &self.preferences else {
            return Ok(None);
        };
        match all.get(&target.to_string()) {
            Some(preferences) => Ok(Some(preferences)),
            None => anyhow::bail!("no preferences of {target} among those given by --prefs"),
        }
    }
}

/// Does the same in every region asked for; one that fails among several is a record of its own.
async fn everywhere(
    args: &Args,
    out: &Output,
    desired: Option<&Desired>,
    narrow: &Narrow,
    each: impl Fn(&Observed, Option<&Preferences>) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let sessions = args.aws.sessions().await?;
    let mut outcome = Outcome::Fine;
    for session in &sessions {
        let ended = match one(session, desired, narrow, &each).await {
            Err(error)
                if sessions.len() > 1 && error.downcast_ref::<std::io::Error>().is_none() =>
            {
                out.write(&Unreachable::new(TOOL, &session.target, &error))?;
                Outcome::Trouble
            }
            ended => ended?,
        };
        outcome = outcome.and(ended);
    }
    Ok(outcome)
}

async fn one(
    session: &Session,
    desired: Option<&Desired>,
    narrow: &Narrow,
    each: impl Fn(&Observed, Option<&Preferences>) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let preferences = narrow.preferences(&session.target)?;
    let nobody = BTreeSet::new();
    let only = narrow.nodes.as_ref().map(|nodes| {
        let here = nodes.get(&session.target.to_string());
        here.unwrap_or(&nobody)
    });
    each(&observe::observe(session, desired, only).await, preferences)
}

/// Prints the bare document, also on a terminal: it is meant for `aws iam create-policy --policy-document`.
fn policy(arguments: &GrantArgs, io: &IoArgs) -> anyhow::Result<Outcome> {
    let mut places = match &arguments.prefs {
        Some(path) => read_preferences(path)?,
        None => Vec::new(),
    };
    for target in &arguments.targets {
        if !places.iter().any(|place| place.target == *target) {
            places.push(Place {
                target: target.clone(),
                preferences: Preferences::default(),
            });
        }
    }
    anyhow::ensure!(
        !places.is_empty(),
        "for which account and region? pass --prefs or --target ACCOUNT/REGION"
    );
    let document = match arguments.grantee {
        Grantee::Instance => grant::instance(&places, arguments.bucket_key.as_deref()),
        Grantee::Operator => {
            grant::operator(&places, &arguments.nodes()?, &arguments.session_documents())
        }
        Grantee::Command => {
            grant::command(&places, &arguments.nodes()?, &arguments.command_documents())
        }
    };
    let io = IoArgs {
        output: Some(toolio::Format::Json),
        ..io.clone()
    };
    Output::new(TOOL, &io)?.write(&document)?;
    Ok(Outcome::Fine)
}

fn read_preferences(path: &Path) -> anyhow::Result<Vec<Place>> {
    let mut places: Vec<Place> = Vec::new();
    toolio::for_each_record(&IoArgs::of_file(path), "preferences", |record: Value| {
        let (target, preferences) = preferences(&record, partition_of)?;
        places.push(Place {
            target,
            preferences,
        });
        Ok(())
    })?;
    anyhow::ensure!(
        !places.is_empty(),
        "read preferences from {}: nothing there, expected what `ssm-prefs show` prints",
        path.display()
    );
    Ok(places)
}
