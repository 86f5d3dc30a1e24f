//! jq filters: compiled once, before anything else happens, and run on every record. One that reads on by `input` or `inputs` is run
//! when all records are there.

use anyhow::anyhow;
use jaq_core::data::HasLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::native::{self, bome};
use jaq_core::{Compiler, Ctx, DataT, Filter as Compiled, Lut, RunPtr, Vars, unwrap_valr};
use jaq_fmts::write::tabular::Row;
use jaq_json::{Val, read};
use jaq_std::input::{self, HasInputs, Inputs, RcIter};
use serde::de::IgnoredAny;

/// The variable of jq that holds the environment.
const ENVIRONMENT: &str = "$ENV";

/// What jq defines and jaq does not; records come from no file. <https://jqlang.org/manual/#sql-style-operators>,
/// <https://jqlang.org/manual/#streaming>, <https://jqlang.org/manual/#io>
const DEFINITIONS: &str = r#"
def INDEX(stream; key): reduce stream as $one ({}; . + {($one | key | tostring): $one});
def INDEX(key): INDEX(.[]; key);
def IN(values): any(values == .; .);
def IN(stream; values): any(stream == values; .);
def ascii: [.] | implode;
def input_filename: null;
def tostream:
  def rec($path):
    if isboolean or . < [] or length == 0 then [$path, .]
    else keys_unsorted as $keys | ($keys[] as $key | .[$key] | rec($path + [$key])), [$path + [$keys[-1]]] end;
  rec([]);
"#;

/// The most characters of a value that an error shows: that of a whole record would hide what is wrong.
const MAX_SHOWN: usize = 80;

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
                    let error = shortened(&error.to_string());
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

/// Returns the error of a filter with its values cut; what a filter says by itself is kept.
fn shortened(error: &str) -> String {
    let (mut shown, mut rest) = (String::new(), error);
    while let Some(at) = rest.find(['{', '[', '"']) {
        let mut values = serde_json::Deserializer::from_str(&rest[at..]).into_iter::<IgnoredAny>();
        let n_bytes = match values.next() {
            Some(Ok(_)) => values.byte_offset(),
            _ => 1,
        };
        let is_whole = at == 0 && shown.is_empty();
        let value = &rest[at..at + n_bytes];
        let cut = value.char_indices().nth(MAX_SHOWN).filter(|_| !is_whole);
        shown += &rest[..at];
        shown += cut.map_or(value, |(end, _)| &value[..end]);
        shown += cut.map_or("", |_| "..");
        rest = &rest[at + n_bytes..];
    }
    shown + rest
}

/// Compiles a filter, where `input` and `inputs` are defined or not.
fn compiled(code: &str, with_inputs: bool) -> anyhow::Result<Compiled<Records>> {
    let own = load::parse(DEFINITIONS, |parser| parser.defs()).unwrap_or_default();
    let definitions = jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs())
        .chain(own);
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
#[path = "filter_tests.rs"]
mod tests;
