//! CloudTrail records. Only what a service control policy can depend on is read.
//!
//! <https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html>

use iam_policy::{Arn, Context};
use records::EcsTarget;
use serde::Deserialize;
use serde_json::Value;

use super::event_name::{Called, called};
use crate::principal_arn;

/// A record.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Record {
    #[serde(rename = "eventID")]
    pub(crate) event_id: Option<String>,
    pub(crate) event_time: Option<String>,
    pub(crate) event_source: Option<String>,
    pub(crate) event_name: Option<String>,
    pub(crate) aws_region: Option<String>,
    #[serde(rename = "sourceIPAddress")]
    source_ip_address: Option<String>,
    pub(crate) error_code: Option<String>,
    user_identity: Option<UserIdentity>,
    vpc_endpoint_id: Option<String>,
    request_parameters: Value,
    resources: Value,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct UserIdentity {
    r#type: String,
    arn: Option<String>,
    account_id: Option<String>,
    session_context: Option<SessionContext>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct SessionContext {
    session_issuer: Option<SessionIssuer>,
    attributes: Option<Attributes>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SessionIssuer {
    arn: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Attributes {
    mfa_authenticated: Option<String>,
}

/// Who made a call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Who {
    /// A user, role or root user: what `aws:PrincipalArn` was.
    Principal(String),
    /// AWS itself, which no policy binds.
    Service,
    /// The record does not say.
    Unknown,
}

/// Returns whether an object is the record of a call, and nothing that wraps one. A notification of S3 looks like a record.
pub(crate) fn is_call(object: &Value) -> bool {
    let text = |name: &str| object[name].as_str();
    match (text("eventSource"), text("eventName")) {
        (Some("aws:s3"), _) => false,
        // The one reader says that it is damaged.
        _ if cloudtrail::is_blank(object) => false,
        (Some(source), Some(name)) => called(source, name).is_some(),
        _ => false,
    }
}

impl Record {
    /// Returns what was called; `None` for what is not a record of a call.
    pub(crate) fn called(&self) -> Option<Called> {
        called(self.event_source.as_deref()?, self.event_name.as_deref()?)
    }

    /// Returns whether the call was refused for want of permission.
    pub(crate) fn was_denied(&self) -> bool {
        let code = self.error_code.as_deref().unwrap_or_default();
        code.contains("AccessDenied") || code.contains("Unauthorized")
    }

    /// Returns who made the call.
    pub(crate) fn who(&self) -> Who {
        let Some(identity) = &self.user_identity else {
            return Who::Unknown;
        };
        let issuer = identity
            .session_context
            .as_ref()
            .and_then(|session| session.session_issuer.as_ref());
        let arn = match identity.r#type.as_str() {
            "AWSService" => return Who::Service,
            // The session's own ARN is never aws:PrincipalArn; the issuer's has the role's path.
            "AssumedRole" | "Role" => issuer.and_then(|issuer| issuer.arn.clone()),
            "IAMUser" | "FederatedUser" | "Root" => identity.arn.clone().or_else(|| {
                let account = identity.account_id.as_deref()?;
                (identity.r#type == "Root").then(|| format!("arn:aws:iam::{account}:root"))
            }),
            _ => None,
        };
        arn.map_or(Who::Unknown, Who::Principal)
    }

    /// Returns the context keys that are in the record.
    pub(crate) fn context(&self, principal: &str) -> Context {
        let mut context = principal_arn::identity_context(principal);
        if let Some(region) = &self.aws_region {
            context = context.with("aws:RequestedRegion", region);
        }
        if let Some(address) = &self.source_ip_address
            && address.parse::<std::net::IpAddr>().is_ok()
        {
            context = context.with("aws:SourceIp", address);
        }
        if let Some(endpoint) = &self.vpc_endpoint_id {
            context = context.with("aws:SourceVpce", endpoint);
        }
        let session = self
            .user_identity
            .as_ref()
            .and_then(|identity| identity.session_context.as_ref());
        let attributes = session.and_then(|session| session.attributes.as_ref());
        if let Some(mfa) = attributes.and_then(|attributes| attributes.mfa_authenticated.as_ref()) {
            context = context.with("aws:MultiFactorAuthPresent", mfa);
        }
        context
    }

    /// Returns the ARNs of what the call was about, as far as they are known; the partition is the principal's.
    pub(crate) fn resource_arns(&self, principal: &str) -> Vec<String> {
        let listed = self.resources.as_array().into_iter().flatten();
        let mut arns: Vec<String> = listed
            .filter_map(|resource| resource["ARN"].as_str().or(resource["arn"].as_str()))
            .map(str::to_owned)
            .collect();
        let parameters = &self.request_parameters;
        let partition = Arn::parse(principal).map_or("aws", |arn| arn.partition);
        let account = principal_arn::account(principal).unwrap_or_default();
        let region = self.aws_region.as_deref().unwrap_or_default();
        let mut node = |id: &str| {
            // The resource types of StartSession.
            // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
            arns.push(match EcsTarget::parse(id) {
                Some(EcsTarget { cluster, task, .. }) => {
                    format!("arn:{partition}:ecs:{region}:{account}:task/{cluster}/{task}")
                }
                None if id.starts_with("mi-") => {
                    format!("arn:{partition}:ssm:{region}:{account}:managed-instance/{id}")
                }
                None => format!("arn:{partition}:ec2:{region}:{account}:instance/{id}"),
            });
        };
        match self.event_name.as_deref() {
            Some("StartSession") => parameters["target"]
                .as_str()
                .into_iter()
                .for_each(&mut node),
            Some("SendCommand") => {
                let ids = parameters["instanceIds"].as_array().into_iter().flatten();
                ids.filter_map(Value::as_str).for_each(&mut node);
            }
            _ => {}
        }
        let is_ssm = self.event_source.as_deref() == Some("ssm.amazonaws.com");
        if is_ssm && let Some(setting) = parameters["settingId"].as_str() {
            let setting = setting
                .rsplit("servicesetting")
                .next()
                .unwrap_or(setting)
                .trim_start_matches('/');
            arns.push(format!(
                "arn:{partition}:ssm:{region}:{account}:servicesetting/{setting}"
            ));
        }
        let name = ["documentName", "name"]
            .iter()
            .find_map(|key| parameters[*key].as_str());
        if is_ssm && let Some(name) = name {
            // Documents of AWS have no account in their ARN.
            let owner = if name.starts_with("AWS-") || name.starts_with("Amazon") {
                ""
            } else {
                account
            };
            arns.push(match name.starts_with("arn:") {
                true => name.to_owned(),
                false => format!("arn:{partition}:ssm:{region}:{owner}:document/{name}"),
            });
        }
        arns
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Record;

    #[test]
    fn a_session_is_about_the_task_of_a_container() {
        let arns = |target: &str| {
            let record = json!({"eventSource": "ssm.amazonaws.com", "eventName": "StartSession", "awsRegion": "eu-central-1",
                "requestParameters": {"target": target}});
            let record: Record = serde_json::from_str(&record.to_string()).unwrap();
            record.resource_arns("arn:aws:iam::111122223333:role/ops")
        };
        assert_eq!(
            arns("ecs:prod_blue_0123456789abcdef_c0ffee-1234"),
            ["arn:aws:ecs:eu-central-1:111122223333:task/prod_blue/0123456789abcdef"]
        );
        assert_eq!(
            arns("mi-0123456789abcdef0"),
            ["arn:aws:ssm:eu-central-1:111122223333:managed-instance/mi-0123456789abcdef0"]
        );
        assert_eq!(
            arns("i-0123456789abcdef0"),
            ["arn:aws:ec2:eu-central-1:111122223333:instance/i-0123456789abcdef0"]
        );
    }
}
