//! What is known of a principal by its ARN alone, and the ARN of one of whom nothing is known.

use iam_policy::{Arn, Context};

/// Returns what is known of somebody's requests. Agents and tools speak to AWS through TLS alone, and the usual
/// denial of everything else would otherwise leave every answer open.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/data-protection.html>
pub(crate) fn context(principal: &str) -> Context {
    identity_context(principal).with("aws:SecureTransport", "true")
}

/// Returns the context keys that follow from the ARN of a role, user or root user; nothing is known of others.
///
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
pub(crate) fn identity_context(principal: &str) -> Context {
    let mut context = Context::partial()
        .with("aws:PrincipalArn", principal)
        .with("aws:PrincipalIsAWSService", "false");
    if let Some(account) = account(principal) {
        context = context.with("aws:PrincipalAccount", account);
    }
    context.set("aws:PrincipalServiceName", Vec::new());
    context.set("aws:PrincipalServiceNamesList", Vec::new());
    let resource = Arn::parse(principal).map_or("", |arn| arn.resource);
    let kind = match resource.split('/').next() {
        Some("role") => Some("AssumedRole"),
        Some("user") => Some("User"),
        Some("root") => Some("Account"),
        _ => None,
    };
    if let Some(kind) = kind {
        context = context.with("aws:PrincipalType", kind);
        // "Requests made using the AWS account root user or IAM roles do not include this key."
        let name = resource.rsplit('/').next().filter(|_| kind == "User");
        context.set(
            "aws:username",
            name.into_iter().map(str::to_owned).collect(),
        );
    }
    context
}

/// Returns the account of an ARN.
pub(crate) fn account(arn: &str) -> Option<&str> {
    let arn = Arn::parse(arn)?;
    Some(arn.account).filter(|account| !account.is_empty())
}

/// Returns whether the ARN is that of a role of this name, whatever its path: the names of roles are unique in an account, and
/// sessions show no more.
pub(crate) fn is_role_named(principal: &str, name: &str) -> bool {
    let resource = Arn::parse(principal).map_or("", |arn| arn.resource);
    resource.starts_with("role/") && resource.rsplit('/').next() == Some(name)
}

/// Returns whether the ARN is that of a service-linked role, which no service control policy binds.
///
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html>
pub(crate) fn is_service_linked(principal: &str) -> bool {
    principal.contains(":role/aws-service-role/")
}

/// Returns a role of an account that no list names: what any colleague may have. It is one of that very account, as a guard may
/// go by the account alone.
pub(crate) fn anybody(partition: &str, account: &str) -> String {
    format!("arn:{partition}:iam::{account}:role/q7zkw4")
}

/// Returns the partition of the first of these ARNs, or the usual one.
pub(crate) fn partition<'a>(mut arns: impl Iterator<Item = &'a str>) -> &'a str {
    let first = arns.find_map(|arn| Some(Arn::parse(arn)?.partition));
    first
        .filter(|partition| !partition.contains(['*', '?']))
        .unwrap_or("aws")
}
