//! `check --routes`: uses of break-glass principals that nobody has acknowledged, and sessions without the required reason.

use std::cell::Cell;
use std::collections::HashSet;
use std::path::PathBuf;

use awsconf::Session;
use cli::{Finding, IoArgs, Output};
use serde_json::Value;
use tokio::sync::{OnceCell, mpsc};

use crate::records::events::{EVENTS, service};
use crate::records::history::{Damaged, EventFilter, Wanted};
use crate::records::observe::lookup::{self, By, Cut, RegionEvents};
use crate::records::observe::principals;
use crate::records::source;
use crate::routing::{Acknowledgements, Recorded, Routes, Uses, findings};

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

    /// Look for them in the event history since this time [default: 90d, its full length]
    #[arg(long, value_name = "TIME", requires = "routes")]
    since: Option<String>,

    /// Also find them in these records, such as `ssm-events history` prints of a bucket: whatever is older than the event history; repeat
    /// for several
    #[arg(long, value_name = "FILE", requires = "routes")]
    records: Vec<PathBuf>,

    /// Read at most about this many of the newest calls of each break-glass user and region, and report where there are more; 100
    /// calls take a second
    #[arg(
        long,
        value_name = "NUMBER",
        default_value_t = 10_000,
        requires = "routes"
    )]
    max_calls: usize,
}

/// What the files say, read before the first call.
pub(super) struct Asked {
    routes: Routes,
    acknowledged: Acknowledgements,
    filter: EventFilter,
    /// Of users, who need no sign-in for what they do with an access key.
    any_call: EventFilter,
    max_calls: usize,
    /// The events of the files of records: each is one finding.
    judged: HashSet<String>,
    recorded: Vec<Finding>,
}

impl UsesArgs {
    /// Reads the files that the flags name; `None` where nothing is to be looked for.
    ///
    /// # Errors
    /// A file that cannot be read or is not what it should be; routes that have nothing to look for.
    pub(super) fn read(&self, out: &Output) -> anyhow::Result<Option<Asked>> {
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
        let any_call = Wanted {
            events: vec!["all".to_owned()],
            ..wanted
        };
        let mut asked = Asked {
            routes,
            acknowledged,
            filter,
            any_call: EventFilter::new(&any_call, now)?,
            max_calls: self.max_calls,
            judged: HashSet::new(),
            recorded: Vec::new(),
        };
        asked.read(&self.records, out)?;
        Ok(Some(asked))
    }
}

impl Asked {
    /// Reads files of records. What of them cannot be read is a finding, too.
    fn read(&mut self, files: &[PathBuf], out: &Output) -> anyhow::Result<()> {
        let mut recorded = Recorded::default();
        let mut unread = Vec::new();
        for file in files {
            let left_out = source::records(&IoArgs::of_file(file), |record, event| {
                recorded.take(record, event, &self.routes, &self.acknowledged);
                Ok(())
            })?;
            unread.extend(left_out.findings());
        }
        note_acknowledged(out, "--records", recorded.n_acknowledged);
        (self.judged, self.recorded) = recorded.findings(&self.routes);
        self.recorded.extend(unread);
        Ok(())
    }

    fn is_judged(&self, record: &Value) -> bool {
        let id = record["eventID"].as_str();
        id.is_some_and(|id| self.judged.contains(id))
    }

    /// Returns what was found in files of records.
    pub(super) fn recorded(&self) -> &[Finding] {
        &self.recorded
    }
}

fn note_acknowledged(out: &Output, place: &str, n_acknowledged: usize) {
    if n_acknowledged > 0 {
        let uses = cli::count(n_acknowledged, "use");
        out.note(&format!(
            "{place}: {uses} of break-glass principals acknowledged"
        ));
    }
}

/// What is asked once an account.
#[derive(Debug, Default)]
pub(super) struct Once {
    is_begun: Cell<bool>,
    roles: OnceCell<Result<Vec<String>, String>>,
    users: OnceCell<Result<Vec<String>, String>>,
}

impl Once {
    /// Returns whether this is the first Region of the account, when it is called before the first call to AWS.
    pub(super) fn begin(&self) -> bool {
        !self.is_begun.replace(true)
    }
}

/// Returns the Region of a partition that has the records of global sign-ins: STS's global endpoint, the root user, the console without
/// a Region. `None` where AWS does not document it.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/cloudtrail-integration.html>, of China
/// <https://docs.amazonaws.cn/en_us/aws/latest/userguide/iam.html>,
/// <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-aws-console-sign-in-events.html>
fn home(partition: &str) -> Option<&'static str> {
    match partition {
        "aws" => Some("us-east-1"),
        "aws-cn" => Some("cn-north-1"),
        "aws-us-gov" => Some("us-gov-west-1"),
        _ => None,
    }
}

/// Returns whether sign-ins and users are looked up in a Region, and in which other one as well: with the first Region of an account that
/// of global sign-ins is looked at, so that it is not again when it is visited itself.
fn sign_ins_in(partition: &str, region: &str, is_first: bool) -> (bool, Option<&'static str>) {
    let home = home(partition);
    let elsewhere = home.filter(|home| is_first && *home != region);
    (is_first || home != Some(region), elsewhere)
}

/// Returns what an account has, asked for once and only where it is needed, or why that is not known.
async fn listed(
    cell: &OnceCell<Result<Vec<String>, String>>,
    is_needed: bool,
    list: impl Future<Output = anyhow::Result<Vec<String>>>,
) -> Result<Vec<String>, String> {
    if !is_needed {
        return Ok(Vec::new());
    }
    let list = async { list.await.map_err(|error| format!("{error:#}")) };
    cell.get_or_init(|| list).await.clone()
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
        return look(session, asked, &here, Vec::new(), out).await;
    }
    let (account, partition) = (&session.target.account, &session.partition);
    let routes = &asked.routes;
    let has_roles = routes.may_have_roles(account, partition);
    let existing = listed(&once.roles, has_roles, principals::of_roles(session)).await;
    let has_users = routes.may_have_users(account, partition);
    let existing_users = listed(&once.users, has_users, principals::of_users(session)).await;
    let roles = existing.as_deref().unwrap_or_default();
    let roles = routes.break_glass_roles(account, partition, roles);
    let users = existing_users.as_deref().unwrap_or_default();
    let users = routes.break_glass_users(account, partition, users);
    let mut sign_ins: Vec<By> = BY_NAME.map(|name| By::Name(name.to_owned())).to_vec();
    sign_ins.extend(roles.into_iter().map(By::Resource));
    sign_ins.extend(users.into_iter().map(By::User));
    let unread = [existing.err(), existing_users.err()];
    let unread = unread.into_iter().flatten().collect();
    let (is_here, elsewhere) = sign_ins_in(partition, &session.target.region, is_first);
    if is_here {
        here.extend(sign_ins.iter().cloned());
    }
    let mut found = look(session, asked, &here, unread, out).await;
    if let Some(home) = elsewhere {
        found.extend(look(&session.in_region(home), asked, &sign_ins, Vec::new(), out).await);
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
    mut unread: Vec<String>,
    out: &Output,
) -> Vec<Finding> {
    let (pages, mut read) = mpsc::channel(AHEAD);
    let mut uses = Uses::default();
    // Of users every call is asked for, of what is looked up otherwise those that are looked for.
    let (of_users, others): (Vec<By>, Vec<By>) =
        by.iter().cloned().partition(|by| matches!(by, By::User(_)));
    let reading = async {
        let ended = async {
            lookup::read_by(session, &asked.filter, &others, usize::MAX, &pages).await?;
            let (filter, most) = (&asked.any_call, asked.max_calls);
            lookup::read_by(session, filter, &of_users, most, &pages).await
        };
        let ended = ended.await;
        drop(pages);
        ended
    };
    let mut damaged = Damaged::default();
    let taking = async {
        while let Some(page) = read.recv().await {
            let RegionEvents::Lines(lines) = page else {
                continue;
            };
            for line in lines.lines() {
                match serde_json::from_str::<Value>(line) {
                    Ok(record) if asked.is_judged(&record) => {}
                    Ok(record) => uses.take(&record, &asked.routes, &asked.acknowledged),
                    Err(error) => damaged.lost(&error.to_string()),
                }
            }
        }
    };
    let (ended, ()) = tokio::join!(reading, taking);
    unread.extend(damaged.reason(None));
    let cut = match ended {
        Ok((_, cut)) => cut,
        Err(error) => {
            unread.push(format!("{error:#}"));
            Vec::new()
        }
    };
    note_acknowledged(out, &session.target.to_string(), uses.n_acknowledged);
    let mut found = findings(uses, &asked.routes, &session.target);
    let finding = |message: String, fix: &str| Finding {
        target: Some(session.target.clone()),
        fix: fix.to_owned(),
        ..source::finding("event history", message)
    };
    if !unread.is_empty() {
        let message = format!(
            "whether break-glass principals were used, or sessions lack their reason, is not known: {}",
            unread.join("; ")
        );
        found.push(finding(message, "allow the read that the message names"));
    }
    found.extend(cut.iter().map(|cut| {
        finding(
            left_unread(cut),
            "look at a shorter time with --since, or read more with --max-calls",
        )
    }));
    found
}

fn left_unread(cut: &Cut) -> String {
    let of = match &cut.by {
        By::User(name) if name == "root" => "the root user".to_owned(),
        By::User(name) => format!("the user {name}"),
        By::Name(name) => name.clone(),
        By::Resource(arn) => arn.clone(),
        By::Everything => "everybody".to_owned(),
    };
    let calls = cli::count(cut.n_read, "call");
    format!("there are more calls of {of} than the newest {calls}: what is older is not looked at")
}

#[cfg(test)]
mod tests {
    use super::sign_ins_in;

    #[test]
    fn sign_ins_are_looked_up_in_every_region_and_once_in_that_of_the_global_ones() {
        let all = [true, false];
        for (partition, region, first, later) in [
            ("aws", "us-east-1", (true, None), (false, None)),
            (
                "aws",
                "eu-central-1",
                (true, Some("us-east-1")),
                (true, None),
            ),
            ("aws-cn", "cn-north-1", (true, None), (false, None)),
            (
                "aws-us-gov",
                "us-gov-east-1",
                (true, Some("us-gov-west-1")),
                (true, None),
            ),
            // Where nobody knows which Region has the global ones, no Region is taken for one that was looked at already.
            ("aws-iso", "us-iso-east-1", (true, None), (true, None)),
            ("aws-iso", "us-iso-west-1", (true, None), (true, None)),
            ("aws-eusc", "eusc-de-east-1", (true, None), (true, None)),
        ] {
            let found = all.map(|is_first| sign_ins_in(partition, region, is_first));
            assert_eq!(found, [first, later], "{region}");
        }
    }
}
