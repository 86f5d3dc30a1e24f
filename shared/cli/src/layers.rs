//! Desired state in layers: one for everywhere, and overrides for an organizational unit, an account or a region, each with
//! its reason and, if it is to end, its last day.

use std::marker::PhantomData;

use anyhow::{Context, bail, ensure};
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::input::parse;
use crate::mistakes::{Mistake, from_value, of_other_tool};
use crate::objects::Strict;
use crate::source::{read_texts, source, text_or_default};
use crate::{Finding, FindingKind, IoArgs, Severity, Target, jsonc};

/// The desired state of every target, out of one value and any number of overrides.
#[derive(Clone, Debug)]
pub struct Layers<D> {
    what: &'static str,
    base: Value,
    origin: Origin,
    /// In the order in which they are laid over the base.
    overrides: Vec<Layer>,
    desired: PhantomData<D>,
}

/// An override, and where it was read.
#[derive(Clone, Debug)]
struct Layer {
    over: Override,
    origin: Origin,
}

/// Where a layer was read, for who is to correct it.
#[derive(Clone, Debug, Default)]
struct Origin {
    /// The file, or stdin.
    name: String,
    /// Its text, where the layer is all that is in it.
    text: Option<String>,
}

impl Origin {
    /// Returns what is wrong at a path, which is one of the desired state below `root`.
    fn wrong(&self, root: &str, path: &str, message: &str) -> String {
        let path = format!("{root}{}", path.strip_prefix('$').unwrap_or(path));
        let text = self.text.as_deref();
        match text.and_then(|text| jsonc::position(text, &path)) {
            Some((line, column)) => format!(
                "{}: {path}: {message} at line {line} column {column}",
                self.name
            ),
            None => format!("{}: {path}: {message}", self.name),
        }
    }
}

/// Where the desired state is in a file of its own, and where in an override.
const ROOT: &str = "$";
const ROOT_OF_OVERRIDE: &str = "$.desired";

/// What differs somewhere.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Override {
    r#for: Scope,
    /// Why, for whoever reads it next.
    reason: String,
    /// The last day on which it is meant to be there, `2027-01-31`; it stays in force and becomes a finding.
    expires: Option<Date>,
    /// A JSON merge patch: what it names replaces, null removes. <https://www.rfc-editor.org/rfc/rfc7396>
    desired: serde_json::Map<String, Value>,
}

impl Override {
    /// Returns a desired state with what is overridden.
    pub(crate) fn over(&self, base: &Value) -> Value {
        let mut value = base.clone();
        json_patch::merge(&mut value, &self.own());
        value
    }

    /// Returns what it says by itself.
    pub(crate) fn own(&self) -> Value {
        Value::Object(self.desired.clone())
    }

    /// Refuses one that holds nowhere, or has no reason.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        ensure!(
            self.r#for != Scope::default(),
            "$.for: name an organizational_unit, an account or a region"
        );
        ensure!(
            !self.reason.trim().is_empty(),
            "$.reason: say why {} differs",
            self.r#for
        );
        Ok(())
    }
}

/// Where an override holds: everywhere that all of what it names is true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Scope {
    organizational_unit: Option<String>,
    account: Option<String>,
    region: Option<String>,
}

impl std::fmt::Display for Scope {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let named = [&self.organizational_unit, &self.account, &self.region];
        let words: Vec<&str> = named.into_iter().flatten().map(String::as_str).collect();
        formatter.write_str(&words.join(" "))
    }
}

impl Scope {
    fn holds(&self, target: &Target, units: &[String]) -> bool {
        let is = |wanted: &Option<String>, there: &str| {
            wanted.as_deref().is_none_or(|wanted| wanted == there)
        };
        let unit = self.organizational_unit.as_ref();
        is(&self.account, &target.account)
            && is(&self.region, &target.region)
            && unit.is_none_or(|unit| units.contains(unit))
    }

    /// Regions go over accounts, accounts over units, and lower units over those above them.
    fn rank(&self, units: &[String]) -> (bool, bool, Option<usize>) {
        let unit = self.organizational_unit.as_ref();
        let depth = unit.and_then(|unit| units.iter().position(|one| one == unit));
        (self.region.is_some(), self.account.is_some(), depth)
    }
}

impl<D: DeserializeOwned> Layers<D> {
    /// Reads the layers from stdin or from the file or directory given by `-f`: JSON values of which one is the desired
    /// state itself, and those with a `for` override it.
    ///
    /// # Errors
    /// As [`crate::read`]; no desired state or two; an override that is wrong by itself, twice for the same place, or
    /// without a reason.
    pub fn read(io: &IoArgs, what: &'static str) -> anyhow::Result<Layers<D>> {
        Layers::of(read_texts(io.file.as_slice(), io, what)?, io, what)
    }

    /// As [`Layers::read`], for verbs that write nothing: all defaults without `-f` and with nothing on stdin.
    ///
    /// # Errors
    /// As [`Layers::read`].
    pub fn read_or_default(io: &IoArgs, what: &'static str) -> anyhow::Result<Layers<D>> {
        match io.file {
            Some(_) => Layers::read(io, what),
            None => Layers::of(vec![(source(io), text_or_default(io, what)?)], io, what),
        }
    }

    fn of(texts: Vec<(String, String)>, io: &IoArgs, what: &'static str) -> anyhow::Result<Self> {
        let mut layers = Layers {
            what,
            base: Value::Null,
            origin: Origin::default(),
            overrides: Vec::new(),
            desired: PhantomData,
        };
        let mut bases = Vec::new();
        let is_directory = io.file.as_deref().is_some_and(std::path::Path::is_dir);
        for (place, text) in texts {
            let read = || format!("read {what} from {place}");
            let plain = jsonc::plain(&text);
            let values: Vec<Value> = parse(&plain).with_context(read)?;
            let origin = Origin {
                name: place.clone(),
                text: (values.len() == 1).then(|| text.clone()),
            };
            for value in &values {
                if value.get("for").is_some() {
                    layers.push(value, origin.clone()).with_context(read)?;
                } else {
                    // Read from the text, where there is nothing else in it, so that an error has line and column.
                    let parsed = match values.len() {
                        1 => parse::<D>(&plain).map(drop),
                        _ => from_value::<D>(value).map(drop),
                    };
                    parsed
                        .map_err(|error| of_other_tool(error, what, value, is_directory))
                        .with_context(read)?;
                    bases.push((value.clone(), origin.clone()));
                }
            }
        }
        match bases.as_slice() {
            [(base, origin)] => {
                layers.base.clone_from(base);
                layers.origin.clone_from(origin);
            }
            [] => bail!(
                "read {what} from {}: {}",
                source(io),
                match layers.overrides.is_empty() {
                    true => "the input is empty: pipe JSON in or pass -f FILE",
                    false =>
                        "every desired state there has a `for`: add one without, for everywhere",
                }
            ),
            [_, (_, second), ..] => bail!(
                "read {what} from {}: expected one JSON value, found {}; overrides have a `for`",
                second.name,
                bases.len()
            ),
        }
        layers.all()?;
        Ok(layers)
    }

    fn push(&mut self, value: &Value, origin: Origin) -> anyhow::Result<()> {
        let layer: Override = from_value(value)?;
        layer.check()?;
        ensure!(
            !self
                .overrides
                .iter()
                .any(|one| one.over.r#for == layer.r#for),
            "$.for: there is another override for {}",
            layer.r#for
        );
        self.overrides.push(Layer {
            over: layer,
            origin,
        });
        Ok(())
    }

    /// Refuses a layer that is wrong in a way that its shape does not say, where it stands. `check` says which path of a desired state
    /// is, and how to correct it.
    ///
    /// # Errors
    /// What `check` finds.
    pub fn checked(
        self,
        check: impl Fn(&D) -> Option<(String, String)>,
    ) -> anyhow::Result<Layers<D>> {
        let of_overrides = self.overrides.iter();
        let of_overrides = of_overrides.map(|layer| (&layer.origin, ROOT_OF_OVERRIDE));
        let origins = std::iter::once((&self.origin, ROOT)).chain(of_overrides);
        for (desired, (origin, root)) in self.all()?.iter().zip(origins) {
            if let Some((path, message)) = check(desired) {
                bail!(
                    "read {} from {}",
                    self.what,
                    origin.wrong(root, &path, &message)
                );
            }
        }
        Ok(self)
    }

    /// Returns the desired state of a target. `units` are the organizational units above its account, the root first.
    ///
    /// # Errors
    /// Overrides do not go together; one is for a unit, and nothing says which units are above the account.
    pub fn at(&self, target: &Target, units: Option<&[String]>) -> anyhow::Result<D> {
        if self.overrides.is_empty() {
            return from_value(&self.base).with_context(|| self.what);
        }
        let layers = self.over(target, units)?;
        let mut value = self.base.clone();
        for layer in &layers {
            value = layer.over(&value);
        }
        from_value(&value).with_context(|| format!("{} for {target}", self.what))
    }

    /// Returns the one desired state that there is, for what is the same everywhere.
    ///
    /// # Errors
    /// It has overrides, or does not fit.
    pub fn only(&self) -> anyhow::Result<D> {
        let Some(layer) = self.overrides.first() else {
            return from_value(&self.base).with_context(|| self.what);
        };
        bail!(
            "{} has its own {}: what is the same everywhere has no overrides; pass one file",
            layer.over.r#for,
            self.what
        )
    }

    /// Returns the desired state that is not overridden, and with each override by itself.
    ///
    /// # Errors
    /// One is not a desired state.
    pub fn all(&self) -> anyhow::Result<Vec<D>> {
        let mut all = vec![from_value(&self.base).with_context(|| self.what)?];
        for Layer { over, origin } in &self.overrides {
            let read = serde_path_to_error::deserialize::<_, Strict<D>>(&over.over(&self.base));
            match read {
                Ok(Strict(desired)) => all.push(desired),
                Err(error) => {
                    let mistake = Mistake::of(error);
                    let wrong = origin.wrong(ROOT_OF_OVERRIDE, &mistake.path, &mistake.message);
                    bail!("read {} from {wrong}", self.what);
                }
            }
        }
        Ok(all)
    }

    /// Returns a finding of this ID for every override of a target whose last day was before today.
    ///
    /// # Errors
    /// As [`Layers::at`].
    pub fn expired(
        &self,
        id: &str,
        target: &Target,
        units: Option<&[String]>,
    ) -> anyhow::Result<Vec<Finding>> {
        // In UTC, so that the same run says the same everywhere.
        let today = jiff::Timestamp::now()
            .to_zoned_datetime(jiff::tz::TimeZone::UTC)
            .date();
        let mut findings = Vec::new();
        for layer in self.over(target, units)? {
            if let Some(day) = layer.expires.filter(|day| *day < today) {
                let why = &layer.reason;
                findings.push(Finding {
                    kind: FindingKind::Finding,
                    id: id.to_owned(),
                    severity: Severity::Warning,
                    target: Some(target.clone()),
                    resource: format!("override for {}", layer.r#for),
                    message: format!("it was meant to end on {day} and is still in force: {why}"),
                    fix: "remove the override, or extend it with a new date and reason".to_owned(),
                    is_unread: false,
                });
            }
        }
        Ok(findings)
    }

    fn over(&self, target: &Target, units: Option<&[String]>) -> anyhow::Result<Vec<&Override>> {
        let mut by_unit = self.overrides.iter().map(|layer| &layer.over.r#for);
        if let (None, Some(scope)) = (units, by_unit.find(|one| one.organizational_unit.is_some()))
        {
            bail!(
                "{}: override for {scope}: nothing says which units are above {}; pass --accounts org, or the entities of the organization",
                self.what,
                target.account
            );
        }
        let units = units.unwrap_or_default();
        let layers = self.overrides.iter().map(|layer| &layer.over);
        let mut layers: Vec<&Override> = layers
            .filter(|layer| layer.r#for.holds(target, units))
            .collect();
        layers.sort_by_key(|layer| layer.r#for.rank(units));
        Ok(layers)
    }
}

#[cfg(test)]
#[path = "layers_tests.rs"]
mod tests;
