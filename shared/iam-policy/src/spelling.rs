//! The name that was probably meant.

/// Returns the name that differs least from a misspelt one, if it differs little. Case does not matter.
#[must_use]
pub fn closest<'n>(wrong: &str, names: impl IntoIterator<Item = &'n str>) -> Option<&'n str> {
    let wrong: Vec<char> = wrong.to_ascii_lowercase().chars().collect();
    // A short name is soon another one.
    let most = match wrong.len() {
        0..=2 => return None,
        3..=5 => 1,
        6..=11 => 2,
        _ => 3,
    };
    names
        .into_iter()
        .filter(|name| name.len().abs_diff(wrong.len()) <= most)
        .map(|name| (distance(&wrong, &name.to_ascii_lowercase()), name))
        .filter(|(n_edits, _)| *n_edits <= most)
        .min_by_key(|(n_edits, _)| *n_edits)
        .map(|(_, name)| name)
}

/// Returns how many letters are inserted, left out, replaced or swapped with their neighbour.
fn distance(wrong: &[char], name: &str) -> usize {
    let name: Vec<char> = name.chars().collect();
    let (mut before, mut last) = (Vec::new(), (0..=name.len()).collect::<Vec<usize>>());
    for (i, letter) in wrong.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, other) in name.iter().enumerate() {
            let mut least = (last[j] + usize::from(letter != other))
                .min(last[j + 1] + 1)
                .min(row[j] + 1);
            let swapped = i > 0 && j > 0 && wrong[i - 1] == *other && name[j - 1] == *letter;
            if swapped {
                let two_before: &Vec<usize> = &before;
                least = least.min(two_before[j - 1] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[name.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn a_slip_of_the_finger_is_seen_through() {
        let names = [
            "StartSession",
            "SendCommand",
            "ssm",
            "s3",
            "GenerateDataKey",
        ];
        for (wrong, meant) in [
            ("StratSession", Some("StartSession")),
            ("startsesion", Some("StartSession")),
            ("GenrateDataKey", Some("GenerateDataKey")),
            ("ssmm", Some("ssm")),
            ("sms", Some("ssm")),
            ("s4", None),
            ("StopSession", None),
            ("", None),
        ] {
            assert_eq!(closest(wrong, names), meant, "{wrong}");
        }
    }
}
