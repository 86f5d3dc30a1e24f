//! `plan`: the changes that a desired state needs.

use awsconf::Session;
use cli::{Layers, Outcome, Output};

use super::GlobalArgs;
use super::inputs::{InputArgs, not_granted};
use crate::model::Desired;
use crate::observe::{self, AccountCache};
use crate::plan::{self, PlanContext};

/// Print the changes that a desired state needs
#[derive(clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-prefs show >prefs.jsonl; ssm-role plan -f role.json --prefs prefs.jsonl >plan.json"
)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    inputs: InputArgs,
    /// Exit with 1 when something needs to change
    #[arg(long)]
    exit_code: bool,
    /// Accept a risk that otherwise prevents the plan; repeat for several
    #[arg(long = "accept", value_name = "RISK")]
    accepted: Vec<Risk>,
}

/// A risk that a person may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Risk {
    /// Nodes that the desired state excludes are enrolled
    ExcludedNodes,
}

pub(crate) async fn run(
    args: &PlanArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let layers = Layers::<Desired>::read(&global.io, "desired roles")?;
    let inputs = args.inputs.read()?;
    let work = async |session: &Session, known: &AccountCache| {
        let given = PlanContext {
            preferences: inputs.preferences(&session.target)?,
            is_narrowed: inputs.is_narrowed(),
            accepts_excluded: args.accepted.contains(&Risk::ExcludedNodes),
        };
        let desired = layers.at(&session.target, session.units.as_deref())?;
        let only = inputs.nodes(&session.target)?;
        let observed = observe::observe(session, known, Some(&desired), only).await;
        let plan = plan::plan(&desired, &observed, given)?;
        let granted = given.preferences.filter(|_| desired.grants_preferences());
        let notes = granted.map(|granted| not_granted(&observed.target, granted));
        let mut notes = notes.unwrap_or_default();
        notes.extend(plan::left_out(&desired, &observed));
        Ok((plan, notes))
    };
    let fleet = global.fleet(out).await?;
    fleet
        .visit(out, work, |_, (plan, notes)| {
            notes.iter().for_each(|note| out.note(note));
            out.write(&plan)?;
            Ok(match args.exit_code && !plan.changes.is_empty() {
                true => Outcome::Found,
                false => Outcome::Fine,
            })
        })
        .await
}
