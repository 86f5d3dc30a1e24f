//! Reads the desired state of every verb that takes one, and what it names on this machine.

use awsconf::Session;
use cli::{IoArgs, Layers, Reading};

use crate::alerts::model::{Desired, Hashes};
use crate::alerts::package;
use crate::alerts::webhook::Url;

/// Reads the desired state, of which each layer must name an event.
pub(super) fn read(io: &IoArgs) -> anyhow::Result<Layers<Desired>> {
    Layers::read(io, "desired alerts")?.checked(|desired| {
        let found = mistake(desired);
        found.map(|(path, message)| (path.to_owned(), message.to_owned()))
    })
}

/// Returns what is wrong with a desired state of the right shape, with its path.
pub(super) fn mistake(desired: &Desired) -> Option<(&'static str, &'static str)> {
    if desired.events.is_empty() {
        Some((
            "$.events",
            "name at least one API call, or leave the key out for the default",
        ))
    } else if desired.function.is_some() && desired.webhook.is_here() {
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
        hashes(&desired, None).await.known()?;
    }
    Ok(layers)
}

/// Returns what plans know by its hash only: the URL where EventBridge is given it, the package where there is a function. Without a
/// session, AWS is not asked for a URL that it keeps.
pub(super) async fn hashes(desired: &Desired, session: Option<&Session>) -> Hashes {
    let reading = |read: anyhow::Result<String>| match read {
        Ok(hash) => Reading::Present(hash),
        Err(error) => Reading::Unknown(format!("{error:#}")),
    };
    let function = desired.function.as_ref();
    let package = function.map(|function| package::read(&function.zip));
    let package = package.map(|read| reading(read.map(|package| package.sha256)));
    // A function reads the URL by itself.
    let is_read = function.is_none() && (session.is_some() || desired.webhook.is_here());
    let endpoint = match is_read {
        true => {
            let config = session.map(|session| &session.config);
            let url = Url::read(&desired.webhook, config).await;
            reading(url.map(|url| url.sha256()))
        }
        false => Reading::Absent,
    };
    Hashes {
        endpoint,
        code: package.unwrap_or_default(),
    }
}
