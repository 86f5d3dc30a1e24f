//! Which past calls a guard would have denied: one record for each principal and action, so that memory grows with the
//! people and not with what they did.

pub(crate) mod cloudtrail_record;
mod concern;
mod event_name;

#[cfg(test)]
mod damage_tests;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use cloudtrail::{Damage, Found, Verdict as Read};
use iam_policy::{Compiled, Decision, Request, Verdict, denies};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use self::cloudtrail_record::{Record, Who};
use self::concern::Concern;
use self::event_name::deniable;
#[cfg(test)]
pub(crate) use self::event_name::is_deniable;
pub(crate) use self::event_name::never_recorded;
use crate::principal_arn;

/// The `kind` of a denied call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeniedCallKind {
    /// The only value.
    DeniedCall,
}

/// What a principal did and could not have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeniedCall {
    /// Always `denied_call`.
    pub(crate) kind: DeniedCallKind,
    /// ARN of the role, user or root user.
    pub(crate) principal: String,
    pub(crate) action: String,
    /// Calls that would have been denied for certain.
    pub(crate) n_denied: u64,
    /// Calls of which the record does not say enough.
    pub(crate) n_unknown: u64,
    /// Time of the first such call.
    pub(crate) first: String,
    /// Time of the last such call.
    pub(crate) last: String,
    /// `eventID` of the last such call.
    pub(crate) last_event_id: String,
    /// Name of the policy that denies.
    pub(crate) policy: String,
    /// Sid of the statement that denies.
    pub(crate) sid: Option<String>,
    /// The context key that it depends on; `resource`, or `action` where the event's name is not that of an action.
    pub(crate) depends_on: Option<String>,
}

/// What has been replayed so far.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    denied: BTreeMap<(String, String), DeniedCall>,
    /// The actions that the guard denies somebody, by what was called that is not an action.
    deniable: HashMap<String, Vec<String>>,
    pub(crate) counts: Counts,
    /// What is wrong with the first record that is damaged.
    pub(crate) damage: Option<String>,
}

/// What became of the records that make no output, so that none is lost in silence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) n_records: u64,
    /// Calls that no statement of the guard is about; of a wrapping that has no other it is one.
    pub(crate) n_not_concerned: u64,
    /// Calls by AWS services and service-linked roles, and in accounts that no target is above.
    pub(crate) n_not_governed: u64,
    /// Calls that were refused when they were made.
    pub(crate) n_denied_before: u64,
    /// Records that do not say who called.
    pub(crate) n_without_principal: u64,
    /// What is not a record of a call: digests, log lines.
    pub(crate) n_no_call: u64,
    /// Records that cannot be read.
    pub(crate) n_damaged: u64,
}

impl Counts {
    /// Returns why the records do not show what was done; `None` where they do.
    pub(crate) fn unread(&self) -> Option<String> {
        if self.n_records == self.n_no_call {
            return Some("it holds no record of a call".to_owned());
        }
        match (self.n_damaged, self.n_without_principal) {
            (0, 0) => None,
            (0, 1) => Some("1 of its calls does not say who made it".to_owned()),
            (0, n) => Some(format!("{n} of its calls do not say who made them")),
            (1, _) => Some("1 of its records is damaged".to_owned()),
            (n, _) => Some(format!("{n} of its records are damaged")),
        }
    }
}

/// Replays records as they are in log files.
pub(crate) struct Replaying<'g, F> {
    guard: &'g [Compiled],
    governed: F,
    concern: Concern<'g>,
    n_objects: u64,
    replay: Replay,
}

impl<'g, F: Fn(&str) -> bool> Replaying<'g, F> {
    /// `governed` says whether the guard binds an account.
    pub(crate) fn by(guard: &'g [Compiled], governed: F) -> Replaying<'g, F> {
        Replaying {
            guard,
            governed,
            concern: Concern::of(guard),
            n_objects: 0,
            replay: Replay::default(),
        }
    }

    /// Replays a file, or stdin. What is damaged in it is counted, and what comes after it is done.
    ///
    /// # Errors
    /// A terminal as stdin, or a file that cannot be opened.
    pub(crate) fn file(&mut self, path: Option<&Path>) -> anyhow::Result<()> {
        Replaying::file_of_all(std::slice::from_mut(self), path)
    }

    /// Replays a file by several guards at once.
    ///
    /// # Errors
    /// As [`Replaying::file`].
    pub(crate) fn file_of_all(all: &mut [Self], path: Option<&Path>) -> anyhow::Result<()> {
        anyhow::ensure!(
            !cli::is_missing(path),
            "no input: pipe in what `ssm-events history` prints, or name its file"
        );
        let mut n_objects = 0_u64;
        let read = cloudtrail::objects_of(path, |found| {
            n_objects += 1;
            let each = all.iter_mut().map(|one| one.found(&found));
            // Each looks at the calls that its own policies deny: one may skip what is damaged for another.
            Ok(each.fold(Read::Whole, |all, read| match all {
                Read::Whole => read,
                damaged => damaged,
            }))
        });
        match read {
            Ok(()) => Ok(()),
            Err(Damage::Each(error)) => Err(error),
            // A file that is not there is a wrong argument; one that ends early is damaged.
            Err(Damage::Read(error)) if n_objects == 0 && error.raw_os_error().is_some() => {
                Err(error.into())
            }
            Err(damage) => {
                let what = damage.to_string();
                all.iter_mut().for_each(|one| one.damaged(what.clone()));
                Ok(())
            }
        }
    }

    /// Replays a JSON object: a record, or a wrapping of records.
    pub(crate) fn found(&mut self, found: &Found<'_>) -> Read {
        self.n_objects += 1;
        let read = match found {
            Found::Damaged(spoilt) => Err(anyhow::anyhow!("{spoilt}")),
            Found::Object(object) | Found::Json(object) => self.read(object),
        };
        match read {
            Ok(()) => Read::Whole,
            Err(error) => {
                self.damaged(format!("record {}: {error:#}", self.n_objects));
                Read::Damaged
            }
        }
    }

    fn damaged(&mut self, what: String) {
        self.replay.counts.n_records += 1;
        self.replay.counts.n_damaged += 1;
        self.replay.damage.get_or_insert(what);
    }

    fn read(&mut self, object: &[u8]) -> anyhow::Result<()> {
        let text = cloudtrail::text(object)?;
        if !self.concern.may_be(object) {
            self.replay.counts.n_records += 1;
            self.replay.counts.n_not_concerned += 1;
            return Ok(());
        }
        // A member that is there twice may hide the node that a call was about.
        let value = cloudtrail::parse(text)?;
        if cloudtrail_record::is_call(&value) {
            let record = serde_json::from_value(value)?;
            self.replay.record(&record, self.guard, &self.governed);
            return Ok(());
        }
        if let Some(gap) = cloudtrail::gap(&value) {
            self.damaged(gap.to_string());
            return Ok(());
        }
        if cloudtrail::is_proof(&value) {
            return Ok(());
        }
        let unwrapped = cloudtrail::unwrap(value);
        for why in unwrapped.unread {
            self.damaged(format!("record {}: {why}", self.n_objects));
        }
        let says = |object: &Value| !cloudtrail::is_blank(object);
        for mut object in unwrapped.objects.into_iter().filter(says) {
            if object["detail"].is_object() {
                object = object["detail"].take();
            }
            match serde_json::from_value(object) {
                Ok(record) => self.replay.record(&record, self.guard, &self.governed),
                Err(error) => self.damaged(format!("record {}: {error}", self.n_objects)),
            }
        }
        Ok(())
    }

    pub(crate) fn end(self) -> Replay {
        self.replay
    }
}

impl Replay {
    /// Replays one record. `governed` says whether the guard binds an account.
    pub(crate) fn record(
        &mut self,
        record: &Record,
        guard: &[Compiled],
        governed: &impl Fn(&str) -> bool,
    ) {
        self.counts.n_records += 1;
        let Some(called) = record.called() else {
            self.counts.n_no_call += 1;
            return;
        };
        let principal = match record.who() {
            Who::Principal(principal) => principal,
            Who::Service => {
                self.counts.n_not_governed += 1;
                return;
            }
            Who::Unknown => {
                self.counts.n_without_principal += 1;
                return;
            }
        };
        if principal_arn::is_service_linked(&principal)
            || !principal_arn::account(&principal).is_some_and(governed)
        {
            self.counts.n_not_governed += 1;
            return;
        }
        if record.was_denied() {
            self.counts.n_denied_before += 1;
            return;
        }
        let asked = |action: &str, context: iam_policy::Context| {
            let request = Request::on_unknown_resource(action, context);
            let said = guard
                .iter()
                .filter_map(|policy| denial(policy, &request, record, &principal));
            // One certain denial outweighs whatever the other policies leave open.
            said.max_by_key(|said| said.verdict == Verdict::Denied)
        };
        let context = record.context(&principal);
        let mut said = asked(&called.action, context.clone());
        if said.is_none() && called.in_doubt {
            let known = self.deniable.entry(called.action.clone());
            let actions = known.or_insert_with(|| deniable(guard, &called.action));
            let other = actions
                .iter()
                .find_map(|action| asked(action, context.clone()));
            said = other.map(|other| Decision {
                verdict: Verdict::Unknown,
                unknown_key: Some("action"),
                ..other
            });
        }
        if let Some(said) = said {
            self.add(&principal, &called.action, record, &said);
        }
    }

    fn add(&mut self, principal: &str, action: &str, record: &Record, said: &Decision<'_>) {
        let time = record.event_time.clone().unwrap_or_default();
        let event_id = record.event_id.clone().unwrap_or_default();
        let key = (principal.to_owned(), action.to_owned());
        let call = self.denied.entry(key).or_insert_with(|| DeniedCall {
            kind: DeniedCallKind::DeniedCall,
            principal: principal.to_owned(),
            action: action.to_owned(),
            n_denied: 0,
            n_unknown: 0,
            first: time.clone(),
            last: time.clone(),
            last_event_id: event_id.clone(),
            policy: said
                .statement
                .map(|statement| statement.policy.to_owned())
                .unwrap_or_default(),
            sid: said
                .statement
                .map(|statement| statement.sid.to_owned())
                .filter(|sid| !sid.is_empty()),
            depends_on: None,
        });
        if said.verdict == Verdict::Denied {
            call.n_denied += 1;
        } else {
            call.n_unknown += 1;
            call.depends_on = said.unknown_key.map(str::to_owned);
        }
        // Log files come in any order; times are ISO 8601 in UTC, so that texts compare as times do.
        if time < call.first {
            call.first.clone_from(&time);
        }
        if time >= call.last {
            (call.last, call.last_event_id) = (time, event_id);
        }
    }

    /// Returns the calls that would have been denied, by principal and action.
    pub(crate) fn into_denied(self) -> impl Iterator<Item = DeniedCall> {
        self.denied.into_values()
    }
}

/// Returns what a policy's denials say, asked about the resources of the call where it depends on them.
fn denial<'p>(
    policy: &'p Compiled,
    request: &Request,
    record: &Record,
    principal: &str,
) -> Option<Decision<'p>> {
    let said = denies(policy, request)?;
    if said.verdict == Verdict::Denied {
        return Some(said);
    }
    let arns = record.resource_arns(principal);
    if arns.is_empty() {
        return Some(said);
    }
    // A call is denied when it is denied on one of its resources.
    let of_each = arns
        .iter()
        .filter_map(|arn| denies(policy, &request.on(arn)));
    of_each.max_by_key(|said| said.verdict == Verdict::Denied)
}
