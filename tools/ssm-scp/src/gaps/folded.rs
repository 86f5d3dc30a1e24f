//! Gaps as people read them: one entry for all that a way leads to, as long as the same closes it. Pure.

use std::collections::BTreeSet;

use cli::{Below, Block, Tone};

use super::{Gap, Openness};

/// What a way leads to, as far as it is named where it is more.
const MOST_NAMED: usize = 3;

/// Gaps of one way with one answer and one cure.
#[derive(Clone, Debug)]
pub(crate) struct Folded<'g> {
    pub(crate) first: &'g Gap,
    leads_to: Vec<&'g str>,
    actions: Vec<&'g str>,
    accounts: BTreeSet<&'g str>,
}

/// Returns gaps by way, in the order of the first of each.
pub(crate) fn folded(gaps: &[Gap]) -> Vec<Folded<'_>> {
    let mut folded: Vec<Folded<'_>> = Vec::new();
    for gap in gaps {
        let is_like = |one: &&mut Folded<'_>| {
            let first = one.first;
            (first.answer, &first.gap, &first.cure) == (gap.answer, &gap.gap, &gap.cure)
        };
        match folded.iter_mut().find(is_like) {
            Some(like) => like.add(gap),
            None => {
                let mut new = Folded {
                    first: gap,
                    leads_to: Vec::new(),
                    actions: Vec::new(),
                    accounts: BTreeSet::new(),
                };
                new.add(gap);
                folded.push(new);
            }
        }
    }
    folded
}

/// Returns how many ways there are, in a line: `5 ways open, 1 unknown`.
pub(crate) fn summary(gaps: &[Gap]) -> String {
    let ways = |answer| {
        let of_answer = gaps.iter().filter(move |gap| gap.answer == answer);
        let names = of_answer.map(|gap| gap.gap.as_str());
        names.collect::<BTreeSet<&str>>()
    };
    let open = ways(Openness::Open);
    let n_unknown = ways(Openness::Unknown).difference(&open).count();
    let open = cli::count(open.len(), "way");
    match n_unknown {
        0 => format!("{open} open"),
        n => format!("{open} open, {n} unknown"),
    }
}

impl<'g> Folded<'g> {
    fn add(&mut self, gap: &'g Gap) {
        add(&mut self.leads_to, &gap.leads_to);
        gap.actions
            .iter()
            .for_each(|action| add(&mut self.actions, action));
        self.accounts
            .extend(gap.accounts.iter().map(String::as_str));
    }

    /// Returns the text of the entry.
    pub(crate) fn block(&self) -> Block {
        let (answer, tone) = match self.first.answer {
            Openness::Open => ("open", Tone::Bad),
            Openness::Unknown => ("unknown", Tone::Doubtful),
        };
        let accounts: Vec<&str> = self.accounts.iter().copied().collect();
        let whose = match accounts.as_slice() {
            [] => String::new(),
            accounts => format!(" in {}", few(accounts, 2, ", ")),
        };
        Block {
            tone: Some(tone),
            head: format!(
                "{answer:<7} {}{whose}: {}",
                self.first.gap,
                few(&self.leads_to, MOST_NAMED, "; ")
            ),
            below: vec![
                Below::Text(format!("by {}", few(&self.actions, MOST_NAMED, ", "))),
                Below::Text(format!("fix: {}", self.first.cure)),
            ],
        }
    }
}

fn add<'g>(texts: &mut Vec<&'g str>, text: &'g str) {
    if !texts.contains(&text) {
        texts.push(text);
    }
}

/// Returns the first texts, and how many more there are.
fn few(texts: &[&str], most: usize, between: &str) -> String {
    match texts.get(most..) {
        Some(others) if !others.is_empty() => {
            let named = texts[..most].join(between);
            format!("{named} and {} more", others.len())
        }
        _ => texts.join(between),
    }
}

#[cfg(test)]
mod tests {
    use cli::Below;

    use super::super::GapKind;
    use super::{Gap, Openness, folded, summary};

    fn gap(way: &str, answer: Openness, leads_to: &str, account: &str) -> Gap {
        Gap {
            kind: GapKind::Gap,
            gap: way.to_owned(),
            answer,
            actions: vec![format!("ssm:{leads_to}")],
            leads_to: leads_to.to_owned(),
            accounts: vec![account.to_owned()],
            cure: format!("add {way}"),
            source: String::new(),
        }
    }

    #[test]
    fn a_way_is_one_entry_and_the_same_action_is_there_once() {
        let (open, unknown) = (Openness::Open, Openness::Unknown);
        let gaps = [
            gap("volumes", open, "A", "2"),
            gap("commands", open, "X", "1"),
            gap("volumes", open, "A", "1"),
            gap("volumes", open, "B", "3"),
            gap("volumes", unknown, "C", "1"),
            gap("volumes", open, "D", "3"),
            gap("volumes", open, "E", "3"),
            gap("sessions", unknown, "Y", "1"),
        ];
        let folded = folded(&gaps);
        let heads: Vec<String> = folded.iter().map(|one| one.block().head).collect();
        let expected = [
            "open    volumes in 1, 2 and 1 more: A; B; D and 1 more",
            "open    commands in 1: X",
            "unknown volumes in 1: C",
            "unknown sessions in 1: Y",
        ];
        assert_eq!(heads, expected);
        let below = ["by ssm:A, ssm:B, ssm:D and 1 more", "fix: add volumes"];
        let below = below.map(|text| Below::Text(text.to_owned()));
        assert_eq!(folded[0].block().below, below);
        assert_eq!(summary(&gaps), "2 ways open, 1 unknown");
        assert_eq!(summary(&gaps[..1]), "1 way open");
        assert_eq!(summary(&[]), "0 ways open");
    }
}
