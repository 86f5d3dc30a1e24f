//! Shell completions: those of clap, mended, the regions of AWS, and the profiles that only its config files have.

use clap_complete::Shell;

/// What completes them, in each shell: the profiles of both files, and the regions, those that the files name included. Bash expands
/// the words that it is given, so that nothing is taken that it would run.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html>
const NAMES: &str = r#"_ssm_profiles() {
    cat -- "${AWS_CONFIG_FILE:-$HOME/.aws/config}" "${AWS_SHARED_CREDENTIALS_FILE:-$HOME/.aws/credentials}" 2>/dev/null |
        sed -n -E 's/^[[:space:]]*\[(profile[[:space:]]+)?([A-Za-z0-9_.@:/+-]+)[[:space:]]*\].*/\2/p' | sort -u
}
_ssm_regions() {
    { echo all; printf '%s\n' "${AWS_REGION:-}" "${AWS_DEFAULT_REGION:-}" REGIONS
        sed -n -E 's/^[[:space:]]*region[[:space:]]*=[[:space:]]*([a-z0-9-]+).*/\1/p' \
            "${AWS_CONFIG_FILE:-$HOME/.aws/config}" 2>/dev/null
    } | sed '/^$/d' | sort -u
}
"#;

/// The same for fish, which runs what a POSIX shell would.
const FISH: &str = r#"function __ssm_names
    sh -c $argv[1] 2>/dev/null
end
"#;

fn names() -> String {
    NAMES.replace(" REGIONS\n", &format!(" {}\n", records::REGIONS.join(" ")))
}

/// Returns the completion of a tool.
pub(crate) fn script(
    mut command: clap::Command,
    tool: &str,
    shell: Shell,
) -> anyhow::Result<String> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut command, tool, &mut text);
    let script = String::from_utf8(text)?;
    Ok(match shell {
        Shell::Bash => bash(&with_reachable_states(&script, tool)),
        Shell::Zsh => zsh(&script),
        _ => fish(&script, tool),
    })
}

fn bash(script: &str) -> String {
    let mut named = format!("{}\n{script}", names());
    for (flag, names) in [("profile", "_ssm_profiles"), ("region", "_ssm_regions")] {
        let files =
            format!("--{flag})\n                    COMPREPLY=($(compgen -f \"${{cur}}\"))");
        let words = format!(
            "--{flag})\n                    COMPREPLY=($(compgen -W \"$({names})\" -- \"${{cur}}\"))"
        );
        named = named.replace(&files, &words);
    }
    named
}

fn zsh(script: &str) -> String {
    // The first line says what the script completes.
    let (head, rest) = script.split_once('\n').unwrap_or_default();
    let mut lines = vec![head.to_owned(), String::new(), names()];
    for line in rest.lines() {
        let line = match line {
            line if line.starts_with("'--profile=") => line.replace(
                ":NAME:_default'",
                ":NAME:{ compadd -- ${(f)\"$(_ssm_profiles)\"} }'",
            ),
            line if line.starts_with("'*--region=") => line.replace(
                ":REGION:_default'",
                ":REGION:{ compadd -- ${(f)\"$(_ssm_regions)\"} }'",
            ),
            line => line.to_owned(),
        };
        lines.push(line);
    }
    lines.join("\n") + "\n"
}

fn fish(script: &str, tool: &str) -> String {
    let quoted = |called: &str| {
        let text = format!("{}{called}", names());
        format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
    };
    let mut lines = vec![FISH.to_owned()];
    lines.push(format!("set -g __ssm_profiles {}", quoted("_ssm_profiles")));
    lines.push(format!("set -g __ssm_regions {}", quoted("_ssm_regions")));
    let mut has_flag = Vec::new();
    for line in script.lines() {
        let flag = ["profile", "region"]
            .into_iter()
            .find(|flag| line.contains(&format!(" -l {flag} ")) && line.ends_with(" -r"));
        lines.push(match flag {
            Some(flag) => {
                if !has_flag.contains(&flag) {
                    has_flag.push(flag);
                }
                format!("{line} {}", of_fish(flag))
            }
            None => line.to_owned(),
        });
    }
    // In front of the verb, clap's condition fails where a flag still has no value: `argparse` calls that an error.
    for flag in has_flag {
        lines.push(format!("complete -c {tool} -l {flag} -r {}", of_fish(flag)));
    }
    lines.join("\n") + "\n"
}

fn of_fish(flag: &str) -> String {
    format!("-f -a '(__ssm_names \"$__ssm_{flag}s\")'")
}

/// Returns a bash completion whose states are called alike where they are entered and where they are looked for: in a name with a
/// hyphen, clap_complete takes the part behind it for a verb in one of the two places.
/// <https://github.com/clap-rs/clap/issues/6421>
fn with_reachable_states(script: &str, tool: &str) -> String {
    let looked_for = tool.replace('-', "__subcmd__");
    script.replace(&looked_for, &tool.replace('-', "__"))
}
