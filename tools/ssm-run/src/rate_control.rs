//! How many nodes run at once, and in which waves. Pure.

use std::str::FromStr;

use cli::CountOrPercent;

/// Reads what must leave at least one node: how many run at once.
pub(crate) fn above_zero(text: &str) -> Result<CountOrPercent, String> {
    match text.parse()? {
        CountOrPercent::Nodes(0) | CountOrPercent::Percent(0) => {
            Err("expected at least one node".to_owned())
        }
        share => Ok(share),
    }
}

/// How many of all nodes are done after each wave; the last is all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waves(Vec<CountOrPercent>);

impl Waves {
    /// Returns where each wave ends, of `n_nodes` in order of which `n_done` are done: increasing, the last being
    /// `n_nodes`, and none that would be empty.
    pub(crate) fn ends(&self, n_nodes: usize, n_done: usize) -> Vec<usize> {
        let mut ends = Vec::new();
        let mut last = n_done;
        for share in &self.0 {
            let end = share.of(n_nodes);
            if end > last {
                ends.push(end);
                last = end;
            }
        }
        ends
    }
}

impl FromStr for Waves {
    type Err = String;

    fn from_str(text: &str) -> Result<Waves, String> {
        let shares: Vec<CountOrPercent> =
            text.split(',').map(above_zero).collect::<Result<_, _>>()?;
        match shares.last() {
            Some(CountOrPercent::Percent(100)) => Ok(Waves(shares)),
            _ => Err("the last wave must be 100%, or nodes would be left out".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Waves, above_zero};

    #[test]
    fn no_node_at_once_is_refused() {
        assert!(above_zero("0").is_err() && above_zero("0%").is_err());
    }

    #[test]
    fn waves_grow_and_end_with_all() {
        let ends =
            |text: &str, n_nodes, n_done| text.parse::<Waves>().unwrap().ends(n_nodes, n_done);
        assert_eq!(ends("1,10%,100%", 40, 0), [1, 4, 40]);
        assert_eq!(ends("1,10%,100%", 5, 0), [1, 5]);
        assert_eq!(ends("1,10%,100%", 40, 4), [40]);
        assert_eq!(ends("1,10%,100%", 40, 2), [4, 40]);
        assert_eq!(ends("5,1,100%", 10, 0), [5, 10]);
        assert_eq!(ends("100%", 0, 0), [0usize; 0]);
        assert!("1,10%".parse::<Waves>().is_err() && "".parse::<Waves>().is_err());
    }
}
