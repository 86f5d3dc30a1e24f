//! The flags every tool has, and `--generate`, which prints what a packager or an editor needs.
//! Parsing records and validates; nothing here reads stdin or the network.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, ValueEnum};
use records::Schemas;

/// Input and output flags, the same in every tool.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Input and output")]
pub struct IoArgs {
    /// Read the input from FILE instead of stdin; a desired state may be a directory of layers
    #[arg(short, long, value_name = "FILE", global = true)]
    pub file: Option<PathBuf>,

    /// Print records as JSON lines or as text [default: text on a terminal, else json]
    #[arg(short, long, value_name = "FORMAT", global = true)]
    pub output: Option<Format>,

    /// Pass every record through a jq filter
    #[arg(long, value_name = "FILTER", global = true)]
    pub jq: Option<String>,

    /// Print strings that the jq filter yields without quotes
    #[arg(short, long, requires = "jq", global = true)]
    pub raw: bool,

    /// Print no notes and warnings on stderr
    #[arg(short, long, global = true)]
    pub quiet: bool,
}

impl IoArgs {
    /// Returns flags that read from another file than `-f` names; `-` is stdin.
    #[must_use]
    pub fn of_file(path: &std::path::Path) -> IoArgs {
        IoArgs {
            file: Some(path.to_owned()),
            output: None,
            jq: None,
            raw: false,
            quiet: false,
        }
    }
}

/// How `apply` goes about its plans.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
#[group(id = "how")]
pub struct ApplyArgs {
    /// Write nothing: print the result, with its undo, of an earlier run of the same plans that was killed
    #[arg(long)]
    pub recover: bool,
}

/// How records are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// One JSON value per line
    Json,
    /// Text for people
    Text,
}

#[derive(Clone, Copy, ValueEnum)]
enum Artefact {
    Man,
    Bash,
    Zsh,
    Fish,
    Schema,
}

/// Returns the parsed arguments, or the exit status when clap or `--generate` has already printed what was asked for.
///
/// `--generate` is looked at before clap sees the rest, because it needs no verb.
pub fn arguments<A: Parser>(schemas: Schemas) -> Result<A, ExitCode> {
    let arguments: Vec<_> = std::env::args_os().collect();
    let first = arguments
        .get(1)
        .and_then(|argument| argument.to_str())
        .unwrap_or_default();
    let wanted = match first.strip_prefix("--generate") {
        Some("") => Some(
            arguments
                .get(2)
                .map(|value| value.to_string_lossy().into_owned())
                .unwrap_or_default(),
        ),
        Some(rest) => rest.strip_prefix('=').map(str::to_owned),
        None => None,
    };
    match wanted {
        Some(name) => Err(generate(command::<A>(), &name, schemas)),
        None => {
            let parsed = command::<A>()
                .try_get_matches_from(arguments)
                .and_then(|m| A::from_arg_matches(&m));
            parsed.map_err(|error| {
                let status = u8::try_from(error.exit_code()).unwrap_or(2);
                // Help goes to stdout, errors to stderr; a closed pipe on either leaves nobody to tell.
                let _ = error.print();
                ExitCode::from(status)
            })
        }
    }
}

fn command<A: CommandFactory>() -> clap::Command {
    A::command().arg(
        clap::Arg::new("generate")
            .long("generate")
            .value_name("WHAT")
            .value_parser(clap::builder::EnumValueParser::<Artefact>::new())
            .help("Print a man page, shell completions or the JSON Schema of all records")
            .exclusive(true),
    )
}

fn generate(mut command: clap::Command, name: &str, schemas: Schemas) -> ExitCode {
    let tool = command.get_name().to_owned();
    let Ok(artefact) = Artefact::from_str(name, false) else {
        crate::print_error(
            &tool,
            &format!("--generate '{name}': expected man, bash, zsh, fish or schema"),
        );
        return ExitCode::from(2);
    };
    let mut text = Vec::new();
    let made = match artefact {
        Artefact::Man => clap_mangen::Man::new(command).render(&mut text),
        Artefact::Schema => schema(&tool, schemas, &mut text),
        Artefact::Bash => complete(clap_complete::Shell::Bash, &mut command, &tool, &mut text),
        Artefact::Zsh => complete(clap_complete::Shell::Zsh, &mut command, &tool, &mut text),
        Artefact::Fish => complete(clap_complete::Shell::Fish, &mut command, &tool, &mut text),
    };
    let printed = made.and_then(|()| std::io::stdout().lock().write_all(&text));
    crate::finish(
        &tool,
        printed
            .map(|()| crate::Outcome::Fine)
            .map_err(anyhow::Error::from),
    )
}

fn complete(
    shell: clap_complete::Shell,
    command: &mut clap::Command,
    tool: &str,
    text: &mut Vec<u8>,
) -> std::io::Result<()> {
    clap_complete::generate(shell, command, tool, text);
    Ok(())
}

fn schema(tool: &str, schemas: Schemas, text: &mut Vec<u8>) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut *text, &schemas.document(tool))?;
    text.push(b'\n');
    Ok(())
}
