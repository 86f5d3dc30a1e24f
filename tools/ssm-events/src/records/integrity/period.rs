//! Periods as they are printed.

use std::collections::BTreeMap;

use records::{IntegrityStatus, LogIntegrity, LogIntegrityKind, Target, Timestamp, VerifiedFile};

use super::digest::Flaw;
use super::file_name::{begin, day_after};

/// Returns a period without files.
pub(crate) fn of(
    target: &Target,
    trail: Option<String>,
    (from, to): (Option<Timestamp>, Option<Timestamp>),
    flaw: Option<&Flaw>,
) -> LogIntegrity {
    LogIntegrity {
        kind: LogIntegrityKind::LogIntegrity,
        target: Some(target.clone()),
        trail,
        from,
        to,
        status: flaw.map_or(IntegrityStatus::Proved, |flaw| flaw.status),
        digest: None,
        log_files: Vec::new(),
        message: flaw.map(|flaw| flaw.message.clone()),
    }
}

/// Returns the periods of log files that no proved digest names, one for each of their days.
pub(super) fn unnamed(target: &Target, files: Vec<(String, VerifiedFile)>) -> Vec<LogIntegrity> {
    let mut of_days: BTreeMap<String, Vec<VerifiedFile>> = BTreeMap::new();
    for (day, file) in files {
        of_days.entry(day).or_default().push(file);
    }
    let flaw = Flaw::unproved("no proved digest names these log files");
    let period = |(day, log_files): (String, Vec<VerifiedFile>)| {
        let times = (begin(&day), begin(&day_after(&day)));
        LogIntegrity {
            log_files,
            ..of(target, None, times, Some(&flaw))
        }
    };
    of_days.into_iter().map(period).collect()
}

/// Returns a log file or a digest with what is wrong with it.
pub(crate) fn verified_file(file: String, flaw: Option<&Flaw>) -> VerifiedFile {
    VerifiedFile {
        file,
        status: flaw.map_or(IntegrityStatus::Proved, |flaw| flaw.status),
        message: flaw.map(|flaw| flaw.message.clone()),
    }
}

/// A period is as good as the worst of its files.
pub(super) fn finished(mut record: LogIntegrity) -> LogIntegrity {
    let worst = record.log_files.iter().map(|file| file.status).max();
    let worst = worst.unwrap_or(IntegrityStatus::Proved);
    if record.status == IntegrityStatus::Proved && worst != IntegrityStatus::Proved {
        record.status = worst;
        record.message =
            Some("not all of its log files are as CloudTrail delivered them".to_owned());
    }
    record
}
