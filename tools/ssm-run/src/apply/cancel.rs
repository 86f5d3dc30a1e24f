//! CancelCommand, after Ctrl-C, for what is in flight.

use std::cell::RefCell;

use crate::in_flight::Flight;
use crate::observe::place::Place;

/// Asks once for each command; whether it works is seen by what its invocations say next.
pub(super) async fn all(place: &Place, flight: &RefCell<Flight>) {
    let mut ids = Vec::new();
    for flown in flight.borrow_mut().commands_mut() {
        if !std::mem::replace(&mut flown.is_cancelled, true) {
            ids.push(flown.command_id.clone());
        }
    }
    for id in ids {
        let _ = place.client.cancel_command().command_id(id).send().await;
    }
}
