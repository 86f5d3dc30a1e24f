//! What an account sets for the metadata service of instances to come, to findings. Pure.

use cli::{Finding, FindingKind, Reading, Severity, Target};
use ec2::MetadataDefaults;

/// Returns what is wrong with the defaults where IMDSv1 must be refused, or that they are enforced.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-new-instances.html>
pub(crate) fn check(target: &Target, defaults: &Reading<MetadataDefaults>) -> Vec<Finding> {
    let finding = |problem: &str, severity, message: String, fix: String| Finding {
        kind: FindingKind::Finding,
        id: format!("agentcheck.{problem}"),
        severity,
        target: Some(target.clone()),
        resource: target.to_string(),
        message,
        fix,
        is_unread: false,
    };
    let defaults = match defaults {
        Reading::Present(defaults) => defaults,
        Reading::Absent => return Vec::new(),
        Reading::Unknown(reason) => {
            let unread = finding(
                "imds_defaults.unknown",
                Severity::Warning,
                format!(
                    "the account's defaults of the metadata service could not be read: {reason}"
                ),
                "allow ec2:GetInstanceMetadataDefaults, then check again".to_owned(),
            );
            return vec![Finding {
                is_unread: true,
                ..unread
            }];
        }
    };
    if defaults.http_tokens_enforced.as_deref() == Some("enabled") {
        return vec![finding(
            "imds_defaults.enforced",
            Severity::Info,
            "no instance can be launched here that allows IMDSv1".to_owned(),
            "nothing".to_owned(),
        )];
    }
    let tokens = match defaults.http_tokens.as_deref() {
        Some("required") => return Vec::new(),
        Some(tokens) => format!("tokens are {tokens} by default"),
        None => "the account sets no default, so their images decide".to_owned(),
    };
    let fix = match defaults.managed_by.as_deref() {
        Some("declarative-policy") => {
            "require IMDSv2 in the declarative policy of the organization that sets them".to_owned()
        }
        _ => format!(
            "require IMDSv2: aws ec2 modify-instance-metadata-defaults --region {} --http-tokens required",
            target.region
        ),
    };
    vec![finding(
        "imds_defaults.v1_allowed",
        Severity::Warning,
        format!(
            "instances that are launched without metadata options of their own may allow IMDSv1: {tokens}"
        ),
        fix,
    )]
}

#[cfg(test)]
mod tests {
    use cli::{Reading, Target};
    use ec2::MetadataDefaults;

    use super::check;

    #[test]
    fn defaults_must_require_tokens_unless_that_is_enforced() {
        let target = Target {
            account: "111122223333".to_owned(),
            region: "eu-central-1".to_owned(),
        };
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        for (tokens, enforced, managed_by, expected, fix) in [
            ("required", "", "account", "", ""),
            ("required", "disabled", "account", "", ""),
            (
                "optional",
                "",
                "account",
                "v1_allowed",
                "--http-tokens required",
            ),
            ("", "", "", "v1_allowed", "--region eu-central-1"),
            (
                "optional",
                "",
                "declarative-policy",
                "v1_allowed",
                "in the declarative policy",
            ),
            ("", "enabled", "account", "enforced", "nothing"),
        ] {
            let defaults = MetadataDefaults {
                http_tokens: text(tokens),
                http_tokens_enforced: text(enforced),
                managed_by: text(managed_by),
            };
            let found = check(&target, &Reading::Present(defaults));
            let ids: Vec<&str> = found.iter().map(|one| one.id.as_str()).collect();
            match expected {
                "" => assert!(ids.is_empty(), "{ids:?}"),
                problem => {
                    assert_eq!(ids, [format!("agentcheck.imds_defaults.{problem}")]);
                    assert!(found[0].fix.contains(fix), "{}", found[0].fix);
                }
            }
        }
        let unread = check(&target, &Reading::Unknown("denied".to_owned()));
        assert_eq!(unread[0].id, "agentcheck.imds_defaults.unknown");
    }
}
