//! Numbers of nodes, given as such or as a percentage. Pure.

use std::str::FromStr;

/// A number of nodes, or a percentage of them such as `10%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CountOrPercent {
    Nodes(usize),
    Percent(usize),
}

impl CountOrPercent {
    /// Returns how many of `n_nodes` it is; a percentage above 0 is at least one node.
    pub(crate) fn of(self, n_nodes: usize) -> usize {
        match self {
            CountOrPercent::Nodes(count) => count.min(n_nodes),
            CountOrPercent::Percent(percent) => (n_nodes * percent).div_ceil(100),
        }
    }
}

impl std::fmt::Display for CountOrPercent {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CountOrPercent::Nodes(count) => write!(formatter, "{count}"),
            CountOrPercent::Percent(percent) => write!(formatter, "{percent}%"),
        }
    }
}

impl FromStr for CountOrPercent {
    type Err = String;

    fn from_str(text: &str) -> Result<CountOrPercent, String> {
        let parsed = match text.strip_suffix('%') {
            Some(digits) => digits
                .parse()
                .ok()
                .filter(|percent| *percent <= 100)
                .map(CountOrPercent::Percent),
            None => text.parse().ok().map(CountOrPercent::Nodes),
        };
        parsed.ok_or_else(|| "expected a number of nodes or a percentage such as 10%".to_owned())
    }
}

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
    use super::{CountOrPercent, Waves, above_zero};

    #[test]
    fn a_share_is_a_count_or_a_percentage() {
        for (text, n_nodes, expected) in [
            ("1", 40, 1),
            ("50", 40, 40),
            ("0", 40, 0),
            ("10%", 41, 5),
            ("1%", 3, 1),
            ("0%", 3, 0),
            ("100%", 3, 3),
        ] {
            let share: CountOrPercent = text.parse().unwrap();
            assert_eq!(share.of(n_nodes), expected, "{text} of {n_nodes}");
        }
        for bad in ["101%", "%", "-1", "1.5", "", "10 %"] {
            assert!(bad.parse::<CountOrPercent>().is_err(), "{bad}");
        }
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
