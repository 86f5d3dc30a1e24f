//! Records as text, for people at a terminal. Scripts read the JSON; this layout may change. Pure.

use cli::{Below, Block, Tone};
use records::{Command, Invocation};

/// Returns the line for a command.
pub(crate) fn sent(command: &Command) -> Block {
    let n_nodes = match command.n_nodes {
        Some(n_nodes) => cli::count(n_nodes, "node"),
        None => "nodes that SSM chooses".to_owned(),
    };
    let (target, id) = (&command.target, &command.command_id);
    format!("sent {} [{target}] to {n_nodes}: {id}", command.document).into()
}

/// What became of many nodes: those of which the same is to be said are one.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// Status and output, with the nodes, in the order in which the first of each came.
    groups: Vec<Group>,
}

#[derive(Debug)]
struct Group {
    status: String,
    tone: Tone,
    nodes: Vec<String>,
    below: Vec<Below>,
}

/// Nodes that are named where more are alike.
const N_NAMED: usize = 8;

impl Folded {
    /// Takes what became of one node.
    pub(crate) fn add(&mut self, record: &Invocation) {
        let (status, below) = (status(record), below(record));
        let like = |group: &&mut Group| group.status == status && group.below == below;
        match self.groups.iter_mut().find(like) {
            Some(group) => group.nodes.push(node(record)),
            None => self.groups.push(Group {
                status,
                tone: tone(record),
                nodes: vec![node(record)],
                below,
            }),
        }
    }

    /// Returns the groups, the one with the fewest nodes last: it is what somebody looks for.
    pub(crate) fn blocks(mut self) -> Vec<Block> {
        self.groups
            .sort_by_key(|group| std::cmp::Reverse(group.nodes.len()));
        let blocks = self.groups.into_iter().map(|group| {
            let (nodes, status) = (&group.nodes, &group.status);
            let named = nodes.iter().take(N_NAMED).map(String::as_str);
            let named = named.collect::<Vec<_>>().join(", ");
            let head = match nodes.len() {
                1 => format!("{named}: {status}"),
                n if n <= N_NAMED => format!("{n} nodes: {status}: {named}"),
                n => format!("{n} nodes: {status}: {named} and {} more", n - N_NAMED),
            };
            Block {
                tone: Some(group.tone),
                head,
                below: group.below,
            }
        });
        blocks.collect()
    }
}

/// Returns what became of the command on one node, with its output below.
pub(crate) fn block(record: &Invocation) -> Block {
    Block {
        tone: Some(tone(record)),
        head: format!("{}: {}", node(record), status(record)),
        below: below(record),
    }
}

fn tone(record: &Invocation) -> Tone {
    match (record.status.as_str(), &record.reason) {
        ("Success", None) => Tone::Good,
        ("Success" | "NotSent" | "Skipped", _) => Tone::Doubtful,
        _ => Tone::Bad,
    }
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

/// Returns the lines below the head.
fn below(record: &Invocation) -> Vec<Below> {
    let mut lines = Vec::new();
    for (printed, sign, is_cut) in [
        (&record.stdout, "    ", record.truncated.stdout),
        (&record.stderr, "  ! ", record.truncated.stderr),
    ] {
        let printed = printed.lines();
        lines.extend(printed.map(|line| Below::Verbatim(format!("{sign}{line}"))));
        lines.extend(is_cut.then(|| Below::Verbatim("    .. there is more".to_owned())));
    }
    if let Some(reason) = &record.reason {
        lines.push(Below::Text(format!("{}: {}", reason.id, reason.message)));
        lines.push(Below::Text(format!("fix: {}", reason.fix)));
    }
    lines
}

#[cfg(test)]
mod tests {
    use cli::Target;

    use super::block;
    use cli::Below::{Text, Verbatim};
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
        let below = [
            Text("run.wave.interrupted: why".to_owned()),
            Text("fix: what to do".to_owned()),
        ];
        let place = "[111122223333/us-east-1]";
        let expected = [
            (
                format!("3 nodes: NotSent: i-0 {place}, i-2 {place}, i-3 {place}"),
                "    a",
            ),
            (format!("i-1 {place}: NotSent"), "    b"),
        ];
        let blocks = folded.blocks();
        assert_eq!(blocks.len(), expected.len());
        for (block, (head, printed)) in blocks.iter().zip(expected) {
            assert_eq!(block.head, head);
            assert_eq!(block.below[0], Verbatim(printed.to_owned()));
            assert_eq!(block.below[1..], below);
        }
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
        let head = &many.blocks()[0].head;
        assert!(head.ends_with("i-7 [111122223333/us-east-1] and 12 more"));
    }

    #[test]
    fn shows_both_outputs() {
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
        let block = block(&record);
        assert_eq!(block.head, "i-1 [111122223333/us-east-1] web: NotSent");
        let expected = [
            // Shown when it is printed.
            Verbatim("    a\u{1b}[2J\tb".to_owned()),
            Verbatim("    .. there is more".to_owned()),
            Verbatim("  ! c".to_owned()),
            Text("run.wave.interrupted: why".to_owned()),
            Text("fix: what to do".to_owned()),
        ];
        assert_eq!(block.below, expected);
    }
}
