//! The actions that the lock-out guard asks about besides those of operators and agents. Pure.

/// What makes somebody a role. Without it a break-glass role lets nobody in.
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecuritytokenservice.html>
pub(super) const BECOMING: &[&str] = &[
    "sts:AssumeRole",
    "sts:AssumeRoleWithSAML",
    "sts:AssumeRoleWithWebIdentity",
    "sts:SetSourceIdentity",
    "sts:TagSession",
];

/// What agents call to encrypt and log sessions.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html>
pub(super) const LOGGING: &[&str] = &[
    "kms:Decrypt",
    "kms:GenerateDataKey",
    "logs:CreateLogStream",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "logs:PutLogEvents",
    "s3:GetEncryptionConfiguration",
    "s3:PutObject",
];

/// Text that no action, role or resource is likely to have.
const UNLIKELY: &str = "q7zkw4";

/// Returns an action that a pattern matches and that no narrower one does.
pub(super) fn sample(pattern: &str) -> String {
    match pattern.contains(':') {
        true => filled(pattern),
        false => format!("{UNLIKELY}:{UNLIKELY}"),
    }
}

/// Returns a resource that a pattern matches, in an account.
pub(super) fn resource(pattern: &str, account: &str) -> String {
    let mut parts: Vec<String> = pattern.splitn(6, ':').map(str::to_owned).collect();
    if let Some(part) = parts.get_mut(4).filter(|part| *part == "*") {
        account.clone_into(part);
    }
    filled(&parts.join(":"))
}

fn filled(pattern: &str) -> String {
    pattern.replace('*', UNLIKELY).replace('?', "q")
}

#[cfg(test)]
mod tests {
    use super::{resource, sample};

    #[test]
    fn samples_match_their_pattern() {
        assert_eq!(sample("*"), "q7zkw4:q7zkw4");
        assert_eq!(sample("s3:Get*"), "s3:Getq7zkw4");
        assert_eq!(sample("s3:?etObject"), "s3:qetObject");
        assert_eq!(
            resource("arn:aws:iam::*:role/ssm/*", "111122223333"),
            "arn:aws:iam::111122223333:role/ssm/q7zkw4"
        );
        assert_eq!(resource("*", "111122223333"), "q7zkw4");
    }
}
