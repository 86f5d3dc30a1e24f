//! Gathers what the verbs are about: what was given beside the desired state, region by region, and what a policy is for.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context;
use awsconf::{Fleet, Session};
use serde_json::Value;
use toolio::{Finding, IoArgs, Layers, Outcome, Output, Target};

use crate::arguments::{self, GrantArgs, Grantee, NarrowArgs, RenderArgs};
use crate::grant::{self, Place};
use crate::model::{Desired, Observed};
use crate::observe::{self, Known};
use crate::preferences::{Preferences, of_document, partition_of, preferences};
use crate::{Args, TOOL, stack};

/// What was given besides the desired state.
#[derive(Default)]
pub(crate) struct Beside {
    preferences: Option<BTreeMap<String, Preferences>>,
    /// Ids by `ACCOUNT/REGION`.
    pub(crate) nodes: Option<BTreeMap<String, BTreeSet<String>>>,
}

impl Beside {
    pub(crate) fn read(arguments: &NarrowArgs) -> anyhow::Result<Beside> {
        let mut beside = Beside::default();
        if let Some(path) = &arguments.prefs {
            let places = read_preferences(path)?.into_iter();
            let by_target = places.map(|place| (place.target.to_string(), place.preferences));
            beside.preferences = Some(by_target.collect());
        }
        if let Some(path) = &arguments.nodes {
            beside.nodes = Some(arguments::read_nodes(path)?);
        }
        Ok(beside)
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

/// What is wished for one account and region.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    pub(crate) desired: Desired,
    /// Findings about overrides whose last day is over.
    pub(crate) expired: Vec<Finding>,
}

/// Does the same in every account and region asked for; IAM is asked once an account.
pub(crate) async fn everywhere<T>(
    args: &Args,
    out: &Output,
    layers: Option<&Layers<Desired>>,
    beside: &Beside,
    decide: impl Fn(&Wish, &Observed, Option<&Preferences>) -> anyhow::Result<T>,
    tell: impl FnMut(T) -> anyhow::Result<Outcome>,
) -> anyhow::Result<Outcome> {
    let fleet = Fleet::open(TOOL, &args.aws, &args.accounts, out).await?;
    let nobody = BTreeSet::new();
    let work = async |session: &Session, known: &Known| {
        let preferences = beside.preferences(&session.target)?;
        let only = beside.nodes.as_ref().map(|nodes| {
            let here = nodes.get(&session.target.to_string());
            here.unwrap_or(&nobody)
        });
        let (target, units) = (&session.target, session.units.as_deref());
        let wish = match layers {
            Some(layers) => Wish {
                desired: layers.at(target, units)?,
                expired: layers.expired("role.override.expired", target, units)?,
            },
            None => Wish::default(),
        };
        let desired = layers.map(|_| &wish.desired);
        let observed = observe::observe(session, known, desired, only).await;
        decide(&wish, &observed, preferences)
    };
    let mut tell = tell;
    fleet.visit(out, work, |_, told| tell(told)).await
}

/// Prints the template, which no account is asked for.
pub(crate) fn template(arguments: &RenderArgs, io: &IoArgs) -> anyhow::Result<Outcome> {
    let desired = Layers::<Desired>::read(io, "desired roles")?.only()?;
    let preferences = match &arguments.prefs {
        Some(path) => {
            let document = toolio::read(&IoArgs::of_file(path), "preferences")?;
            let action = || format!("read preferences from {}", path.display());
            Some(of_document(&document, &cloudformation::target()).with_context(action)?)
        }
        None => None,
    };
    let template = stack::template(&desired, preferences.as_ref())?;
    Output::of_document(TOOL, io)?.write(&template)?;
    Ok(Outcome::Fine)
}

/// Prints the bare document, also on a terminal: it is meant for `aws iam create-policy --policy-document`.
pub(crate) fn policy(arguments: &GrantArgs, io: &IoArgs) -> anyhow::Result<Outcome> {
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
    if let Some(key) = &arguments.bucket_key {
        let preferences = places.iter_mut().map(|place| &mut place.preferences);
        preferences.for_each(|preferences| preferences.encrypt_with(key));
    }
    let out = Output::of_document(TOOL, io)?;
    let document = match arguments.grantee {
        Grantee::Instance => {
            let notes = places
                .iter()
                .map(|place| not_granted(&place.target, &place.preferences));
            notes.flatten().for_each(|note| out.note(&note));
            grant::instance(&places)
        }
        Grantee::Operator => {
            grant::operator(&places, &arguments.nodes()?, &arguments.session_documents())
        }
        Grantee::Command => {
            grant::command(&places, &arguments.nodes()?, &arguments.command_documents())
        }
    };
    out.write(&document)?;
    Ok(Outcome::Fine)
}

/// Returns what to say of grants that are missing for want of knowing them.
pub(crate) fn not_granted(target: &Target, preferences: &Preferences) -> Vec<String> {
    let unknown = preferences.unknown_encryption();
    let notes = unknown.map(|(bucket, reason)| {
        format!(
            "warning: {target}: how bucket {bucket} is encrypted is not known, so nothing is granted on its key: {reason}; without \
             kms:GenerateDataKey on a customer managed key every transcript is lost"
        )
    });
    notes.collect()
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
