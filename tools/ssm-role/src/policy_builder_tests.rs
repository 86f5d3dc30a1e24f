//! Walks `tests/fixtures/ssm-role/policy/<case>`: what is asked for in, the policy out. BLESS=1 rewrites the latter.
//! Every policy must be free of what the linter finds, and allow what it is for.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Nodes, TargetPreferences, command, instance, operator};
use crate::preferences::{encrypt_with, partition_of, preferences};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    r#for: String,
    prefs: Vec<Value>,
    #[serde(default)]
    instance_ids: Vec<String>,
    #[serde(default)]
    tags: Vec<(String, String)>,
    #[serde(default)]
    documents: Vec<String>,
    #[serde(default)]
    bucket_key: Option<String>,
}

#[test]
fn fixtures() {
    for case in testbed::fixtures("ssm-role/policy") {
        let text = std::fs::read_to_string(case.join("asked.json")).unwrap();
        let asked: Asked = serde_json::from_str(&text).unwrap();
        let mut places: Vec<TargetPreferences> = asked
            .prefs
            .iter()
            .map(|record| {
                let record: records::Preferences = serde_json::from_value(record.clone()).unwrap();
                let preferences = preferences(&record, partition_of).unwrap();
                TargetPreferences {
                    target: record.target,
                    preferences,
                }
            })
            .collect();
        if let Some(key) = &asked.bucket_key {
            let preferences = places.iter_mut().map(|place| &mut place.preferences);
            preferences.for_each(|preferences| encrypt_with(preferences, key));
        }
        let nodes = match asked.tags.as_slice() {
            [] => Nodes::Ids(asked.instance_ids.clone()),
            tags => Nodes::Tags(tags.to_vec()),
        };
        let document = match asked.r#for.as_str() {
            "instance" => instance(&places),
            "operator" => operator(&places, &nodes, &asked.documents),
            "command" => command(&places, &nodes, &asked.documents),
            other => panic!("{other}"),
        };
        testbed::expect(&case.join("policy.json"), &document);
        let findings = crate::lint::lint("policy", &document.to_string());
        assert_eq!(json!(findings), json!([]), "{}", case.display());
    }
}
