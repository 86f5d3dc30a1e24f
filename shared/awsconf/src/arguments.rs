//! The AWS flags that every tool has. Parsing validates; nothing is called.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use records::{AccountId, Arn};

use crate::secret_source::Source;

/// Whose credentials to use and which regions to work in.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "AWS")]
pub struct AwsArgs {
    /// Use this profile of the AWS config files, even when the environment holds keys
    #[arg(long, value_name = "NAME", global = true)]
    pub profile: Option<String>,

    /// Work in these regions: repeat or separate by commas; `all` selects every enabled region [default: AWS_REGION or the profile's]
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',', value_parser = region, global = true)]
    pub regions: Vec<String>,

    /// Send requests to this URL instead of AWS
    #[arg(long, value_name = "URL", global = true)]
    pub endpoint_url: Option<String>,

    /// Assume this role; repeat to chain roles. {account} and {partition} are replaced for each account
    #[arg(long = "assume-role", value_name = "ARN", value_parser = role_arn, global = true)]
    pub assume_roles: Vec<String>,

    /// Assume roles with the external ID that is in this environment variable or file
    #[arg(long, value_name = "env:NAME|file:PATH", global = true)]
    pub external_id: Option<Source>,

    /// Assume roles with this session tag; repeat for several
    #[arg(long = "session-tag", value_name = "KEY=VALUE", value_parser = session_tag, global = true)]
    pub session_tags: Vec<(String, String)>,

    /// Work in this many accounts and regions at once
    #[arg(long, value_name = "N", value_parser = one_or_more, default_value = "10", global = true)]
    pub max_concurrency: NonZeroUsize,
}

/// Which accounts to work in.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "AWS")]
pub struct AccountArgs {
    /// Work in the accounts listed in this file or on stdin (-), or in all of the organization (org)
    #[arg(long, value_name = "FILE|-|org", global = true)]
    pub accounts: Option<AccountsFrom>,
}

/// Where a list of accounts comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountsFrom {
    /// Organizations.
    Organization,
    /// Stdin.
    Stdin,
    /// A file.
    File(PathBuf),
}

impl std::str::FromStr for AccountsFrom {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> Result<AccountsFrom, Self::Err> {
        Ok(match text {
            "org" => AccountsFrom::Organization,
            "-" => AccountsFrom::Stdin,
            path => AccountsFrom::File(PathBuf::from(path)),
        })
    }
}

/// Asks for every region that is enabled in an account.
pub(crate) const ALL: &str = "all";

/// Is replaced by an account ID in the ARN of a role.
const ACCOUNT: &str = "{account}";

/// Is replaced by the partition of the credentials in the ARN of a role.
const PARTITION: &str = "{partition}";

impl AwsArgs {
    /// Returns no flags at all: what a function gets, which has its environment only.
    #[must_use]
    pub fn from_environment() -> AwsArgs {
        AwsArgs {
            profile: None,
            regions: Vec::new(),
            endpoint_url: None,
            assume_roles: Vec::new(),
            external_id: None,
            session_tags: Vec::new(),
            max_concurrency: NonZeroUsize::MIN,
        }
    }

    /// Returns the regions that are named; none where all are meant, for who knows which there are.
    #[must_use]
    pub fn named_regions(&self) -> &[String] {
        match self.regions.iter().any(|region| region == ALL) {
            true => &[],
            false => &self.regions,
        }
    }

    /// Returns the flags for the first session, and the roles to assume from there in each account.
    #[must_use]
    pub fn split_account_roles(&self) -> (AwsArgs, Vec<String>) {
        let (per_account, first): (Vec<String>, Vec<String>) = self
            .assume_roles
            .iter()
            .cloned()
            .partition(|role| is_per_account(role));
        let first = AwsArgs {
            assume_roles: first,
            ..self.clone()
        };
        (first, per_account)
    }
}

/// Returns whether a role is to be assumed in each account.
pub(crate) fn is_per_account(role: &str) -> bool {
    role.contains(ACCOUNT)
}

/// Returns the role in one account.
pub(crate) fn in_account(role: &str, partition: &str, account: &str) -> String {
    role.replace(PARTITION, partition).replace(ACCOUNT, account)
}

/// Accepts what has the shape of a region code; whether it exists is for AWS to say.
fn region(text: &str) -> Result<String, String> {
    let shaped = |text: &str| {
        let mut words: Vec<&str> = text.split('-').collect();
        let number = words.pop().unwrap_or_default();
        let is_word =
            |word: &&str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase());
        let is_number = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
        words.len() >= 2 && words.iter().all(is_word) && is_number(number)
    };
    if text == ALL || shaped(text) {
        return Ok(text.to_owned());
    }
    // us-east1, as elsewhere, and us-east-1a, which is a zone.
    let trimmed = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    let digits = trimmed.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = &trimmed[digits.len()..];
    let meant = format!("{}-{number}", digits.trim_end_matches('-'));
    if shaped(&meant) {
        Err(format!("did you mean {meant}?"))
    } else {
        Err("expected a region code such as eu-central-1, or all".to_owned())
    }
}

fn role_arn(text: &str) -> Result<String, String> {
    let is_account = |text: &str| text == ACCOUNT || text.parse::<AccountId>().is_ok();
    match Arn::parse(text) {
        Some(arn)
            if (!arn.partition.contains(['{', '}']) || arn.partition == PARTITION)
                && (arn.service, arn.region) == ("iam", "")
                && is_account(arn.account)
                && arn.resource.starts_with("role/") =>
        {
            Ok(text.to_owned())
        }
        _ => Err("expected a role ARN such as arn:aws:iam::111122223333:role/Name".to_owned()),
    }
}

fn one_or_more(text: &str) -> Result<NonZeroUsize, String> {
    text.parse()
        .map_err(|_| "expected a number, 1 or more".to_owned())
}

/// <https://docs.aws.amazon.com/STS/latest/APIReference/API_Tag.html>
fn session_tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() && key.len() <= 128 && value.len() <= 256 => {
            Ok((key.to_owned(), value.to_owned()))
        }
        _ => Err(
            "expected KEY=VALUE, a key of 1 to 128 characters and a value of up to 256".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{one_or_more, region, role_arn, session_tag};

    #[test]
    fn accepts_only_what_looks_like_a_region() {
        for good in ["eu-central-1", "us-gov-west-1", "eusc-de-east-1", "all"] {
            assert!(region(good).is_ok(), "{good}");
        }
        for bad in ["", "al", "eu-central", "EU-CENTRAL-1", "1", "-1", "eu--1"] {
            let message = region(bad).unwrap_err();
            assert!(message.starts_with("expected"), "{bad}: {message}");
        }
        for near in ["us-east1", "us-east-1a"] {
            assert_eq!(region(near).unwrap_err(), "did you mean us-east-1?");
        }
    }

    #[test]
    fn refuses_the_arn_of_an_assumed_role() {
        assert!(role_arn("arn:aws-cn:iam::111122223333:role/path/Name").is_ok());
        assert!(role_arn("arn:aws:iam::{account}:role/Name").is_ok());
        assert!(role_arn("arn:{partition}:iam::{account}:role/Name").is_ok());
        assert!(role_arn("arn:{part}:iam::{account}:role/Name").is_err());
        assert!(role_arn("arn:aws:iam::{accounts}:role/Name").is_err());
        assert!(role_arn("arn:aws:sts::111122223333:assumed-role/Name/session").is_err());
    }

    #[test]
    fn what_is_done_at_once_is_one_or_more() {
        assert_eq!(one_or_more("12").map(usize::from), Ok(12));
        for bad in ["0", "-1", "", "many"] {
            assert_eq!(
                one_or_more(bad).unwrap_err(),
                "expected a number, 1 or more",
                "{bad}"
            );
        }
    }

    #[test]
    fn a_session_tag_has_a_key() {
        assert_eq!(
            session_tag("Team=a=b"),
            Ok(("Team".to_owned(), "a=b".to_owned()))
        );
        assert!(session_tag("=x").is_err());
        assert!(session_tag("Team").is_err());
    }
}
