//! The partitions of AWS, as the SDK's own `partitions.json` has them.
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

/// A partition, which has regions, ARNs and names of hosts of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Partition {
    /// As ARNs have it: `aws`, `aws-cn`, ..
    pub name: &'static str,
    /// The end of the names of services and their hosts, such as `amazonaws.com`.
    pub dns_suffix: &'static str,
    /// The end of the names of hosts that have IPv6 addresses too.
    pub dual_stack_suffix: &'static str,
}

const fn partition(
    name: &'static str,
    dns_suffix: &'static str,
    dual_stack_suffix: &'static str,
) -> Partition {
    Partition {
        name,
        dns_suffix,
        dual_stack_suffix,
    }
}

const PARTITIONS: [Partition; 8] = [
    partition("aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    partition("aws-us-gov", "amazonaws.com", "api.aws"),
    partition("aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"),
    partition("aws-iso", "c2s.ic.gov", "api.aws.ic.gov"),
    partition("aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"),
    partition("aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    partition("aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    partition("aws", "amazonaws.com", "api.aws"),
];

/// Returns the partition of a region.
#[must_use]
pub fn partition_of(region: &str) -> Partition {
    let [.., commercial] = PARTITIONS;
    let name = iam_policy::partition_of(region);
    let found = PARTITIONS.into_iter().find(|one| one.name == name);
    found.unwrap_or(commercial)
}

/// Returns the end of the names of services in a partition; that of `aws` for one that nobody knows yet.
#[must_use]
pub fn suffix_of(partition: &str) -> &'static str {
    let found = PARTITIONS.into_iter().find(|one| one.name == partition);
    found.map_or("amazonaws.com", |one| one.dns_suffix)
}

#[cfg(test)]
mod tests {
    use super::{PARTITIONS, partition_of, suffix_of};

    #[test]
    fn every_partition_is_known_by_its_regions_and_by_its_name() {
        for (region, name, suffix) in [
            ("eu-central-1", "aws", "amazonaws.com"),
            ("us-east-1", "aws", "amazonaws.com"),
            ("cn-north-1", "aws-cn", "amazonaws.com.cn"),
            ("us-gov-west-1", "aws-us-gov", "amazonaws.com"),
            ("eusc-de-east-1", "aws-eusc", "amazonaws.eu"),
            ("us-iso-east-1", "aws-iso", "c2s.ic.gov"),
            ("us-isob-east-1", "aws-iso-b", "sc2s.sgov.gov"),
            ("eu-isoe-west-1", "aws-iso-e", "cloud.adc-e.uk"),
            ("us-isof-south-1", "aws-iso-f", "csp.hci.ic.gov"),
        ] {
            let partition = partition_of(region);
            assert_eq!(
                (partition.name, partition.dns_suffix),
                (name, suffix),
                "{region}"
            );
            assert_eq!(suffix_of(name), suffix);
        }
        assert_eq!(PARTITIONS.len(), 8);
    }
}
