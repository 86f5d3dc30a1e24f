//! `match`: which advisories are about what is installed.

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::bail;
use cli::{Next, Outcome, Output, PackageSuppressions};

use super::GlobalArgs;
use crate::coverage;
use crate::differences::between;
use crate::foreign;
use crate::matching::{Doubt, Found, Judge};
use crate::model::fleet::{Fleet, Installed};
use crate::model::patches::Age;
use crate::model::record::Gap;
use crate::model::severity::Word;
use crate::observe::advisories::{Reader, Wanted};
use crate::observe::{input, kev};
use crate::report::All;
use crate::report::records::{print, print_gaps};
use crate::report::to_file::ToFile;

/// Match installed packages with advisories; exit with 1 when a package needs an update
///
/// Reads records of ssm-run whose command was the collector, or SBOMs in CycloneDX. Advisories are recognized by their content:
/// OSV, CSAF and VEX, updateinfo.xml, Debian's tracker and Alpine's secdb, in directories, tar, zip, gzip, xz and zstd. A node that
/// no advisory could be about, and a file that is not read, is a gap and makes the exit status 2.
#[derive(Clone, Debug, clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-vulns match -f invocations.jsonl --advisories osv")]
pub(crate) struct MatchArgs {
    /// Match with the advisories in this file or directory; repeat for several
    #[arg(long, value_name = "PATH", required = true)]
    advisories: Vec<PathBuf>,

    /// Mark what CISA's catalog in this file lists as known to be exploited
    #[arg(long, value_name = "FILE")]
    kev: Option<PathBuf>,

    /// Leave out advisories without a fix, and those that are fixed only under paid support
    #[arg(long)]
    fixed_only: bool,

    /// Count the advisories of a distribution as a gap when none of them is newer than this many days, and a patch state without its
    /// scan when it is older; 0 for any age
    #[arg(long, value_name = "DAYS", default_value = "30")]
    max_age: u32,

    /// Exit with 1 only for advisories that are at least as severe; unknown severity counts as medium
    #[arg(
        long,
        value_name = "SEVERITY",
        default_value = "none",
        hide_possible_values = true
    )]
    fail_on: Word,

    /// Leave out what this file accepts, each entry with a reason and a last day
    #[arg(long, value_name = "FILE")]
    suppressions: Option<PathBuf>,

    /// Write a report to a file as well, in one of the formats text, csv and sarif, which `-o` prints; repeat
    #[arg(long, value_name = "FORMAT=FILE")]
    report: Vec<ToFile>,
}

pub(crate) async fn run(
    args: &MatchArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let today = cli::today();
    let known_exploited = args.kev.as_deref().map(kev::read).transpose()?;
    let mut accepted = PackageSuppressions::read(args.suppressions.as_deref(), "vulns")?;
    let reading = out.reading("the inventories");
    let (mut fleet, mut gaps) = input::fleet(&global.io)?;
    drop(reading);
    let (states, without_state) = std::mem::take(&mut fleet.scans).judged(Age {
        today,
        most: args.max_age,
    });
    gaps.extend(without_state);
    if fleet.nodes.is_empty() && gaps.is_empty() {
        bail!(
            "there is no inventory in the input: pipe in the output of ssm-run with the collector"
        );
    }
    let working = out.working("reading the advisories");
    let mut judge = Judge::new(&fleet, known_exploited);
    let wanted = Wanted(judge.names());
    let mut reader = Reader::new(&wanted, today);
    for path in &args.advisories {
        let unread = reader.read(path, &mut |advisory| judge.judge(&advisory))?;
        let fix =
            "give these advisories in a form that `ssm-vulns match --help` lists, or remove them";
        gaps.extend(
            unread
                .into_iter()
                .map(|one| Gap::general("vulns.advisories.unread", one, fix)),
        );
    }
    drop(working);
    let covered = &reader.covered;
    gaps.extend(coverage::unjudged_nodes(&fleet, covered));
    gaps.extend(coverage::partial(&fleet, covered));
    gaps.extend(coverage::stale(&fleet, covered, args.max_age, today));
    if args.max_age > 0 {
        gaps.extend(coverage::undated(&fleet, covered));
    }
    gaps.extend(judge.unjudged.iter().map(|(advisory, package, why)| {
        let message = format!("{advisory} and {package} cannot be compared: {why}");
        Gap::general("vulns.advisory.unjudged", message, "look at both by hand")
    }));
    gaps.extend(judge.doubtful().map(unjudged_backport));
    let mut found = judge.found();
    // What somebody has accepted is asked for all the same.
    let differences = between(&fleet, &found, &states);
    if args.fixed_only {
        found.retain(|one| one.issue.fixed.is_some() && one.issue.paid.is_none());
    }
    drop_accepted(&mut accepted, &fleet, &mut found);
    let all = All {
        fleet: &fleet,
        found: &found,
        gaps: &gaps,
        differences: &differences,
        foreign: &foreign::packages(&fleet),
    };
    args.report
        .iter()
        .try_for_each(|report| report.write(&all))?;
    // The table names some of the nodes only.
    if args.report.is_empty() && !found.is_empty() {
        out.suggest_for_good(Next::Again("--report csv=vulns.csv"));
    }
    print(out, &all)?;
    sum_up(out, &fleet, &found, &gaps);
    let (expired, unused) = ("vulns.suppression.expired", "vulns.suppression.unused");
    let of_entries = accepted.end(out, expired, unused)?;
    print_gaps(out, &gaps)?;
    let fails = found
        .iter()
        .any(|one| counted(one.issue.severity.word) <= args.fail_on);
    let outcome = match (gaps.is_empty(), fails) {
        (false, _) => Outcome::Trouble,
        (true, true) => Outcome::Found,
        (true, false) => Outcome::Fine,
    };
    Ok(outcome.and(of_entries))
}

fn unjudged_backport((installed, doubt): (&Installed, Doubt)) -> Gap {
    let (name, version) = (&installed.package.name, &installed.package.version);
    let message = format!(
        "{name} {version} on {} is a backport, and may lack the fixes of {} in spite of its number",
        cli::count(installed.nodes.len(), "node"),
        cli::count(doubt.n_fixes, "advisory")
    );
    let fix = match doubt.n_undetermined {
        0 => {
            "give Debian's tracker as well: it lists the versions of unstable, which backports are built from"
        }
        _ => {
            "look for the fixes in its changelog: Debian's tracker has no version of unstable for them"
        }
    };
    Gap::general("vulns.backport.unjudged", message, fix)
}

/// Takes nodes away for which somebody has accepted the advisory, and what then has none.
fn drop_accepted(accepted: &mut PackageSuppressions, fleet: &Fleet, found: &mut Vec<Found>) {
    if accepted.is_empty() {
        return;
    }
    for Found { issue, nodes } in found.iter_mut() {
        let ids = issue
            .cves
            .iter()
            .chain(&issue.aliases)
            .chain([&issue.advisory]);
        let ids: Vec<&str> = ids.map(String::as_str).collect();
        nodes.retain(|at| {
            let node = &fleet.nodes[*at as usize];
            !accepted.accepts(&ids, &issue.package, &[&node.instance_id, &node.full_name])
        });
    }
    found.retain(|one| !one.nodes.is_empty());
}

/// What nobody has rated may be severe.
fn counted(word: Word) -> Word {
    match word {
        Word::Unknown => Word::Medium,
        word => word,
    }
}

fn sum_up(out: &Output, fleet: &Fleet, found: &[Found], gaps: &[Gap]) {
    let advisories: HashSet<&str> = found
        .iter()
        .map(|one| one.issue.advisory.as_str())
        .collect();
    let nodes: HashSet<u32> = found
        .iter()
        .flat_map(|one| one.nodes.iter().copied())
        .collect();
    out.sum_up(format!(
        "{} on {} of {}, {}",
        cli::count(advisories.len(), "advisory"),
        nodes.len(),
        cli::count(fleet.nodes.len(), "node"),
        cli::count(gaps.len(), "gap")
    ));
}
