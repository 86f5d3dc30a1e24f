//! Agent versions: up to four integers, compared number by number, never as text.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A version such as `3.2.582.0`; SSM's own pattern is `^[0-9]{1,6}(\.[0-9]{1,6}){2,3}$`, missing parts count as 0.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html>
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Version([u32; 4]);

impl Version {
    /// Default Host Management and credentials without an instance profile begin here.
    /// <https://docs.aws.amazon.com/systems-manager/latest/userguide/fleet-manager-default-host-management-configuration.html>
    pub const DEFAULT_MINIMUM: Version = Version([3, 2, 582, 0]);

    pub const fn new(major: u32, minor: u32, build: u32, revision: u32) -> Version {
        Version([major, minor, build, revision])
    }
}

impl std::str::FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Version, String> {
        let wrong = || format!("'{text}' is not a version of up to four numbers such as 3.2.582.0");
        let mut parts = [0; 4];
        for (index, part) in text.split('.').enumerate() {
            let number = part
                .bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| part.parse().ok())
                .flatten();
            *parts.get_mut(index).ok_or_else(wrong)? = number.ok_or_else(wrong)?;
        }
        Ok(Version(parts))
    }
}

impl TryFrom<String> for Version {
    type Error = String;

    fn try_from(text: String) -> Result<Version, String> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.to_string()
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let [major, minor, build, revision] = self.0;
        write!(formatter, "{major}.{minor}.{build}.{revision}")
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    fn version(text: &str) -> Version {
        text.parse().unwrap()
    }

    #[test]
    fn compares_numbers_not_text() {
        assert!(version("3.10.0.0") > version("3.9.9.9"));
        assert!(version("3.2.582.0") < version("3.2.1041.0"));
        assert!(version("10.0") > version("9.9.9.9"));
    }

    #[test]
    fn missing_parts_are_zero() {
        assert_eq!(version("3.3.0"), version("3.3.0.0"));
        assert_eq!(version("3"), version("3.0.0.0"));
    }

    proptest::proptest! {
        #[test]
        fn the_order_is_that_of_the_four_numbers(a: [u32; 4], b: [u32; 4]) {
            let text = |parts: [u32; 4]| parts.map(|part| part.to_string()).join(".");
            let (left, right) = (version(&text(a)), version(&text(b)));
            proptest::prop_assert_eq!(left.cmp(&right), a.cmp(&b));
            proptest::prop_assert_eq!(left.to_string(), text(a));
        }

        #[test]
        fn a_raised_number_makes_it_newer_whatever_follows(parts: [u16; 4], index in 0usize..4, rest: [u16; 4]) {
            let parts = parts.map(u32::from);
            let mut raised = parts;
            raised[index] += 1;
            for later in index + 1..4 {
                raised[later] = u32::from(rest[later]);
            }
            let text = |parts: [u32; 4]| parts.map(|part| part.to_string()).join(".");
            proptest::prop_assert!(version(&text(raised)) > version(&text(parts)));
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            if let Ok(version) = text.parse::<Version>() {
                proptest::prop_assert_eq!(version.to_string().parse::<Version>(), Ok(version));
            }
        }
    }

    #[test]
    fn refuses_what_is_not_a_version() {
        for bad in [
            "",
            "3.",
            ".3",
            "3.a",
            "3.2.1.0.0",
            "+3.2",
            "-1",
            "3 .2",
            "99999999999.0",
        ] {
            assert!(bad.parse::<Version>().is_err(), "{bad}");
        }
    }
}
