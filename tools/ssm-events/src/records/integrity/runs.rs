//! Periods that follow each other, put together for people.

use records::{IntegrityStatus, LogIntegrity};

/// The period that is being put together.
#[derive(Debug, Default)]
pub(crate) struct Runs(Option<LogIntegrity>);

impl Runs {
    /// Takes the next period. Returns the one before it, if it does not belong to that.
    pub(crate) fn add(&mut self, next: LogIntegrity) -> Option<LogIntegrity> {
        match &mut self.0 {
            Some(run) if continues(run, &next) => {
                run.to = next.to;
                run.digest = None;
                run.log_files.extend(next.log_files);
                None
            }
            run => run.replace(next),
        }
    }

    /// Returns the last one.
    pub(crate) fn end(&mut self) -> Option<LogIntegrity> {
        self.0.take()
    }
}

/// Only what is proved is put together: of everything else each period says why.
fn continues(run: &LogIntegrity, next: &LogIntegrity) -> bool {
    let is_proved = |one: &LogIntegrity| one.status == IntegrityStatus::Proved;
    is_proved(run)
        && is_proved(next)
        && run.target == next.target
        && run.trail == next.trail
        && run.to.is_some()
        && run.to == next.from
}
