//! The flags together: what to run and how, checked against each other. Pure.

use std::path::Path;

use anyhow::bail;
use cli::CountOrPercent;

use crate::arguments::{Bucket, How, What};
use crate::job::{Job, Jobs};
use crate::rate_control::Waves;
use crate::script::Script;
use crate::secrets;

/// What a run does, wherever it does it.
#[derive(Debug)]
pub(crate) struct RunSpec {
    /// Null when a run is only followed to its end.
    pub(crate) jobs: Option<Jobs>,
    pub(crate) why: Option<String>,
    pub(crate) timeout: Option<i32>,
    pub(crate) node_concurrency: Option<CountOrPercent>,
    /// Null for no limit.
    pub(crate) max_errors: Option<CountOrPercent>,
    /// Null for one wave.
    pub(crate) waves: Option<Waves>,
    pub(crate) bucket: Option<Bucket>,
    pub(crate) log_group: Option<String>,
    pub(crate) resume: Option<String>,
    pub(crate) patch_scan: bool,
    /// What is odd about the scripts.
    notes: Vec<String>,
}

/// "The content of the document must not exceed 64KB. This quota also includes the content specified for input parameters at
/// runtime": <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CreateDocument.html> (Content)
const MAX_BYTES: usize = 64 << 10;

/// What to do with a script that is too large.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-s3.html>
pub(crate) const TOO_LARGE: &str = "put the script in S3, and run it with --document AWS-RunRemoteScript --parameter sourceType=S3 --parameter \
    'sourceInfo={\"path\":\"https://s3.REGION.amazonaws.com/BUCKET/SCRIPT\"}' --parameter commandLine=./SCRIPT; the nodes need to read the bucket";

impl RunSpec {
    /// Returns the order that the flags give; `read` returns the text of a file.
    ///
    /// # Errors
    /// Nothing to run, two things to run, a script that cannot be read or is too large.
    pub(crate) fn of(
        what: &What,
        how: &How,
        read: impl Fn(&Path) -> anyhow::Result<String>,
    ) -> anyhow::Result<RunSpec> {
        let mut notes = Vec::new();
        let jobs = jobs(what, read, &mut notes)?;
        if jobs.is_none() && how.resume.is_none() {
            bail!(
                "nothing to run: give -- COMMAND, --script, --document or --patch-scan; see --help"
            );
        }
        let jobs = match (jobs, how.execution_timeout) {
            (Some(jobs), Some(seconds)) => Some(jobs.within(seconds)),
            (jobs, _) => jobs,
        };
        jobs.iter()
            .flat_map(Jobs::iter)
            .try_for_each(refuse_large)?;
        Ok(RunSpec {
            jobs,
            why: how.comment.clone(),
            timeout: how.timeout,
            node_concurrency: how.node_concurrency,
            // Waves are there to stop. As with SendCommand, the first error stops then.
            max_errors: match (&how.waves, how.max_errors) {
                (Some(_), None) => Some(CountOrPercent::Nodes(0)),
                (_, given) => given,
            },
            waves: how.waves.clone(),
            bucket: how.output_s3.clone(),
            log_group: how.output_log_group.clone(),
            resume: how.resume.clone(),
            patch_scan: what.patch_scan,
            notes,
        })
    }

    /// Returns what to say before anything is sent.
    pub(crate) fn notes(&self) -> impl Iterator<Item = String> {
        self.notes.iter().cloned().chain(self.secrets())
    }

    /// Returns a warning when what is sent looks like holding secrets.
    fn secrets(&self) -> Option<String> {
        let jobs = self.jobs.as_ref()?;
        let values = jobs
            .iter()
            .flat_map(|job| job.parameters.values())
            .flatten();
        let mut kinds: Vec<&str> = Vec::new();
        for kind in values.flat_map(|value| secrets::found(value)) {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        (!kinds.is_empty()).then(|| {
            format!(
                "warning: this looks like {}: parameters stay readable in the command history for 30 days and in EventBridge events; write \
                 {{{{ssm:NAME}}}} for what Parameter Store holds, or fetch the secret on the node",
                kinds.join(" and ")
            )
        })
    }
}

/// The document has some bytes as well, which only SSM counts.
fn refuse_large(job: &Job) -> anyhow::Result<()> {
    let parameters = job.parameters.iter();
    let texts = parameters.flat_map(|(key, values)| std::iter::once(key).chain(values));
    let n_bytes: usize = texts.map(String::len).sum();
    if n_bytes > MAX_BYTES {
        bail!(
            "what {} is to run has {n_bytes} bytes, and Run Command takes {MAX_BYTES} (64 KB), document and parameters together: {TOO_LARGE}",
            job.document
        );
    }
    Ok(())
}

fn jobs(
    what: &What,
    read: impl Fn(&Path) -> anyhow::Result<String>,
    notes: &mut Vec<String>,
) -> anyhow::Result<Option<Jobs>> {
    if what.patch_scan {
        return Ok(Some(Jobs::of_patch_scan()));
    }
    if let Some(document) = &what.document {
        let version = what.document_version.as_deref();
        return Ok(Some(Jobs::of_document(document, version, &what.parameters)));
    }
    // As ssh does: words that the shell has taken apart are one command line again.
    let command = what.command.join(" ");
    if !command.trim().is_empty() {
        return Ok(Some(Jobs::of_command(&command)));
    }
    let is_powershell = |path: &Path| {
        path.extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("ps1"))
    };
    let (unix, windows) = match (&what.script, &what.windows_script) {
        (Some(script), None) if is_powershell(script) => (None, Some(script)),
        (Some(script), Some(_)) if is_powershell(script) => {
            bail!(
                "--script {}: two scripts for Windows: give the other with --script",
                script.display()
            )
        }
        (script, windows) => (script.as_ref(), windows.as_ref()),
    };
    if unix.is_none() && windows.is_none() {
        return Ok(None);
    }
    let mut text = |path: Option<&std::path::PathBuf>, is_powershell| {
        let Some(path) = path else {
            return anyhow::Ok(None);
        };
        let script = Script::of_file(&read(path)?, is_powershell);
        let odd = script.notes.iter();
        notes.extend(odd.map(|note| format!("script {}: {note}", path.display())));
        Ok(Some(script.text))
    };
    let (unix, windows) = (text(unix, false)?, text(windows, true)?);
    Ok(Some(Jobs::of_scripts(unix.as_deref(), windows.as_deref())))
}
