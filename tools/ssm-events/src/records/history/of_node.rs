//! `--instance-id`, and calls without a node in them: who ends or resumes a session names the session, and who cancels a command the
//! command. Such a call is one on the node where its session or command began there, which another record says: here the lines of a
//! filter are matched, in the order in which they come.
//!
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_TerminateSession.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_ResumeSession.html>,
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_CancelCommand.html>

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};

use crate::records::history::SYSTEMS_MANAGER;
use crate::records::record::Event;

/// By which call something begins, and by which ones it is named later.
const BEGINNINGS: [(&str, &[&str]); 2] = [
    ("StartSession", &["ResumeSession", "TerminateSession"]),
    ("SendCommand", &["CancelCommand"]),
];
/// Beginnings that are kept in mind: with what waits they keep `history` below the 25 MB that it promises with any input.
const MOST_BEGUN: usize = 200_000;
/// Bytes of calls that wait for a beginning, with what each takes beside its text: log files have the beginning first, and of the event
/// history it is read first.
const MOST_WAITING: usize = 2 << 20;
const BESIDE: usize = 200;

/// How a line begins, before what the record is about, a tab and the record.
const PLAIN: char = '=';
const BEGUN_HERE: char = '+';
const BEGUN_ELSEWHERE: char = '-';
const NAMED: char = '?';

/// A node, and whether calls are asked for that name what began on it.
#[derive(Clone, Debug)]
pub(super) struct Node {
    id: String,
    has_names: bool,
}

impl Node {
    /// Returns the node, and how many beginnings it has put before the events: of these nothing is printed, but the calls that are
    /// asked for name them. Other beginnings come first as well, as the event history is read call by call.
    pub(super) fn new(id: &str, events: &mut Vec<(String, String)>) -> (Node, usize) {
        let is_asked = |name: &str| {
            let mut names = events.iter();
            events.is_empty() || names.any(|(of, called)| called == name && is_systems_manager(of))
        };
        let named = BEGINNINGS.iter().filter(|(_, names)| {
            let mut names = names.iter();
            names.any(|name| is_asked(name))
        });
        let named: Vec<&str> = named.map(|(beginning, _)| *beginning).collect();
        let added = named.iter().filter(|beginning| !is_asked(beginning));
        let added: Vec<_> = added
            .map(|name| (SYSTEMS_MANAGER.to_owned(), (*name).to_owned()))
            .collect();
        events.sort_by_key(|(_, name)| !named.contains(&name.as_str()));
        let n_added = added.len();
        events.splice(0..0, added);
        let node = Node {
            id: id.to_owned(),
            has_names: !named.is_empty(),
        };
        (node, n_added)
    }

    /// Returns texts one of which every record has that is looked at where every call is asked for.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        let names = BEGINNINGS
            .iter()
            .flat_map(|(beginning, names)| std::iter::once(beginning).chain(names.iter()));
        std::iter::once(self.id.as_str()).chain(names.copied())
    }

    /// Returns whether lines begin as [`OfNode`] reads them.
    pub(super) fn marks_lines(&self) -> bool {
        self.has_names
    }

    /// Returns whether a call has to be looked at though nobody asks for it.
    pub(super) fn is_beginning(&self, source: &str, name: &str) -> bool {
        self.has_names
            && source == SYSTEMS_MANAGER
            && BEGINNINGS.iter().any(|(beginning, _)| *beginning == name)
    }

    /// Returns whether a call names the node, which may be one of several values of a target.
    pub(super) fn is_in(&self, event: &Event) -> bool {
        let mut nodes = event.nodes.iter();
        nodes.any(|one| one.split(['=', ',']).any(|part| part == self.id))
    }

    /// Returns how the line of a record begins, and whether the record follows; `None` for what is not needed. `is_wanted` is whether
    /// it is asked for, apart from the node.
    pub(super) fn mark(&self, event: &Event, is_wanted: bool) -> Option<(String, bool)> {
        let is_here = self.is_in(event);
        let mark = |mark: char, key: &str| format!("{mark}{key}\t");
        if !self.has_names {
            return (is_wanted && is_here).then(|| (String::new(), true));
        }
        match Part::of(event) {
            Part::Begins(key) if is_here => Some((mark(BEGUN_HERE, &key), is_wanted)),
            Part::Begins(key) if !event.nodes.is_empty() => {
                Some((mark(BEGUN_ELSEWHERE, &key), false))
            }
            Part::Names(key) if event.nodes.is_empty() => {
                is_wanted.then(|| (mark(NAMED, &key), true))
            }
            _ => (is_wanted && is_here).then(|| (mark(PLAIN, ""), true)),
        }
    }
}

/// An empty source is any.
fn is_systems_manager(source: &str) -> bool {
    ["", SYSTEMS_MANAGER].contains(&source)
}

/// What a record is to others.
enum Part {
    Begins(String),
    Names(String),
    Neither,
}

impl Part {
    fn of(event: &Event) -> Part {
        let (of_session, of_command) = (&event.session_id, &event.command_id);
        for ((beginning, names), id) in BEGINNINGS.iter().zip([of_session, of_command]) {
            // Stores strip the answer, and the ID with it.
            if event.source != SYSTEMS_MANAGER || id.is_empty() {
                continue;
            }
            // The ID of a session is unique in its Region only.
            let key = || format!("{} {} {id}", event.account, event.region);
            if event.event == *beginning {
                return Part::Begins(key());
            }
            if names.contains(&event.event.as_str()) {
                return Part::Names(key());
            }
        }
        Part::Neither
    }
}

/// Takes from lines those that are calls on the node.
#[derive(Debug, Default)]
pub(crate) struct OfNode {
    hasher: RandomState,
    /// What began on the node.
    here: HashSet<u64>,
    elsewhere: HashSet<u64>,
    waiting: HashMap<u64, Vec<String>>,
    n_bytes: usize,
    n_lost: usize,
}

/// Calls of which it is not known whether they are on the node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Undecided {
    /// There is no record of the beginning.
    pub(crate) n_without_beginning: usize,
    /// There may be one, but they were too many to wait for it.
    pub(crate) n_lost: usize,
}

impl OfNode {
    /// Returns the records that are printed now: those that waited behind the one that they waited for.
    pub(crate) fn take(&mut self, lines: &str) -> String {
        let mut printed = String::with_capacity(lines.len());
        for line in lines.split_inclusive('\n') {
            let (head, record) = line.split_once('\t').unwrap_or(("", line));
            let mark = head.chars().next().unwrap_or(PLAIN);
            let key = self.hasher.hash_one(head.get(mark.len_utf8()..));
            // Of one that is not asked for nothing but the line's end is there.
            if record.len() > 1 && mark != NAMED {
                printed.push_str(record);
            }
            match mark {
                BEGUN_HERE | BEGUN_ELSEWHERE => {
                    let is_here = mark == BEGUN_HERE;
                    let waiting = self.waiting.remove(&key).unwrap_or_default();
                    for line in waiting {
                        self.n_bytes -= line.len() + BESIDE;
                        if is_here {
                            printed.push_str(&line);
                        }
                    }
                    if self.n_begun() < MOST_BEGUN {
                        match is_here {
                            true => self.here.insert(key),
                            false => self.elsewhere.insert(key),
                        };
                    }
                }
                NAMED if self.here.contains(&key) => printed.push_str(record),
                NAMED if self.elsewhere.contains(&key) => {}
                NAMED if self.n_bytes + record.len() + BESIDE > MOST_WAITING => self.n_lost += 1,
                NAMED => {
                    self.n_bytes += record.len() + BESIDE;
                    self.waiting.entry(key).or_default().push(record.to_owned());
                }
                _ => {}
            }
        }
        printed
    }

    fn n_begun(&self) -> usize {
        self.here.len() + self.elsewhere.len()
    }

    /// Returns what is left.
    pub(crate) fn undecided(&self) -> Undecided {
        let waiting: usize = self.waiting.values().map(Vec::len).sum();
        match self.n_lost == 0 && self.n_begun() < MOST_BEGUN {
            true => Undecided {
                n_without_beginning: waiting,
                n_lost: 0,
            },
            // Of what waits, too, the beginning may have come by.
            false => Undecided {
                n_without_beginning: 0,
                n_lost: waiting + self.n_lost,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST_WAITING, Node, OfNode, Undecided};

    fn events(names: &[&str]) -> Vec<(String, String)> {
        let events = names.iter();
        events
            .map(|name| (String::new(), (*name).to_owned()))
            .collect()
    }

    #[test]
    fn what_is_named_is_read_before_the_calls_that_name_it() {
        for (asked, expected, n_added) in [
            (&["SendCommand"][..], &["SendCommand"][..], 0),
            (
                &["TerminateSession"],
                &["StartSession", "TerminateSession"],
                1,
            ),
            (
                &["CancelCommand", "ResumeSession", "StartSession"],
                &[
                    "SendCommand",
                    "StartSession",
                    "CancelCommand",
                    "ResumeSession",
                ],
                1,
            ),
            // Every call is read.
            (&[], &[], 0),
        ] {
            let mut events = events(asked);
            let (_, n) = Node::new("i-0a", &mut events);
            let names: Vec<&str> = events.iter().map(|(_, name)| name.as_str()).collect();
            assert_eq!((names, n), (expected.to_vec(), n_added));
        }
    }

    #[test]
    fn a_call_that_names_a_session_comes_out_where_it_began_on_the_node_in_either_order() {
        let mut stage = OfNode::default();
        let before = "?1 r late\tr1\n?1 r other\tr2\n?1 r never\tr3\n=\tr4\n";
        assert_eq!(stage.take(before), "r4\n");
        assert_eq!(stage.undecided().n_without_beginning, 3);
        let begun = "-1 r other\t\n+1 r late\tr5\n+1 r unasked\t\n";
        assert_eq!(stage.take(begun), "r5\nr1\n");
        // Of another Region it is another session.
        let after = "?1 r unasked\tr6\n?1 r other\tr7\n?1 s late\tr8\n?1 r late\tr9\n";
        assert_eq!(stage.take(after), "r6\nr9\n");
        let expected = Undecided {
            n_without_beginning: 2,
            n_lost: 0,
        };
        assert_eq!(stage.undecided(), expected);
    }

    #[test]
    fn what_is_too_much_to_wait_is_counted_as_lost() {
        let mut stage = OfNode::default();
        let long = "x".repeat(MOST_WAITING / 2);
        for id in ["a", "b", "c"] {
            assert_eq!(stage.take(&format!("?1 r {id}\t{long}\n")), "");
        }
        assert_eq!(stage.undecided().n_lost, 3);
        assert_eq!(stage.take("-1 r a\t\n"), "");
        assert_eq!(stage.take(&format!("?1 r c\t{long}\n")), "");
        assert_eq!(stage.undecided().n_lost, 3);
    }
}
