//! What a command printed, whole where that can be had: from the list, GetCommandInvocation, or where the node wrote it.

use std::time::Duration;

use aws_sdk_ssm::operation::get_command_invocation::GetCommandInvocationOutput;
use awsconf::Deadline;

use super::commands::{Failure, FailureKind};
use super::output_destinations;
use super::place::Place;
use crate::arguments::Bucket;
use crate::invocation_status::{InvocationStatus, Plugin, StepOutput};
use crate::plugin_output::{self, PluginOutput};
use crate::run_spec::RunSpec;
use records::Truncated;

/// How often an invocation is asked for, each time after the SDK's own retries, and the pauses in between.
const MAX_TRIES: u32 = 5;
const MAX_THROTTLED_TRIES: u32 = 12;
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// How long after a command's end the agent may still be sending events: it does every three seconds.
/// cloudwatchlogsservice.go of <https://github.com/aws/amazon-ssm-agent> (`UploadFrequency`)
pub(crate) const SETTLES: Duration = Duration::from_millis(3_500);

/// Reads outputs of nodes that have ended, those in log streams when all is there.
pub(crate) struct Reader<'r> {
    pub(crate) place: &'r Place,
    pub(crate) order: &'r RunSpec,
    pub(crate) settled: Deadline,
}

impl Reader<'_> {
    /// Returns what is known of each step's output, and why something of it could not be read.
    pub(crate) async fn read(&self, seen: &InvocationStatus) -> (Vec<StepOutput>, Option<String>) {
        let (mut all, mut trouble) = (Vec::new(), None);
        for plugin in &seen.plugins {
            let (known, error) = self.plugin(seen, plugin).await;
            all.push(known);
            trouble = trouble.or(error);
        }
        (all, trouble)
    }

    async fn plugin(
        &self,
        seen: &InvocationStatus,
        plugin: &Plugin,
    ) -> (StepOutput, Option<String>) {
        let whole = |printed| StepOutput {
            printed,
            truncated: Truncated::default(),
        };
        if let Some(printed) = plugin_output::split(&plugin.joined, plugin.has_failed()) {
            return (whole(printed), None);
        }
        // What is cut at 2,400 is often cut at 24,000, too: who has a bucket is not asked twice.
        let (mut objects, mut trouble) = ((None, None), None);
        if let Some(bucket) = &self.order.bucket {
            let (stdout, stderr) = self.objects(bucket, plugin).await;
            let error = stdout.as_ref().err().or(stderr.as_ref().err());
            trouble = error.map(|error| format!("{error:#}"));
            objects = (stdout.ok(), stderr.ok());
        }
        let (stdout, stderr) = match objects {
            (Some(stdout), Some(stderr)) => return (whole(PluginOutput { stdout, stderr }), None),
            some => some,
        };
        let mut known = match self.asked(seen, plugin).await {
            Ok(printed) => StepOutput {
                truncated: Truncated {
                    stdout: printed.may_lack_stdout() && stdout.is_none(),
                    stderr: printed.may_lack_stderr() && stderr.is_none(),
                },
                printed: PluginOutput {
                    stdout: stdout.unwrap_or(printed.stdout),
                    stderr: stderr.unwrap_or(printed.stderr),
                },
            },
            Err(error) => {
                let printed = plugin_output::guess(&plugin.joined);
                let known = StepOutput {
                    truncated: Truncated {
                        stdout: stdout.is_none(),
                        stderr: stderr.is_none() && plugin_output::has_stderr(&plugin.joined),
                    },
                    printed: PluginOutput {
                        stdout: stdout.unwrap_or(printed.stdout),
                        stderr: stderr.unwrap_or(printed.stderr),
                    },
                };
                return (known, Some(format!("{error:#}")));
            }
        };
        if let Some(group) = &self.order.log_group {
            let error = self.streams(group, seen, plugin, &mut known).await.err();
            trouble = trouble.or(error.map(|error| format!("{error:#}")));
        }
        // Who asked for no more than the API returns learns that there is more, and that is all.
        let is_cut = known.truncated.stdout || known.truncated.stderr;
        (known, trouble.filter(|_| is_cut))
    }

    /// Reads what the node wrote to S3. There is no object for a stream without output.
    async fn objects(
        &self,
        bucket: &Bucket,
        plugin: &Plugin,
    ) -> (anyhow::Result<String>, anyhow::Result<String>) {
        let client = self
            .place
            .s3
            .get_or_init(|| output_destinations::s3_client(&self.place.session, bucket))
            .await;
        let read = async |is_there: bool, url: &Option<String>| match is_there {
            true => output_destinations::object(client, bucket, url.as_deref()).await,
            false => Ok(String::new()),
        };
        let joined = &plugin.joined;
        tokio::join!(
            read(plugin_output::has_stdout(joined), &plugin.stdout_url),
            read(plugin_output::has_stderr(joined), &plugin.stderr_url),
        )
    }

    /// Reads what the node wrote to CloudWatch Logs, as far as the API has cut it.
    async fn streams(
        &self,
        group: &str,
        seen: &InvocationStatus,
        plugin: &Plugin,
        known: &mut StepOutput,
    ) -> anyhow::Result<()> {
        // https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-rc-setting-up-cwlogs.html
        let plugin = plugin.name.replace([':', '*'], "-");
        let begin = format!("{}/{}/{plugin}", seen.command_id, seen.instance_id);
        let session = &self.place.session;
        for (name, text, is_cut) in [
            (
                "stdout",
                &mut known.printed.stdout,
                &mut known.truncated.stdout,
            ),
            (
                "stderr",
                &mut known.printed.stderr,
                &mut known.truncated.stderr,
            ),
        ] {
            if !*is_cut {
                continue;
            }
            self.settled.wait().await;
            let stream = format!("{begin}/{name}");
            let whole = output_destinations::stream(session, group, &stream).await?;
            anyhow::ensure!(
                whole.len() >= text.trim_end().len(),
                "{group} {stream} holds less than SSM reported: {} bytes",
                whole.len()
            );
            *text = whole;
            *is_cut = false;
        }
        Ok(())
    }

    /// Asks for up to 24,000 characters of stdout and 8,000 of stderr.
    async fn asked(
        &self,
        seen: &InvocationStatus,
        plugin: &Plugin,
    ) -> anyhow::Result<PluginOutput> {
        let (mut pause, mut n_tries) = (PAUSE, 0);
        loop {
            let mut call = self
                .place
                .client
                .get_command_invocation()
                .command_id(&seen.command_id)
                .instance_id(&seen.instance_id);
            if seen.plugins.len() > 1 {
                call = call.plugin_name(&plugin.name);
            }
            let error = match call.send().await {
                Ok(answer) => return Ok(from_sdk(answer)),
                Err(error) => error,
            };
            let (command, node) = (&seen.command_id, &seen.instance_id);
            let call = format!("GetCommandInvocation {command} {node}");
            let failure = Failure::of(call, error);
            n_tries += 1;
            // `InvocationDoesNotExist` is among the others: the calls of SSM lag behind each other.
            let max_tries = match failure.kind {
                FailureKind::Throttled => MAX_THROTTLED_TRIES,
                FailureKind::Other => MAX_TRIES,
                FailureKind::Denied => 1,
            };
            if n_tries >= max_tries {
                return Err(failure.error);
            }
            awsconf::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

fn from_sdk(answer: GetCommandInvocationOutput) -> PluginOutput {
    PluginOutput {
        stdout: answer.standard_output_content.unwrap_or_default(),
        stderr: answer.standard_error_content.unwrap_or_default(),
    }
}
