//! The flags of single verbs.

use std::path::PathBuf;

use policy::{MAX_SCP_CHARACTERS, MAX_SCPS_PER_TARGET};

use crate::lint::Type;
use crate::model::TargetId;
use crate::simulate::Answer;

/// The quotas, for organizations that have others.
#[derive(Clone, Copy, Debug, clap::Args)]
pub(crate) struct QuotaArgs {
    /// Let a policy have this many characters, and a target this many policies, such as 5120,5
    #[arg(long, value_name = "CHARACTERS[,POLICIES]", value_parser = quota, default_value_t)]
    pub(crate) quota: Quota,
}

/// How long a policy may be, and how many a target may have.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quota {
    pub(crate) max_characters: usize,
    pub(crate) max_policies: usize,
}

impl Default for Quota {
    fn default() -> Quota {
        Quota {
            max_characters: MAX_SCP_CHARACTERS,
            max_policies: MAX_SCPS_PER_TARGET,
        }
    }
}

impl std::fmt::Display for Quota {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{},{}", self.max_characters, self.max_policies)
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct LintArgs {
    /// Read policies from these files instead of stdin
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Say what the policies are for
    #[arg(long, value_name = "TYPE", default_value = "scp")]
    pub(crate) r#type: Type,

    #[command(flatten)]
    pub(crate) limits: QuotaArgs,
}

/// Where policies come from that are asked without AWS.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct GuardArgs {
    /// Ask this policy document; repeat for several
    #[arg(long = "policy", value_name = "FILE")]
    pub(crate) policies: Vec<PathBuf>,

    /// Ask the policies that this desired state renders to
    #[arg(long, value_name = "FILE")]
    pub(crate) guard: Option<PathBuf>,

    /// Read the organization from what `show` printed
    #[arg(long, value_name = "FILE")]
    pub(crate) organization: Option<PathBuf>,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(crate) source: GuardArgs,

    /// Ask about this user or role; repeat for several [default: one ARN a line on stdin]
    #[arg(long = "principal", value_name = "ARN")]
    pub(crate) principals: Vec<String>,

    /// Ask about this action; repeat for several
    #[arg(long = "action", value_name = "ACTION", default_values_t = ["ssm:StartSession".to_owned(), "ssm:SendCommand".to_owned()])]
    pub(crate) actions: Vec<String>,

    /// Ask about this resource; repeat for several [default: not known]
    #[arg(long = "resource", value_name = "ARN")]
    pub(crate) resources: Vec<String>,

    /// Set a context key; without a value it is missing
    #[arg(long = "context", value_name = "KEY=VALUE", value_parser = context)]
    pub(crate) context: Vec<(String, Option<String>)>,

    /// Exit with 1 unless this is every answer
    #[arg(long, value_name = "ANSWER")]
    pub(crate) expect: Option<Expected>,
}

/// What `--expect` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Expected {
    Allow,
    Deny,
}

impl Expected {
    /// Returns the answer that is expected.
    pub(crate) fn answer(self) -> Answer {
        match self {
            Expected::Allow => Answer::Allowed,
            Expected::Deny => Answer::Denied,
        }
    }
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub(crate) source: GuardArgs,

    /// Exit with 1 when a call would have been denied
    #[arg(long)]
    pub(crate) exit_code: bool,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ImpactArgs {
    /// Read the organization from what `show` printed
    #[arg(long, value_name = "FILE")]
    pub(crate) organization: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) limits: QuotaArgs,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct PlanArgs {
    /// Exit with 1 when something needs to change
    #[arg(long)]
    pub(crate) exit_code: bool,

    /// Attach to the targets only as far as this one
    #[arg(long, value_name = "TARGET", value_parser = target)]
    pub(crate) until: Option<TargetId>,

    #[command(flatten)]
    pub(crate) limits: QuotaArgs,
}

#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    pub(crate) how: toolio::ApplyArgs,

    /// Refuse when one of these CloudTrail records would have been denied
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,

    /// Accept the risk with this id; repeat for several
    #[arg(long = "accept", value_name = "ID")]
    pub(crate) accepted: Vec<String>,
}

fn context(text: &str) -> Result<(String, Option<String>), String> {
    match text.split_once('=') {
        Some((key, value)) if key.contains(':') => Ok((
            key.to_owned(),
            (!value.is_empty()).then(|| value.to_owned()),
        )),
        _ => Err("expected KEY=VALUE such as aws:MultiFactorAuthPresent=true".to_owned()),
    }
}

fn quota(text: &str) -> Result<Quota, String> {
    let (characters, policies) = match text.split_once(',') {
        Some((characters, policies)) => (characters, Some(policies)),
        None => (text, None),
    };
    let number = |text: &str| match text.parse() {
        Ok(number) if number > 0 => Ok(number),
        _ => Err("expected a number of characters, such as 5120, or 5120,5".to_owned()),
    };
    Ok(Quota {
        max_characters: number(characters)?,
        max_policies: policies.map_or(Ok(MAX_SCPS_PER_TARGET), number)?,
    })
}

fn target(text: &str) -> Result<TargetId, String> {
    TargetId::try_from(text.to_owned())
}
