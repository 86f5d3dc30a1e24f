//! A topic of Amazon SNS.
//!
//! <https://docs.aws.amazon.com/sns/latest/api/API_Publish.html>

use aws_sdk_sns::error::{ProvideErrorMetadata, SdkError};
use awsconf::{SdkConfig, describe};
use serde_json::Value;

use super::answer::{Answer, TIMEOUT, is_refusal};
use crate::routing::Topic;

/// "Subjects must be ASCII text .. and be less than 100 characters long."
const LONGEST_SUBJECT: usize = 99;

/// A topic in the account of the credentials, or one that lets them publish.
#[derive(Debug)]
pub(crate) struct SnsTopic {
    client: aws_sdk_sns::Client,
    topic: Topic,
}

/// What publishing is refused for until somebody changes something.
const DOWN: [&str; 10] = [
    "AuthorizationError",
    "AccessDenied",
    "NotFound",
    "InvalidSecurity",
    "KMSAccessDenied",
    "KMSDisabled",
    "KMSInvalidState",
    "KMSNotFound",
    "KMSOptInRequired",
    "InvalidClientTokenId",
];

impl SnsTopic {
    pub(crate) fn new(config: &SdkConfig, topic: Topic) -> SnsTopic {
        // The topic says where it is, whichever Region the flags name.
        let region = aws_sdk_sns::config::Region::new(topic.region.clone());
        // Only who sends can note that a message may be there twice, so that the SDK tries once.
        let once = aws_sdk_sns::config::retry::RetryConfig::disabled();
        let timeouts = aws_sdk_sns::config::timeout::TimeoutConfig::builder();
        let timeouts = timeouts.operation_attempt_timeout(TIMEOUT).build();
        let config = aws_sdk_sns::config::Builder::from(config)
            .region(region)
            .retry_config(once)
            .timeout_config(timeouts);
        SnsTopic {
            client: aws_sdk_sns::Client::from_conf(config.build()),
            topic,
        }
    }

    pub(super) async fn attempt(&self, event_id: &str, message: &str) -> Answer {
        let value: Value = serde_json::from_str(message).unwrap_or_default();
        let text = match value.get("message") {
            Some(Value::String(text)) => text.clone(),
            Some(message) => message.to_string(),
            None => return Answer::Down("what waits is not a message for a topic".to_owned()),
        };
        let mut request = self
            .client
            .publish()
            .topic_arn(&self.topic.arn)
            .set_subject(subject(&value["subject"]))
            .message(text);
        if self.topic.is_fifo() {
            // A second attempt within five minutes is not a second message.
            let id: String = event_id
                .chars()
                .filter(char::is_ascii_graphic)
                .take(128)
                .collect();
            request = request
                .message_group_id(crate::TOOL)
                .message_deduplication_id(id);
        }
        match request.send().await {
            // Each message that is taken gets an ID.
            Ok(taken) if taken.message_id().is_some_and(|id| !id.is_empty()) => Answer::Taken(None),
            Ok(_) => Answer::unanswered("Publish: the answer has no MessageId".to_owned()),
            Err(error) => {
                let code = error.code().unwrap_or_default().to_owned();
                let about = error.message().unwrap_or_default().to_owned();
                let status = match &error {
                    SdkError::ServiceError(answer) => Some(answer.raw().status().as_u16()),
                    _ => None,
                };
                let is_unsent = awsconf::is_unsent(&error);
                let said = format!("{:#}", describe("Publish", error));
                // The topic's own name is a parameter, too.
                let is_about_message = code.starts_with("InvalidParameter")
                    && !about.contains("Topic")
                    && (about.contains("essage") || about.contains("ubject"));
                match () {
                    () if is_unsent => Answer::later(said),
                    // Of an error of its own, such as InternalError, SNS does not say that nothing was published.
                    () if !status.is_some_and(is_refusal) => Answer::unanswered(said),
                    () if is_about_message => Answer::Rejected(said),
                    () if code.starts_with("InvalidParameter") || DOWN.contains(&code.as_str()) => {
                        Answer::Down(said)
                    }
                    () => Answer::later(said),
                }
            }
        }
    }
}

/// Returns a subject that SNS takes: what is not ASCII or a control character would be refused.
fn subject(value: &Value) -> Option<String> {
    let shown = |c: char| if (' '..='~').contains(&c) { c } else { '?' };
    let text = value.as_str()?.trim_start();
    let text: String = text.chars().map(shown).take(LONGEST_SUBJECT).collect();
    Some(text.trim_end().to_owned()).filter(|text| {
        text.starts_with(|c: char| c.is_ascii_alphanumeric() || c.is_ascii_punctuation())
    })
}
