//! `history --verify`: records of log files that are as CloudTrail delivered them, and which are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail};
use awsconf::AwsArgs;
use cli::Output;
use records::{IntegrityStatus, LogIntegrity, LogIntegrityKind, Timestamp, VerifiedFile};

use super::HistoryArgs;
use crate::records::history::EventFilter;
use crate::records::integrity::{Flaw, PublicKeys, Runs, Signatures, Window, verified_file};
use crate::records::observe::files::{self, Hand, Read};
use crate::records::observe::objects;
use crate::records::observe::public_keys::KeySource;
use crate::records::observe::shelves::{self, Copied};
use crate::records::observe::store::Unlisted;
use crate::records::observe::verified::{Shelf, Verifier};

#[derive(Clone, Debug, clap::Args)]
pub(super) struct VerifyArgs {
    /// Print only records of log files that CloudTrail's digests prove to be intact, and for each hour whether it is proved
    #[arg(long, requires = "log_files", conflicts_with = "engine")]
    verify: bool,

    /// Require digests of this trail in every account and region; otherwise the loss of all of its digests goes unnoticed
    #[arg(
        long = "trail",
        value_name = "NAME",
        value_delimiter = ',',
        requires = "verify"
    )]
    trails: Vec<String>,

    /// Public keys of CloudTrail, as `aws cloudtrail list-public-keys` prints them [default: ask CloudTrail]
    #[arg(long, value_name = "FILE", requires = "verify")]
    public_keys: Option<PathBuf>,

    /// Signatures of digests in a copy, which their objects have in the metadata: {"key": "..", "signature": ".."}, one or more
    #[arg(long, value_name = "FILE", requires = "verify", requires = "paths")]
    signatures: Option<PathBuf>,
}

impl VerifyArgs {
    pub(super) fn is_asked(&self) -> bool {
        self.verify
    }
}

/// Returns what was read, and whether all of it is proved.
pub(super) async fn run(
    args: &HistoryArgs,
    aws: &AwsArgs,
    filter: &EventFilter,
    hand: &Hand<'_>,
    out: &Output,
) -> anyhow::Result<(Read, bool)> {
    let (mut periods, mut read) = (Periods::new(out), Read::default());
    let shelves = match &args.s3 {
        Some(place) => {
            let session = aws.session().await?;
            let client = objects::client(&session, &place.bucket).await;
            let regions = aws.named_regions();
            let (found, absent) =
                shelves::of_bucket(&client, place, &args.accounts, regions, filter, &mut read)
                    .await;
            for account in absent {
                let why = format!("{} has no CloudTrail files of {account}", place.root());
                periods.print(nothing_of(Vec::new(), why))?;
            }
            found
        }
        None => of_files(args, filter, &mut periods, &mut read)?,
    };
    let verify = &args.verify;
    let keys = match &verify.public_keys {
        Some(path) => KeySource::of_file(from(path, "public keys", PublicKeys::read)?),
        None => KeySource::of_aws(aws.session().await?),
    };
    let signatures = verify.signatures.as_deref();
    let signatures = signatures.map(|path| from(path, "signatures", Signatures::read));
    let time = |time: jiff::Timestamp| Timestamp::from_seconds(time.as_second());
    let mut verifier = Verifier {
        keys,
        signatures: signatures.transpose()?.unwrap_or_default(),
        window: Window {
            since: filter.since.map(time),
            until: filter.until.map(time),
            last_day: objects::days(filter).1,
            now: Some(time(jiff::Timestamp::now())),
            trails: verify.trails.clone(),
        },
        filter: Arc::new(filter.clone()),
        hand,
    };
    for shelf in shelves {
        let each = &mut |period| periods.print(period);
        let Err(error) = verifier.read(shelf, &mut read, each).await else {
            continue;
        };
        // Of what else is there nobody knows; other places can be read.
        let Unlisted { place, reason } = error.downcast()?;
        read.unread.push((place, reason));
    }
    let is_proved = periods.end()?;
    Ok((read, is_proved))
}

fn of_files(
    args: &HistoryArgs,
    filter: &EventFilter,
    periods: &mut Periods<'_>,
    read: &mut Read,
) -> anyhow::Result<Vec<Shelf>> {
    if args.paths.iter().any(|path| path.as_os_str() == "-") {
        bail!("--verify of stdin: digests name log files, and stdin has no name");
    }
    let Copied {
        shelves,
        others,
        n_passed_over,
    } = shelves::of_files(files::files(&args.paths, read)?, filter);
    super::note_passed_over(periods.out, read.n_passed_over + n_passed_over);
    if shelves.is_empty() && others.is_empty() {
        bail!("no file is there: copy the bucket with its CloudTrail-Digest folders");
    }
    if !others.is_empty() {
        let flaw =
            Flaw::unproved("its name is not one that CloudTrail gives, and digests name files");
        let file = |path: &PathBuf| verified_file(path.display().to_string(), Some(&flaw));
        let others = others.iter().map(file).collect();
        let why = "no digest can name these files".to_owned();
        periods.print(nothing_of(others, why))?;
    }
    Ok(shelves)
}

/// Returns what is not proved of no account and Region that is known.
fn nothing_of(log_files: Vec<VerifiedFile>, why: String) -> LogIntegrity {
    LogIntegrity {
        kind: LogIntegrityKind::LogIntegrity,
        target: None,
        trail: None,
        from: None,
        to: None,
        status: IntegrityStatus::Unproved,
        digest: None,
        log_files,
        message: Some(why),
    }
}

fn from<T>(path: &Path, what: &str, read: fn(&str) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let context = || format!("read {what} from {}", path.display());
    let text = std::fs::read_to_string(path).with_context(context)?;
    read(&text).with_context(context)
}

/// Prints periods: each one, or for people those that follow each other as one.
struct Periods<'o> {
    out: &'o Output,
    runs: Runs,
    n_files: [usize; 4],
    n_periods: [usize; 4],
}

impl<'o> Periods<'o> {
    fn new(out: &'o Output) -> Periods<'o> {
        Periods {
            out,
            runs: Runs::default(),
            n_files: [0; 4],
            n_periods: [0; 4],
        }
    }

    fn print(&mut self, period: LogIntegrity) -> anyhow::Result<()> {
        for file in &period.log_files {
            self.n_files[file.status as usize] += 1;
        }
        if !self.out.is_text() {
            return self.write(&period);
        }
        match self.runs.add(period) {
            Some(run) => self.write(&run),
            None => Ok(()),
        }
    }

    fn write(&mut self, period: &LogIntegrity) -> anyhow::Result<()> {
        self.n_periods[period.status as usize] += 1;
        self.out.write(period)
    }

    /// Returns whether all is proved.
    fn end(&mut self) -> anyhow::Result<bool> {
        if let Some(run) = self.runs.end() {
            self.write(&run)?;
        }
        let counted = |counts: &[usize; 4], noun: &str| {
            let [proved, unproved, missing, altered] = counts;
            let all = cli::count(counts.iter().sum(), noun);
            format!(
                "{all}: {proved} proved, {unproved} unproved, {missing} missing, {altered} altered"
            )
        };
        let (periods, files) = (
            counted(&self.n_periods, "period"),
            counted(&self.n_files, "log file"),
        );
        self.out.note(&format!("{periods}; {files}"));
        let is_proved = |counts: &[usize; 4]| counts[1..].iter().all(|n| *n == 0);
        Ok(is_proved(&self.n_periods) && is_proved(&self.n_files))
    }
}
