//! `--generate`: what a packager, a shell or an editor needs of a tool. It needs no verb; `VERB --generate man` prints the page of
//! one verb.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ValueEnum;
use clap_complete::Shell;
use records::Schemas;

use crate::stdout::write;
use crate::{completion, example, manual};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Artefact {
    Man,
    Bash,
    Zsh,
    Fish,
    Schema,
    Example,
}

/// What `--generate` is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The verb in front of it.
    verb: Option<String>,
    /// What is behind it.
    artefact: String,
}

/// Returns what is asked for, when `--generate` is the first argument, or the second after a verb.
pub(crate) fn request(arguments: &[OsString]) -> Option<Request> {
    let text = |index: usize| arguments.get(index).and_then(|one| one.to_str());
    let at = |index: usize| {
        let rest = text(index)?.strip_prefix("--generate")?;
        match rest {
            "" => Some(text(index + 1).unwrap_or_default().to_owned()),
            _ => rest.strip_prefix('=').map(str::to_owned),
        }
    };
    if let Some(artefact) = at(1) {
        return Some(Request {
            verb: None,
            artefact,
        });
    }
    let verb = text(1).filter(|verb| !verb.starts_with('-'))?.to_owned();
    Some(Request {
        verb: Some(verb),
        artefact: at(2)?,
    })
}

/// Prints what is asked for.
pub(crate) fn run(command: clap::Command, request: &Request, schemas: Schemas) -> ExitCode {
    let tool = command.get_name().to_owned();
    let printed = text(command, &tool, request, schemas).and_then(|text| {
        write(&text)?;
        Ok(crate::Outcome::Fine)
    });
    crate::finish(&tool, printed)
}

fn text(
    command: clap::Command,
    tool: &str,
    request: &Request,
    schemas: Schemas,
) -> anyhow::Result<Vec<u8>> {
    let Ok(artefact) = Artefact::from_str(&request.artefact, false) else {
        anyhow::bail!(
            "--generate '{}': expected man, bash, zsh, fish, schema or example",
            request.artefact
        );
    };
    anyhow::ensure!(
        request.verb.is_none() || artefact == Artefact::Man,
        "--generate {}: one for all verbs; leave the verb out",
        request.artefact
    );
    let mut text = Vec::new();
    match artefact {
        Artefact::Man => manual::render(command, request.verb.as_deref(), &mut text)?,
        Artefact::Schema => {
            serde_json::to_writer_pretty(&mut text, &schemas.document(tool))?;
            text.push(b'\n');
        }
        Artefact::Example => {
            let Some(example) = schemas.example else {
                anyhow::bail!("--generate example: {tool} has no desired state");
            };
            let values = serde_json::from_str(example)?;
            text = example::render(&schemas.document(tool), &values).into_bytes();
        }
        Artefact::Bash => text = completion::script(command, tool, Shell::Bash)?.into_bytes(),
        Artefact::Zsh => text = completion::script(command, tool, Shell::Zsh)?.into_bytes(),
        Artefact::Fish => text = completion::script(command, tool, Shell::Fish)?.into_bytes(),
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::{Request, request};

    #[test]
    fn generate_comes_first_or_after_a_verb() {
        let of = |line: &str| {
            let arguments: Vec<_> = line.split(' ').map(Into::into).collect();
            request(&arguments).map(|Request { verb, artefact }| (verb, artefact))
        };
        let whole = |artefact: &str| Some((None, artefact.to_owned()));
        assert_eq!(of("ssm-x --generate man"), whole("man"));
        assert_eq!(of("ssm-x --generate=man"), whole("man"));
        assert_eq!(of("ssm-x --generate"), whole(""));
        let of_verb = Some((Some("check".to_owned()), "man".to_owned()));
        assert_eq!(of("ssm-x check --generate man"), of_verb);
        assert_eq!(of("ssm-x check --generate=man"), of_verb);
        for other in [
            "ssm-x",
            "ssm-x check",
            "ssm-x check -f --generate",
            "ssm-x --generated man",
        ] {
            assert_eq!(of(other), None, "{other}");
        }
    }
}
