//! `lint`: what is wrong with policy files, without AWS.

use cli::{DesiredState, FileArgs, Finding, Outcome, Output, Severity, SuppressionArgs};
use iam_policy::{PolicyType, Rule, sid_at};

use super::GlobalArgs;
use super::quota::QuotaArgs;
use crate::guard;
use crate::model::Desired;

const DESIRED: DesiredState = DesiredState {
    what: "desired policy",
    invalid: "scp.desired.invalid",
    other: "scp.desired.other",
};

/// Lint policies and desired states, without calling AWS; exit with 1 on findings
///
/// Of a desired state, the policies that it renders to are linted as well.
/// Endpoint policies of VPCs and declarative policies are not judged.
#[derive(Clone, Debug, clap::Args)]
#[command(
    after_long_help = "Examples:\n  ssm-scp lint scp.json\n  ssm-scp render -f scp.json | ssm-scp lint"
)]
pub(crate) struct LintArgs {
    #[command(flatten)]
    files: FileArgs,

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
    let mut suppressions = args
        .suppressions
        // A text that is not JSON was not judged, which nobody can accept.
        .read("scp", |id| {
            Rule::of_id(id).is_some_and(|rule| rule != Rule::Json)
        })?;
    let outcome = args.files.each(&global.io, out, |file| {
        let (source, text) = (file.source, file.text);
        let findings = match cli::is_ours(text) {
            true => DESIRED.lint(file, |desired| rules(desired, max_characters)),
            false => lint(source, text, args.r#type, max_characters),
        };
        let findings = suppressions.filter(source, findings, |path| sid_at(text, path));
        suppressions.write(out, &findings)
    })?;
    let (expired, unused) = ("scp.suppression.expired", "scp.suppression.unused");
    Ok(outcome.and(suppressions.end(out, expired, unused)?))
}

/// Returns what is wrong with the policies that a desired state renders to: nobody has written their lines.
fn rules(desired: &Desired, max_characters: usize) -> Vec<Finding> {
    let invalid = |message: String| {
        let fix = "make it shorter, or allow what the organization's quota allows".to_owned();
        let id = "scp.desired.invalid".to_owned();
        let finding = Finding::in_text(id, Severity::Error, ("", 1, 1, "$"), message, fix);
        let resource = "$".to_owned();
        vec![Finding {
            resource,
            ..finding
        }]
    };
    let parts = match guard::render(desired, max_characters) {
        Ok(parts) => parts,
        Err(error) => return invalid(format!("{error:#}")),
    };
    let mut findings = Vec::new();
    for part in &parts {
        for found in lint("", &part.document.to_string(), Type::Scp, max_characters) {
            let (_, path) = found.resource.split_once(' ').unwrap_or_default();
            let message = format!("it renders to {}, {path}: {}", part.name, found.message);
            let resource = "$".to_owned();
            findings.push(Finding {
                message,
                resource,
                ..found
            });
        }
    }
    findings
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
