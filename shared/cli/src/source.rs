//! Where an input comes from: stdin, a file, or all files of a directory; its text, and its name for people.

use std::io::{ErrorKind, IsTerminal, Read};
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::IoArgs;
use crate::encoding::utf8;
use crate::mistakes::{MAX_BYTES, tool_of};

/// Returns whether the input is a file, by `-f` or behind stdin.
pub(crate) fn is_file(file: Option<&Path>) -> bool {
    let is_named = file.is_some_and(|file| file.as_os_str() != "-");
    let is_stdin_file =
        || std::fs::metadata("/dev/stdin").is_ok_and(|stdin| stdin.file_type().is_file());
    is_named || is_stdin_file()
}

/// Returns the texts of files, and of the JSON files of directories, with their names for people, or that of `-f` or stdin when none is named. They need not be
/// JSON: linters say what is wrong with them.
///
/// # Errors
/// A terminal as stdin, an unreadable file.
pub fn read_texts(
    files: &[PathBuf],
    io: &IoArgs,
    what: &str,
) -> anyhow::Result<Vec<(String, String)>> {
    if files.is_empty() {
        let text = text(io, what).with_context(|| format!("read {what} from {}", source(io)))?;
        return Ok(vec![(source(io), text)]);
    }
    let mut texts = Vec::new();
    for file in files {
        let files = match file.is_dir() {
            true => {
                json_files(file).with_context(|| format!("read {what} from {}", file.display()))?
            }
            false => vec![file.clone()],
        };
        for file in files {
            let io = IoArgs::of_file(&file);
            let text =
                text(&io, what).with_context(|| format!("read {what} from {}", source(&io)))?;
            texts.push((source(&io), text));
        }
    }
    Ok(texts)
}

/// Returns the JSON files of a directory in the order of their names.
///
/// # Errors
/// It cannot be read, or has none.
pub(crate) fn json_files(directory: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let is_json = |path: &Path| {
        let extension = path.extension();
        extension.is_some_and(|extension| extension == "json" || extension == "jsonc")
    };
    let entries = std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path()));
    let paths = entries.filter(|path| path.as_ref().map_or(true, |path| is_json(path)));
    let mut paths = paths.collect::<std::io::Result<Vec<_>>>()?;
    paths.sort();
    anyhow::ensure!(
        !paths.is_empty(),
        "there is no file in it whose name ends in .json"
    );
    Ok(paths)
}

/// Returns the text of the input, which people call `what`.
pub(crate) fn text(io: &IoArgs, what: &str) -> anyhow::Result<String> {
    match io.path() {
        Some(path) => whole(opened(path, what)?),
        None if std::io::stdin().is_terminal() => bail!(match tool_of(what) {
            Some(tool) => format!(
                "no input: pass -f FILE, a desired state, of which `{tool} --generate example` prints an example"
            ),
            None => "no input: pipe JSON in or pass -f FILE".to_owned(),
        }),
        None => whole(std::io::stdin().lock()),
    }
}

/// Opens a file; the error of one that does not exist says what can be named.
fn opened(path: &Path, what: &str) -> anyhow::Result<std::fs::File> {
    std::fs::File::open(path).map_err(|error| match (error.kind(), tool_of(what)) {
        (ErrorKind::NotFound, Some(tool)) => anyhow::anyhow!(
            "{error}: name a file that exists; `{tool} --generate example` prints one"
        ),
        (ErrorKind::NotFound, None) => anyhow::anyhow!("{error}: name a file that exists"),
        _ => error.into(),
    })
}

/// Returns whether nothing is piped in, and no file is named: whoever types does not know that an input is missing.
#[must_use]
pub fn is_missing(file: Option<&Path>) -> bool {
    file.is_none_or(|file| file.as_os_str() == "-") && std::io::stdin().is_terminal()
}

/// Fails where nothing is piped in and no file is named: `cure` says to people what to do, and `what` what is read.
///
/// # Errors
/// As it says.
pub fn expect_input(file: Option<&Path>, what: &str, cure: &str) -> anyhow::Result<()> {
    anyhow::ensure!(
        !is_missing(file),
        "read {what} from stdin: no input: {cure}"
    );
    Ok(())
}

/// Returns the text of stdin, and an empty desired state where stdin is a terminal or a device such as /dev/null. An empty pipe may be
/// a command that has failed: nothing takes it for a desired state.
pub(crate) fn text_or_default(io: &IoArgs, what: &str) -> anyhow::Result<String> {
    if !std::io::stdin().is_terminal() {
        let action = || format!("read {what} from {}", source(io));
        let text = text(io, what).with_context(action)?;
        if !text.trim().is_empty() {
            return Ok(text);
        }
        if !is_device() {
            return Err(anyhow::anyhow!("the input is empty").context(action()));
        }
    }
    crate::warn("no desired state given: using the defaults; --generate example prints one");
    Ok("{}".to_owned())
}

/// Returns whether stdin is a character device: nobody meant to pipe anything in.
fn is_device() -> bool {
    let stdin = std::fs::metadata("/dev/stdin");
    stdin.is_ok_and(|stdin| stdin.file_type().is_char_device())
}

fn whole(source: impl Read) -> anyhow::Result<String> {
    let mut text = String::new();
    utf8(source)?
        .take(MAX_BYTES as u64 + 1)
        .read_to_string(&mut text)?;
    if text.len() > MAX_BYTES {
        bail!("it has more than 64 MiB; many plans are one a line, and can be passed in parts");
    }
    Ok(text)
}

pub(crate) fn source(io: &IoArgs) -> String {
    match io.path() {
        Some(path) => path.display().to_string(),
        None => "stdin".to_owned(),
    }
}

/// Returns whether what was read is a file, which is still there when the run has ended.
pub(crate) fn is_kept(file: Option<&Path>) -> bool {
    let file = file.filter(|file| file.as_os_str() != "-");
    let path = file.unwrap_or(Path::new("/dev/stdin"));
    // A shell's here-document is a file whose name is gone.
    std::fs::metadata(path).is_ok_and(|kept| kept.is_file() && kept.nlink() > 0)
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_input_of_more_than_the_cap_is_refused() {
        let endless = std::io::repeat(b' ');
        let complaint = format!("{:#}", super::whole(endless).unwrap_err());
        assert!(
            complaint.starts_with("it has more than 64 MiB"),
            "{complaint}"
        );
        assert_eq!(super::whole(&b" {}"[..]).unwrap(), " {}");
    }
}
