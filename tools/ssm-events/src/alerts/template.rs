//! A CloudFormation template that makes what a plan for an empty account and region would make. Never touches the world.
//!
//! The role and the trail are of the whole account: the stack in the home region makes them. No template holds the webhook's
//! URL, which is a secret, and none holds the package, which is too large: a stack gets them as parameters.

use std::path::Path;

use anyhow::{Context, bail};
use cli::Change;
use cloudformation::{Resource, Template, reference, secret};
use serde_json::{Value, json};

use crate::alerts::model::{Action, Desired, Hashes, Observed, Rule, RuleTarget, Webhook};
use crate::alerts::observe::OWN;
use crate::alerts::{function, plan, rule};

/// The logical IDs. CloudFormation would replace a resource whose ID changes.
const ROLE: &str = "Role";
const QUEUE: &str = "Undelivered";
const QUEUE_POLICY: &str = "UndeliveredPolicy";
const CONNECTION: &str = "Connection";
const DESTINATION: &str = "Destination";
const FUNCTION: &str = "Function";
const INVOKE_CONFIG: &str = "FunctionInvokeConfig";
const PERMISSION: &str = "FunctionPermission";
const RULE: &str = "Rule";
const BUCKET: &str = "TrailBucket";
const BUCKET_POLICY: &str = "TrailBucketPolicy";
const TRAIL: &str = "Trail";

/// The names of parameters.
const WEBHOOK: &str = "WebhookUrl";
const CODE_BUCKET: &str = "CodeBucketPrefix";
const CODE_KEY: &str = "CodeKey";

/// Returns the template.
///
/// # Errors
/// A text that no template can hold.
pub(crate) fn template(desired: &Desired) -> anyhow::Result<Value> {
    let mut template = Template::new("Slack alerts for sessions and commands of Systems Manager");
    let fixed = desired.trail.as_ref().map(|trail| &*trail.home_region);
    let home = template.home_region(fixed);
    let target = cloudformation::target();
    // Planned for whichever region is home; the condition makes it the right one.
    let mut desired = desired.clone();
    if let Some(trail) = &mut desired.trail {
        trail.home_region.clone_from(&target.region);
    }
    let (nothing, unknown) = (Observed::default(), Hashes::default());
    let partition = cloudformation::partition();
    let mut stack = Stack {
        desired: &desired,
        home,
        template,
        made: json!({}),
    };
    for change in plan::plan(&desired, &unknown, &nothing, &target, &partition)? {
        stack.add(&change)?;
    }
    stack.write().finish().context("desired alerts")
}

/// What becomes a template.
struct Stack<'d> {
    desired: &'d Desired,
    home: &'static str,
    template: Template,
    /// The properties of each resource by its logical ID.
    made: Value,
}

impl Stack<'_> {
    fn add(&mut self, change: &Change<Action>) -> anyhow::Result<()> {
        let (name, to) = (change.resource.as_str(), &change.to);
        match change.action {
            Action::CreateRole => {
                self.made[ROLE] = json!({
                    "RoleName": name,
                    "Description": rule::ROLE_DESCRIPTION,
                    "AssumeRolePolicyDocument": to["trust"],
                    "Policies": [{ "PolicyName": OWN, "PolicyDocument": to["policy"] }],
                });
            }
            Action::CreateQueue => {
                self.made[QUEUE] = json!({
                    "QueueName": name,
                    "MessageRetentionPeriod": to["retention_seconds"],
                    "SqsManagedSseEnabled": to["encrypted"],
                });
                self.made[QUEUE_POLICY] =
                    json!({ "Queues": [reference(QUEUE)], "PolicyDocument": to["policy"] });
            }
            Action::CreateConnection => {
                let (key, value) = rule::UNUSED_KEY;
                self.made[CONNECTION] = json!({
                    "Name": name,
                    "AuthorizationType": to["authorization"],
                    "AuthParameters": {
                        "ApiKeyAuthParameters": { "ApiKeyName": key, "ApiKeyValue": value },
                    },
                });
            }
            Action::CreateApiDestination => {
                self.made[DESTINATION] = json!({
                    "Name": name,
                    "ConnectionArn": reference(&format!("{CONNECTION}.Arn")),
                    "HttpMethod": "POST",
                    "InvocationEndpoint": self.webhook(),
                    "InvocationRateLimitPerSecond": rule::MESSAGES_PER_SECOND,
                });
            }
            Action::CreateFunction => {
                self.made[FUNCTION] = self.function(name, &to["configuration"])
            }
            Action::PutFunctionEventInvokeConfig => {
                self.made[INVOKE_CONFIG] = json!({
                    "FunctionName": reference(FUNCTION),
                    "Qualifier": "$LATEST",
                    "DestinationConfig": { "OnFailure": { "Destination": to["on_failure"] } },
                });
            }
            Action::AddPermission => {
                self.made[PERMISSION] = json!({
                    "FunctionName": reference(FUNCTION),
                    "Action": "lambda:InvokeFunction",
                    "Principal": "events.amazonaws.com",
                    "SourceArn": to["permission"],
                });
            }
            Action::PutRule => {
                let rule: Rule = serde_json::from_value(to.clone())?;
                self.made[RULE] =
                    json!({ "Name": name, "EventPattern": rule.pattern, "State": rule.state() });
            }
            Action::PutTargets => self.made[RULE]["Targets"] = json!([self.target(to)?]),
            Action::CreateBucket => self.made[BUCKET] = json!({ "BucketName": name }),
            Action::PutPublicAccessBlock => {
                let blocked = &to["public_access_blocked"];
                self.made[BUCKET]["PublicAccessBlockConfiguration"] = json!({
                    "BlockPublicAcls": blocked,
                    "BlockPublicPolicy": blocked,
                    "IgnorePublicAcls": blocked,
                    "RestrictPublicBuckets": blocked,
                });
            }
            Action::PutBucketPolicy => {
                self.made[BUCKET_POLICY] =
                    json!({ "Bucket": reference(BUCKET), "PolicyDocument": to["policy"] });
            }
            Action::CreateTrail => {
                self.made[TRAIL] = json!({
                    "TrailName": name,
                    "S3BucketName": reference(BUCKET),
                    "IsMultiRegionTrail": to["multi_region"],
                    "IncludeGlobalServiceEvents": to["global_events"],
                    "EnableLogFileValidation": to["validation"],
                });
                if to["prefix"] != "" {
                    self.made[TRAIL]["S3KeyPrefix"] = to["prefix"].clone();
                }
            }
            Action::StartLogging => self.made[TRAIL]["IsLogging"] = to["logging"].clone(),
            Action::UpdateTrail
            | Action::PutRolePolicy
            | Action::SetQueueAttributes
            | Action::UpdateFunctionCode
            | Action::UpdateFunctionConfiguration
            | Action::UpdateApiDestination
            | Action::RemoveTargets
            | Action::DeleteRule
            | Action::DeleteApiDestination
            | Action::DeleteConnection
            | Action::DeleteFunction
            | Action::DeleteQueue
            | Action::DeleteRole
            | Action::StopLogging
            | Action::DeleteTrail => bail!("{}: a new account has no {name}", change.id),
        }
        Ok(())
    }

    /// Returns the URL of the webhook as a template may say it. A secure string of Parameter Store may not stand here.
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm-secure-strings.html>
    fn webhook(&mut self) -> String {
        let of = match &self.desired.webhook {
            Webhook::Secret(id) => return secret(id),
            Webhook::Parameter(name) => format!(", as parameter {name} holds it"),
            Webhook::Env(_) | Webhook::File(_) => String::new(),
        };
        let declaration = json!({
            "Type": "String",
            "NoEcho": true,
            "Description": format!("URL of the Slack webhook{of}"),
            "AllowedPattern": "https://hooks\\.slack(-gov)?\\.com/.+|http://(127\\.0\\.0\\.1|localhost):.+",
            "ConstraintDescription": "expected https://hooks.slack.com/..",
        });
        self.template.parameter(WEBHOOK, declaration);
        reference(WEBHOOK)
    }

    /// Lambda takes code only from a bucket of its own region.
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-code.html>
    fn function(&mut self, name: &str, configuration: &Value) -> Value {
        let description =
            "Name of the buckets that hold the package, without the -REGION at its end";
        self.template.parameter(
            CODE_BUCKET,
            json!({ "Type": "String", "Description": description, "AllowedPattern": "[a-z0-9][a-z0-9.-]+" }),
        );
        let mut key = json!({ "Type": "String", "Description": "Key of the package in these buckets", "MinLength": 1 });
        let zip = self
            .desired
            .function
            .as_ref()
            .map(|way| Path::new(&way.zip));
        if let Some(file) = zip.and_then(Path::file_name).and_then(|name| name.to_str()) {
            key["Default"] = json!(file);
        }
        self.template.parameter(CODE_KEY, key);
        let region = cloudformation::target().region;
        json!({
            "FunctionName": name,
            "Description": function::DESCRIPTION,
            "Runtime": configuration["runtime"],
            "Handler": function::HANDLER,
            "Role": self.role_arn(&configuration["role"]),
            "Architectures": [configuration["architecture"]],
            "Timeout": configuration["timeout_seconds"],
            "MemorySize": configuration["memory_mb"],
            "Environment": { "Variables": configuration["environment"] },
            "Code": {
                "S3Bucket": format!("{}-{region}", reference(CODE_BUCKET)),
                "S3Key": reference(CODE_KEY),
            },
        })
    }

    fn target(&self, to: &Value) -> anyhow::Result<Value> {
        let wanted: RuleTarget = serde_json::from_value(to.clone())?;
        let mut target = json!({
            "Id": OWN,
            "RetryPolicy": {
                "MaximumRetryAttempts": wanted.max_retry_attempts,
                "MaximumEventAgeInSeconds": wanted.max_event_age_seconds,
            },
            "DeadLetterConfig": { "Arn": wanted.dead_letter_queue },
        });
        if self.desired.function.is_some() {
            target["Arn"] = json!(reference(&format!("{FUNCTION}.Arn")));
        } else {
            target["Arn"] = json!(reference(&format!("{DESTINATION}.Arn")));
            target["RoleArn"] = self.role_arn(&json!(wanted.role));
            target["InputTransformer"] =
                json!({ "InputPathsMap": wanted.paths, "InputTemplate": wanted.template });
        }
        Ok(target)
    }

    /// Returns the ARN of the role, whose making is waited for where it is made.
    fn role_arn(&self, arn: &Value) -> Value {
        json!({ "Fn::If": [self.home, reference(&format!("{ROLE}.Arn")), arn] })
    }

    /// Returns the template with what was made. What holds records outlives the stack: log files, and events that never
    /// reached Slack.
    fn write(mut self) -> Template {
        let home = self.home;
        let before_rule: &[_] = match self.desired.function {
            Some(_) => &[QUEUE_POLICY, PERMISSION],
            None => &[QUEUE_POLICY],
        };
        let mut made = |logical_id, kind| Resource::new(kind, self.made[logical_id].take());
        let resources = [
            (BUCKET, made(BUCKET, "AWS::S3::Bucket").when(home).kept()),
            (
                BUCKET_POLICY,
                made(BUCKET_POLICY, "AWS::S3::BucketPolicy")
                    .when(home)
                    .kept(),
            ),
            (
                TRAIL,
                made(TRAIL, "AWS::CloudTrail::Trail")
                    .when(home)
                    .after(&[BUCKET_POLICY]),
            ),
            (ROLE, made(ROLE, "AWS::IAM::Role").when(home)),
            (QUEUE, made(QUEUE, "AWS::SQS::Queue").kept()),
            (QUEUE_POLICY, made(QUEUE_POLICY, "AWS::SQS::QueuePolicy")),
            (CONNECTION, made(CONNECTION, "AWS::Events::Connection")),
            (
                DESTINATION,
                made(DESTINATION, "AWS::Events::ApiDestination"),
            ),
            (FUNCTION, made(FUNCTION, "AWS::Lambda::Function")),
            (
                INVOKE_CONFIG,
                made(INVOKE_CONFIG, "AWS::Lambda::EventInvokeConfig").after(&[QUEUE]),
            ),
            (PERMISSION, made(PERMISSION, "AWS::Lambda::Permission")),
            (RULE, made(RULE, "AWS::Events::Rule").after(before_rule)),
        ];
        for (logical_id, resource) in resources {
            if resource.is_wanted() {
                self.template.resource(logical_id, resource);
            }
        }
        self.template
    }
}
