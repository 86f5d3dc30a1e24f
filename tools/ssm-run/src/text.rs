//! Records as text, for people at a terminal. Scripts read the JSON; this layout may change. Pure.

use records::{Command, Invocation};

/// Returns the line that tells of a command.
pub(crate) fn sent(command: &Command) -> String {
    let n_nodes = match command.n_nodes {
        Some(n_nodes) => cli::count(n_nodes, "node"),
        None => "nodes that SSM chooses".to_owned(),
    };
    let (target, id) = (&command.target, &command.command_id);
    format!("sent {} [{target}] to {n_nodes}: {id}", command.document)
}

/// Returns what became of the command on one node, with its output below.
pub(crate) fn row(record: &Invocation) -> String {
    let name = record.name.as_deref().map(|name| format!(" {name}"));
    let status = match (&record.status_details, record.exit_code) {
        (_, Some(code)) if code != 0 => format!("{} {code}", record.status),
        (Some(details), _) if *details != record.status => {
            format!("{} ({details})", record.status)
        }
        _ => record.status.clone(),
    };
    let mut lines = vec![plain(&format!(
        "{} [{}]{}: {status}",
        record.instance_id,
        record.target,
        name.unwrap_or_default()
    ))];
    let has_more = |is_cut: bool| is_cut.then(|| "    .. there is more".to_owned());
    lines.extend(
        record
            .stdout
            .lines()
            .map(|line| format!("    {}", plain(line))),
    );
    lines.extend(has_more(record.truncated.stdout));
    lines.extend(
        record
            .stderr
            .lines()
            .map(|line| format!("  ! {}", plain(line))),
    );
    lines.extend(has_more(record.truncated.stderr));
    if let Some(reason) = &record.reason {
        lines.push(plain(&format!("    {}: {}", reason.id, reason.message)));
        lines.push(plain(&format!("    fix: {}", reason.fix)));
    }
    lines.join("\n")
}

/// What a node prints may hold a terminal escape; its tabs are taken as they are.
fn plain(text: &str) -> String {
    cli::visible_lines(text).into_owned()
}

#[cfg(test)]
mod tests {
    use cli::Target;

    use super::row;
    use records::{Absence, Invocation, Reason};

    #[test]
    fn shows_both_outputs_and_no_escapes() {
        let target = Target {
            account: "111122223333".to_owned(),
            region: "us-east-1".to_owned(),
        };
        let reason = Reason::new("run.wave.interrupted", "why", "what to do");
        let mut record =
            Invocation::without_command(&target, "i-1", Some("web"), Absence::NotSent, reason);
        record.stdout = "a\u{1b}[2J\tb\n".to_owned();
        record.stderr = "c".to_owned();
        record.truncated.stdout = true;
        let expected = "i-1 [111122223333/us-east-1] web: NotSent\n    a\\u{1b}[2J\tb\n    .. there is more\n  ! c\n    \
                        run.wave.interrupted: why\n    fix: what to do";
        assert_eq!(row(&record), expected);
    }
}
