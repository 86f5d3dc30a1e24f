//! Reads which nodes the desired state excludes, where their records do not say.

use std::collections::BTreeMap;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::InstanceInformationStringFilter;
use awsconf::{Session, describe};
use cli::Target;
use records::NodeExclusion;

use super::information_page;

/// Returns the excluded nodes of the region with their tags, such as `i-0abc (Role=dc)`: EC2's, registered or not, and hybrid
/// ones.
///
/// # Errors
/// A call fails: excluded nodes that are not seen would be taken for none.
pub(super) async fn nodes(
    session: &Session,
    exclusion: &NodeExclusion,
) -> anyhow::Result<Vec<String>> {
    if exclusion.is_empty() {
        return Ok(Vec::new());
    }
    // Filters of EC2 add up, so each tag is a list of its own.
    let ec2 = ec2::Client::new(&session.config);
    let mut found = BTreeMap::new();
    for (key, value) in exclusion.pairs() {
        let (name, values) = (format!("tag:{key}"), [literal(value)]);
        let values = values.each_ref().map(String::as_str);
        let filters: [ec2::Filter<'_>; 2] =
            [("instance-state-name", &ec2::EXISTING), (&name, &values)];
        let call = || format!("DescribeInstances {} {name}={value}", session.target);
        let instances = ec2.describe_instances(&filters).await;
        for instance in instances.map_err(|error| describe(call(), error))? {
            found.insert(instance.instance_id, format!("{key}={value}"));
        }
    }
    let registered = tags(&Client::new(&session.config), &session.target, exclusion).await?;
    for (id, (key, value)) in registered {
        found.entry(id).or_insert_with(|| format!("{key}={value}"));
    }
    Ok(found
        .into_iter()
        .map(|(id, tag)| format!("{id} ({tag})"))
        .collect())
}

/// Returns the tags of the excluded nodes that SSM knows, by their IDs. Tag filters cannot be combined, so each tag is a list of
/// its own.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_DescribeInstanceInformation.html> (Filters)
///
/// # Errors
/// A call fails.
pub(super) async fn tags(
    client: &Client,
    target: &Target,
    exclusion: &NodeExclusion,
) -> anyhow::Result<BTreeMap<String, (String, String)>> {
    let mut tags = BTreeMap::new();
    for (key, value) in exclusion.pairs() {
        let filter = InstanceInformationStringFilter::builder()
            .key(format!("tag:{key}"))
            .values(value)
            .build()?;
        let mut token = None;
        loop {
            let (page, next) = information_page(client, target, &filter, token).await?;
            let tag = || (key.to_owned(), value.to_owned());
            tags.extend(page.into_iter().map(|one| (one.instance_id, tag())));
            match next {
                Some(next) => token = Some(next),
                None => break,
            }
        }
    }
    Ok(tags)
}

/// In the filters of EC2, `*` and `?` match anything unless a backslash is before them.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>
fn literal(value: &str) -> String {
    let mut literal = String::with_capacity(value.len());
    for letter in value.chars() {
        if matches!(letter, '*' | '?' | '\\') {
            literal.push('\\');
        }
        literal.push(letter);
    }
    literal
}

#[cfg(test)]
mod tests {
    use super::literal;

    #[test]
    fn wildcards_of_filters_are_taken_literally() {
        assert_eq!(literal(r"a*b?c\d"), r"a\*b\?c\\d");
        assert_eq!(literal("dc"), "dc");
    }
}
