//! `check`: what is wrong with the nodes, one reason for each that cannot be reached.

use std::path::{Path, PathBuf};

use awsconf::Session;
use cli::{Finding, Layers, Next, Outcome, Output, Target};
use diagnosis::Roles;

use super::GlobalArgs;
use super::nodes::NodeArgs;
use crate::check::{self, Summary, metadata_defaults};
use crate::model::Desired;
use crate::observe::{Observation, ReadOptions};

/// Check the nodes, with one reason and one cure for each that cannot be reached; exit with 1 on findings
#[derive(clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-agentcheck check -f agent.json\n  ssm-role show >roles.jsonl; ssm-agentcheck check -f agent.json --roles roles.jsonl\n  ssm-agentcheck check -f agent.json -o sarif >agent.sarif"
)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    nodes: NodeArgs,
    /// Read the permissions of instance profile roles from FILE, as ssm-role show prints them
    #[arg(long, value_name = "FILE")]
    roles: Option<PathBuf>,
}

pub(crate) async fn run(
    args: &CheckArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.suggest(Next::Plan);
    let layers = Layers::<Desired>::read_or_default(&global.io, "desired agents")?;
    let roles = args.roles.as_deref().map(read_roles).transpose()?;
    let (now, mut tally) = (awsconf::now(), Summary::default());
    let options = |session: &Session| {
        let desired = layers.at(&session.target, session.units.as_deref())?;
        Ok(ReadOptions {
            evidence: Some(desired.connections),
            // Who asks for a few nodes asks nothing about those to come.
            metadata_defaults: desired.imds.require_v2 && !args.nodes.is_narrowed(),
            exclusion: desired.exclude,
            ..ReadOptions::default()
        })
    };
    let mut resolved = ResolvedDesired::new(&layers);
    let nodes = &args.nodes;
    let outcome = nodes.each(global, &options, out, |units, target, observation| {
        let (desired, expired) = resolved.of(target, units)?;
        for finding in expired {
            out.write_finding(&finding)?;
            tally.found();
        }
        let node = match observation {
            Observation::Node(node) => node,
            Observation::MetadataDefaults(defaults) => {
                let found = metadata_defaults::check(target, &defaults);
                tally.note(&found);
                return found
                    .iter()
                    .try_for_each(|finding| out.write_finding(finding));
            }
        };
        let (findings, verdict) = check::check(desired, roles.as_ref(), &node, now);
        tally.count(&findings, verdict);
        out.tabulate(|| check::row(&node, &findings, verdict))?;
        findings
            .iter()
            .try_for_each(|finding| out.write_finding(finding))
    });
    let outcome = outcome.await?;
    out.sum_up(tally.to_string());
    Ok(outcome.and(tally.outcome()))
}

/// Returns what the roles of instance profiles may do, out of what `ssm-role show` printed.
fn read_roles(path: &Path) -> anyhow::Result<Roles> {
    // What could not be read is of no profile, and so reported as unknown.
    let (records, _) = cli::read_shown(path, "roles", ("host_management", "ssm-role"))?;
    Ok(Roles::of(records))
}

/// The desired state of a place, read once for all that come one after another.
struct ResolvedDesired<'l> {
    layers: &'l Layers<Desired>,
    last: Option<(Target, Desired)>,
}

impl<'l> ResolvedDesired<'l> {
    fn new(layers: &'l Layers<Desired>) -> ResolvedDesired<'l> {
        ResolvedDesired { layers, last: None }
    }

    /// Returns the desired state, and with the first node of a place the overrides there whose last day is over.
    fn of(
        &mut self,
        target: &Target,
        units: Option<&[String]>,
    ) -> anyhow::Result<(&Desired, Vec<Finding>)> {
        let mut expired = Vec::new();
        if self.last.as_ref().is_none_or(|(last, _)| last != target) {
            let id = "agentcheck.override.expired";
            expired = self.layers.expired(id, target, units)?;
            self.last = None;
        }
        let desired = match self.last.take() {
            Some((_, desired)) => desired,
            None => self.layers.at(target, units)?,
        };
        let last = self.last.insert((target.clone(), desired));
        Ok((&last.1, expired))
    }
}
