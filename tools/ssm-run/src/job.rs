//! What is to run: a document with its parameters, chosen by a node's platform. Pure.

use std::collections::BTreeMap;

use records::Reason;

/// Runs text by `sh`, on Linux and macOS.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/documents-command-ssm-plugin-reference.html>
const SHELL: &str = "AWS-RunShellScript";
/// Runs text by PowerShell; it would on Linux, too, where hardly any node has it.
const POWERSHELL: &str = "AWS-RunPowerShellScript";
/// Reports, with this operation, which patches are missing, and installs nothing.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/patch-manager-aws-runpatchbaseline.html>
const PATCH_BASELINE: (&str, &str, &str) = ("AWS-RunPatchBaseline", "Operation", "Scan");
/// How the documents that run scripts call the limit of a run, in seconds.
const EXECUTION_TIMEOUT: &str = "executionTimeout";

/// One document as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Job {
    pub(crate) document: String,
    pub(crate) document_version: Option<String>,
    pub(crate) parameters: BTreeMap<String, Vec<String>>,
}

impl Job {
    fn of_text(document: &str, text: &str) -> Job {
        Job {
            document: document.to_owned(),
            document_version: None,
            parameters: BTreeMap::from([("commands".to_owned(), vec![text.to_owned()])]),
        }
    }
}

/// What runs where.
#[derive(Clone, Debug, Default)]
pub(crate) struct Jobs {
    jobs: Vec<Job>,
    unix: Option<usize>,
    windows: Option<usize>,
}

impl Jobs {
    /// Returns one command line for every platform, each by its shell.
    pub(crate) fn of_command(text: &str) -> Jobs {
        Jobs::of_scripts(Some(text), Some(text))
    }

    /// Returns scripts for the platforms that they are for.
    pub(crate) fn of_scripts(unix: Option<&str>, windows: Option<&str>) -> Jobs {
        let mut jobs = Jobs::default();
        if let Some(text) = unix {
            jobs.unix = Some(jobs.jobs.len());
            jobs.jobs.push(Job::of_text(SHELL, text));
        }
        if let Some(text) = windows {
            jobs.windows = Some(jobs.jobs.len());
            jobs.jobs.push(Job::of_text(POWERSHELL, text));
        }
        jobs
    }

    /// Returns one document for every platform.
    pub(crate) fn of_document(
        document: &str,
        document_version: Option<&str>,
        parameters: &[(String, String)],
    ) -> Jobs {
        let mut job = Job {
            document: document.to_owned(),
            document_version: document_version.map(str::to_owned),
            parameters: BTreeMap::new(),
        };
        for (key, value) in parameters {
            let values = job.parameters.entry(key.clone()).or_default();
            values.push(value.clone());
        }
        Jobs {
            jobs: vec![job],
            unix: Some(0),
            windows: Some(0),
        }
    }

    /// Returns the scan for missing patches.
    pub(crate) fn of_patch_scan() -> Jobs {
        let (document, parameter, value) = PATCH_BASELINE;
        Jobs::of_document(document, None, &[(parameter.to_owned(), value.to_owned())])
    }

    /// Has every document end after so many seconds on a node.
    pub(crate) fn within(mut self, seconds: u32) -> Jobs {
        for job in &mut self.jobs {
            let value = vec![seconds.to_string()];
            job.parameters.insert(EXECUTION_TIMEOUT.to_owned(), value);
        }
        self
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Job> {
        self.jobs.get(index)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Job> {
        self.jobs.iter()
    }

    /// Returns the index of what runs on a platform as SSM calls it.
    ///
    /// # Errors
    /// Nothing is for this platform, or nothing says which it is.
    pub(crate) fn on(&self, platform: Option<&str>) -> Result<usize, Reason> {
        // One document for all; or nothing to run, which needs no shell.
        if self.jobs.is_empty() || (self.unix, self.windows) == (Some(0), Some(0)) {
            return Ok(0);
        }
        let (index, script) = match platform {
            Some("Windows") => (self.windows, "a .ps1 script"),
            Some("Linux" | "MacOS") => (self.unix, "a script for sh"),
            _ => {
                return Err(Reason::new(
                    "run.platform.unknown",
                    "neither its record nor SSM names its platform, so no shell can be chosen",
                    "name the document: --document AWS-RunShellScript --parameter commands=..",
                ));
            }
        };
        index.ok_or_else(|| {
            Reason::new(
                "run.platform.no_script",
                format!(
                    "nothing is to run on {}",
                    platform.unwrap_or("this platform")
                ),
                format!("give {script}, too, or leave such nodes out"),
            )
        })
    }

    /// Returns the one document for nodes that SSM chooses, whose platforms are not known before.
    pub(crate) fn anywhere(&self) -> Option<usize> {
        match self.jobs.as_slice() {
            [_] => Some(0),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Jobs;

    fn on<'j>(jobs: &'j Jobs, platform: &str) -> Result<&'j str, String> {
        let index = jobs.on(Some(platform)).map_err(|reason| reason.id)?;
        Ok(&jobs.get(index).unwrap().document)
    }

    #[test]
    fn each_platform_has_its_shell() {
        let jobs = Jobs::of_command("id");
        assert_eq!(on(&jobs, "Linux"), Ok("AWS-RunShellScript"));
        assert_eq!(on(&jobs, "MacOS"), Ok("AWS-RunShellScript"));
        assert_eq!(on(&jobs, "Windows"), Ok("AWS-RunPowerShellScript"));
        assert_eq!(jobs.on(None).unwrap_err().id, "run.platform.unknown");
    }

    #[test]
    fn a_script_is_for_its_platform_only() {
        let jobs = Jobs::of_scripts(None, Some("Get-HotFix"));
        assert_eq!(on(&jobs, "Windows"), Ok("AWS-RunPowerShellScript"));
        assert_eq!(on(&jobs, "Linux"), Err("run.platform.no_script".to_owned()));
    }

    #[test]
    fn a_document_is_for_every_platform_and_repeated_keys_are_a_list() {
        let parameter = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        let given = [
            parameter("a", "1"),
            parameter("b", "2"),
            parameter("a", "3"),
        ];
        let jobs = Jobs::of_document("Mine", Some("2"), &given).within(60);
        let job = jobs.get(jobs.on(None).unwrap()).unwrap();
        assert_eq!(job.parameters["a"], ["1", "3"]);
        assert_eq!(job.parameters["executionTimeout"], ["60"]);
    }
}
