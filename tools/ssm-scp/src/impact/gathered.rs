//! All impacts until those are counted that are printed after their counts. The same becomes of most principals, and is kept once:
//! an organization has hundreds of thousands of them. Pure.

use std::collections::HashMap;
use std::rc::Rc;

use super::record::{Class, Impact, ImpactCounts, ImpactKind, ImpactLoss, PrincipalType};

/// All classes, the most urgent first.
const CLASSES: [Class; 7] = [
    Class::NewlyDenied,
    Class::Unknown,
    Class::NotAssumable,
    Class::StillIn,
    Class::Exempt,
    Class::DeniedBefore,
    Class::NotGoverned,
];

/// What becomes of some principals.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Outcome {
    class: Class,
    actions: Vec<String>,
    losses: Vec<ImpactLoss>,
    why: String,
}

/// A principal with its outcome.
struct Entry {
    account: Rc<str>,
    principal: Box<str>,
    /// Of its account, among all that are read.
    place: usize,
    r#type: PrincipalType,
    outcome: Rc<Outcome>,
}

/// The impacts on all principals.
#[derive(Default)]
pub(crate) struct Gathered {
    outcomes: HashMap<Rc<Outcome>, Rc<Outcome>>,
    entries: Vec<Entry>,
}

impl Gathered {
    /// Adds the impacts on the principals of an account, whose place in the order is given.
    pub(crate) fn add(&mut self, place: usize, impacts: Vec<Impact>) {
        let mut account: Rc<str> = Rc::default();
        for impact in impacts {
            if *account != *impact.account {
                account = impact.account.into();
            }
            let outcome = Rc::new(Outcome {
                class: impact.class,
                actions: impact.actions,
                losses: impact.losses,
                why: impact.why,
            });
            let known = self.outcomes.entry(Rc::clone(&outcome));
            self.entries.push(Entry {
                account: Rc::clone(&account),
                place,
                principal: impact.principal.into(),
                r#type: impact.r#type,
                outcome: Rc::clone(known.or_insert(outcome)),
            });
        }
    }

    /// Counts them.
    pub(crate) fn counts(&self, n_risks: usize, n_accounts_unread: usize) -> ImpactCounts {
        let classes = self.entries.iter().map(|entry| entry.outcome.class);
        ImpactCounts::of(classes, n_risks, n_accounts_unread)
    }

    /// Returns those first who lose something, then those of whom it is not known and whom nobody may assume, and last whom nothing
    /// becomes of; those of one class by the place of their account, and as they were added.
    pub(crate) fn in_order(&mut self) -> impl Iterator<Item = Impact> {
        self.entries.sort_by_key(|entry| entry.place);
        let entries = &self.entries;
        let each = CLASSES.iter().flat_map(move |class| {
            let entries = entries.iter();
            entries.filter(move |entry| entry.outcome.class == *class)
        });
        each.map(|entry| Impact {
            kind: ImpactKind::Impact,
            account: entry.account.as_ref().to_owned(),
            principal: entry.principal.as_ref().to_owned(),
            r#type: entry.r#type,
            class: entry.outcome.class,
            actions: entry.outcome.actions.clone(),
            losses: entry.outcome.losses.clone(),
            why: entry.outcome.why.clone(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Class, Gathered, Impact, ImpactKind, PrincipalType};

    fn impact(principal: &str, class: Class) -> Impact {
        Impact {
            kind: ImpactKind::Impact,
            account: "111122223333".to_owned(),
            principal: principal.to_owned(),
            r#type: PrincipalType::Role,
            class,
            actions: vec!["ssm:StartSession".to_owned()],
            losses: Vec::new(),
            why: "because".to_owned(),
        }
    }

    #[test]
    fn whoever_loses_something_comes_first_and_what_is_the_same_is_kept_once() {
        let mut gathered = Gathered::default();
        let given = [
            impact("a", Class::Exempt),
            impact("b", Class::Unknown),
            impact("c", Class::NewlyDenied),
            impact("d", Class::StillIn),
            impact("e", Class::NewlyDenied),
        ];
        // What was judged first may come later in the order.
        gathered.add(1, given[3..].to_vec());
        gathered.add(0, given[..3].to_vec());
        assert_eq!(gathered.outcomes.len(), 4);
        let expected = [2, 4, 1, 3, 0].map(|index: usize| given[index].clone());
        assert_eq!(gathered.in_order().collect::<Vec<_>>(), expected);
        let counts = gathered.counts(0, 7);
        assert_eq!((counts.n_newly_denied, counts.n_accounts_unread), (2, 7));
    }
}
