//! Nodes that a desired state leaves alone, such as domain controllers, by their tags.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// Which nodes are left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct NodeExclusion {
    /// The values of tags by their keys, as AWS compares both: exactly. A node with one of them is left alone.
    pub tags: BTreeMap<String, TagValues>,
}

/// The values of a tag, at least one.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(try_from = "Vec<String>")]
#[schemars(with = "Vec<String>", extend("minItems" = 1))]
pub struct TagValues(Vec<String>);

impl TryFrom<Vec<String>> for TagValues {
    type Error = &'static str;

    fn try_from(values: Vec<String>) -> Result<TagValues, &'static str> {
        match values.is_empty() {
            true => Err("a tag without values excludes no node: name at least one value"),
            false => Ok(TagValues(values)),
        }
    }
}

impl NodeExclusion {
    /// Returns whether no node is left alone.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Returns the tags one by one, key and value.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags
            .iter()
            .flat_map(|(key, values)| values.0.iter().map(|value| (key.as_str(), value.as_str())))
    }

    /// Returns the tag that excludes a node with these tags, such as `Role=dc`.
    #[must_use]
    pub fn tag_of(&self, tags: &BTreeMap<String, String>) -> Option<String> {
        let mut pairs = self.pairs();
        let (key, value) =
            pairs.find(|(key, value)| tags.get(*key).is_some_and(|is| is == value))?;
        Some(format!("{key}={value}"))
    }
}

#[cfg(test)]
mod tests {
    use super::NodeExclusion;

    #[test]
    fn tags_are_compared_exactly() {
        let exclusion: NodeExclusion =
            serde_json::from_str(r#"{"tags": {"Role": ["dc", "ca"], "Tier": ["0"]}}"#).unwrap();
        for (tags, expected) in [
            (r#"{"Role": "ca"}"#, Some("Role=ca")),
            (r#"{"Name": "dc", "Tier": "0"}"#, Some("Tier=0")),
            (r#"{"Role": "DC"}"#, None),
            (r#"{"role": "dc"}"#, None),
            ("{}", None),
        ] {
            let tags = serde_json::from_str(tags).unwrap();
            assert_eq!(exclusion.tag_of(&tags).as_deref(), expected);
        }
    }

    #[test]
    fn refuses_a_tag_without_values() {
        let error = serde_json::from_str::<NodeExclusion>(r#"{"tags": {"Role": []}}"#).unwrap_err();
        assert!(
            error.to_string().contains("name at least one value"),
            "{error}"
        );
    }
}
