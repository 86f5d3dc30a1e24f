//! Who made a call.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html>

use serde::Serialize;
use serde_json::Value;

use super::text;

/// The principal of a call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub(crate) struct Identity {
    /// `IAMUser`, `AssumedRole`, `Root`, `AWSService`, ..; empty when there is no caller, as in EventBridge's own events.
    pub(crate) principal_type: String,
    /// ARN of the user, the role or the root user; the name of a service.
    pub(crate) principal: String,
    /// What the caller called the session of a role: for IAM Identity Center the user.
    pub(crate) session_name: String,
    /// The permission set, when the role is one of IAM Identity Center.
    pub(crate) permission_set: String,
    /// Whether the session was opened with a second factor; not recorded for IAM Identity Center and services.
    pub(crate) mfa: Option<bool>,
}

impl Identity {
    pub(crate) fn of(identity: &Value) -> Identity {
        let principal_type = text(&identity["type"]);
        let context = &identity["sessionContext"];
        let issuer = text(&context["sessionIssuer"]["arn"]);
        let arn = text(&identity["arn"]);
        let principal = match principal_type.as_str() {
            "AWSService" => text(&identity["invokedBy"]),
            "AWSAccount" => text(&identity["accountId"]),
            "IdentityCenterUser" => text(&identity["onBehalfOf"]["userId"]),
            _ if !issuer.is_empty() => issuer,
            // `arn:aws:sts::1:assumed-role/NAME/SESSION` has no path, but the name is better than nothing.
            _ if !arn.is_empty() => arn.clone(),
            _ => text(&identity["principalId"]),
        };
        let session_name = match arn.split_once(":assumed-role/") {
            Some((_, rest)) => rest.split_once('/').map_or("", |(_, name)| name).to_owned(),
            None => String::new(),
        };
        let mfa = match context["attributes"]["mfaAuthenticated"].as_str() {
            Some("true") => Some(true),
            Some("false") => Some(false),
            _ => None,
        };
        let permission_set = permission_set(&principal).unwrap_or_default();
        // Identity Center asks for the factor itself, so that the role's session never has one.
        let mfa = mfa.filter(|mfa| *mfa || permission_set.is_empty());
        Identity {
            principal_type,
            principal,
            session_name,
            permission_set,
            mfa,
        }
    }

    /// Returns the name for a person: `alice@example.com (AdministratorAccess, MFA)`.
    pub(crate) fn name(&self) -> String {
        let short = self.principal.rsplit('/').next().unwrap_or_default();
        let (name, mut notes) = match self.principal_type.as_str() {
            "Root" => ("the root user", Vec::new()),
            _ if !self.permission_set.is_empty() => (
                self.session_name.as_str(),
                vec![self.permission_set.as_str()],
            ),
            _ if !self.session_name.is_empty() => (self.session_name.as_str(), vec![short]),
            _ => (short, Vec::new()),
        };
        match self.mfa {
            Some(true) => notes.push("MFA"),
            Some(false) => notes.push("no MFA"),
            None => {}
        }
        if notes.is_empty() {
            name.to_owned()
        } else {
            format!("{name} ({})", notes.join(", "))
        }
    }
}

/// Returns the permission set of a principal: `AWSReservedSSO_NAME_0123456789abcdef` is the role of one. Others may have such a name;
/// only AWS makes a role in this path. The ARN of a session has no path.
/// <https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html>
pub(crate) fn permission_set(principal: &str) -> Option<String> {
    let role = match principal.split_once(":assumed-role/") {
        Some((_, rest)) => rest.split('/').next()?,
        None => {
            let (_, path) = principal.split_once(":role/aws-reserved/sso.amazonaws.com")?;
            path.rsplit('/').next()?
        }
    };
    let role = role.strip_prefix("AWSReservedSSO_")?;
    role.rsplit_once('_').map(|(name, _)| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::permission_set;

    #[test]
    fn a_permission_set_is_known_by_its_path_or_in_the_name_of_a_session() {
        let role = "AWSReservedSSO_My_Ops_0123456789abcdef";
        let reserved = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com";
        for (principal, expected) in [
            (format!("{reserved}/{role}"), Some("My_Ops")),
            (format!("{reserved}/eu-west-1/{role}"), Some("My_Ops")),
            (
                format!("arn:aws:sts::111122223333:assumed-role/{role}/ann"),
                Some("My_Ops"),
            ),
            (format!("arn:aws:iam::111122223333:role/{role}"), None),
            (
                format!("arn:aws:sts::111122223333:assumed-role/Ops/{role}"),
                None,
            ),
            ("arn:aws:iam::111122223333:user/ann".to_owned(), None),
        ] {
            assert_eq!(
                permission_set(&principal).as_deref(),
                expected,
                "{principal}"
            );
        }
    }
}
