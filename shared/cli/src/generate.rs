//! `--generate`: what a packager, a shell or an editor needs of a tool. It needs no verb; `VERB --generate man` prints the page of
//! one verb, `VERB --generate example` a file that only it reads.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::ValueEnum;
use clap::{Args as _, FromArgMatches};
use clap_complete::Shell;
use records::Schemas;
use serde_json::Value;

use crate::permissions::{Permissions, Scope};
use crate::stdout::write;
use crate::{IoArgs, completion, example, manual};

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Artefact {
    Man,
    Bash,
    Zsh,
    Fish,
    Schema,
    Example,
    Policy,
    Permissions,
}

/// What `--generate` is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Request {
    /// The verb in front of it.
    verb: Option<String>,
    /// What is behind it.
    artefact: String,
    /// The flags behind that.
    flags: Vec<OsString>,
}

/// Returns what is asked for, when `--generate` is the first argument, or the second after a verb.
pub(crate) fn request(arguments: &[OsString]) -> Option<Request> {
    let text = |index: usize| arguments.get(index).and_then(|one| one.to_str());
    let at = |index: usize, verb: Option<&str>| {
        let rest = text(index)?.strip_prefix("--generate")?;
        let (artefact, next) = match rest {
            "" => (text(index + 1).unwrap_or_default(), index + 2),
            _ => (rest.strip_prefix('=')?, index + 1),
        };
        Some(Request {
            verb: verb.map(str::to_owned),
            artefact: artefact.to_owned(),
            flags: arguments.get(next..).unwrap_or_default().to_vec(),
        })
    };
    let of_verb = || {
        let verb = text(1).filter(|verb| !verb.starts_with('-'))?;
        at(2, Some(verb))
    };
    at(1, None).or_else(of_verb)
}

/// Prints what is asked for.
pub(crate) fn run(
    command: clap::Command,
    request: &Request,
    (schemas, permissions): (Schemas, Permissions),
) -> ExitCode {
    let tool = command.get_name().to_owned();
    let printed = text(command, &tool, request, (schemas, permissions)).and_then(|text| {
        write(&text)?;
        Ok(crate::Outcome::Fine)
    });
    crate::finish(&tool, printed)
}

fn text(
    command: clap::Command,
    tool: &str,
    request: &Request,
    (schemas, permissions): (Schemas, Permissions),
) -> anyhow::Result<Vec<u8>> {
    let Ok(artefact) = Artefact::from_str(&request.artefact, false) else {
        anyhow::bail!(
            "--generate '{}': expected man, bash, zsh, fish, schema, example, policy or permissions",
            request.artefact
        );
    };
    anyhow::ensure!(
        request.verb.is_none()
            || [Artefact::Man, Artefact::Policy, Artefact::Example].contains(&artefact),
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
        Artefact::Example if request.verb.is_some() => {
            let verb = request.verb.as_deref().unwrap_or_default();
            let Some((_, example)) = schemas.of_verbs.iter().find(|(of, _)| *of == verb) else {
                anyhow::bail!(
                    "--generate example: {verb} reads no file of its own; leave the verb out"
                );
            };
            text.extend_from_slice(example.as_bytes());
        }
        Artefact::Example => {
            let Some(example) = schemas.example else {
                anyhow::bail!("--generate example: {tool} has no desired state");
            };
            let values = serde_json::from_str(example)?;
            text = example::render(&schemas.document(tool), &values).into_bytes();
        }
        Artefact::Policy if permissions.grants.is_empty() => {
            anyhow::bail!("--generate policy: {tool} does not call AWS and needs no permission")
        }
        Artefact::Policy => {
            serde_json::to_writer_pretty(&mut text, &policy(&command, request, permissions)?)?;
            text.push(b'\n');
        }
        Artefact::Permissions => {
            for row in permissions.rows() {
                serde_json::to_writer(&mut text, &row)?;
                text.push(b'\n');
            }
        }
        Artefact::Bash => text = completion::script(command, tool, Shell::Bash)?.into_bytes(),
        Artefact::Zsh => text = completion::script(command, tool, Shell::Zsh)?.into_bytes(),
        Artefact::Fish => text = completion::script(command, tool, Shell::Fish)?.into_bytes(),
    }
    Ok(text)
}

/// Returns the policy that the flags behind `--generate policy` ask for.
fn policy(
    command: &clap::Command,
    request: &Request,
    permissions: Permissions,
) -> anyhow::Result<Value> {
    let flags = Scope::augment_args(clap::Command::new("--generate policy").no_binary_name(true));
    let scope = flags
        .try_get_matches_from(&request.flags)
        .and_then(|matches| Scope::from_arg_matches(&matches));
    let mut scope = scope.map_err(|error| anyhow::anyhow!("{}", error.to_string().trim_end()))?;
    if let Some(verb) = &request.verb {
        scope = scope.of_verb(verb);
    }
    // One file: layers would name what is only in some accounts.
    let read = |path| crate::read_desired(&IoArgs::of_file(path), "the desired state");
    let desired: Option<Value> = scope.file.as_deref().map(read).transpose()?;
    let has_verb = |verb: &str| {
        command.find_subcommand(verb).is_some()
            || permissions.writes.contains(&verb)
            || permissions.reads.contains(&verb)
    };
    permissions.policy(&scope, desired.as_ref(), has_verb)
}

#[cfg(test)]
mod tests {
    use super::request;

    #[test]
    fn generate_comes_first_or_after_a_verb() {
        let of = |line: &str| {
            let arguments: Vec<_> = line.split(' ').map(Into::into).collect();
            request(&arguments).map(|request| (request.verb, request.artefact))
        };
        let whole = |artefact: &str| Some((None, artefact.to_owned()));
        assert_eq!(of("ssm-x --generate man"), whole("man"));
        assert_eq!(of("ssm-x --generate=man"), whole("man"));
        assert_eq!(of("ssm-x --generate"), whole(""));
        let of_verb = Some((Some("check".to_owned()), "man".to_owned()));
        assert_eq!(of("ssm-x check --generate man"), of_verb);
        assert_eq!(of("ssm-x check --generate=man"), of_verb);
        let flags = ["ssm-x", "--generate=policy", "--for", "read"].map(Into::into);
        assert_eq!(request(&flags).unwrap().flags, ["--for", "read"]);
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
