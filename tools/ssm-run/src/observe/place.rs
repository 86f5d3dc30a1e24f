//! An account and region with the clients to work in it.

use std::cell::RefCell;
use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::config::timeout::TimeoutConfig;
use awsconf::Session;
use cli::Target;
use tokio::sync::OnceCell;

/// After which one try of a call counts as failed: a connection that hangs must not keep a run, nor Ctrl-C.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often the SDK tries. What follows a run backs off by itself, and knows what it can leave for later; the SDK's adaptive
/// retry would hold back every call for a minute after some throttled ones.
const MAX_ATTEMPTS: u32 = 3;

/// An account and region to work in.
pub(crate) struct Place {
    pub(crate) target: Target,
    /// Who sends, for the comment.
    pub(crate) caller: String,
    pub(crate) client: Client,
    pub(crate) session: Session,
    /// The nodes on which a command has ended, and when it began there.
    pub(crate) ran: RefCell<Vec<(String, Option<String>)>>,
    /// Made when the first output has to be read from there.
    pub(crate) s3: OnceCell<aws_sdk_s3::Client>,
}

impl Place {
    pub(crate) fn new(session: &Session) -> Place {
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(PATIENCE);
        let config = aws_sdk_ssm::config::Builder::from(&session.config);
        let given = session.config.retry_config();
        let max_attempts = given.map_or(MAX_ATTEMPTS, |retry| retry.max_attempts());
        let retry = RetryConfig::standard().with_max_attempts(max_attempts.min(MAX_ATTEMPTS));
        let config = config.timeout_config(timeouts.build()).retry_config(retry);
        Place {
            target: session.target.clone(),
            caller: session.caller.clone(),
            client: Client::from_conf(config.build()),
            session: session.clone(),
            ran: RefCell::default(),
            s3: OnceCell::new(),
        }
    }
}
