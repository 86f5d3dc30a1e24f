//! Reads the desired state of every verb that takes one, and refuses what no guard can be made of where it stands.

use cli::IoArgs;

use crate::guard;
use crate::model::Desired;

/// Reads the desired state, whose policies must fit into this many characters.
pub(super) fn read(io: &IoArgs, max_characters: usize) -> anyhow::Result<Desired> {
    cli::read_desired_checked(io, "desired policy", |desired| {
        let error = guard::render(desired, max_characters).err()?.to_string();
        // What is about no field is about all of them.
        Some(match error.split_once(": ") {
            Some((path, message)) if path.starts_with('$') => (path.to_owned(), message.to_owned()),
            _ => ("$".to_owned(), error),
        })
    })
}
