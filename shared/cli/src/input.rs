//! JSON from stdin or a file into a type that cannot be wrong. An error names the source, the path, line and column.

use std::path::Path;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;

use crate::encoding::other_format;
use crate::mistakes::{from_value, locate, of_other_tool};
use crate::objects::Strict;
use crate::source::{expect_input, source, text, text_or_default};
use crate::unique::Unique;
use crate::{IoArgs, Plans, jsonc, place};

/// Returns the one JSON value of the input. `what` names it for people: `desired preferences`.
///
/// # Errors
/// A terminal as stdin, an unreadable file, no value, a second value, malformed JSON, a value of the wrong shape.
pub fn read<T: DeserializeOwned>(io: &IoArgs, what: &str) -> anyhow::Result<T> {
    one(read_records(io, what)?, io, what)
}

/// Returns the one desired state of the input, which may have comments and trailing commas.
///
/// # Errors
/// As [`read`]; one that looks like that of another tool is called so.
pub fn read_desired<T: DeserializeOwned>(io: &IoArgs, what: &str) -> anyhow::Result<T> {
    let action = || format!("read {what} from {}", source(io));
    of_text(&text(io, what).with_context(action)?, io, what)
}

/// As [`read_desired`]. `check` says which path of it is wrong in a way that its shape does not say, and how to correct it.
///
/// # Errors
/// As [`read_desired`], and what `check` finds.
pub fn read_desired_checked<T: DeserializeOwned>(
    io: &IoArgs,
    what: &str,
    check: impl Fn(&T) -> Option<(String, String)>,
) -> anyhow::Result<T> {
    let action = || format!("read {what} from {}", source(io));
    let text = text(io, what).with_context(action)?;
    let value = of_text(&text, io, what)?;
    refuse(check(&value), &action(), &text)?;
    Ok(value)
}

/// Refuses what a check has found, with line and column.
fn refuse(found: Option<(String, String)>, action: &str, text: &str) -> anyhow::Result<()> {
    let Some((path, message)) = found else {
        return Ok(());
    };
    let (line, column) = place::of(without_mark(&jsonc::plain(text)), &path);
    bail!("{action}: {path}: {message} at line {line} column {column}")
}

/// As [`read_desired`], for verbs that write nothing: all defaults without `-f` and with nothing on stdin.
///
/// # Errors
/// As [`read_desired`].
pub fn read_desired_or_default<T: DeserializeOwned>(io: &IoArgs, what: &str) -> anyhow::Result<T> {
    match io.file {
        Some(_) => read_desired(io, what),
        None => of_text(&text_or_default(io, what)?, io, what),
    }
}

fn of_text<T: DeserializeOwned>(text: &str, io: &IoArgs, what: &str) -> anyhow::Result<T> {
    let action = || format!("read {what} from {}", source(io));
    let plain = jsonc::plain(text);
    let values =
        parse(&plain).map_err(
            |error| match parse::<serde_json::Value>(&plain).as_deref() {
                Ok([value]) => of_other_tool(error, what, value, false),
                _ => error,
            },
        );
    one(values.with_context(action)?, io, what)
}

/// Returns the one value of a file of rules, which may have comments and trailing commas. `check` says which path of it is wrong in a
/// way that its shape does not say, and how to correct it.
///
/// # Errors
/// As [`read`], and what `check` finds, with line and column.
pub fn read_checked<T: DeserializeOwned>(
    path: &Path,
    what: &str,
    check: impl Fn(&T) -> Option<(String, String)>,
) -> anyhow::Result<T> {
    let io = IoArgs::of_file(path);
    let action = || format!("read {what} from {}", source(&io));
    let text = text(&io, what).with_context(action)?;
    let plain = jsonc::plain(&text);
    let value = one(parse(&plain).with_context(action)?, &io, what)?;
    refuse(check(&value), &action(), &text)?;
    Ok(value)
}

fn one<T>(mut values: Vec<T>, io: &IoArgs, what: &str) -> anyhow::Result<T> {
    match (values.pop(), values.len()) {
        (Some(value), 0) => Ok(value),
        (None, _) => bail!(
            "read {what} from {}: the input is empty: pipe JSON in or pass -f FILE",
            source(io)
        ),
        (Some(_), more) => bail!(
            "read {what} from {}: expected one JSON value, found {}",
            source(io),
            more + 1
        ),
    }
}

/// Returns all JSON values of the input, one after another with any white space between them; there may be none.
///
/// # Errors
/// As [`read`], but any number of values is accepted.
pub fn read_records<T: DeserializeOwned>(io: &IoArgs, what: &str) -> anyhow::Result<Vec<T>> {
    let text = text(io, what).with_context(|| format!("read {what} from {}", source(io)))?;
    parse(&text).with_context(|| format!("read {what} from {}", source(io)))
}

/// Returns all JSON values of a file beside the input, such as role records.
///
/// # Errors
/// As [`read_records`].
pub fn read_records_from<T: DeserializeOwned>(path: &Path, what: &str) -> anyhow::Result<Vec<T>> {
    let mut records = Vec::new();
    crate::for_each_record(&IoArgs::of_file(path), what, |record| {
        records.push(record);
        Ok(())
    })?;
    Ok(records)
}

/// Returns the plans of the input, all made by `tool`, and the records of targets for which none could be made; at least
/// one of either.
///
/// # Errors
/// As [`read_records`], and: nothing there, or a plan of another tool. Both must stop `apply` before it does anything.
pub fn read_plans<A: DeserializeOwned>(io: &IoArgs, tool: &str) -> anyhow::Result<Plans<A>> {
    let cure = format!("pipe in what `{tool} plan` prints, or pass it with -f FILE");
    expect_input(io.path(), "plans", &cure)?;
    // The tool is read first: another tool's actions would only give a puzzling message about an unknown action.
    let values: Vec<serde_json::Value> = read_records(io, "plans")?;
    if values.is_empty() {
        bail!(
            "read plans from {}: the input is empty: pipe in what `{tool} plan` prints",
            source(io)
        );
    }
    if let Some(kind) = values
        .iter()
        .find_map(|value| match value["kind"].as_str() {
            None if value.is_object() => Some("a desired state, which `plan` takes"),
            Some("result") => Some("a result; get its undo plan with `jq -c '.undo // empty'`"),
            Some("finding") => Some("a finding"),
            _ => None,
        })
    {
        let source = source(io);
        bail!("read plans from {source}: expected what `{tool} plan` prints, found {kind}");
    }
    if let Some(other) = values
        .iter()
        .filter_map(|plan| plan["tool"].as_str())
        .find(|other| *other != tool)
    {
        bail!(
            "read plans from {}: a plan of {other}, apply it with {other}",
            source(io)
        );
    }
    let mut plans = Plans {
        plans: Vec::new(),
        unreachable: Vec::new(),
    };
    for (value, number) in values.iter().zip(1..) {
        let place = || format!("read plans from {}: plan {number}", source(io));
        if value["kind"] == "unreachable" {
            plans
                .unreachable
                .push(from_value(value).with_context(place)?);
        } else {
            plans.plans.push(from_value(value).with_context(place)?);
        }
    }
    Ok(plans)
}

pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> anyhow::Result<Vec<T>> {
    values(text).map_err(|error| {
        let (line, column) = (error.inner().line(), error.inner().column());
        let is_syntax = error.inner().is_syntax();
        let text = without_mark(text);
        let what = is_syntax
            .then(|| other_format(text, line, column))
            .flatten();
        match what {
            Some(what) => locate(error).context(what),
            None => locate(error),
        }
    })
}

/// Returns the JSON values of a text.
///
/// # Errors
/// Malformed JSON, a key that is there twice, a value of the wrong shape.
pub(crate) fn values<T: DeserializeOwned>(
    text: &str,
) -> Result<Vec<T>, serde_path_to_error::Error<serde_json::Error>> {
    let text = without_mark(text);
    // Of its own, before a type is asked for: a plan holds values of any shape, which would keep the last of two. What is
    // not even JSON is reported below.
    let mut deserializer = serde_json::Deserializer::from_str(text);
    while !at_end(&mut deserializer) {
        match serde_path_to_error::deserialize::<_, Unique>(&mut deserializer) {
            Ok(Unique) => {}
            Err(error) if error.inner().is_data() => return Err(error),
            Err(_) => break,
        }
    }
    let mut values = Vec::new();
    // Two steps: a stream of raw values keeps the positions of the whole input only for the first, so each value is
    // parsed in place by the same deserializer.
    let mut deserializer = serde_json::Deserializer::from_str(text);
    while !at_end(&mut deserializer) {
        let Strict(value) = serde_path_to_error::deserialize(&mut deserializer)?;
        values.push(value);
    }
    Ok(values)
}

/// Returns a text without byte order mark.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Returns whether only white space is left.
fn at_end(deserializer: &mut serde_json::Deserializer<serde_json::de::StrRead<'_>>) -> bool {
    deserializer.end().is_ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        bucket: String,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        s3: Inner,
    }

    fn complaint(text: &str) -> String {
        format!("{:#}", parse::<Outer>(text).unwrap_err())
    }

    #[test]
    fn reads_values_one_after_another() {
        let values: Vec<Outer> =
            parse("{\"s3\":{\"bucket\":\"a\"}}\n {\"s3\":{\"bucket\":\"b\"}}\n").unwrap();
        assert_eq!(values.len(), 2);
        assert!(parse::<Outer>(" \n").unwrap().is_empty());
    }

    #[test]
    fn names_the_path_of_an_unknown_field() {
        assert_eq!(
            complaint("{\"s3\":\n {\"buckett\":\"a\"}}"),
            "$.s3.buckett: unknown field `buckett`, expected `bucket` at line 2 column 11"
        );
    }

    #[test]
    fn names_the_path_of_a_wrong_type() {
        assert_eq!(
            complaint("{\"s3\":{\"bucket\":7}}"),
            "$.s3.bucket: invalid type: integer `7`, expected a string at line 1 column 17"
        );
    }

    #[test]
    fn names_the_place_where_json_breaks_off() {
        for (text, expected) in [
            (
                "{\"s3\":{",
                "$.s3: EOF while parsing an object at line 1 column 7",
            ),
            (
                "{\"s3\":1",
                "$.s3: invalid type: integer `1`, expected an object at line 1 column 7",
            ),
            ("{", "$: EOF while parsing an object at line 1 column 1"),
            ("{\n\"s3\" {}}", "$: expected `:` at line 2 column 6"),
            (
                "[",
                "$: invalid type: sequence, expected an object at line 1 column 1",
            ),
            ("nope", "$: expected ident at line 1 column 2"),
        ] {
            assert_eq!(complaint(text), expected);
        }
        for broken in [
            "{} x",
            "{\"s3\":{}}",
            "[[[",
            "{\"s3\":{\"bucket\":\"",
            "\u{0}",
        ] {
            let complaint = complaint(broken);
            assert!(
                complaint.starts_with('$') && complaint.contains(" at line 1 column "),
                "{complaint}"
            );
            assert!(!complaint.contains('?'), "{complaint}");
        }
        let any = |text: &str| format!("{:#}", parse::<serde_json::Value>(text).unwrap_err());
        assert_eq!(
            any("{\"a\":1"),
            "$: EOF while parsing an object at line 1 column 6"
        );
        assert_eq!(
            any("{\"a\":[1,{\"b\" 1}]}"),
            "$.a[1]: expected `:` at line 1 column 14"
        );
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused_with_its_path() {
        let any = |text: &str| format!("{:#}", parse::<serde_json::Value>(text).unwrap_err());
        for (text, expected) in [
            (
                "{\"a\":1,\n\"a\":2}",
                "$: `a` is here twice, and only one of them would count at line 2 column 3",
            ),
            (
                "{\"c\":[{},{\"to\":{\"x\":1,\"\\u0078\":2}}]}",
                "$.c[1].to: `x` is here twice, and only one of them would count at line 1 column 30",
            ),
            (
                "{} {\"a\":{\"b\":1,\"b\":1}}",
                "$.a: `b` is here twice, and only one of them would count at line 1 column 18",
            ),
        ] {
            assert_eq!(any(text), expected);
        }
        assert!(
            parse::<serde_json::Value>("{\"a\":{\"a\":1},\"b\":[{\"a\":1},{\"a\":1}]} {\"a\":1}")
                .is_ok()
        );
    }

    #[test]
    fn a_secret_as_the_name_of_a_field_is_not_quoted() {
        for secret in ["xoxb-1234-c4n4ry", "R0UT1NGc4n4ry0123456789", "XOXP-c4n4ry"] {
            let within = format!("{{\"s3\":{{\"{secret}\":1}}}}");
            for text in [format!("{{\"{secret}\":1}}"), within] {
                let complaint = complaint(&text);
                assert!(!complaint.to_lowercase().contains("c4n4ry"), "{complaint}");
                let has = |words: &str| complaint.contains(words);
                assert!(has("unknown field `") && has("\"NAME\"}"), "{complaint}");
            }
        }
        assert!(!complaint("{\"s3\":\"xoxb-c4n4ry\"}").contains("c4n4ry"));
    }

    #[test]
    fn a_web_address_in_the_wrong_place_is_not_quoted() {
        let secret = "https://hooks.slack.com/services/T0/B0/c4n4ry";
        for text in [
            format!("{{\"s3\":\"{secret}\"}}"),
            format!("{{\"s3\":{{\"{secret}\":1}}}}"),
            format!("{{\"{}\":1}}", secret.to_uppercase()),
            format!("\"{secret}\""),
        ] {
            let complaint = complaint(&text);
            assert!(!complaint.to_lowercase().contains("slack"), "{complaint}");
            assert!(
                complaint.contains(" at line 1 column ")
                    && complaint.contains("{\"env\": \"NAME\"}"),
                "{complaint}"
            );
        }
    }
}
