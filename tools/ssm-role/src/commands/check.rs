//! `check`: what keeps nodes from talking to Systems Manager, as far as roles and settings go.

use std::path::PathBuf;
use std::sync::Arc;

use awsconf::Session;
use cli::{Layers, Next, Outcome, Output};
use organization::Organization;
use transcripts::Above;

use super::GlobalArgs;
use super::inputs::InputArgs;
use crate::check;
use crate::model::Desired;
use crate::observe::{self, AccountCache};

/// Check Default Host Management and the roles of nodes; exit with 1 on findings
#[derive(clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-prefs show >prefs.jsonl; ssm-role check -f role.json --prefs prefs.jsonl"
)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    inputs: InputArgs,
    /// Check the roles also against the service and resource control policies in FILE, as `ssm-scp show` prints them
    #[arg(long, value_name = "FILE")]
    organization: Option<PathBuf>,
}

pub(crate) async fn run(
    args: &CheckArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(Next::Plan);
    let layers = Layers::<Desired>::read(&global.io, "desired roles")?;
    let inputs = args.inputs.read()?;
    let organization = match &args.organization {
        Some(path) => Some(Arc::new(Organization::read(path)?.judge())),
        None => None,
    };
    let work = async |session: &Session, known: &AccountCache| {
        let (target, units) = (&session.target, session.units.as_deref());
        let preferences = inputs.preferences(target)?;
        let desired = layers.at(target, units)?;
        let expired = layers.expired("role.override.expired", target, units)?;
        let only = inputs.nodes(target)?;
        let mut observed = observe::observe(session, known, Some(&desired), only).await;
        if !desired.exclude.is_empty() {
            observed.enrolled = observe::enrolled(session, &desired.exclude).await;
        }
        let above = Arc::new(match &organization {
            Some(organization) => Above::of(organization, &target.account)?,
            None => Above::default(),
        });
        let mut findings = check::check(&desired, &observed, preferences, &above);
        findings.extend(expired);
        Ok(findings)
    };
    let fleet = global.fleet(out).await?;
    fleet
        .visit(out, work, |_, findings| out.write_findings(&findings))
        .await
}
