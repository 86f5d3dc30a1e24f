//! Lists are read where they belong, and nowhere else.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::Strict;

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Key {
    alias: Option<String>,
    create: bool,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Way {
    Shell,
    Named { name: String },
    Pair(u8, u8),
    Id(Key),
}

#[derive(Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Desired {
    key: Option<Key>,
    keys: BTreeMap<String, Key>,
    ways: Vec<Way>,
    pair: Option<(u8, u8)>,
    raw: serde_json::Value,
}

fn read(text: &str) -> Result<Desired, String> {
    let read = serde_json::from_str::<Strict<Desired>>(text);
    read.map(|read| read.0).map_err(|error| error.to_string())
}

#[test]
fn a_list_is_no_object_however_deep_it_is() {
    for text in [
        "[]",
        "[null,null]",
        "{\"key\":[\"alias/x\",true]}",
        "{\"key\":[]}",
        "{\"keys\":{\"a\":[]}}",
        "{\"ways\":[{\"named\":[\"x\"]}]}",
        "{\"ways\":[{\"id\":[]}]}",
    ] {
        let error = read(text).unwrap_err();
        let begin = "invalid type: sequence, expected an object at line 1";
        assert!(error.starts_with(begin), "{text}: {error}");
        let value: serde_json::Value = serde_json::from_str(text).unwrap();
        assert!(crate::from_value::<Desired>(&value).is_err(), "{text}");
    }
}

#[test]
fn lists_are_read_where_they_belong() {
    let text = "{\"key\":{\"alias\":\"x\"},\"keys\":{\"a\":{}},\"ways\":[\"shell\",{\"named\":{\"name\":\"n\"}},\
        {\"pair\":[1,2]},{\"id\":{\"create\":true}}],\"pair\":[3,4],\"raw\":[1,{\"a\":[-1.5,\"s\",null]}]}";
    let plain: Desired = serde_json::from_str(text).unwrap();
    assert_eq!(read(text), Ok(plain));
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(crate::from_value::<Desired>(&value).ok(), read(text).ok());
    assert_eq!(read("{\"key\":null}"), Ok(Desired::default()));
}
