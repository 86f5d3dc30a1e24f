//! Patterns that `aws:PrincipalArn` can really match. One that never matches exempts nobody, so that a guard locks
//! everybody out; one that always matches leaves a guard that guards nothing.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-principalarn>

use crate::arn::Arn;
use crate::partition::PARTITIONS;
use crate::pattern::glob;
use crate::placeholder::is_placeholder;
use crate::template::token;

/// Why a text cannot be a pattern of principals; the text says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PrincipalMistake {
    /// It matches nobody, ever.
    Nobody(String),
    /// It matches every role, or everybody.
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
///
/// ```
/// use iam_policy::{PrincipalMistake, principal_mistake};
///
/// assert_eq!(principal_mistake("arn:aws:iam::*:role/ops"), None);
/// let session = principal_mistake("arn:aws:sts::111122223333:assumed-role/ops/ann");
/// assert!(matches!(session, Some(PrincipalMistake::Nobody(_))));
/// let anybody = principal_mistake("arn:aws:iam::*:role/*");
/// assert!(matches!(anybody, Some(PrincipalMistake::Everybody(_))));
/// ```
#[must_use]
pub fn principal_mistake(text: &str) -> Option<PrincipalMistake> {
    use PrincipalMistake::{Everybody, Nobody};
    if let Some(token) = token(text) {
        return Some(Nobody(format!(
            "'{text}' holds {token}, which no template has replaced: render it first"
        )));
    }
    if is_placeholder(text) {
        return Some(Nobody(format!(
            "'{text}' is a placeholder: write the real ARN"
        )));
    }
    // What a policy variable says is not known here, so it may match.
    // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    let without_variables = without_variables(text);
    let text = without_variables.as_str();
    if text.chars().all(|c| c == '*' || c == '?' || c == ':') && !text.is_empty() {
        return Some(Everybody(everyone(text)));
    }
    judge(text).map(Nobody).or_else(|| {
        let Arn {
            account, resource, ..
        } = Arn::parse(text)?;
        // Names that have nothing in common: a pattern that matches them all matches every role. Where only users are spared, as
        // by user/*, instances and whoever comes by a role are denied.
        let names = ["role/q7zkw4", "role/Ops", "role/x/y-1"];
        let anybody = names.iter().all(|name| glob(resource, name));
        (account.contains(['*', '?']) && anybody).then(|| Everybody(everyone(text)))
    })
}

fn without_variables(text: &str) -> String {
    let mut rest = text;
    let mut without = String::new();
    while let Some((before, variable)) = rest.split_once("${") {
        let Some((_, after)) = variable.split_once('}') else {
            break;
        };
        without.push_str(before);
        without.push('*');
        rest = after;
    }
    without.push_str(rest);
    without
}

/// Returns why no principal has such an ARN.
fn judge(text: &str) -> Option<String> {
    if text.is_empty() || text.bytes().any(|b| !b.is_ascii_graphic()) {
        return Some(format!(
            "'{text}' is not an ARN: it is empty or holds spaces or characters outside ASCII"
        ));
    }
    if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
        return Some(format!(
            "'{text}' is an account ID, which aws:PrincipalArn never equals: write arn:aws:iam::{text}:role/NAME, or \
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
            "'{text}' is not an ARN: expected arn:aws:iam::123456789012:role/NAME"
        ));
    };
    // ArnNotLike compares part by part, so a part that cannot match makes the whole exemption empty.
    if !PARTITIONS.iter().any(|(known, _)| glob(partition, known)) {
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
            "'{text}': '{account}' is not an account: expected 12 digits or *"
        ));
    }
    let federated = service == "sts" && resource.starts_with("federated-user/");
    if !glob(service, "iam") && !federated {
        return Some(format!(
            "'{text}': principals are roles and users of iam, not of {service}"
        ));
    }
    if let Some(reserved) = reserved(resource) {
        return Some(format!("'{text}' matches nobody: {reserved}"));
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
            "'{text}': '{resource}' is not a principal: expected role/NAME or user/NAME, with its path"
        ));
    }
    None
}

/// Below this and, but for homes in us-east-1, the region of IAM Identity Center are the roles of permission sets.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html>
const OF_PERMISSION_SETS: &str = "role/aws-reserved/sso.amazonaws.com/";

/// Returns why no role can have a name, or where roles of a reserved name really are.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_create-service-linked-role.html>
fn reserved(resource: &str) -> Option<&'static str> {
    if resource.starts_with("role/AWSReservedSSO_") {
        return Some(
            "the roles of permission sets have a path: write role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_NAME_*",
        );
    }
    if let Some((_, set)) = resource.rsplit_once("AWSReservedSSO_")
        && !set.contains(['*', '?'])
    {
        let hash = set.rsplit_once('_').map_or("", |(_, hash)| hash);
        let is_hash = hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return Some("the names of such roles end in a hash: write AWSReservedSSO_NAME_*");
        }
    }
    if resource.ends_with('/') && (resource.starts_with("role/") || resource.starts_with("user/")) {
        return Some(
            "a name follows the path, and none ends in a slash: write the name, or /* at the end",
        );
    }
    resource.starts_with("role/AWSServiceRoleFor").then_some(
        "service-linked roles are below role/aws-service-role/, and no service control policy binds them",
    )
}

/// Returns whether a pattern of roles of permission sets leaves out the region that most of them have in their path.
pub(crate) fn lacks_region(pattern: &str) -> bool {
    let resource = Arn::parse(pattern).map_or("", |arn| arn.resource);
    let below = resource.strip_prefix(OF_PERMISSION_SETS);
    below.is_some_and(|name| name.starts_with("AWSReservedSSO"))
}

fn everyone(text: &str) -> String {
    format!("'{text}' matches everybody, so the policy would deny nobody: name roles")
}

#[cfg(test)]
mod tests {
    use super::{PrincipalMistake, principal_mistake};

    #[test]
    fn accepts_what_principal_arn_can_be() {
        for good in [
            "arn:aws:iam::111122223333:role/ssm-operator",
            "arn:aws:iam::*:role/ssm-operator",
            "arn:*:iam::*:role/team/ssm-*",
            "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Admins_*",
            "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_My_Ops_0123456789abcdef",
            "arn:aws:iam::*:role/team/*",
            "arn:aws:iam::111122223333:user/breakglass",
            "arn:aws:iam::111122223333:root",
            "arn:aws:iam::111122223333:*",
            "arn:aws-us-gov:iam::111122223333:role/x",
            "arn:aws-iso-e:iam::111122223333:role/x",
            "arn:aws:sts::111122223333:federated-user/ann",
            "arn:aws:iam::${aws:PrincipalAccount}:role/Admin",
            "arn:aws:iam::*:role/q*",
            "arn:aws:iam::*:role/??????",
            "arn:aws:iam::*:role/exchange-media",
            "arn:aws:iam::*:user/*",
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
            ("arn:aws:iam::<ACCOUNT>:role/ops", "render it first"),
            ("arn:${PARTITION}:iam::*:role/ops", "render it first"),
            ("${var.role}", "render it first"),
            ("arn:aws:iam::YOUR_ACCOUNT:role/ops", "placeholder"),
            ("arn:aws:iam::12:role/ops", "is not an account"),
            ("arn:aws:iam::111122223333:policy/ops", "is not a principal"),
            ("arn:aws:iam::111122223333:role/", "ends in a slash"),
            ("arn:aws:iam::111122223333:role/team/", "ends in a slash"),
            (
                "arn:aws:iam::*:role/*/AWSReservedSSO_My_Ops",
                "end in a hash",
            ),
            ("arn:aws:s3:::bucket", "is not an account"),
            ("arn:was:iam::111122223333:role/ops", "no partition"),
            ("arn:aws:iam:us-east-1:111122223333:role/ops", "no region"),
            ("arn:aws:iam::*:role/AWSReservedSSO_Ops_*", "have a path"),
            (
                "arn:aws:iam::*:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Ops",
                "end in a hash",
            ),
            (
                "arn:aws:iam::*:role/AWSServiceRoleForAmazonSSM",
                "below role/aws-service-role",
            ),
            ("ssm-operator", "is not an ARN"),
            ("", "is not an ARN"),
            ("arn:aws:iam::111122223333:role/a b", "spaces"),
        ] {
            let said = principal_mistake(bad).expect(bad);
            assert!(said.message().contains(reason), "{bad}: {said:?}");
            let everybody = matches!(said, PrincipalMistake::Everybody(_));
            assert_eq!(everybody, reason == "matches everybody", "{bad}");
        }
    }
}
