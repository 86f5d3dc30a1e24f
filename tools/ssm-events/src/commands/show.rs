//! `show`: which of the desired resources exist.

use awsconf::Session;
use cli::{Next, Outcome, Output};

use super::{GlobalArgs, desired};
use crate::alerts::model::Alerts;
use crate::alerts::observe::{self, Clients, Names, RoleCache};

/// Print the resources of a desired state as they are in AWS
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-events show -f events.json")]
pub(crate) struct ShowArgs {}

pub(crate) async fn run(
    _: &ShowArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(Next::Verb("check"));
    out.list_of("alerts");
    let layers = desired::read(&global.io)?;
    let work = async |session: &Session, known: &RoleCache| {
        let desired = layers.at(&session.target, session.units.as_deref())?;
        let names = Names::of(&desired, session);
        Ok(observe::observe(&Clients::new(session), known, &names).await)
    };
    let fleet = global.fleet(out).await?;
    fleet
        .visit(out, work, |session, observed| {
            let is_known = observed.is_known();
            out.write(&Alerts::new(session.target.clone(), observed))?;
            Ok(match is_known {
                true => Outcome::Fine,
                false => Outcome::Trouble,
            })
        })
        .await
}
