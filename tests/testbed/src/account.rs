//! One account in the local AWS: runs tools and the AWS CLI in it, seeds it, breaks it, and returns what was called.

use std::ffi::OsStr;
use std::path::Path;

use serde_json::Value;

use crate::home::Home;
use crate::{Run, Sandbox, preloaded};

/// The region that runs get; a test that needs another passes `--region`.
const REGION: &str = "us-east-1";

/// A fresh account. The access key names it, so nobody else's calls are in its log.
pub struct Account {
    sandbox: &'static Sandbox,
    id: String,
    home: Home,
}

impl Account {
    pub(crate) fn new(sandbox: &'static Sandbox, id: &str) -> Account {
        Account {
            sandbox,
            id: id.to_owned(),
            home: Home::create(),
        }
    }

    /// Returns the twelve digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the access key of this account, for a profile in a config file.
    pub fn access_key(&self) -> String {
        format!("AKIA{}", self.id)
    }

    /// Returns the home directory of the runs, empty at first; a test may put `.aws/config` there.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Prepares a run of a binary in this account and `us-east-1`, with nothing else in its environment. A tool may call what the
    /// policy allows that it prints for the run, and nothing else.
    pub fn tool(&self, exe: impl AsRef<OsStr>) -> Run {
        Run::bare(exe.as_ref(), self.home.path())
            .held_in(self.sandbox)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", self.access_key())
            .env("AWS_SECRET_ACCESS_KEY", "sandbox")
            .env("AWS_ENDPOINT_URL", self.sandbox.url())
            // The first try and one more: enough to see a retry, without the waits of a third.
            .env("AWS_MAX_ATTEMPTS", "2")
    }

    /// Prepares a run of the AWS CLI in this account, by a role where its credentials are given.
    pub fn aws_cli(&self, credentials: Option<&Value>) -> Run {
        // Version 1 of the CLI knows the region by its older name only.
        let mut run = self.preloaded("aws").env("AWS_DEFAULT_REGION", REGION);
        for (name, key) in [
            ("AWS_ACCESS_KEY_ID", "AccessKeyId"),
            ("AWS_SECRET_ACCESS_KEY", "SecretAccessKey"),
            ("AWS_SESSION_TOKEN", "SessionToken"),
        ] {
            if let Some(credentials) = credentials {
                run = run.env(name, credentials[key].as_str().expect("credentials"));
            }
        }
        run
    }

    /// Prepares a run of the program that makes places and sessions on the local AWS, in this account.
    pub fn session_table(&self) -> Run {
        self.preloaded("session_table.py")
            .args(["--url", self.sandbox.url()])
    }

    fn preloaded(&self, program: &str) -> Run {
        let (python, words) = preloaded::in_place_of(program);
        self.tool(python).args(words)
    }

    /// Runs the AWS CLI in this account and returns what it prints, null if nothing.
    ///
    /// # Panics
    /// The CLI fails.
    #[track_caller]
    pub fn aws(&self, arguments: &[&str]) -> Value {
        let output = self.aws_cli(None).args(arguments).run();
        output.assert_status(0);
        match output.stdout.trim() {
            "" => Value::Null,
            text => serde_json::from_str(text).expect("the AWS CLI prints JSON"),
        }
    }

    /// Assumes a role of this account, and returns its credentials.
    ///
    /// # Panics
    /// Its trust policy does not let this account in.
    #[track_caller]
    pub fn assume(&self, role: &str) -> Value {
        let role = format!("arn:aws:iam::{}:role/{role}", self.id());
        let assume = ["sts", "assume-role", "--role-session-name", "tester"];
        self.aws(&[&assume[..], &["--role-arn", &role]].concat())["Credentials"].take()
    }

    /// Starts a trail of all regions, as somebody else may have made it: without one EventBridge receives no call.
    ///
    /// # Panics
    /// The CLI fails.
    pub fn start_trail(&self) {
        let bucket = format!("trail-{}", self.id);
        let statement = |action: &str, resource: String| {
            serde_json::json!({"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": action, "Resource": resource})
        };
        let policy = serde_json::json!({"Version": "2012-10-17", "Statement": [
            statement("s3:GetBucketAcl", format!("arn:aws:s3:::{bucket}")),
            statement("s3:PutObject", format!("arn:aws:s3:::{bucket}/AWSLogs/*"))]});
        self.aws(&["s3api", "create-bucket", "--bucket", &bucket]);
        let put = ["s3api", "put-bucket-policy", "--bucket", &bucket];
        self.aws(&[&put[..], &["--policy", &policy.to_string()]].concat());
        let create = ["cloudtrail", "create-trail", "--is-multi-region-trail"];
        let named = ["--name", "all", "--s3-bucket-name", &bucket];
        self.aws(&[&create[..], &named].concat());
        self.aws(&["cloudtrail", "start-logging", "--name", "all"]);
    }

    /// Returns whether AWS lets a role of this account do something, of which the AWS CLI has these arguments. What else is in the
    /// way than a policy is not an answer.
    ///
    /// # Panics
    /// The CLI fails for another reason than that access is denied or deletion protected.
    pub fn is_done_by(&self, role: &str, arguments: &[&str]) -> bool {
        let credentials = self.assume(role);
        let output = self.aws_cli(Some(&credentials)).args(arguments).run();
        let is_refused = ["AccessDenied", "deletion protection"]
            .iter()
            .any(|words| output.stderr.contains(words));
        assert!(output.status == 0 || is_refused, "{}", output.stderr);
        output.status == 0
    }

    /// Returns all calls made in this account, oldest first.
    pub fn calls(&self) -> Vec<Value> {
        let lines = self.control("GET", "/_sandbox/calls", "");
        let parse = |line: &str| serde_json::from_str(line).expect("the call log is JSON lines");
        lines.lines().map(parse).collect()
    }

    /// Returns the calls that may have changed something.
    pub fn writes(&self) -> Vec<Value> {
        let mut calls = self.calls();
        calls.retain(|call| call["read_only"] == false);
        calls
    }

    /// Returns the operations called, such as `ssm:GetDocument`, oldest first.
    pub fn operations(&self) -> Vec<String> {
        let word = |value: &Value| value.as_str().unwrap_or("?").to_owned();
        let name =
            |call: &Value| format!("{}:{}", word(&call["service"]), word(&call["operation"]));
        self.calls().iter().map(name).collect()
    }

    /// Returns which node ran which command how often.
    pub fn runs(&self) -> Vec<Value> {
        let lines = self.control("GET", "/_sandbox/runs", "");
        let parse = |line: &str| serde_json::from_str(line).expect("the runs are JSON lines");
        lines.lines().map(parse).collect()
    }

    /// Returns the sessions with nodes and what became of each, oldest first.
    pub fn sessions(&self) -> Vec<Value> {
        let lines = self.control("GET", "/_sandbox/sessions", "");
        let parse = |line: &str| serde_json::from_str(line).expect("sessions are JSON lines");
        lines.lines().map(parse).collect()
    }

    /// Has IAM enforced for the callers and the resources of this account.
    pub fn enforce_iam(&self) {
        let body = serde_json::json!({"account": self.id, "enforce": true});
        self.control("POST", "/_sandbox/iam", &body.to_string());
    }

    /// Returns what real AWS would have refused in the calls of this account, as far as its models say.
    pub fn problems(&self) -> Vec<Value> {
        let mut problems = Vec::new();
        for call in self.calls() {
            if let Some(found) = call["problems"].as_array() {
                problems.extend(found.iter().cloned());
            }
        }
        problems
    }

    /// Forgets the calls so far.
    pub fn forget_calls(&self) {
        self.control("DELETE", "/_sandbox/calls", "");
    }

    /// Makes later calls in this account fail; `account` may be left out.
    ///
    /// # Panics
    /// The sandbox does not understand it.
    #[track_caller]
    pub fn fault(&self, mut fault: Value) {
        if let Some(fields) = fault.as_object_mut() {
            fields
                .entry("account")
                .or_insert_with(|| Value::from(self.id.as_str()));
        }
        self.control("POST", "/_sandbox/faults", &fault.to_string());
    }

    /// Drops all faults of this account.
    pub fn clear_faults(&self) {
        self.control("DELETE", "/_sandbox/faults", "");
    }

    /// Fills the sandbox from an estate.
    ///
    /// # Panics
    /// The sandbox does not understand it.
    #[track_caller]
    pub fn seed(&self, estate: &Value) {
        self.control("POST", "/_sandbox/estate", &estate.to_string());
    }

    /// Puts a record on the event bus of a region, as CloudTrail does.
    ///
    /// # Panics
    /// The sandbox does not understand it.
    #[track_caller]
    pub fn happens(&self, region: &str, record: &Value) {
        let path = format!("/_sandbox/events?account={}&region={region}", self.id);
        self.sandbox.control("POST", &path, &record.to_string());
    }

    /// Has a trail of this account deliver `log-files` or `digests`, and returns where.
    ///
    /// # Panics
    /// The sandbox does not understand it.
    #[track_caller]
    pub fn deliver(&self, what: &str, body: &Value) -> Value {
        let answer = self.control("POST", &format!("/_sandbox/{what}"), &body.to_string());
        serde_json::from_str(&answer).expect("what was delivered is JSON")
    }

    /// Has AWS take the time in this account that it documents for what it does in the background, drawn from a seed.
    ///
    /// # Panics
    /// The sandbox does not understand it.
    pub fn unkind(&self, seed: u32) {
        let body = serde_json::json!({"account": self.id, "seed": seed});
        self.control("POST", "/_sandbox/unkind", &body.to_string());
    }

    /// Starts a session on a node of this account, types into it, ends it, and returns what became of it.
    ///
    /// # Panics
    /// The sandbox does not understand it.
    pub fn session(&self, node: &str) -> Value {
        let body = serde_json::json!({"account": self.id, "target": node, "input": ["uptime"]});
        let answer = self.control("POST", "/_sandbox/sessions", &body.to_string());
        serde_json::from_str(&answer).expect("a session is JSON")
    }

    /// Starts a session as a role of this account with a document, ends it, and returns what became of it: the status `Refused`
    /// where IAM or a service control policy refuses it.
    ///
    /// # Panics
    /// The sandbox does not understand it.
    pub fn session_as(&self, role: &str, node: &str, document: &str) -> Value {
        let arn = format!("arn:aws:iam::{}:role/{role}", self.id);
        let body = serde_json::json!({"account": self.id, "target": node, "input": [], "principal": arn, "document": document});
        let answer = self.control("POST", "/_sandbox/sessions", &body.to_string());
        serde_json::from_str(&answer).expect("a session is JSON")
    }

    /// Decides about a request for just-in-time node access, as its approvers do.
    ///
    /// # Panics
    /// The sandbox has no such request.
    pub fn decide_access(&self, request: &str, status: &str) {
        let body =
            serde_json::json!({"account": self.id, "access_request_id": request, "status": status});
        self.control("POST", "/_sandbox/access-requests", &body.to_string());
    }

    /// Makes one call of a service that speaks AWS JSON 1.1, such as `AmazonSSM.PutParameter`, without a CLI that takes a second
    /// to start; the local AWS looks at the key of a signature, and not at the rest.
    ///
    /// # Panics
    /// The call is refused.
    pub fn call(&self, target: &str, body: &Value) {
        let key = self.access_key();
        let service = match target.split('.').next() {
            Some("TrentService") => "kms",
            Some("Logs_20140328") => "logs",
            _ => "ssm",
        };
        let headers = format!(
            "Content-Type: application/x-amz-json-1.1\r\nX-Amz-Target: {target}\r\nX-Amz-Date: 20260101T000000Z\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential={key}/20260101/{REGION}/{service}/aws4_request, \
             SignedHeaders=host, Signature=0\r\n"
        );
        self.sandbox
            .request("POST", "/", &headers, &body.to_string());
    }

    fn control(&self, method: &str, path: &str, body: &str) -> String {
        self.sandbox
            .control(method, &format!("{path}?account={}", self.id), body)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::Sandbox;

    #[test]
    fn the_cli_runs_in_this_account_and_is_in_its_log() {
        let account = Sandbox::start().account();
        let identity = account.aws(&["sts", "get-caller-identity"]);
        assert_eq!(identity["Account"], account.id());
        assert_eq!(account.operations(), ["sts:GetCallerIdentity"]);
        assert_eq!(account.calls()[0]["region"], "us-east-1");
        assert!(account.writes().is_empty() && account.problems().is_empty());
        account.aws(&["iam", "create-role", "--role-name", "r", "--assume-role-policy-document", "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ec2.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}"]);
        assert_eq!(account.writes()[0]["operation"], "CreateRole");
        account.forget_calls();
        assert!(account.calls().is_empty());
    }

    #[test]
    fn other_accounts_see_nothing_of_it() {
        let (a, b) = (Sandbox::start().account(), Sandbox::start().account());
        a.fault(json!({"kind": "denied", "times": -1}));
        b.aws(&["sts", "get-caller-identity"]);
        assert!(a.calls().is_empty());
        assert_eq!(b.calls().len(), 1);
    }

    #[test]
    fn a_fault_strikes_until_it_is_cleared() {
        let account = Sandbox::start().account();
        let identity = || {
            let aws = account.aws_cli(None);
            aws.args(["sts", "get-caller-identity"]).run()
        };
        account.fault(json!({"kind": "denied", "times": -1}));
        identity()
            .assert_status(255)
            .assert_complains("AccessDenied");
        account.clear_faults();
        identity().assert_status(0);
    }

    #[test]
    #[should_panic(expected = "kind must be one of")]
    fn a_fault_that_does_not_exist_is_refused() {
        Sandbox::start().account().fault(json!({"kind": "fire"}));
    }
}
