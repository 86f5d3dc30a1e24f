//! CancelCommand, after Ctrl-C, for what is in flight.

use std::cell::RefCell;

use awsconf::describe;

use crate::in_flight::Flight;
use crate::observe::place::Place;

/// Asks once for each command, and returns why the last one that failed did; where it works, its invocations show it next.
pub(super) async fn all(place: &Place, flight: &RefCell<Flight>) -> Option<String> {
    let mut ids = Vec::new();
    for flown in flight.borrow_mut().commands_mut() {
        if !std::mem::replace(&mut flown.is_canceled, true) {
            ids.push(flown.command_id.clone());
        }
    }
    let mut failed = None;
    for id in ids {
        let sent = place.client.cancel_command().command_id(&id).send().await;
        let sent = sent.map_err(|error| describe(format!("CancelCommand {id}"), error));
        failed = sent.err().map(|error| format!("{error:#}")).or(failed);
    }
    failed
}
