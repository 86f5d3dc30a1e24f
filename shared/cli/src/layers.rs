//! Desired state in layers: one for everywhere, and overrides for an organizational unit, an account or a region, each with
//! its reason and, if it is to end, its last day.

use std::marker::PhantomData;

use anyhow::{Context, bail, ensure};
use jiff::civil::Date;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::input::parse;
use crate::mistakes::{from_value, of_other_tool};
use crate::source::{read_texts, source, text_or_default};
use crate::{Finding, FindingKind, IoArgs, Severity, Target, jsonc};

/// The desired state of every target, out of one value and any number of overrides.
#[derive(Clone, Debug)]
pub struct Layers<D> {
    what: &'static str,
    base: Value,
    /// In the order in which they are laid over the base.
    overrides: Vec<Override>,
    desired: PhantomData<D>,
}

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
            overrides: Vec::new(),
            desired: PhantomData,
        };
        let mut bases = Vec::new();
        let is_directory = io.file.as_deref().is_some_and(std::path::Path::is_dir);
        for (place, text) in texts {
            let read = || format!("read {what} from {place}");
            let text = jsonc::plain(&text);
            let values: Vec<Value> = parse(&text).with_context(read)?;
            for value in &values {
                if value.get("for").is_some() {
                    layers.push(value).with_context(read)?;
                } else {
                    // Read from the text, where there is nothing else in it, so that an error has line and column.
                    let parsed = match values.len() {
                        1 => parse::<D>(&text).map(drop),
                        _ => from_value::<D>(value).map(drop),
                    };
                    parsed
                        .map_err(|error| of_other_tool(error, what, value, is_directory))
                        .with_context(read)?;
                    bases.push((value.clone(), place.clone()));
                }
            }
        }
        match bases.as_slice() {
            [(base, _)] => layers.base.clone_from(base),
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
                "read {what} from {second}: expected one JSON value, found {}; overrides have a `for`",
                bases.len()
            ),
        }
        layers.all()?;
        Ok(layers)
    }

    fn push(&mut self, value: &Value) -> anyhow::Result<()> {
        let layer: Override = from_value(value)?;
        layer.check()?;
        ensure!(
            !self.overrides.iter().any(|one| one.r#for == layer.r#for),
            "$.for: there is another override for {}",
            layer.r#for
        );
        self.overrides.push(layer);
        Ok(())
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
            json_patch::merge(&mut value, &Value::Object(layer.desired.clone()));
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
            layer.r#for,
            self.what
        )
    }

    /// Returns the desired state that is not overridden, and with each override by itself.
    ///
    /// # Errors
    /// One is not a desired state.
    pub fn all(&self) -> anyhow::Result<Vec<D>> {
        let mut all = vec![from_value(&self.base).with_context(|| self.what)?];
        for layer in &self.overrides {
            let mut value = self.base.clone();
            json_patch::merge(&mut value, &Value::Object(layer.desired.clone()));
            let one = from_value(&value)
                .with_context(|| format!("{}: override for {}", self.what, layer.r#for));
            all.push(one?);
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
        let mut by_unit = self.overrides.iter().map(|layer| &layer.r#for);
        if let (None, Some(scope)) = (units, by_unit.find(|one| one.organizational_unit.is_some()))
        {
            bail!(
                "{}: override for {scope}: nothing says which units are above {}; pass --accounts org, or the entities of the organization",
                self.what,
                target.account
            );
        }
        let units = units.unwrap_or_default();
        let layers = self.overrides.iter();
        let mut layers: Vec<&Override> = layers
            .filter(|layer| layer.r#for.holds(target, units))
            .collect();
        layers.sort_by_key(|layer| layer.r#for.rank(units));
        Ok(layers)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Layers, Override, from_value};
    use crate::Target;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Desired {
        shell: Option<String>,
        timeout: Option<u32>,
    }

    fn layers(overrides: &[Value]) -> anyhow::Result<Layers<Desired>> {
        let mut layers = Layers {
            what: "desired",
            base: json!({ "shell": "bash", "timeout": 20 }),
            overrides: Vec::new(),
            desired: std::marker::PhantomData,
        };
        overrides.iter().try_for_each(|one| layers.push(one))?;
        layers.all()?;
        Ok(layers)
    }

    fn layer(scope: Value, desired: Value) -> Value {
        json!({ "for": scope, "reason": "a test", "desired": desired })
    }

    fn target() -> Target {
        "111122223333/eu-central-1".parse().unwrap()
    }

    #[test]
    fn the_nearest_layer_wins() {
        let overrides = [
            layer(json!({ "region": "eu-central-1" }), json!({ "timeout": 4 })),
            layer(
                json!({ "account": "111122223333" }),
                json!({ "timeout": 3, "shell": null }),
            ),
            layer(
                json!({ "organizational_unit": "ou-below" }),
                json!({ "timeout": 2, "shell": "zsh" }),
            ),
            layer(
                json!({ "organizational_unit": "ou-above" }),
                json!({ "timeout": 1, "shell": "sh" }),
            ),
            layer(
                json!({ "account": "999999999999" }),
                json!({ "timeout": 9 }),
            ),
        ];
        let units = [
            "r-root".to_owned(),
            "ou-above".to_owned(),
            "ou-below".to_owned(),
        ];
        for (n_layers, timeout, shell) in [(1, 4, Some("bash")), (2, 4, None), (5, 4, None)] {
            let desired = layers(&overrides[..n_layers]).unwrap();
            let desired = desired.at(&target(), Some(&units)).unwrap();
            assert_eq!(desired.timeout, Some(timeout));
            assert_eq!(desired.shell.as_deref(), shell);
        }
        let units_only = layers(&overrides[2..]).unwrap();
        let below = units_only.at(&target(), Some(&units)).unwrap();
        assert_eq!(
            (below.timeout, below.shell.as_deref()),
            (Some(2), Some("zsh"))
        );
    }

    #[test]
    fn an_unknown_place_in_the_tree_is_no_reason_to_leave_a_layer_out() {
        let one = layer(json!({ "organizational_unit": "ou-a" }), json!({}));
        let refused = layers(&[one]).unwrap().at(&target(), None).unwrap_err();
        assert!(refused.to_string().contains("--accounts org"), "{refused}");
    }

    #[test]
    fn an_override_names_its_reason_place_and_known_keys() {
        let account = json!({ "account": "111122223333" });
        let complaints = [
            (
                json!({ "for": account, "reason": " ", "desired": {} }),
                "$.reason",
            ),
            (json!({ "for": {}, "reason": "x", "desired": {} }), "$.for"),
            (json!({ "for": account, "desired": {} }), "reason"),
            (
                json!({ "for": account, "reason": "x", "expires": "2027-02-31", "desired": {} }),
                "expires",
            ),
            (layer(account.clone(), json!({ "shel": "x" })), "shel"),
        ];
        for (value, expected) in complaints {
            let complaint = format!("{:#}", layers(&[value]).unwrap_err());
            assert!(complaint.contains(expected), "{complaint}");
        }
        let twice = [layer(account.clone(), json!({})), layer(account, json!({}))];
        assert!(layers(&twice).is_err());
    }

    #[test]
    fn an_override_past_its_last_day_is_a_finding_and_stays_in_force() {
        let mut one = layer(
            json!({ "account": "111122223333" }),
            json!({ "timeout": 5 }),
        );
        one["expires"] = json!("2020-01-31");
        let desired = layers(&[one.clone()]).unwrap();
        assert_eq!(desired.at(&target(), None).unwrap().timeout, Some(5));
        let found = desired
            .expired("x.override.expired", &target(), None)
            .unwrap();
        assert_eq!(found.len(), 1);
        assert!(found[0].message.contains("2020-01-31"));
        one["expires"] = json!("9999-12-31");
        let desired = layers(&[one]).unwrap();
        assert!(desired.expired("x", &target(), None).unwrap().is_empty());
        assert!(from_value::<Override>(&json!({})).is_err());
    }
}
