//! `check --routes`: uses of break-glass principals that nobody has acknowledged, and sessions without the required reason.

use std::path::PathBuf;

use awsconf::Session;
use cli::{Finding, FindingKind, Output, Severity};
use tokio::sync::mpsc;

use crate::records::history::{EventFilter, Wanted};
use crate::records::observe::lookup::{self, RegionEvents};
use crate::records::source;
use crate::routing::{Acknowledgements, Routes, Uses, findings};

/// The finding about what is not looked at.
const LIMITS: &str = "events.break_glass.limits";
/// Pages that may be read ahead.
const AHEAD: usize = 4;
/// What CloudTrail keeps. <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/view-cloudtrail-events.html>
const HISTORY: jiff::SignedDuration = jiff::SignedDuration::from_hours(90 * 24);

/// What to look for in CloudTrail's event history.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct UsesArgs {
    /// Also find uses of the break-glass principals of this file that nobody has acknowledged, and sessions without its reason_pattern
    #[arg(long, value_name = "FILE")]
    routes: Option<PathBuf>,

    /// Uses that somebody has acknowledged: a JSON list with who, when and why of each
    #[arg(long, value_name = "FILE", requires = "routes")]
    acknowledged: Option<PathBuf>,

    /// Look for them since this time [default: 90d, which is all that the event history has]
    #[arg(long, value_name = "TIME", requires = "routes")]
    since: Option<String>,
}

/// What the files say, read before the first call.
pub(super) struct Asked {
    routes: Routes,
    acknowledged: Acknowledgements,
    filter: EventFilter,
}

impl UsesArgs {
    /// Reads the files that the flags name; `None` where nothing is to be looked for.
    ///
    /// # Errors
    /// A file that cannot be read or is not what it should be; routes that have nothing to look for.
    pub(super) fn read(&self) -> anyhow::Result<Option<Asked>> {
        let Some(path) = &self.routes else {
            return Ok(None);
        };
        let routes = Routes::read(path)?;
        let now = jiff::Timestamp::now();
        let acknowledged = match &self.acknowledged {
            Some(path) => Acknowledgements::read(path, now)?,
            None => Acknowledgements::default(),
        };
        let events = match (&routes.break_glass, &routes.reason_pattern) {
            (Some(_), _) => Vec::new(),
            (None, Some(_)) => vec!["ssm:StartSession".to_owned()],
            (None, None) => anyhow::bail!(
                "{}: it has neither break_glass nor reason_pattern: there is nothing for check to look for",
                path.display()
            ),
        };
        let wanted = Wanted {
            since: self.since.clone(),
            events,
            ..Wanted::default()
        };
        let filter = EventFilter::new(&wanted, now)?;
        let oldest = now - HISTORY;
        if let Some(since) = filter.since {
            anyhow::ensure!(
                since >= oldest,
                "--since: the event history has 90 days only, so that nothing could be said of before: name a later time"
            );
            anyhow::ensure!(since < now, "--since: this time has not come yet");
        }
        Ok(Some(Asked {
            routes,
            acknowledged,
            filter,
        }))
    }
}

/// Returns what the event history of one account and Region has. What of it cannot be read is a finding, too.
pub(super) async fn find(session: &Session, asked: &Asked, out: &Output) -> Vec<Finding> {
    let (pages, mut read) = mpsc::channel(AHEAD);
    let mut uses = Uses::default();
    let mut unread = None;
    let reading = async {
        let ended = lookup::read(session, &asked.filter, &pages).await;
        drop(pages);
        ended
    };
    let taking = async {
        while let Some(page) = read.recv().await {
            let RegionEvents::Lines(lines) = page else {
                continue;
            };
            for line in lines.lines() {
                match serde_json::from_str(line) {
                    Ok(record) => uses.take(&record, &asked.routes, &asked.acknowledged),
                    Err(error) => unread = Some(format!("a record cannot be read: {error}")),
                }
            }
        }
    };
    let (ended, ()) = tokio::join!(reading, taking);
    if let Err(error) = ended {
        unread = Some(format!("{error:#}"));
    }
    if uses.n_acknowledged > 0 {
        let uses = cli::count(uses.n_acknowledged, "use");
        out.note(&format!(
            "{}: {uses} of break-glass principals acknowledged",
            session.target
        ));
    }
    let mut found = findings(uses, &asked.routes, &session.target);
    found.extend(asked.routes.break_glass.as_ref().map(|_| limits(session)));
    found.extend(unread.map(|why| Finding {
        kind: FindingKind::Finding,
        id: source::UNREAD.to_owned(),
        severity: Severity::Error,
        target: Some(session.target.clone()),
        resource: "event history".to_owned(),
        message: format!(
            "whether break-glass principals were used, or sessions lack their reason, is not known: {why}"
        ),
        fix: "allow the read that the message names".to_owned(),
        is_unread: true,
    }));
    found
}

/// Says what is not looked at, lest nothing found is taken for nothing done.
fn limits(session: &Session) -> Finding {
    Finding {
        kind: FindingKind::Finding,
        id: LIMITS.to_owned(),
        severity: Severity::Info,
        target: Some(session.target.clone()),
        resource: "event history".to_owned(),
        message: "uses of break-glass principals are looked for in the calls that `pattern` watches by default, and in no others: \
                  not in sign-ins, AssumeRole and calls of other services"
            .to_owned(),
        fix: "watch those elsewhere, or look with `history --event all --principal ARN`".to_owned(),
        is_unread: false,
    }
}
