//! What each node printed, as files in a directory: `ID.stdout` and `ID.stderr`. They are the user's alone, and each is there whole
//! or not at all: what Run Command cut is in `ID.stdout.cut`.

use std::collections::HashMap;
use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use cli::Target;
use records::Invocation;

/// A directory that was found to be one that can be written.
#[derive(Debug)]
pub(crate) struct OutputFiles {
    directory: PathBuf,
    /// Whose files are there, by ID: that of a node is unique, but nothing may be lost where it is not.
    written: HashMap<String, Target>,
    /// How many outputs are there in part.
    n_cut: usize,
}

impl OutputFiles {
    /// Makes the directory, and tries to write in it: nothing is sent when its outputs could not be kept.
    ///
    /// # Errors
    /// It is a symbolic link, or cannot be written.
    pub(crate) fn open(directory: &Path) -> anyhow::Result<OutputFiles> {
        // With a slash at its end a link would be followed.
        let directory: PathBuf = directory.components().collect();
        let files = OutputFiles {
            directory,
            written: HashMap::new(),
            n_cut: 0,
        };
        files
            .prepare()
            .with_context(|| format!("--out {}", files.directory.display()))?;
        Ok(files)
    }

    fn prepare(&self) -> anyhow::Result<()> {
        let mut builder = DirBuilder::new();
        builder
            .recursive(true)
            .mode(0o700)
            .create(&self.directory)?;
        if !fs::symlink_metadata(&self.directory)?.is_dir() {
            bail!("it is a symbolic link: name the directory itself");
        }
        let probe = self.temporary("write");
        Ok(create(&probe, b" ").and_then(|()| fs::remove_file(&probe))?)
    }

    /// Writes what a node printed. Where nothing is known of it, the files of an earlier run are removed: they must not look like
    /// those of this one.
    ///
    /// # Errors
    /// A file cannot be written, or removed.
    pub(crate) fn keep(&mut self, record: &Invocation) -> anyhow::Result<()> {
        // SSM's IDs have no such character; this does not depend on it.
        let name = record.instance_id.replace(['/', '\0'], "_");
        let before = self.written.insert(name.clone(), record.target.clone());
        if let Some(other) = before.filter(|other| *other != record.target) {
            bail!(
                "{name} is in {other} and in {}: their outputs have one name",
                record.target
            );
        }
        let is_known =
            record.exit_code.is_some() || !record.stdout.is_empty() || !record.stderr.is_empty();
        for (stream, text, is_cut) in [
            ("stdout", &record.stdout, record.truncated.stdout),
            ("stderr", &record.stderr, record.truncated.stderr),
        ] {
            let whole = self.directory.join(format!("{name}.{stream}"));
            let cut = self.directory.join(format!("{name}.{stream}.cut"));
            self.n_cut += usize::from(is_known && is_cut);
            for (path, is_this) in [(whole, !is_cut), (cut, is_cut)] {
                match is_known && is_this {
                    true => self.replace(&path, text.as_bytes()),
                    false => absent(fs::remove_file(&path)),
                }
                .with_context(|| format!("write {}", path.display()))?;
            }
        }
        Ok(())
    }

    /// Returns a note of outputs that are not there whole.
    pub(crate) fn note(&self) -> Option<String> {
        let n_cut = cli::count(self.n_cut, "output");
        (self.n_cut > 0).then(|| {
            format!(
                "{n_cut} cut by Run Command: the beginning is in {}/ID.stdout.cut or ID.stderr.cut; --output-s3 or --output-log-group keeps all of it",
                self.directory.display()
            )
        })
    }

    /// A rename takes the place of a link, and never writes through one.
    fn replace(&self, path: &Path, content: &[u8]) -> std::io::Result<()> {
        let temporary = self.temporary("output");
        create(&temporary, content)
            .and_then(|()| fs::rename(&temporary, path))
            .inspect_err(|_| drop(fs::remove_file(&temporary)))
    }

    fn temporary(&self, what: &str) -> PathBuf {
        self.directory
            .join(format!(".ssm-run.{what}.{}", std::process::id()))
    }
}

/// Writes a file that is not there yet, nor a link of its name.
fn create(path: &Path, content: &[u8]) -> std::io::Result<()> {
    // What a run of the same number left that was killed.
    absent(fs::remove_file(path))?;
    let mut options = OpenOptions::new();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)
}

fn absent(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
