//! jq filters: compiled once, before anything else happens, and run on every record. One that reads on by `input` or `inputs` is run
//! when all records are there.

use anyhow::anyhow;
use jaq_core::data::HasLut;
use jaq_core::load::{Arena, File, Loader};
use jaq_core::native::{self, bome};
use jaq_core::{Compiler, Ctx, DataT, Filter as Compiled, Lut, RunPtr, Vars, unwrap_valr};
use jaq_fmts::write::tabular::Row;
use jaq_json::{Val, read};
use jaq_std::input::{self, HasInputs, Inputs, RcIter};

/// The variable of jq that holds the environment.
const ENVIRONMENT: &str = "$ENV";

/// What filters work on: values of JSON, and the records behind the one that they are given.
struct Records;

impl DataT for Records {
    type V<'a> = Val;
    type Data<'a> = Given<'a>;
}

/// What a run of a filter has at hand.
#[derive(Clone, Copy)]
struct Given<'a> {
    lut: &'a Lut<Records>,
    inputs: Inputs<'a, Val>,
}

impl<'a> HasLut<'a, Records> for Given<'a> {
    fn lut(&self) -> &'a Lut<Records> {
        self.lut
    }
}

impl<'a> HasInputs<'a, Val> for Given<'a> {
    fn inputs(&self) -> Inputs<'a, Val> {
        self.inputs
    }
}

/// A compiled jq filter.
pub struct Filter {
    compiled: Compiled<Records>,
    reads_environment: bool,
    reads_on: bool,
}

impl Filter {
    /// Compiles a filter; the error names the part that jq does not understand.
    ///
    /// # Errors
    /// jq does not understand it.
    pub fn compile(code: &str) -> anyhow::Result<Filter> {
        Ok(Filter {
            compiled: compiled(code, true)?,
            reads_environment: code.contains(ENVIRONMENT),
            // The compiler knows a call from the same word in a text, as a field, or as a definition of the filter's own.
            reads_on: code.contains("input") && compiled(code, false).is_err(),
        })
    }

    /// Returns whether the filter may read the records behind the one that it is given, which must be there then.
    pub(crate) fn reads_on(&self) -> bool {
        self.reads_on
    }

    /// Runs the filter on one JSON text and hands every value it yields to `yielded`.
    ///
    /// # Errors
    /// As [`Filter::run_all`].
    pub fn run(
        &self,
        json: &str,
        yielded: impl FnMut(&Yielded) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        self.run_all([json], yielded)
    }

    /// Runs the filter on JSON texts one after the other and hands every value it yields to `yielded`. What `input` and `inputs` take
    /// it is not run on, as in jq.
    ///
    /// # Errors
    /// The filter fails on one of the values, or an error of `yielded`.
    pub(crate) fn run_all<T: AsRef<str>>(
        &self,
        texts: impl IntoIterator<Item = T>,
        mut yielded: impl FnMut(&Yielded) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        // A value of jaq belongs to one thread, a filter may be handed to another.
        let variables = match self.reads_environment {
            true => environment(),
            false => Val::Null,
        };
        let parsed = texts.into_iter().map(|text| {
            read::parse_single(text.as_ref().as_bytes()).map_err(|error| error.to_string())
        });
        let parsed = RcIter::new(parsed);
        let given = Given {
            lut: &self.compiled.lut,
            inputs: &parsed,
        };
        for input in given.inputs {
            let input = input.map_err(|error| anyhow!("--jq input: {error}"))?;
            let context = Ctx::<Records>::new(given, Vars::new([variables.clone()]));
            for output in self.compiled.id.run((context, input)).map(unwrap_valr) {
                let value = output.map_err(|error| {
                    anyhow!("--jq: {error}; a filter is given one record after the other, as -o json prints them")
                })?;
                yielded(&Yielded(value))?;
            }
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

/// Compiles a filter, where `input` and `inputs` are defined or not.
fn compiled(code: &str, with_inputs: bool) -> anyhow::Result<Compiled<Records>> {
    let definitions = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs());
    let inputs = with_inputs.then(|| input::funs().into_vec());
    let functions = jaq_core::funs()
        .chain(jaq_std::funs())
        .chain(jaq_json::funs())
        .chain(tables().into_vec().into_iter().map(native::run))
        .chain(inputs.into_iter().flatten().map(native::run));
    let arena = Arena::default();
    let loaded = Loader::new(definitions).load(&arena, File { code, path: () });
    let modules = loaded.map_err(|errors| {
        let reasons: Vec<String> = errors
            .iter()
            .map(|(_, error)| describe_load(error))
            .collect();
        anyhow!("--jq '{code}': {}", reasons.join("; "))
    })?;
    Compiler::default()
        .with_funs(functions)
        .with_global_vars([ENVIRONMENT])
        .compile(modules)
        .map_err(|errors| {
            let unknown: Vec<String> = errors
                .iter()
                .flat_map(|(_, symbols)| symbols.iter())
                .map(|(name, kind)| format!("undefined {} '{name}'", kind.as_str()))
                .collect();
            anyhow!("--jq '{code}': {}", unknown.join("; "))
        })
}

/// Returns the two formats of jq that jaq keeps apart from its standard library.
fn tables<D: for<'a> DataT<V<'a> = Val>>() -> Box<[native::Filter<RunPtr<D>>]> {
    Box::new([
        ("@csv", native::v(0), |given| {
            bome(row(&given.1, |row, text| row.write_csv(text)))
        }),
        ("@tsv", native::v(0), |given| {
            bome(row(&given.1, |row, text| row.write_tsv(text)))
        }),
    ])
}

fn row(
    value: &Val,
    write: impl Fn(&Row, &mut Vec<u8>) -> std::io::Result<()>,
) -> Result<Val, jaq_json::Error> {
    let row = Row::try_from(value).map_err(jaq_json::Error::str)?;
    let mut text = Vec::new();
    write(&row, &mut text).map_err(jaq_json::Error::str)?;
    Ok(Val::utf8_str(text))
}

fn environment() -> Val {
    let text = |text: std::ffi::OsString| Val::from(text.to_string_lossy().into_owned());
    let variables = std::env::vars_os().map(|(name, value)| (text(name), text(value)));
    Val::obj(variables.collect())
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
        check_all(code, &[json], expected);
    }

    fn check_all(code: &str, texts: &[&str], expected: &[&str]) {
        let mut lines = Vec::new();
        Filter::compile(code)
            .unwrap()
            .run_all(texts, |value| {
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
    fn rows_become_csv_and_tsv() {
        let row = r#"["a,b","say \"x\"",1,true,null,"t\tn"]"#;
        check(
            "@csv",
            row,
            &[r#""\"a,b\",\"say \"\"x\"\"\",1,true,,\"t\tn\"""#],
        );
        check("@tsv", row, &[r#""a,b\tsay \"x\"\t1\ttrue\t\tt\\tn""#]);
        let filter = Filter::compile("@tsv").unwrap();
        let error = filter.run(r#"{"a":1}"#, |_| Ok(())).unwrap_err();
        assert!(
            format!("{error:#}").contains("expected table row"),
            "{error:#}"
        );
    }

    #[test]
    fn the_environment_is_a_variable() {
        let path = std::env::var("PATH").unwrap();
        let path = serde_json::to_string(&path).unwrap();
        check("$ENV.PATH", "{}", &[&path]);
        check("$ENV | has(\"NO_SUCH_VARIABLE\")", "{}", &["false"]);
    }

    /// <https://jqlang.org/manual/#io>
    #[test]
    fn input_and_inputs_take_the_records_behind() {
        let records = ["1", "2", "3", "4", "5"];
        check_all("[., input]", &records[..4], &["[1,2]", "[3,4]"]);
        check_all("[., inputs] | length", &records, &["5"]);
        check_all(". + first(inputs)", &records[..2], &["3"]);
        check_all("reduce inputs as $one (.; . + $one)", &records, &["15"]);
        check_all("inputs", &["1"], &[]);
        for (code, expected) in [
            ("[inputs]", true),
            ("\"\\(input.id)\"", true),
            (".content.inputs | .inputs2", false),
            ("{inputs: .content[\"inputs\"]}", false),
            (". as $input | $input", false),
            ("select(.stdout | contains(\"bad input\"))", false),
            ("def input: 1; input", false),
            ("# input\n.", false),
            ("def input: 1; inputs", true),
        ] {
            let filter = Filter::compile(code).unwrap();
            assert_eq!(filter.reads_on(), expected, "{code}");
        }
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
