//! What an output keeps until the end of a run.

use crate::report::Report;
use crate::summary::Shown;
use crate::text::{Plans, Table, count};
use crate::typed::Typed;

/// What is shown as text when all is there.
#[derive(Default)]
pub(super) struct Held {
    pub(super) table: Option<Table>,
    /// What the verb lists, as a table without rows.
    pub(super) listed: Option<Table>,
    /// Records that a list of another kind has no row for.
    pub(super) n_left_out: usize,
    pub(super) shown: Shown,
    /// The plans that were shown.
    pub(super) plans: Plans,
    /// For other programs, instead of all of the above.
    pub(super) report: Report,
    /// Whether a verb has printed its own report.
    pub(super) is_reported: bool,
    pub(super) summary: Option<String>,
    /// Records for a filter that reads on.
    pub(super) inputs: Vec<String>,
}

impl Held {
    /// Returns what to say of a list in which nothing came, in places all of which were read: silence could be anything.
    pub(super) fn nothing(&self, typed: &Typed) -> Vec<String> {
        let Some(listed) = self.listed.as_ref().filter(|_| !self.has_shown()) else {
            return Vec::new();
        };
        let nothing = count(0, listed.noun());
        match self.report.places() {
            [] => Vec::new(),
            [place] => {
                let region = place.rsplit('/').next().unwrap_or_default();
                let next = Some(&typed.everywhere).filter(|next| !next.is_empty());
                let next = next.map(|next| format!("next: {next}"));
                let first = format!("{nothing} in {region}");
                std::iter::once(first).chain(next).collect()
            }
            places => vec![format!(
                "{nothing} in {} accounts and regions",
                places.len()
            )],
        }
    }

    fn has_shown(&self) -> bool {
        self.shown.has_shown || self.shown.n_unreachable > 0
    }
}

#[cfg(test)]
mod tests {
    use super::{Held, Table, Typed};

    #[test]
    fn a_list_without_rows_says_where_there_are_none() {
        let mut held = Held::default();
        let typed = Typed {
            everywhere: "ssm-x show --region all".to_owned(),
            ..Typed::default()
        };
        held.report.judged("111122223333/us-west-2".to_owned());
        assert!(held.nothing(&typed).is_empty());
        held.listed = Table::of("node");
        let next = "next: ssm-x show --region all";
        assert_eq!(held.nothing(&typed), ["0 nodes in us-west-2", next]);
        assert_eq!(held.nothing(&Typed::default()), ["0 nodes in us-west-2"]);
        held.report.judged("111122223333/us-east-1".to_owned());
        assert_eq!(held.nothing(&typed), ["0 nodes in 2 accounts and regions"]);
        // What could not be read is not nothing.
        held.shown.n_unreachable = 1;
        assert!(held.nothing(&typed).is_empty());
    }
}
