//! Reports what a scan for patches has found.

use cli::Outcome;

use super::run::Run;
use crate::observe::patches::{MAX_IDS, of};
use crate::observe::place::Place;

/// Reports what the scan found on each node of a place on which it has run.
///
/// # Errors
/// Stdout cannot be written; what cannot be read is reported as a record.
pub(crate) async fn report(run: &Run<'_>, place: &Place) -> anyhow::Result<()> {
    let ran = place.ran.take();
    for scans in ran.chunks(MAX_IDS) {
        for record in of(place, scans).await {
            if record.reason.is_some() {
                run.count(Outcome::Trouble);
            }
            run.printed(run.out.write(&record));
        }
    }
    Ok(())
}
