//! Patterns that `aws:PrincipalArn` can really match. One that never matches exempts nobody, so that a guard locks
//! everybody out; one that always matches leaves a guard that guards nothing.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn>

use crate::arn::Arn;
use crate::pattern::glob;

/// Why a text is no good as a pattern of principals; the text says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalMistake {
    /// It matches nobody, ever.
    Nobody(String),
    /// It matches every role or every user.
    Everybody(String),
}

impl PrincipalMistake {
    /// Returns the explanation.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            PrincipalMistake::Nobody(message) | PrincipalMistake::Everybody(message) => message,
        }
    }
}

/// Returns what is wrong with a value that `ArnLike` or `ArnNotLike` compares `aws:PrincipalArn` with.
#[must_use]
pub fn principal_mistake(text: &str) -> Option<PrincipalMistake> {
    use PrincipalMistake::{Everybody, Nobody};
    if is_placeholder(text) {
        return Some(Nobody(format!(
            "'{text}' is a placeholder: write the real ARN"
        )));
    }
    if text.chars().all(|c| c == '*' || c == '?' || c == ':') && !text.is_empty() {
        return Some(Everybody(everyone(text)));
    }
    judge(text).map(Nobody).or_else(|| {
        // Names that nobody has: a pattern that matches one of them matches every role or every user.
        let Arn {
            account, resource, ..
        } = Arn::parse(text)?;
        let anybody = ["role/q7zkw4", "role/q7/zkw4", "user/q7zkw4", "user/q7/zkw4"];
        (account.contains(['*', '?']) && anybody.iter().any(|name| glob(resource, name)))
            .then(|| Everybody(everyone(text)))
    })
}

/// Returns whether a text was left over from a template: `<account>`, `account-id`, `YOUR_ROLE`.
pub(crate) fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    // A policy variable is no placeholder.
    let without_variables = lower.replace("${", "");
    let brackets = [('<', '>'), ('(', ')'), ('{', '}'), ('[', ']')]
        .iter()
        .any(|&(open, close)| {
            without_variables
                .find(open)
                .is_some_and(|at| without_variables[at..].contains(close))
        });
    const WORDS: [&str; 14] = [
        "your_",
        "your-",
        "change_me",
        "changeme",
        "change-me",
        "replace_",
        "replace-me",
        "account_id",
        "account-id",
        "accountid",
        "instance-id",
        "key-id",
        "bucket-name",
        "example_",
    ];
    let words = WORDS.iter().any(|word| lower.contains(word));
    let arn = Arn::parse(&lower).is_some_and(|arn| {
        matches!(arn.region, "region" | "aws-region" | "your-region")
            || matches!(arn.account, "account" | "acct" | "xxxxxxxxxxxx")
    });
    brackets || words || arn
}

/// Returns why no principal has such an ARN.
fn judge(text: &str) -> Option<String> {
    if text.is_empty() || text.bytes().any(|b| !b.is_ascii_graphic()) {
        return Some(format!(
            "'{text}' is no ARN: it is empty or holds spaces or characters outside ASCII"
        ));
    }
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(format!(
            "'{text}' is an account id, which aws:PrincipalArn never equals: write arn:aws:iam::{text}:role/NAME, or \
             arn:aws:iam::{text}:* for everybody in that account"
        ));
    }
    let Some(Arn {
        partition,
        service,
        region,
        account,
        resource,
    }) = Arn::parse(text)
    else {
        return Some(format!(
            "'{text}' is no ARN: expected arn:aws:iam::123456789012:role/NAME"
        ));
    };
    // ArnNotLike compares part by part, so a part that cannot match makes the whole exemption empty.
    if ![
        "aws",
        "aws-cn",
        "aws-us-gov",
        "aws-eusc",
        "aws-iso",
        "aws-iso-b",
    ]
    .iter()
    .any(|known| glob(partition, known))
    {
        return Some(format!("'{text}': no partition is called '{partition}'"));
    }
    if let Some(name) = resource.strip_prefix("assumed-role/") {
        let role = name.split('/').next().unwrap_or_default();
        return Some(format!(
            "'{text}' is a session, but aws:PrincipalArn of a session is its role: write \
             arn:{partition}:iam::{account}:role/{role} with the role's path"
        ));
    }
    if resource.starts_with("group/") {
        return Some(format!(
            "'{text}' is a group, and a group is never a principal: name the roles its people use"
        ));
    }
    if !region.is_empty() && region.chars().any(|c| c != '*') {
        return Some(format!("'{text}': a principal's ARN has no region"));
    }
    let digits = account
        .chars()
        .all(|c| c.is_ascii_digit() || c == '*' || c == '?');
    let wild_account = account.contains(['*', '?']);
    if !digits || account.is_empty() || (!wild_account && account.len() != 12) {
        return Some(format!(
            "'{text}': '{account}' is no account: expected 12 digits or *"
        ));
    }
    let federated = service == "sts" && resource.starts_with("federated-user/");
    if !glob(service, "iam") && !federated {
        return Some(format!(
            "'{text}': principals are roles and users of iam, not of {service}"
        ));
    }
    let fixed = resource.split(['*', '?']).next().unwrap_or_default();
    let kinds = ["role/", "user/"];
    let possible = kinds.iter().any(|kind| {
        fixed
            .strip_prefix(kind)
            .is_some_and(|name| !name.is_empty() || fixed != resource)
            || (fixed != resource && kind.starts_with(fixed))
    });
    if !possible && !federated && resource != "root" {
        return Some(format!(
            "'{text}': '{resource}' is no principal: expected role/NAME or user/NAME, with its path"
        ));
    }
    None
}

fn everyone(text: &str) -> String {
    format!("'{text}' matches everybody, so the policy would deny nobody: name roles")
}

#[cfg(test)]
mod tests {
    use super::{PrincipalMistake, is_placeholder, principal_mistake};

    #[test]
    fn accepts_what_principal_arn_can_be() {
        for good in [
            "arn:aws:iam::111122223333:role/ssm-operator",
            "arn:aws:iam::*:role/ssm-operator",
            "arn:*:iam::*:role/team/ssm-*",
            "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admins_*",
            "arn:aws:iam::111122223333:user/breakglass",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:*",
            "arn:aws-us-gov:iam::111122223333:role/x",
            "arn:aws:sts::111122223333:federated-user/ann",
        ] {
            assert_eq!(principal_mistake(good), None, "{good}");
        }
    }

    #[test]
    fn refuses_what_locks_everybody_out_or_lets_everybody_in() {
        for (bad, reason) in [
            ("*", "matches everybody"),
            ("arn:aws:iam::*:*", "matches everybody"),
            ("arn:aws:iam::*:role/*", "matches everybody"),
            ("arn:aws:iam::????????????:role*", "matches everybody"),
            ("arn:*:*:*:*:*", "matches everybody"),
            ("111122223333", "arn:aws:iam::111122223333:*"),
            ("arn:aws:iam::111122223333:group/ops", "never a principal"),
            (
                "arn:aws:sts::111122223333:assumed-role/ops/ann",
                "arn:aws:iam::111122223333:role/ops",
            ),
            ("arn:aws:iam::<ACCOUNT>:role/ops", "placeholder"),
            ("arn:aws:iam::YOUR_ACCOUNT:role/ops", "placeholder"),
            ("arn:aws:iam::12:role/ops", "is no account"),
            ("arn:aws:iam::111122223333:policy/ops", "is no principal"),
            ("arn:aws:iam::111122223333:role/", "is no principal"),
            ("arn:aws:s3:::bucket", "is no account"),
            ("arn:was:iam::111122223333:role/ops", "no partition"),
            ("arn:aws:iam:us-east-1:111122223333:role/ops", "no region"),
            ("ssm-operator", "is no ARN"),
            ("", "is no ARN"),
            ("arn:aws:iam::111122223333:role/a b", "spaces"),
        ] {
            let said = principal_mistake(bad).expect(bad);
            assert!(said.message().contains(reason), "{bad}: {said:?}");
            let everybody = matches!(said, PrincipalMistake::Everybody(_));
            assert_eq!(everybody, reason == "matches everybody", "{bad}");
        }
    }

    #[test]
    fn knows_placeholders_from_variables() {
        for text in [
            "arn:aws:iam::(account-ID):user/*",
            "arn:aws:ec2:region:1:instance/x",
            "<role>",
            "YOUR_ROLE",
            "{role}",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "arn:aws:ssm:*:*:session/${aws:userid}-*",
            "arn:aws:iam::*:role/region-ops",
            "*",
            "${aws:PrincipalTag/a(b}",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
