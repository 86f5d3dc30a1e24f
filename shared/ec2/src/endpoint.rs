//! Where EC2 is: the URL that the user configured, or the partition's.

use aws_types::SdkConfig;
use aws_types::service_config::ServiceConfigKey;

/// Returns the URL in the order of precedence that all SDK clients have: code or flag, then `AWS_ENDPOINT_URL_EC2` or the
/// profile's setting for EC2, then `AWS_ENDPOINT_URL` or the profile's for all services, then AWS itself.
/// <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>
pub(crate) fn url(config: &SdkConfig) -> String {
    let for_all = config.endpoint_url().map(str::to_owned);
    let configured = match config.get_origin("endpoint_url").is_client_config() {
        true => for_all,
        false => for_ec2(config).or(for_all),
    };
    configured.unwrap_or_else(|| {
        let region = config.region().map(AsRef::as_ref).unwrap_or_default();
        aws(
            region,
            config.use_fips().unwrap_or_default(),
            config.use_dual_stack().unwrap_or_default(),
        )
    })
}

fn for_ec2(config: &SdkConfig) -> Option<String> {
    let key = ServiceConfigKey::builder()
        .service_id("EC2")
        .env("AWS_ENDPOINT_URL")
        .profile("endpoint_url")
        .build();
    config.service_config()?.load_config(key.ok()?)
}

fn aws(region: &str, fips: bool, dual_stack: bool) -> String {
    let partition = awsdata::partition_of(region);
    let suffix = if dual_stack {
        partition.dual_stack_suffix
    } else {
        partition.dns_suffix
    };
    // GovCloud's ordinary endpoints are the FIPS ones.
    let service = if fips && (dual_stack || !region.starts_with("us-gov-")) {
        "ec2-fips"
    } else {
        "ec2"
    };
    format!("https://{service}.{region}.{suffix}")
}

#[cfg(test)]
mod tests {
    use super::aws;

    /// The expected values are test cases of the generated EC2 client.
    #[test]
    fn every_partition_has_its_own_suffix() {
        for (region, fips, dual_stack, expected) in [
            (
                "eu-central-1",
                false,
                false,
                "https://ec2.eu-central-1.amazonaws.com",
            ),
            (
                "us-east-1",
                true,
                false,
                "https://ec2-fips.us-east-1.amazonaws.com",
            ),
            (
                "us-east-1",
                true,
                true,
                "https://ec2-fips.us-east-1.api.aws",
            ),
            (
                "cn-north-1",
                false,
                false,
                "https://ec2.cn-north-1.amazonaws.com.cn",
            ),
            (
                "cn-north-1",
                false,
                true,
                "https://ec2.cn-north-1.api.amazonwebservices.com.cn",
            ),
            (
                "us-gov-west-1",
                true,
                false,
                "https://ec2.us-gov-west-1.amazonaws.com",
            ),
            (
                "us-gov-east-1",
                true,
                true,
                "https://ec2-fips.us-gov-east-1.api.aws",
            ),
            (
                "us-iso-east-1",
                false,
                false,
                "https://ec2.us-iso-east-1.c2s.ic.gov",
            ),
            (
                "us-isob-east-1",
                true,
                false,
                "https://ec2-fips.us-isob-east-1.sc2s.sgov.gov",
            ),
            (
                "eusc-de-east-1",
                false,
                false,
                "https://ec2.eusc-de-east-1.amazonaws.eu",
            ),
        ] {
            assert_eq!(aws(region, fips, dual_stack), expected);
        }
    }
}
