//! The session-manager-plugin that the user has: is it there, how it is called, and how it is ended with all that it started.
//! What goes in and comes out is bytes; what they mean is the caller's.
//!
//! The command line is the AWS CLI's: `awscli/customizations/sessionmanager.py` in <https://github.com/aws/aws-cli>. The plugin
//! takes a pipe for a terminal: `stty` fails, which it ignores, and the size becomes 300 by 100
//! (`shellsession_unix.go` in <https://github.com/aws/session-manager-plugin>).

use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, bail};
use awsconf::Session;
use rustix::process::{Pid, Signal, kill_process_group};
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::mpsc;
use tokio::time::timeout;

const NAME: &str = "session-manager-plugin";
const INSTALL: &str = "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html";

/// Versions above this take what StartSession answered from a variable, where no list of processes shows the token.
const LAST_WITHOUT_VARIABLE: [u32; 4] = [1, 2, 497, 0];
const VARIABLE: &str = "AWS_SSM_START_SESSION_RESPONSE";

/// For a program that only prints its version.
const VERSION_WITHIN: Duration = Duration::from_secs(15);
/// Chunks that may wait to be looked at: a screen full of lines.
const WAITING: usize = 64;

/// The plugin, found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plugin {
    takes_variable: bool,
}

/// What StartSession answered.
pub(super) struct Answer<'a> {
    pub(super) session_id: &'a str,
    pub(super) token: &'a str,
    pub(super) stream_url: &'a str,
}

/// A plugin that runs.
pub(super) struct Running {
    child: Child,
    group: Option<Pid>,
    stdin: Option<ChildStdin>,
    printed: mpsc::Receiver<Vec<u8>>,
}

impl Plugin {
    /// Looks for the plugin in `PATH`.
    ///
    /// # Errors
    /// It is not there, or does not print its version.
    pub(crate) async fn find() -> anyhow::Result<Plugin> {
        let mut command = Command::new(NAME);
        let command = command.arg("--version").stdin(Stdio::null());
        let run = command.kill_on_drop(true).output();
        let output = match timeout(VERSION_WITHIN, run).await {
            Ok(Ok(output)) => output,
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                bail!("{NAME} is not in PATH, so no session was started: install it, {INSTALL}")
            }
            Ok(Err(error)) => return Err(error).context(format!("run {NAME} --version")),
            Err(_) => bail!(
                "{NAME} --version: no answer within {} s, so no session was started",
                VERSION_WITHIN.as_secs()
            ),
        };
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(Plugin {
            takes_variable: takes_variable(&text),
        })
    }

    /// Starts it for a session, with the credentials of that session alone, in a process group of its own: Ctrl-C is for
    /// whoever started it.
    pub(super) async fn start(
        self,
        session: &Session,
        instance_id: &str,
        answer: &Answer<'_>,
    ) -> anyhow::Result<Running> {
        let response = json!({
            "SessionId": answer.session_id, "TokenValue": answer.token, "StreamUrl": answer.stream_url,
        });
        let region = session.target.region.as_str();
        let endpoint = match session.config.endpoint_url() {
            Some(url) => url.to_owned(),
            None => format!(
                "https://ssm.{region}.{}",
                awsdata::partition_of(region).dns_suffix
            ),
        };
        let mut command = Command::new(NAME);
        let first = match self.takes_variable {
            true => {
                command.env(VARIABLE, response.to_string());
                VARIABLE.to_owned()
            }
            false => response.to_string(),
        };
        // No profile: the plugin would prefer it to the credentials.
        let parameters = json!({ "Target": instance_id }).to_string();
        command.args([&first, region, "StartSession", "", &parameters, &endpoint]);
        for (name, value) in session.environment().await? {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .kill_on_drop(true);
        let mut child = command.spawn().with_context(|| format!("start {NAME}"))?;
        let (sender, printed) = mpsc::channel(WAITING);
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(pass_on(stdout, sender.clone()));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(pass_on(stderr, sender));
        }
        Ok(Running {
            group: child
                .id()
                .and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)),
            stdin: child.stdin.take(),
            child,
            printed,
        })
    }
}

impl Running {
    /// Returns what it printed next; `None` once it has closed its output.
    pub(super) async fn next(&mut self) -> Option<Vec<u8>> {
        self.printed.recv().await
    }

    /// Types a line. One that nobody reads any more is not an error: the end of the output shows it.
    pub(super) async fn type_line(&mut self, line: &str) {
        if let Some(stdin) = &mut self.stdin {
            let _ = stdin.write_all(format!("{line}\n").as_bytes()).await;
            let _ = stdin.flush().await;
        }
    }

    /// Ends it, with whatever it has started, if it has not ended.
    pub(super) async fn end(&mut self) {
        if let Some(group) = self.group.take() {
            // Gone already, as a rule.
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait().await;
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(group) = self.group.take() {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

async fn pass_on(mut stream: impl AsyncRead + Unpin, sender: mpsc::Sender<Vec<u8>>) {
    let mut chunk = vec![0; 4096];
    while let Ok(n_bytes @ 1..) = stream.read(&mut chunk).await {
        if sender.send(chunk[..n_bytes].to_vec()).await.is_err() {
            return;
        }
    }
}

/// Like the AWS CLI, which takes a version that it cannot read for an old one.
fn takes_variable(version: &str) -> bool {
    let parts = version.trim().split('.').map(|part| part.parse().ok());
    let Some(parts) = parts.collect::<Option<Vec<u32>>>() else {
        return false;
    };
    let mut numbers = [0; 4];
    for (number, part) in numbers.iter_mut().zip(&parts) {
        *number = *part;
    }
    parts.len() <= numbers.len() && numbers > LAST_WITHOUT_VARIABLE
}

#[cfg(test)]
mod tests {
    use super::takes_variable;

    #[test]
    fn the_token_is_in_the_arguments_of_old_plugins_only() {
        for (version, expected) in [
            ("1.2.497.0\n", false),
            ("1.2.497.1", true),
            ("1.2.536.0\n", true),
            ("1.3", true),
            ("1.1.9999.0", false),
            ("", false),
            ("session-manager-plugin 2", false),
            ("1.2.764.0.1", false),
        ] {
            assert_eq!(takes_variable(version), expected, "{version:?}");
        }
    }
}
