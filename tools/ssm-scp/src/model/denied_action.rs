//! The actions that a desired state denies one by one: any action that AWS has, but none that agents call.

use std::collections::BTreeSet;

use iam_policy::{AGENT_ACTIONS, closest, glob, reference};
use schemars::JsonSchema;
use serde::Deserialize;

/// Services that are about access to nodes and nothing else, so that a pattern of their actions reaches no further.
const OF_NODES: [&str; 4] = [
    "ec2-instance-connect",
    "ssm",
    "ssm-guiconnect",
    "ssm-quicksetup",
];

/// Denied actions: at least one, sorted, each once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<DeniedAction>")]
#[schemars(with = "Vec<String>")]
pub(crate) struct Actions(pub(crate) BTreeSet<DeniedAction>);

impl TryFrom<Vec<DeniedAction>> for Actions {
    type Error = String;

    fn try_from(actions: Vec<DeniedAction>) -> Result<Actions, String> {
        if actions.is_empty() {
            return Err("name at least one action, or leave the key out".to_owned());
        }
        Ok(Actions(actions.into_iter().collect()))
    }
}

/// An action or a pattern of actions that no agent needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct DeniedAction(pub(crate) String);

impl TryFrom<String> for DeniedAction {
    type Error = String;

    fn try_from(text: String) -> Result<DeniedAction, String> {
        // IAM matches actions without regard to case.
        let pattern = text.to_ascii_lowercase();
        let matches = |action: &&&str| glob(&pattern, &action.to_ascii_lowercase());
        if let Some(needed) = AGENT_ACTIONS.iter().find(matches) {
            return Err(format!(
                "'{text}' covers {needed}, which agents need: an SCP binds instance roles too, and every node would \
                 go offline"
            ));
        }
        if reference::actions(&pattern).next().is_none() {
            return Err(unknown(&text));
        }
        let service = pattern.split(':').next().unwrap_or_default();
        if pattern.contains(['*', '?']) && !OF_NODES.contains(&service) {
            return Err(format!(
                "'{text}' reaches beyond access to nodes: write the actions of this service out"
            ));
        }
        Ok(DeniedAction(text))
    }
}

/// Returns what is wrong with an action that AWS does not have, with the one that was probably meant.
fn unknown(text: &str) -> String {
    let (prefix, name) = text.split_once(':').unwrap_or((text, ""));
    let meant = match reference::service(prefix) {
        Some(service) => {
            let names = service.actions.iter().map(|action| action.name);
            closest(name, names).map(|name| format!("{}:{name}", service.prefix))
        }
        None => closest(prefix, reference::services()).map(|prefix| format!("{prefix}:{name}")),
    };
    let date = reference::date();
    match meant {
        Some(meant) => format!("'{text}' is not an action of AWS: did you mean {meant}?"),
        None => format!("'{text}' is not among AWS's actions of {date}: expected SERVICE:ACTION"),
    }
}
