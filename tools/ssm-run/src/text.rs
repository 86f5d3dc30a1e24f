//! Records as text, for people at a terminal. Scripts read the JSON; this layout may change. Pure.

use records::{Command, Invocation};

/// Returns the line about a command.
pub(crate) fn sent(command: &Command) -> String {
    let n_nodes = match command.n_nodes {
        Some(n_nodes) => cli::count(n_nodes, "node"),
        None => "nodes that SSM chooses".to_owned(),
    };
    let (target, id) = (&command.target, &command.command_id);
    format!("sent {} [{target}] to {n_nodes}: {id}", command.document)
}

/// What became of many nodes: those of which the same is to be said are one.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// Status and output, with the nodes, in the order in which the first of each came.
    groups: Vec<(String, Vec<String>, String)>,
}

/// Nodes that are named where more are alike.
const N_NAMED: usize = 8;

impl Folded {
    /// Takes what became of one node.
    pub(crate) fn add(&mut self, record: &Invocation) {
        let (status, below) = (status(record), below(record));
        let like = |(one, _, output): &&mut (String, Vec<String>, String)| {
            *one == status && *output == below
        };
        match self.groups.iter_mut().find(like) {
            Some((_, nodes, _)) => nodes.push(node(record)),
            None => self.groups.push((status, vec![node(record)], below)),
        }
    }

    /// Returns the groups, the one with the fewest nodes last: it is what somebody looks for.
    pub(crate) fn texts(mut self) -> Vec<String> {
        self.groups
            .sort_by_key(|(_, nodes, _)| std::cmp::Reverse(nodes.len()));
        let texts = self.groups.iter().map(|(status, nodes, below)| {
            let named = nodes.iter().take(N_NAMED).map(String::as_str);
            let named = named.collect::<Vec<_>>().join(", ");
            let head = match nodes.len() {
                1 => format!("{named}: {status}"),
                n if n <= N_NAMED => format!("{n} nodes: {status}: {named}"),
                n => format!("{n} nodes: {status}: {named} and {} more", n - N_NAMED),
            };
            format!("{}{below}", plain(&head))
        });
        texts.collect()
    }
}

/// Returns what became of the command on one node, with its output below.
pub(crate) fn row(record: &Invocation) -> String {
    let head = plain(&format!("{}: {}", node(record), status(record)));
    format!("{head}{}", below(record))
}

fn node(record: &Invocation) -> String {
    let name = record.name.as_deref().map(|name| format!(" {name}"));
    let name = name.unwrap_or_default();
    format!("{} [{}]{name}", record.instance_id, record.target)
}

fn status(record: &Invocation) -> String {
    match (&record.status_details, record.exit_code) {
        (_, Some(code)) if code != 0 => format!("{} {code}", record.status),
        (Some(details), _) if *details != record.status => {
            format!("{} ({details})", record.status)
        }
        _ => record.status.clone(),
    }
}

/// Returns the lines below the head, each behind a line break.
fn below(record: &Invocation) -> String {
    let mut lines = vec![String::new()];
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
    fn like_outputs_are_one() {
        let target: Target = "111122223333/us-east-1".parse().unwrap();
        let reason = Reason::new("run.wave.interrupted", "why", "what to do");
        let mut folded = super::Folded::default();
        for (number, output) in ["a", "b", "a", "a"].into_iter().enumerate() {
            let id = format!("i-{number}");
            let reason = reason.clone();
            let mut record =
                Invocation::without_command(&target, &id, None, Absence::NotSent, reason);
            record.stdout = output.to_owned();
            folded.add(&record);
        }
        let below = "\n    run.wave.interrupted: why\n    fix: what to do";
        let place = "[111122223333/us-east-1]";
        let expected = [
            format!("3 nodes: NotSent: i-0 {place}, i-2 {place}, i-3 {place}\n    a{below}"),
            format!("i-1 {place}: NotSent\n    b{below}"),
        ];
        assert_eq!(folded.texts(), expected);
        let mut many = super::Folded::default();
        for number in 0..20 {
            let id = format!("i-{number}");
            many.add(&Invocation::without_command(
                &target,
                &id,
                None,
                Absence::NotSent,
                reason.clone(),
            ));
        }
        assert!(many.texts()[0].contains("i-7 [111122223333/us-east-1] and 12 more\n"));
    }

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
