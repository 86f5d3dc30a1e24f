//! Reads the desired state of every verb that takes one, and what it names on this machine.

use anyhow::bail;
use awsconf::Session;
use cli::{IoArgs, Layers};

use crate::alerts::model::{Desired, Hashes, Webhook};
use crate::alerts::package;
use crate::alerts::webhook::Url;

/// Reads the desired state, of which each layer must name an event.
pub(super) fn read(io: &IoArgs) -> anyhow::Result<Layers<Desired>> {
    let layers: Layers<Desired> = Layers::read(io, "desired alerts")?;
    for desired in layers.all()? {
        if let Some((path, message)) = mistake(&desired) {
            bail!("desired alerts: {path}: {message}");
        }
    }
    Ok(layers)
}

/// Returns what is wrong with a desired state of the right shape, with its path.
pub(super) fn mistake(desired: &Desired) -> Option<(&'static str, &'static str)> {
    let is_here = matches!(desired.webhook, Webhook::Env(_) | Webhook::File(_));
    if desired.events.is_empty() {
        Some((
            "$.events",
            "name at least one API call, or leave the key out for the default",
        ))
    } else if desired.function.is_some() && is_here {
        Some((
            "$.webhook",
            "a function reads it from `parameter` or `secret`, not from this machine",
        ))
    } else {
        None
    }
}

/// Reads the desired state and all that it names on this machine, so that what is wrong is said before the first call.
pub(super) async fn read_with_files(io: &IoArgs) -> anyhow::Result<Layers<Desired>> {
    let layers = read(io)?;
    for desired in layers.all()? {
        Hashing::new(&desired).await?;
    }
    Ok(layers)
}

/// What plans know by its hash only: the URL where EventBridge must have it, the package where there is a function.
pub(super) struct Hashing<'d> {
    desired: &'d Desired,
    here: Option<Url>,
    code: String,
}

impl<'d> Hashing<'d> {
    /// Reads what is on this machine.
    pub(super) async fn new(desired: &'d Desired) -> anyhow::Result<Hashing<'d>> {
        let code = match &desired.function {
            Some(function) => package::read(&function.zip)?.sha256,
            None => String::new(),
        };
        // A function reads the URL by itself.
        let here = match &desired.function {
            Some(_) => None,
            None => Url::read_here(&desired.webhook).await?,
        };
        Ok(Hashing {
            desired,
            here,
            code,
        })
    }

    /// Returns the hashes for one account and region.
    pub(super) async fn of(&self, session: &Session) -> anyhow::Result<Hashes> {
        let endpoint = match (&self.here, &self.desired.function) {
            (Some(url), _) => url.sha256(),
            (None, Some(_)) => String::new(),
            (None, None) => Url::read(&self.desired.webhook, Some(&session.config))
                .await?
                .sha256(),
        };
        Ok(Hashes {
            endpoint,
            code: self.code.clone(),
        })
    }
}
