//! The six parts of an ARN. Nothing else picks one apart by hand.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>

/// The parts of an ARN, or of a pattern of ARNs, after `arn:`; region and account may be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arn<'t> {
    /// `aws`, `aws-cn`, `aws-us-gov`, ..
    pub partition: &'t str,
    /// `iam`, `ssm`, ..
    pub service: &'t str,
    /// Empty for services without regions.
    pub region: &'t str,
    /// Empty for what belongs to no account, or to AWS.
    pub account: &'t str,
    /// The rest, which may hold colons: `role/path/name`, `log-group:name:*`.
    pub resource: &'t str,
}

impl<'t> Arn<'t> {
    /// Returns the parts of a text; `None` for what does not begin with `arn:` or has fewer than six parts.
    #[must_use]
    pub fn parse(text: &'t str) -> Option<Arn<'t>> {
        let ["arn", partition, service, region, account, resource] = split(text)? else {
            return None;
        };
        Some(Arn {
            partition,
            service,
            region,
            account,
            resource,
        })
    }

    /// Returns the name behind a type of resource: `name` of `document/name` for `document`, the path included.
    #[must_use]
    pub fn named(&self, kind: &str) -> Option<&'t str> {
        self.resource.strip_prefix(kind)?.strip_prefix('/')
    }
}

/// Returns the six parts of a text, whatever the first is.
pub(crate) fn split(text: &str) -> Option<[&str; 6]> {
    let mut parts = [""; 6];
    let mut given = text.splitn(6, ':');
    for part in &mut parts {
        *part = given.next()?;
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::Arn;

    #[test]
    fn the_resource_is_all_that_follows_the_account() {
        let arn = Arn::parse("arn:aws-cn:logs:cn-north-1:111122223333:log-group:/a/b:*").unwrap();
        assert_eq!(
            (arn.partition, arn.service, arn.region, arn.account),
            ("aws-cn", "logs", "cn-north-1", "111122223333")
        );
        assert_eq!(arn.resource, "log-group:/a/b:*");
    }

    #[test]
    fn what_is_no_arn_has_no_parts() {
        for text in [
            "",
            "*",
            "arn:aws:iam::111122223333",
            "urn:aws:iam::1:role/r",
        ] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_name_is_behind_its_type() {
        let role = Arn::parse("arn:aws:iam::111122223333:role/path/r").unwrap();
        assert_eq!(role.named("role"), Some("path/r"));
        assert_eq!(role.named("rol"), None);
    }
}
