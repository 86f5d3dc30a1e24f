//! All accounts and regions that the flags name, visited side by side and reported in their order. Memory is bounded by the
//! targets that are visited at once, not by their number.

use std::collections::VecDeque;
use std::rc::Rc;

use anyhow::{Context, bail};
use aws_config::retry::{RetryConfig, RetryMode};
use cli::{ACCOUNT_AND_REGION, Outcome, Output, Target, Unreachable};
use futures_util::stream::{self, FuturesUnordered, StreamExt};
use tokio::sync::mpsc;

use crate::accounts::{Account, Accounts};
use crate::arguments::{ALL, AccountArgs};
use crate::{AwsArgs, GLOBAL, Session, describe};

/// How many things of one target may wait until those of the targets before it are reported.
const WAITING: usize = 1_000;

/// What is tried by a fleet before a throttled call is given up: with hundreds of targets somebody is always throttled.
const MAX_ATTEMPTS: u32 = 8;

/// The accounts and regions to work in.
#[derive(Debug)]
pub struct Fleet {
    tool: &'static str,
    /// The session of the first credentials, in the first region.
    home: Session,
    accounts: Vec<Account>,
    regions: Vec<String>,
    roles: Vec<String>,
    max_concurrency: usize,
    is_single: bool,
}

/// A place to work in, or why there is none.
enum TargetSession {
    Open(Box<Session>),
    Closed(Target, anyhow::Error),
}

/// A target that is being visited.
struct Visit<T> {
    session: Session,
    things: mpsc::Receiver<T>,
    ended: Option<anyhow::Result<()>>,
    is_closed: bool,
}

impl Fleet {
    /// Returns the fleet; calls STS once, and Organizations when it is to name the accounts.
    ///
    /// # Errors
    /// No region, an unknown profile, no or refused credentials, no list of accounts.
    pub async fn open(
        tool: &'static str,
        aws: &AwsArgs,
        accounts: &AccountArgs,
        out: &Output,
    ) -> anyhow::Result<Fleet> {
        if aws.assume_roles.is_empty()
            && (aws.external_id.is_some() || !aws.session_tags.is_empty())
        {
            bail!("--external-id and --session-tag are for roles: pass --assume-role");
        }
        // Reported first: as long as it is wrong, nothing else that is printed is about what the user meant.
        if let Some(source) = &aws.external_id {
            source.read("the external ID")?;
        }
        let (first, roles) = aws.split_account_roles();
        let mut regions = first.resolve_regions().await?;
        let is_all = regions.iter().any(|region| region == ALL);
        if is_all && regions.len() > 1 {
            bail!("--region all is every enabled region: name no other");
        }
        let home_region = match is_all {
            true => first.default_region().await,
            false => regions.first().cloned(),
        };
        let Some(home_region) = home_region else {
            bail!(match is_all {
                true => "no region to ask for the enabled ones: set AWS_REGION",
                false => "no region: pass --region or set AWS_REGION",
            })
        };
        if accounts.accounts.is_none() && !roles.is_empty() {
            bail!(
                "--assume-role {}: for which accounts? pass --accounts, or write the ID",
                roles.join(" ")
            );
        }
        if accounts.accounts.is_some() && roles.is_empty() {
            bail!("--accounts needs --assume-role 'arn:{{partition}}:iam::{{account}}:role/NAME'");
        }
        let home = first.open(&home_region).await?;
        let is_single = accounts.accounts.is_none() && regions.len() == 1 && !is_all;
        let home = if is_single {
            home
        } else {
            home.with_adaptive_retry()
        };
        let listed = match &accounts.accounts {
            Some(from) => {
                let listed = {
                    let _working = out.working("listing the accounts");
                    Accounts::read(from, &home).await?
                };
                for (id, state) in &listed.inactive {
                    out.note(&format!("account {id} is left out: it is {state}"));
                }
                listed.active
            }
            None => vec![Account {
                id: home.target.account.clone(),
                units: None,
            }],
        };
        if is_all {
            regions.clear();
        }
        Ok(Fleet {
            tool,
            home,
            accounts: listed,
            regions,
            roles,
            max_concurrency: aws.max_concurrency.get(),
            is_single,
        })
    }

    /// Works in every target and hands over what came of each, in their order. What `C` holds is shared by the regions
    /// of one account, for what is asked once an account.
    ///
    /// # Errors
    /// The only target fails, or `each` does. One of several that fails is a record of its own, and [`Outcome::Trouble`].
    pub async fn visit<C: Default, T>(
        &self,
        out: &Output,
        work: impl AsyncFn(&Session, &C) -> anyhow::Result<T>,
        each: impl FnMut(&Session, T) -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Outcome> {
        let send = async |session: &Session, shared: &C, things: mpsc::Sender<T>| {
            // Nobody listens any more when printing has failed, which says so itself.
            let _ = things.send(work(session, shared).await?).await;
            Ok(())
        };
        self.stream(out, send, each).await
    }

    /// As [`Fleet::visit`] for work that yields many things, each handed over as soon as it is its turn.
    ///
    /// # Errors
    /// As [`Fleet::visit`]; what was printed before stays printed.
    pub async fn stream<C: Default, T>(
        &self,
        out: &Output,
        work: impl AsyncFn(&Session, &C, mpsc::Sender<T>) -> anyhow::Result<()>,
        mut each: impl FnMut(&Session, T) -> anyhow::Result<Outcome>,
    ) -> anyhow::Result<Outcome> {
        let progress = out.progress();
        let stops = stream::iter(&self.accounts)
            .map(async |account| {
                let shared = Rc::new(C::default());
                let stops = self.stops(account).await;
                if self.regions.is_empty() {
                    progress.more(stops.len().saturating_sub(1));
                }
                let stops = stops.into_iter();
                stops
                    .map(|stop| (stop, Rc::clone(&shared)))
                    .collect::<Vec<_>>()
            })
            .buffered(self.max_concurrency)
            .flat_map(stream::iter);
        let mut stops = std::pin::pin!(stops.fuse());
        match self.is_single {
            true => {
                progress.begin(0, "region");
                progress.say("reading");
            }
            // Of how many regions an account has enabled, one is known before.
            false => progress.begin(
                self.accounts.len() * self.regions.len().max(1),
                match self.accounts.len() {
                    0 | 1 => "region",
                    _ => ACCOUNT_AND_REGION,
                },
            ),
        }
        let mut running = FuturesUnordered::new();
        let mut visits: VecDeque<Visit<T>> = VecDeque::new();
        let (mut n_first, mut outcome, mut is_last) = (0, Outcome::Fine, false);
        loop {
            // The first target's things are printed at once, those of the others wait for their turn.
            while let Some(Visit {
                ended: Some(_),
                is_closed: true,
                ..
            }) = visits.front()
            {
                let Some(Visit {
                    session,
                    ended: Some(ended),
                    ..
                }) = visits.pop_front()
                else {
                    break;
                };
                n_first += 1;
                if let Err(error) = ended {
                    if self.is_single || cli::is_broken_pipe(&error) {
                        return Err(error);
                    }
                    out.write(&Unreachable::new(self.tool, &session.target, &error))?;
                    outcome = outcome.and(Outcome::Trouble);
                } else {
                    out.judged(&session.target);
                }
                progress.step();
            }
            let has_room = visits.len() < self.max_concurrency && !is_last;
            if visits.is_empty() && is_last {
                break;
            }
            let front = visits.front_mut().filter(|visit| !visit.is_closed);
            tokio::select! {
                biased;
                thing = next(front) => {
                    let Some(visit) = visits.front_mut() else { continue };
                    match thing {
                        Some(thing) => outcome = outcome.and(each(&visit.session, thing)?),
                        None => visit.is_closed = true,
                    }
                }
                Some((number, ended)) = running.next(), if !running.is_empty() => {
                    let at: usize = number - n_first;
                    if let Some(visit) = visits.get_mut(at) {
                        visit.ended = Some(ended);
                    }
                }
                stop = stops.next(), if has_room => match stop {
                    None => is_last = true,
                    Some((stop, shared)) => {
                        let number = n_first + visits.len();
                        let (sender, things) = mpsc::channel(WAITING);
                        match stop {
                            TargetSession::Open(session) => {
                                visits.push_back(Visit { session: (*session).clone(), things, ended: None, is_closed: false });
                                let work = &work;
                                running.push(async move { (number, work(&session, &shared, sender).await) });
                            }
                            TargetSession::Closed(target, error) => visits.push_back(Visit {
                                session: Session { target, ..self.home.clone() },
                                things,
                                ended: Some(Err(error)),
                                is_closed: true,
                            }),
                        }
                    }
                },
            }
        }
        progress.end();
        Ok(outcome)
    }

    /// Returns a session for every region of an account.
    async fn stops(&self, account: &Account) -> Vec<TargetSession> {
        let closed = |region: &str, reason: &str| {
            let target = Target {
                account: account.id.clone(),
                region: region.to_owned(),
            };
            TargetSession::Closed(target, anyhow::anyhow!("{reason}"))
        };
        let opened = async {
            let session = self.home.in_account(&self.roles, &account.id).await?;
            let mut session = session.context("no role for this account")?;
            session.units.clone_from(&account.units);
            let regions = match self.regions.is_empty() {
                true => enabled_regions(&session).await?,
                false => self.regions.clone(),
            };
            anyhow::Ok((session, regions))
        };
        match opened.await {
            Ok((session, regions)) => {
                let here = regions.iter().map(|region| session.in_region(region));
                here.map(|session| TargetSession::Open(Box::new(session)))
                    .collect()
            }
            Err(error) => {
                let reason = format!("{error:#}");
                if self.is_single || self.regions.is_empty() {
                    return vec![closed(GLOBAL, &reason)];
                }
                self.regions
                    .iter()
                    .map(|region| closed(region, &reason))
                    .collect()
            }
        }
    }
}

async fn next<T>(visit: Option<&mut Visit<T>>) -> Option<T> {
    match visit {
        Some(visit) => visit.things.recv().await,
        None => std::future::pending().await,
    }
}

impl Session {
    /// Returns the session for many calls, or for one of many targets. Those are throttled as a whole: the SDK's adaptive
    /// retry slows all calls to one service and region together.
    /// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
    #[must_use]
    pub fn with_adaptive_retry(self) -> Session {
        if self.given.mode {
            return self;
        }
        let given = self.config.retry_config().cloned();
        let given = given.unwrap_or_else(RetryConfig::standard);
        let max_attempts = match self.given.attempts {
            true => given.max_attempts(),
            false => given.max_attempts().max(MAX_ATTEMPTS),
        };
        let retry = given
            .with_retry_mode(RetryMode::Adaptive)
            .with_max_attempts(max_attempts);
        let config = self.config.to_builder().retry_config(retry).build();
        Session { config, ..self }
    }
}

/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>: without `AllRegions` only those
/// that are enabled for the account.
async fn enabled_regions(session: &Session) -> anyhow::Result<Vec<String>> {
    let regions = ec2::Client::new(&session.config).describe_regions().await;
    let mut regions = regions.map_err(|error| describe("DescribeRegions", error))?;
    regions.sort();
    Ok(regions)
}
