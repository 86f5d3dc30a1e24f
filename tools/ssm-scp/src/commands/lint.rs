//! `lint`: what is wrong with policy files, without AWS.

use std::path::PathBuf;

use cli::{Finding, Outcome, Output, SuppressionArgs};
use iam_policy::{PolicyType, Rule, sid_at};

use super::GlobalArgs;
use super::quota::QuotaArgs;

/// Lint policy files, without calling AWS; exit with 1 on findings
///
/// Endpoint policies of VPCs and declarative policies are not judged.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// Read policies from these files instead of stdin
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Say what the policies are for
    #[arg(long, value_name = "TYPE", default_value = "scp")]
    r#type: Type,

    #[command(flatten)]
    limits: QuotaArgs,

    #[command(flatten)]
    suppressions: SuppressionArgs,
}

/// What a linted policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Type {
    /// A service control policy
    Scp,
    /// A resource control policy
    Rcp,
    /// A policy of a user, group or role
    Identity,
    /// A policy of a resource, or a trust policy
    Resource,
}

pub(crate) async fn run(
    args: &LintArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    let max_characters = args.limits.quota.max_characters;
    let mut outcome = Outcome::Fine;
    let mut suppressions = args
        .suppressions
        // A text that is not JSON was not judged, which nobody can accept.
        .read("scp", |id| {
            Rule::of_id(id).is_some_and(|rule| rule != Rule::Json)
        })?;
    let texts = cli::read_texts(&args.files, &global.io, "policy")?;
    for (source, text) in texts {
        let findings = lint(&source, &text, args.r#type, max_characters);
        let findings = suppressions.filter(&source, findings, |path| sid_at(&text, path));
        out.judged(&source);
        outcome = outcome.and(suppressions.write(out, &findings)?);
    }
    let (expired, unused) = ("scp.suppression.expired", "scp.suppression.unused");
    Ok(outcome.and(suppressions.end(out, expired, unused)?))
}

/// Returns the findings in one policy; `source` names the file.
fn lint(source: &str, text: &str, r#type: Type, max_characters: usize) -> Vec<Finding> {
    let policy_type = match r#type {
        Type::Scp => PolicyType::ServiceControl { max_characters },
        Type::Rcp => PolicyType::ResourceControl,
        Type::Identity => PolicyType::Identity,
        Type::Resource => PolicyType::Resource,
    };
    let problems = iam_policy::lint(text, policy_type).into_iter();
    problems
        .map(|problem| Finding::in_policy("scp", source, problem))
        .collect()
}
