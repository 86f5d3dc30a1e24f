//! `check --routes`: uses of break-glass principals that nobody has acknowledged, and sessions without the required reason.

use std::cell::Cell;
use std::path::PathBuf;

use awsconf::Session;
use cli::{Finding, Output};
use tokio::sync::{OnceCell, mpsc};

use crate::records::events::{EVENTS, service};
use crate::records::history::{EventFilter, Wanted};
use crate::records::observe::lookup::{self, By, RegionEvents};
use crate::records::observe::roles;
use crate::records::source;
use crate::routing::{Acknowledgements, Routes, Uses, findings};

/// Pages that may be read ahead.
const AHEAD: usize = 4;
/// By which somebody becomes a principal: a session of a role, and a person in the console.
const SIGN_INS: [&str; 5] = [
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "signin:ConsoleLogin",
    "signin:SwitchRole",
];
/// Those that are looked up by name; an account may have thousands of `AssumeRole` an hour, which are looked up by their roles.
const BY_NAME: [&str; 2] = ["ConsoleLogin", "SwitchRole"];
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
            (Some(_), _) => {
                let watched = EVENTS.iter();
                let watched = watched.map(|name| format!("{}:{name}", service(name)));
                watched.chain(SIGN_INS.map(str::to_owned)).collect()
            }
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

/// What is asked once an account.
#[derive(Debug, Default)]
pub(super) struct Once {
    is_begun: Cell<bool>,
    roles: OnceCell<Result<Vec<String>, String>>,
}

impl Once {
    /// Returns whether this is the first Region of the account, when it is called first of all.
    pub(super) fn begin(&self) -> bool {
        !self.is_begun.replace(true)
    }
}

/// Returns the Region that has the records of global sign-ins: STS's global endpoint, the root user, the console without a Region.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html>,
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html>
fn home(session: &Session) -> &str {
    match session.partition.as_str() {
        "aws" => "us-east-1",
        "aws-cn" => "cn-north-1",
        "aws-us-gov" => "us-gov-west-1",
        _ => &session.target.region,
    }
}

/// Returns what the event history of one account and Region has, with the first one also what the Region of global sign-ins has. What of
/// it cannot be read is a finding, too.
pub(super) async fn find(
    session: &Session,
    asked: &Asked,
    once: &Once,
    is_first: bool,
    out: &Output,
) -> Vec<Finding> {
    let watched = asked.filter.events.iter();
    let watched = watched
        .map(|(_, name)| name)
        .filter(|name| !is_sign_in(name));
    let mut here: Vec<By> = watched.map(|name| By::Name(name.clone())).collect();
    if asked.routes.break_glass.is_none() {
        return look(session, asked, &here, None, out).await;
    }
    let account = &session.target.account;
    let existing = match asked.routes.may_have_roles(account) {
        true => {
            let list = async || {
                roles::arns(session)
                    .await
                    .map_err(|error| format!("{error:#}"))
            };
            once.roles.get_or_init(list).await.clone()
        }
        false => Ok(Vec::new()),
    };
    let roles = existing.as_deref().unwrap_or_default();
    let roles = asked.routes.break_glass_roles(account, roles);
    let mut sign_ins: Vec<By> = BY_NAME.map(|name| By::Name(name.to_owned())).to_vec();
    sign_ins.extend(roles.into_iter().map(By::Resource));
    let (region, home) = (session.target.region.as_str(), home(session));
    // The first one has looked there already.
    if region != home || is_first {
        here.extend(sign_ins.iter().cloned());
    }
    let mut found = look(session, asked, &here, existing.err(), out).await;
    if region != home && is_first {
        found.extend(look(&session.in_region(home), asked, &sign_ins, None, out).await);
    }
    found
}

fn is_sign_in(name: &str) -> bool {
    let mut names = SIGN_INS.iter().filter_map(|one| one.split_once(':'));
    names.any(|(_, one)| one == name)
}

/// Returns what the history of a Region has by these attributes; `unread` is what could not be read before.
async fn look(
    session: &Session,
    asked: &Asked,
    by: &[By],
    mut unread: Option<String>,
    out: &Output,
) -> Vec<Finding> {
    let (pages, mut read) = mpsc::channel(AHEAD);
    let mut uses = Uses::default();
    let reading = async {
        let ended = lookup::read_by(session, &asked.filter, by, &pages).await;
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
    found.extend(unread.map(|why| {
        let message = format!(
            "whether break-glass principals were used, or sessions lack their reason, is not known: {why}"
        );
        Finding {
            target: Some(session.target.clone()),
            fix: "allow the read that the message names".to_owned(),
            ..source::finding("event history", message)
        }
    }));
    found
}
