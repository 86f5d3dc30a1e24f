//! The codes of AWS's regions: what a shell completes, and what was probably meant by one that does not exist. Nothing is refused by
//! this list, which is older than the newest region.

/// The regions, partition by partition. A test compares them with botocore's.
/// <https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>
pub const REGIONS: [&str; 46] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "eu-central-1",
    "eu-central-2",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
    "cn-north-1",
    "cn-northwest-1",
    "eusc-de-east-1",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "eu-isoe-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
];

/// Returns the regions that were probably meant by a code that is not one of them: those that differ least, in at
/// most two characters. None for a region.
#[must_use]
pub fn regions_like(code: &str) -> Vec<&'static str> {
    if REGIONS.contains(&code) {
        return Vec::new();
    }
    let near = |most: usize| {
        let distance = |region: &&&str| distance(code, region) <= most;
        REGIONS.iter().filter(distance).copied().collect()
    };
    let nearest: Vec<&str> = near(1);
    match nearest.is_empty() {
        true => near(2),
        false => nearest,
    }
}

/// Returns how many characters must be changed, added or left out.
fn distance(one: &str, other: &str) -> usize {
    let mut above: Vec<usize> = (0..=other.len()).collect();
    for (row, a) in one.bytes().enumerate() {
        let mut line = vec![row + 1];
        for (column, b) in other.bytes().enumerate() {
            let replaced = above[column] + usize::from(a != b);
            line.push(replaced.min(above[column + 1] + 1).min(line[column] + 1));
        }
        above = line;
    }
    above.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::regions_like;

    #[test]
    fn a_wrong_code_is_near_a_right_one() {
        for (code, expected) in [
            ("eu-central-9", &["eu-central-1", "eu-central-2"][..]),
            ("us-est-1", &["us-east-1", "us-west-1"]),
            ("us-east-1", &[]),
            ("xx-nowhere-1", &[]),
        ] {
            assert_eq!(regions_like(code), expected, "{code}");
        }
    }
}
