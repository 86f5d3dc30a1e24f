//! The partitions of AWS by their names in ARNs, and how the codes of their regions begin.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

/// The last one has every region that no other has.
pub(crate) const PARTITIONS: [(&str, &str); 8] = [
    ("aws-cn", "cn-"),
    ("aws-us-gov", "us-gov-"),
    ("aws-eusc", "eusc-"),
    ("aws-iso", "us-iso-"),
    ("aws-iso-b", "us-isob-"),
    ("aws-iso-f", "us-isof-"),
    ("aws-iso-e", "eu-isoe-"),
    ("aws", ""),
];

/// Returns the name of the partition of a region, as ARNs have it.
///
/// ```
/// assert_eq!(iam_policy::partition_of("us-gov-west-1"), "aws-us-gov");
/// ```
#[must_use]
pub fn partition_of(region: &str) -> &'static str {
    let found = PARTITIONS
        .iter()
        .find(|(_, start)| region.starts_with(start));
    found.map_or("aws", |(name, _)| name)
}
