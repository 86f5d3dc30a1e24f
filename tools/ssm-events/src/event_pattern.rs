//! The event pattern language of EventBridge: what a pattern asks of an event, and whether an event fits.
//!
//! <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html>, and
//! <https://github.com/aws/event-ruler>, the library behind the service, where the guide is silent.

mod absent;
mod address;
mod event;
mod members;
mod parse;
mod prune;
mod source;
mod test;
mod written;

pub(crate) use event::Explanation;
pub(crate) use source::PatternError;
use test::Test;
pub(crate) use test::wildcard;
pub(crate) use written::EventPattern;

/// An event fits when it fits one of the rules: each branch of `$or` makes its own.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Pattern {
    rules: Vec<Object>,
    /// What any of several rules asks for.
    fields: Object,
}

/// What one object of an event must have: all of these.
#[derive(Clone, Debug, Default, PartialEq)]
struct Object {
    /// By the name up to its first dot: one name may be asked for as a value and as an object.
    fields: Vec<(String, Field)>,
}

/// What one field must be.
#[derive(Clone, Debug, PartialEq)]
enum Field {
    /// An object, or an array with an object, that fits.
    Object(Object),
    /// A value that passes one of the tests.
    Leaf(Vec<Test>),
}

impl Pattern {
    fn of(rules: Vec<Object>) -> Pattern {
        let mut fields = Object::default();
        if rules.len() > 1 {
            rules.iter().for_each(|rule| fields.unite(rule));
        }
        Pattern { rules, fields }
    }

    /// Reads a pattern.
    ///
    /// # Errors
    /// What EventBridge would refuse, in its words, with the place.
    pub(crate) fn parse(text: &str) -> Result<Pattern, PatternError> {
        parse::pattern(text)
    }

    /// Returns whether an event, the text of one JSON object, fits.
    ///
    /// # Errors
    /// The text is not JSON object.
    pub(crate) fn matches(&self, event: &str) -> Result<bool, serde_json::Error> {
        if self.rules.len() < 2 {
            return event::matches(self, event);
        }
        event::matches(self, &prune::pruned(&self.fields, event)?)
    }

    /// Returns whether an event fits, and which fields decided that.
    ///
    /// # Errors
    /// As [`Pattern::matches`].
    pub(crate) fn explain(
        &self,
        event: &str,
    ) -> Result<(bool, Vec<Explanation>), serde_json::Error> {
        event::explain(self, event)
    }

    /// Returns sets of texts: an event that fits has one of each set in it, unless it spells them with `\u` escapes. The
    /// deepest fields come first, as they select most.
    pub(crate) fn literals(&self) -> Vec<Vec<&str>> {
        if let [rule] = self.rules.as_slice() {
            return rule.literals();
        }
        // Which of the rules an event fits is not known: it has what the first set of one of them asks for.
        let firsts = self
            .rules
            .iter()
            .map(|rule| rule.literals().into_iter().next());
        let firsts: Option<Vec<_>> = firsts.collect();
        firsts.map(|sets| sets.concat()).into_iter().collect()
    }
}

impl Object {
    fn literals(&self) -> Vec<Vec<&str>> {
        let mut sets = Vec::new();
        for (_, field) in &self.fields {
            if let Field::Object(inner) = field {
                sets.extend(inner.literals());
            }
        }
        for (_, field) in &self.fields {
            if let Field::Leaf(tests) = field {
                sets.extend(tests.iter().map(Test::literal).collect::<Option<Vec<_>>>());
            }
        }
        sets
    }
}

#[cfg(test)]
mod tests {
    //! Walks `tests/fixtures/event_pattern`: what fits and what does not, what is refused and why.

    use serde_json::Value;

    use super::Pattern;

    fn cases() -> Vec<(String, Value)> {
        let directory = concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../tests/fixtures/event_pattern"
        );
        let cases: Vec<_> = std::fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                (
                    path.display().to_string(),
                    serde_json::from_str(&text).unwrap(),
                )
            })
            .collect();
        assert!(cases.len() > 50);
        cases
    }

    fn texts(value: &Value) -> Vec<&str> {
        value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect()
    }

    #[test]
    fn events_fit_or_not() {
        for (name, case) in cases() {
            let Ok(pattern) = Pattern::parse(case["pattern"].as_str().unwrap()) else {
                assert!(case["reason"].is_string(), "{name}");
                continue;
            };
            for (event, expected) in texts(&case["fit"])
                .into_iter()
                .map(|event| (event, true))
                .chain(
                    texts(&case["do_not_fit"])
                        .into_iter()
                        .map(|event| (event, false)),
                )
            {
                assert_eq!(pattern.matches(event).unwrap(), expected, "{name}: {event}");
                let (explained, fields) = pattern.explain(event).unwrap();
                assert_eq!(explained, expected, "{name}: explained: {event}");
                assert!(
                    expected || fields.iter().any(|field| !field.matched),
                    "{name}: {event}: nothing decided"
                );
                let has_all = pattern
                    .literals()
                    .iter()
                    .all(|set| set.iter().any(|text| event.contains(text)));
                assert!(
                    !expected || has_all || event.contains("\\u00"),
                    "{name}: {event} would be passed over"
                );
            }
        }
    }

    #[test]
    fn refusals_say_why_and_where() {
        let mut n_refused = 0;
        for (name, case) in cases() {
            let Some(reason) = case["reason"].as_str() else {
                continue;
            };
            n_refused += 1;
            let error = Pattern::parse(case["pattern"].as_str().unwrap()).unwrap_err();
            assert!(error.reason.contains(reason), "{name}: {error}");
        }
        assert!(n_refused > 20);
        let error = Pattern::parse("{\"a\":[1],\n  \"b\": 7}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "line 2 column 8: Event pattern is not valid. Reason: \"b\" must be an object or an array"
        );
    }

    #[test]
    fn an_explanation_names_the_field_that_stood_in_the_way() {
        let pattern = Pattern::parse(
            r#"{"source":["aws.ssm"],"detail":{"eventName":["A"],"x":[{"exists":true}]}}"#,
        )
        .unwrap();
        let (_, fields) = pattern
            .explain(r#"{"source":"aws.ssm","detail":{"eventName":"B"}}"#)
            .unwrap();
        let found: Vec<_> = fields
            .iter()
            .map(|field| (field.field.as_str(), field.found.join(",")))
            .collect();
        assert_eq!(
            found,
            [
                ("$.detail.eventName", "\"B\"".to_owned()),
                ("$.detail.x", String::new())
            ]
        );
    }
}
