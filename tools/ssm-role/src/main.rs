//! Shows, plans, applies and checks what lets nodes talk to Systems Manager: Default Host Management, the roles of
//! instance profiles, and profiles for instances without one; writes and lints the policies of operators, too.
#![cfg_attr(
    not(test),
    deny(clippy::print_stdout, clippy::print_stderr, clippy::unwrap_used)
)]

mod arguments;
mod bucket_key;
mod model;
mod preferences;

mod schema;

mod grant;
mod lint;
mod needs;

mod ask;
mod iam;
mod observe;
mod show;

mod check;
mod plan;
mod stack;
mod step;

mod apply;
mod current;
mod undo;

use std::process::ExitCode;

use awsconf::Session;
use toolio::{ApplyArgs, IoArgs, Layers, Outcome, Output};

use crate::arguments::{GrantArgs, LintArgs, NarrowArgs, RenderArgs};
use crate::ask::{Beside, Wish};
use crate::model::{Action, Desired, Observed};
use crate::plan::Given;
use crate::preferences::Preferences;

const TOOL: &str = "ssm-role";

/// Let every node talk to Systems Manager: Default Host Management and instance profile roles
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
    /// Print Default Host Management, and the roles of nodes with their policies and what those allow
    Show(NarrowArgs),
    /// Print a least-privilege policy for nodes or operators, without calling AWS
    Policy(GrantArgs),
    /// Print a CloudFormation template of a desired state, without calling AWS
    Render(RenderArgs),
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
    Apply(ApplyArgs),
    /// Print what is wrong; exit with 1 when something is
    Check(NarrowArgs),
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
        Verb::Show(narrow) => {
            let beside = Beside::read(narrow)?;
            let record = |_: &Wish, observed: &Observed, preferences: Option<&_>| {
                show::record(observed, preferences)
            };
            ask::everywhere(&args, &out, None, &beside, record, |record| {
                out.write(&record)?;
                Ok(Outcome::Fine)
            })
            .await
        }
        Verb::Policy(arguments) => ask::policy(arguments, &args.io),
        Verb::Render(arguments) => ask::template(arguments, &args.io),
        Verb::Lint(arguments) => {
            let mut outcome = Outcome::Fine;
            for (source, text) in toolio::read_texts(&arguments.files, &args.io, "policy")? {
                let findings = lint::lint(&source, &text);
                findings.iter().try_for_each(|finding| out.write(finding))?;
                outcome = outcome.and(check::outcome(&findings));
            }
            Ok(outcome)
        }
        Verb::Plan { narrow, exit_code } => {
            let layers = Layers::<Desired>::read(&args.io, "desired roles")?;
            let beside = Beside::read(narrow)?;
            let is_narrowed = beside.nodes.is_some();
            let plan = |wish: &Wish, observed: &Observed, preferences: Option<&Preferences>| {
                let given = Given {
                    preferences,
                    is_narrowed,
                };
                let plan = plan::plan(&wish.desired, observed, given)?;
                let granted = preferences.filter(|_| wish.desired.grants_preferences());
                Ok((
                    plan,
                    granted.map(|granted| ask::not_granted(&observed.target, granted)),
                ))
            };
            ask::everywhere(
                &args,
                &out,
                Some(&layers),
                &beside,
                plan,
                |(plan, notes)| {
                    notes.iter().flatten().for_each(|note| out.note(note));
                    out.write(&plan)?;
                    Ok(match *exit_code && !plan.changes.is_empty() {
                        true => Outcome::Found,
                        false => Outcome::Fine,
                    })
                },
            )
            .await
        }
        Verb::Apply(how) => {
            let plans = toolio::read_plans::<Action>(&args.io, TOOL)?;
            plans.plans.iter().try_for_each(step::validate)?;
            let interrupt = awsconf::Interrupt::listen();
            let work = async |session: &Session, plan: &toolio::Plan<Action>, _| {
                let resources = apply::Resources::new(session, &plan.target);
                ::apply::apply(&resources, plan, *how, &interrupt, &out).await
            };
            args.aws.apply(&out, &plans, &interrupt, work).await
        }
        Verb::Check(narrow) => {
            let layers = Layers::<Desired>::read(&args.io, "desired roles")?;
            let beside = Beside::read(narrow)?;
            let check = |wish: &Wish, observed: &Observed, preferences: Option<&_>| {
                let mut findings = check::check(&wish.desired, observed, preferences);
                findings.extend(wish.expired.clone());
                Ok(findings)
            };
            ask::everywhere(&args, &out, Some(&layers), &beside, check, |findings| {
                findings.iter().try_for_each(|finding| out.write(finding))?;
                Ok(check::outcome(&findings))
            })
            .await
        }
    }
}
