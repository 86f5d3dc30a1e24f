//! `--generate`: what a packager, a shell or an editor needs of a tool. It needs no verb; `VERB --generate man` prints the page of
//! one verb, `VERB --generate example` a file that only it reads.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{Args as _, FromArgMatches, ValueEnum};
use clap_complete::Shell;
use records::Schemas;
use serde_json::Value;

use crate::permissions::{Permissions, Scope};
use crate::stdout::write;
use crate::{IoArgs, completion, example, manual, status};

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
    let scope = match scope(&tool, request, &schemas) {
        Ok(scope) => scope,
        Err(error) => return status::printed(&tool, &error),
    };
    let text = text(command, &tool, request, &scope, (schemas, permissions));
    let printed = text.and_then(|text| {
        write(&text)?;
        Ok(crate::Outcome::Fine)
    });
    crate::finish(&tool, printed)
}

fn text(
    command: clap::Command,
    tool: &str,
    request: &Request,
    scope: &Scope,
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
            serde_json::to_writer_pretty(&mut text, &policy(&command, scope, permissions)?)?;
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

/// Returns what the flags behind `--generate policy` ask for; nothing for what has none.
fn scope(tool: &str, request: &Request, schemas: &Schemas) -> Result<Scope, clap::Error> {
    if Artefact::from_str(&request.artefact, false) != Ok(Artefact::Policy) {
        return Ok(Scope::default());
    }
    let verb = request.verb.as_deref();
    let name = verb.map_or(tool.to_owned(), |verb| format!("{tool} {verb}"));
    let flags = clap::Command::new("policy").no_binary_name(true);
    let flags = Scope::augment_args(flags)
        .bin_name(format!("{name} --generate policy"))
        .about("Print the IAM policy that a tool or a verb needs")
        .mut_arg("verb", |flag| flag.hide(verb.is_some()))
        .mut_arg("file", |flag| flag.hide(schemas.example.is_none()));
    let matches = flags.try_get_matches_from(&request.flags)?;
    let scope = Scope::from_arg_matches(&matches)?;
    Ok(match verb {
        Some(verb) => scope.of_verb(verb),
        None => scope,
    })
}

/// Returns the policy that the flags behind `--generate policy` ask for.
fn policy(
    command: &clap::Command,
    scope: &Scope,
    permissions: Permissions,
) -> anyhow::Result<Value> {
    // One file: layers would name what is only in some accounts.
    let read = |path| (permissions.names)(&IoArgs::of_file(path));
    let names = scope.file.as_deref().map(read).transpose()?;
    let has_verb = |verb: &str| {
        command.find_subcommand(verb).is_some()
            || permissions.writes.contains(&verb)
            || permissions.reads.contains(&verb)
    };
    permissions.policy(scope, names.unwrap_or_default(), has_verb)
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
