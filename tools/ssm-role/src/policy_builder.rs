//! Least-privilege policies for nodes and operators: exact ARNs wherever a value is known. Pure.

use cli::Target;
use serde_json::{Map, Value, json};
use transcripts::Preferences;

use crate::bucket_key::{self, ENCRYPT_TRANSCRIPTS};
use crate::preferences::partition_of;

/// An account and region, and what its preferences ask for.
#[derive(Clone, Debug)]
pub(crate) struct TargetPreferences {
    pub(crate) target: Target,
    pub(crate) preferences: Preferences,
}

impl TargetPreferences {
    fn arn(&self, service: &str, resource: &str) -> String {
        let Target { account, region } = &self.target;
        let partition = partition_of(region);
        format!("arn:{partition}:{service}:{region}:{account}:{resource}")
    }

    /// AWS's own documents belong to no account.
    /// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html>
    fn document(&self, name: &str) -> String {
        let is_aws = ["AWS-", "AWSEC2-", "AWSSupport-", "AmazonCloudWatch-"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        match is_aws {
            true => {
                let region = &self.target.region;
                let partition = partition_of(region);
                format!("arn:{partition}:ssm:{region}::document/{name}")
            }
            false => self.arn("ssm", &format!("document/{name}")),
        }
    }
}

/// The nodes that an operator may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Nodes {
    /// These, by `i-` or `mi-` ID.
    Ids(Vec<String>),
    /// Those with all these tags.
    Tags(Vec<(String, String)>),
}

/// Returns the policy of a node's role: Systems Manager, and what the preferences write and decrypt.
pub(crate) fn instance(places: &[TargetPreferences]) -> Value {
    let mut statements = vec![
        // The agent calls these about itself; only UpdateInstanceInformation knows a resource, and not for every agent.
        // https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedEC2InstanceDefaultPolicy.html
        json!({"Sid": "ManagedNode", "Effect": "Allow", "Resource": "*", "Action": [
            "ssm:DescribeAssociation", "ssm:DescribeDocument", "ssm:GetDeployablePatchSnapshotForInstance",
            "ssm:GetDocument", "ssm:GetManifest", "ssm:ListAssociations", "ssm:ListInstanceAssociations",
            "ssm:PutComplianceItems", "ssm:PutConfigurePackageResult", "ssm:PutInventory",
            "ssm:UpdateAssociationStatus", "ssm:UpdateInstanceAssociationStatus", "ssm:UpdateInstanceInformation"]}),
        json!({"Sid": "SessionsAndCommands", "Effect": "Allow", "Resource": "*", "Action": [
            "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"]}),
        json!({"Sid": "CommandsOfAgentsBefore33400", "Effect": "Allow", "Resource": "*", "Action": [
            "ec2messages:AcknowledgeMessage", "ec2messages:DeleteMessage", "ec2messages:FailMessage",
            "ec2messages:GetEndpoint", "ec2messages:GetMessages", "ec2messages:SendReply"]}),
    ];
    statements.extend(preferences(places));
    document(statements)
}

/// Returns the policy of what the preferences write and decrypt alone, `None` when that is nothing. While it is not known how a
/// bucket is encrypted, what `there` grants on its key stays: taking it away would be a guess, too.
pub(crate) fn logs(place: &TargetPreferences, there: Option<&Value>) -> Option<Value> {
    let mut statements = preferences(std::slice::from_ref(place));
    if place.preferences.unknown_encryption().next().is_some() {
        let there = there.and_then(|document| document["Statement"].as_array());
        let is_kept = |statement: &&Value| {
            let sid = statement["Sid"].as_str().unwrap_or_default();
            sid.starts_with(ENCRYPT_TRANSCRIPTS) && !statements.contains(statement)
        };
        let kept: Vec<Value> = there
            .into_iter()
            .flatten()
            .filter(is_kept)
            .cloned()
            .collect();
        statements.retain(|mine| !kept.iter().any(|kept| kept["Sid"] == mine["Sid"]));
        statements.extend(kept);
    }
    (!statements.is_empty()).then(|| document(statements))
}

fn preferences(places: &[TargetPreferences]) -> Vec<Value> {
    let (mut objects, mut buckets, mut objects_of_others) = (Vec::new(), Vec::new(), Vec::new());
    let (mut all_groups, mut groups, mut streams) = (Vec::new(), Vec::new(), Vec::new());
    for place in places {
        let partition = partition_of(&place.target.region);
        for bucket in &place.preferences.buckets {
            let arn = format!("arn:{partition}:s3:::{}", bucket.name);
            let below_prefix = match bucket.prefix.as_str() {
                "" => format!("{arn}/*"),
                prefix => format!("{arn}/{prefix}/*"),
            };
            match bucket.is_foreign {
                true => objects_of_others.push(below_prefix),
                false => objects.push(below_prefix),
            }
            buckets.push(arn);
        }
        for group in &place.preferences.log_groups {
            all_groups.push(place.arn("logs", "log-group:*"));
            groups.push(place.arn("logs", &format!("log-group:{}:*", group.name)));
            streams.push(place.arn("logs", &format!("log-group:{}:log-stream:*", group.name)));
        }
    }
    let mut statements = Vec::new();
    let mut allow = |sid: &str, actions: &[&str], mut resources: Vec<String>| {
        resources.sort();
        resources.dedup();
        if !resources.is_empty() {
            statements.push(
                json!({"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resources}),
            );
        }
    };
    allow("TranscriptsInS3", &["s3:PutObject"], objects);
    // The agent sends an ACL, which needs a permission of its own in a bucket of another account:
    // https://repost.aws/knowledge-center/ssm-s3-bucket-logging-multiple-accounts
    allow(
        "TranscriptsInS3OfOthers",
        &["s3:PutObject", "s3:PutObjectAcl"],
        objects_of_others,
    );
    allow(
        "EncryptionOfTheBucket",
        &["s3:GetEncryptionConfiguration"],
        buckets,
    );
    // The agent lists all groups and looks for its own.
    allow("FindTheLogGroup", &["logs:DescribeLogGroups"], all_groups);
    allow("FindLogStreams", &["logs:DescribeLogStreams"], groups);
    allow(
        "LogsInCloudWatch",
        &["logs:CreateLogStream", "logs:PutLogEvents"],
        streams,
    );
    let by_place = places
        .iter()
        .map(|place| (&place.target, &place.preferences));
    statements.extend(bucket_key::statements(by_place));
    // No kms:ViaService here: the agent itself calls KMS, and such a condition would refuse every session.
    // https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service
    statements.extend(of_sessions("DecryptSessions", "kms:Decrypt", places, None));
    statements
}

/// Returns the statements that let one side of encrypted sessions use their keys, and for nothing but sessions.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/session-preferences-enable-encryption.html>
fn of_sessions(
    sid: &str,
    action: &str,
    places: &[TargetPreferences],
    ids: Option<&[String]>,
) -> Vec<Value> {
    const CONTEXT: &str = "kms:EncryptionContext:aws:ssm";
    let condition = |extra: Option<(&str, Value)>| {
        let mut condition = Map::new();
        let mut present = json!({});
        present[format!("{CONTEXT}:SessionId")] = json!("false");
        match ids {
            Some(ids) => {
                let mut equals = json!({});
                equals[format!("{CONTEXT}:TargetId")] = json!(ids);
                condition.insert("StringEquals".to_owned(), equals);
            }
            None => present[format!("{CONTEXT}:TargetId")] = json!("false"),
        }
        condition.insert("Null".to_owned(), present);
        if let Some((operator, value)) = extra {
            condition.insert(operator.to_owned(), value);
        }
        Value::Object(condition)
    };
    let (mut arns, mut aliases, mut keys_here) = (Vec::new(), Vec::new(), Vec::new());
    for place in places {
        for key in &place.preferences.keys {
            // By the alias where there is one: it stays when the key behind it changes.
            match &key.alias {
                None => arns.extend(key.arn.clone()),
                Some(alias) => {
                    aliases.push(alias.clone());
                    keys_here.push(place.arn("kms", "key/*"));
                }
            }
        }
    }
    for list in [&mut arns, &mut aliases, &mut keys_here] {
        list.sort();
        list.dedup();
    }
    let mut statements = Vec::new();
    if !arns.is_empty() {
        statements.push(
            json!({"Sid": sid, "Effect": "Allow", "Action": [action], "Resource": arns,
            "Condition": condition(None)}),
        );
    }
    if !aliases.is_empty() {
        // IAM knows no ARN of an alias for this; the key behind it is named by the alias in a condition.
        // https://docs.aws.amazon.com/kms/latest/developerguide/alias-authorization.html
        let by_alias = (
            "ForAnyValue:StringEquals",
            json!({"kms:ResourceAliases": aliases}),
        );
        statements.push(
            json!({"Sid": format!("{sid}ByAlias"), "Effect": "Allow", "Action": [action],
            "Resource": keys_here, "Condition": condition(Some(by_alias))}),
        );
    }
    statements
}

/// Returns the policy of people who start sessions on some nodes with some session documents.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-quickstart.html>
pub(crate) fn operator(places: &[TargetPreferences], nodes: &Nodes, documents: &[String]) -> Value {
    // BoolIfExists: the key is not there when the document itself is judged, and Bool would deny that.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-sessiondocumentaccesscheck.html
    let check = (
        "BoolIfExists",
        json!({"ssm:SessionDocumentAccessCheck": "true"}),
    );
    let mut statements = on_nodes(
        "StartSessions",
        "ssm:StartSession",
        places,
        nodes,
        Some(&check),
    );
    let documents: Vec<String> = places
        .iter()
        .flat_map(|place| documents.iter().map(|name| place.document(name)))
        .collect();
    statements.push(
        json!({"Sid": "WithTheseDocuments", "Effect": "Allow", "Action": ["ssm:StartSession"],
        "Resource": documents, "Condition": {"BoolIfExists": check.1}}),
    );
    let sessions: Vec<String> = places
        .iter()
        .map(|place| place.arn("ssm", "session/*"))
        .collect();
    // By tag, as ${aws:userid} is never part of the session ID of an assumed role.
    // https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-restrict-access-examples.html
    statements.push(json!({"Sid": "OwnSessions", "Effect": "Allow",
        "Action": ["ssm:ResumeSession", "ssm:TerminateSession"], "Resource": sessions,
        "Condition": {"StringLike": {"ssm:resourceTag/aws:ssmmessages:session-id": ["${aws:userid}"]}}}));
    let own: Vec<String> = places
        .iter()
        .map(|place| place.arn("ssm", "session/${aws:userid}-*"))
        .collect();
    statements.push(json!({"Sid": "OwnChannels", "Effect": "Allow",
        "Action": ["ssmmessages:OpenDataChannel"], "Resource": own}));
    statements.push(look());
    let ids = match nodes {
        Nodes::Ids(ids) => Some(ids.as_slice()),
        Nodes::Tags(_) => None,
    };
    statements.extend(of_sessions(
        "EncryptSessions",
        "kms:GenerateDataKey",
        places,
        ids,
    ));
    document(statements)
}

/// Returns the policy of people who run commands on some nodes with some documents.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/run-command-setting-up.html>
pub(crate) fn command(places: &[TargetPreferences], nodes: &Nodes, documents: &[String]) -> Value {
    let mut statements = on_nodes("SendCommands", "ssm:SendCommand", places, nodes, None);
    let documents: Vec<String> = places
        .iter()
        .flat_map(|place| documents.iter().map(|name| place.document(name)))
        .collect();
    statements.push(
        json!({"Sid": "WithTheseDocuments", "Effect": "Allow", "Action": ["ssm:SendCommand"],
        "Resource": documents}),
    );
    // These know no resource.
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html
    statements.push(json!({"Sid": "FollowCommands", "Effect": "Allow", "Resource": "*", "Action": [
        "ssm:CancelCommand", "ssm:GetCommandInvocation", "ssm:ListCommandInvocations", "ssm:ListCommands"]}));
    statements.push(look());
    document(statements)
}

fn look() -> Value {
    json!({"Sid": "Look", "Effect": "Allow", "Resource": "*", "Action": [
        "ec2:DescribeInstances", "ssm:DescribeInstanceInformation", "ssm:DescribeInstanceProperties",
        "ssm:DescribeSessions", "ssm:GetConnectionStatus"]})
}

/// Nodes and documents need statements of their own: a document has not the tags of the nodes and would be denied.
fn on_nodes(
    sid: &str,
    action: &str,
    places: &[TargetPreferences],
    nodes: &Nodes,
    check: Option<&(&str, Value)>,
) -> Vec<Value> {
    let mut conditions = Map::new();
    if let Some((operator, value)) = check {
        conditions.insert((*operator).to_owned(), value.clone());
    }
    let mut resources = Vec::new();
    for place in places {
        match nodes {
            Nodes::Ids(ids) => {
                resources.extend(ids.iter().map(|id| match id.starts_with("mi-") {
                    true => place.arn("ssm", &format!("managed-instance/{id}")),
                    false => place.arn("ec2", &format!("instance/{id}")),
                }));
            }
            Nodes::Tags(_) => {
                resources.push(place.arn("ec2", "instance/*"));
                resources.push(place.arn("ssm", "managed-instance/*"));
            }
        }
    }
    if let Nodes::Tags(tags) = nodes {
        let mut equals = Map::new();
        for (key, value) in tags {
            let values = equals
                .entry(format!("ssm:resourceTag/{key}"))
                .or_insert_with(|| json!([]));
            if let Value::Array(values) = values {
                values.push(json!(value));
            }
        }
        conditions.insert("StringEquals".to_owned(), Value::Object(equals));
    }
    let mut statement =
        json!({"Sid": sid, "Effect": "Allow", "Action": [action], "Resource": resources});
    if !conditions.is_empty() {
        statement["Condition"] = Value::Object(conditions);
    }
    vec![statement]
}

fn document(statements: Vec<Value>) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

#[cfg(test)]
#[path = "policy_builder_tests.rs"]
mod tests;
