//! jq filters: compiled once, before anything else happens, and run on every record.

use anyhow::{Context, anyhow};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Filter as Compiled, Vars, data, unwrap_valr};
use jaq_json::{Val, read};

/// A compiled jq filter.
pub struct Filter(Compiled<data::JustLut<Val>>);

impl Filter {
    /// Compiles a filter; the error names the part that jq does not understand.
    ///
    /// # Errors
    /// jq does not understand it.
    pub fn compile(code: &str) -> anyhow::Result<Filter> {
        let definitions = jaq_core::defs()
            .chain(jaq_std::defs())
            .chain(jaq_json::defs());
        let functions = jaq_core::funs()
            .chain(jaq_std::funs())
            .chain(jaq_json::funs());
        let arena = Arena::default();
        let loaded = Loader::new(definitions).load(&arena, File { code, path: () });
        let modules = loaded.map_err(|errors| {
            let reasons: Vec<String> = errors
                .iter()
                .map(|(_, error)| describe_load(error))
                .collect();
            anyhow!("--jq '{code}': {}", reasons.join("; "))
        })?;
        let compiled = Compiler::default()
            .with_funs(functions)
            .compile(modules)
            .map_err(|errors| {
                let unknown: Vec<String> = errors
                    .iter()
                    .flat_map(|(_, symbols)| symbols.iter())
                    .map(|(name, kind)| format!("undefined {} '{name}'", kind.as_str()))
                    .collect();
                anyhow!("--jq '{code}': {}", unknown.join("; "))
            })?;
        Ok(Filter(compiled))
    }

    /// Runs the filter on one JSON text and hands every value it yields to `yielded`.
    ///
    /// # Errors
    /// The filter fails on this value, or an error of `yielded`.
    pub fn run(
        &self,
        json: &str,
        mut yielded: impl FnMut(&Yielded) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let input =
            read::parse_single(json.as_bytes()).map_err(|error| anyhow!("--jq input: {error}"))?;
        let context = Ctx::<data::JustLut<Val>>::new(&self.0.lut, Vars::new([]));
        for output in self.0.id.run((context, input)).map(unwrap_valr) {
            let value = output.map_err(|error| anyhow!("{error}")).context("--jq")?;
            yielded(&Yielded(value))?;
        }
        Ok(())
    }
}

/// One value that a filter yielded.
pub struct Yielded(Val);

impl Yielded {
    /// Returns the value as one line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        self.0.to_string()
    }

    /// Returns the text of a string value without quotes, and any other value as JSON.
    #[must_use]
    pub fn raw(&self) -> String {
        serde_json::from_str::<String>(&self.json()).unwrap_or_else(|_| self.json())
    }
}

fn describe_load(error: &jaq_core::load::Error<&str>) -> String {
    use jaq_core::load::Error;
    match error {
        Error::Io(errors) => errors
            .iter()
            .map(|(path, error)| format!("{path}: {error}"))
            .collect(),
        Error::Lex(errors) => {
            let texts: Vec<String> = errors
                .iter()
                .map(|(expected, at)| format!("expected {} at '{at}'", expected.as_str()))
                .collect();
            texts.join("; ")
        }
        Error::Parse(errors) => {
            let texts: Vec<String> = errors
                .iter()
                .map(|(expected, at)| {
                    let at = if at.is_empty() {
                        "the end".to_owned()
                    } else {
                        format!("'{at}'")
                    };
                    format!("expected {} at {at}", expected.as_str())
                })
                .collect();
            texts.join("; ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Filter;

    fn check(code: &str, json: &str, expected: &[&str]) {
        let mut lines = Vec::new();
        Filter::compile(code)
            .unwrap()
            .run(json, |value| {
                lines.push(value.json());
                Ok(())
            })
            .unwrap();
        assert_eq!(lines, expected);
    }

    #[test]
    fn yields_any_number_of_values_and_keeps_key_order() {
        check(".b[]", r#"{"b":[1,"x"]}"#, &["1", r#""x""#]);
        check("select(.z == 1)", r#"{"z":1,"a":2}"#, &[r#"{"z":1,"a":2}"#]);
        check("empty", "{}", &[]);
    }

    #[test]
    fn names_what_it_does_not_understand() {
        let message = |code| format!("{:#}", Filter::compile(code).map(|_| ()).unwrap_err());
        assert!(
            message("nonsense").contains("nonsense"),
            "{}",
            message("nonsense")
        );
        assert!(message(".[").contains("expected"), "{}", message(".["));
    }
}
