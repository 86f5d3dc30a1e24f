//! What stays open: the ways onto nodes that no service control policy closes to whoever IAM lets, and what is closed to nobody
//! who is exempt. By the policies above accounts, or by those of a guard alone. Pure.

mod folded;
mod left_open;
mod questions;

use std::collections::BTreeMap;

use iam_policy::{Compiled, Context, Decision, Policies, Request, Verdict, arn_like, decide};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::guard::session_records::{self, Protected};
use crate::guard::{access_token_role, exempt_patterns, is_own_role, is_user};
use crate::lockout::{in_account, sample_resource, stranger};
use crate::model::Desired;
use crate::principal_arn::{self, anybody};

pub(crate) use self::folded::{folded, summary};
pub(crate) use self::left_open::LeftOpen;
use self::questions::{Asked, questions};

/// The `kind` of a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum GapKind {
    /// The only value.
    Gap,
}

/// Whether a gap is there.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Openness {
    /// Nothing denies the actions, or on some resources only.
    Open,
    /// It depends on something that is not known.
    Unknown,
}

/// Something that stays open.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gap {
    /// Always `gap`.
    pub(crate) kind: GapKind,
    /// A way of a desired state, or `session_documents`, `session_records`, `preferences`, `exempt_principals` or
    /// `management_account`.
    pub(crate) gap: String,
    pub(crate) answer: Openness,
    /// The actions that stay open; `*` for all.
    pub(crate) actions: Vec<String>,
    /// What they lead to.
    pub(crate) leads_to: String,
    /// Where it is so, in the order of their IDs; none where a desired state was judged without an organization.
    pub(crate) accounts: Vec<String>,
    /// What to write in the desired state.
    pub(crate) cure: String,
    /// The page of AWS that says what the actions do.
    pub(crate) source: String,
}

/// The policies above an account.
pub(crate) struct Place<'a> {
    /// Its ID; any text where there is none.
    pub(crate) account: &'a str,
    pub(crate) partition: String,
    /// From the root down.
    pub(crate) levels: Vec<Vec<&'a Compiled>>,
    /// Patterns of the principals that the policies spare.
    pub(crate) exempt: Vec<String>,
    /// Accounts that they spare as a whole, besides this one.
    pub(crate) exempt_accounts: Vec<String>,
    /// Patterns of all principals whom they name, for whatever reason.
    pub(crate) named: Vec<String>,
    /// The records of sessions that a desired state names.
    pub(crate) records: Vec<Protected>,
    /// Whether a target of the desired state is above it, or there is nothing to be below of.
    pub(crate) below_target: bool,
    /// What requests by its principals have of the organization, as far as it is known.
    pub(crate) membership: Vec<(&'static str, String)>,
}

/// Returns what stays open, in the order of the catalogue, places with the same answer and cure together. What a desired state closes,
/// judged by itself, needs a target above those that have none.
pub(crate) fn gaps(places: &[Place<'_>], desired: Option<&Place<'_>>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let strangers: Vec<Vec<String>> = places.iter().map(Place::strangers).collect();
    let desired = desired.map(|place| (place, place.strangers()));
    for question in questions() {
        let is_closed_by_desired = |actions: &[&str]| {
            let closes = |(place, strangers): &(&Place<'_>, Vec<String>)| {
                let mut actions = actions.iter();
                actions.all(|action| place.answer(action, question.asked, strangers).is_none())
            };
            question.asked.holds_anywhere() && desired.as_ref().is_some_and(closes)
        };
        let mut found: BTreeMap<(Openness, Vec<&str>, bool), Vec<String>> = BTreeMap::new();
        for (place, strangers) in places.iter().zip(&strangers) {
            let mut answers: BTreeMap<Openness, Vec<&str>> = BTreeMap::new();
            for action in &question.actions {
                if let Some(openness) = place.answer(action, question.asked, strangers) {
                    answers.entry(openness).or_default().push(action);
                }
            }
            for (answer, actions) in answers {
                let needs_target = !place.below_target && is_closed_by_desired(&actions);
                let accounts = found.entry((answer, actions, needs_target)).or_default();
                accounts.push(place.account.to_owned());
            }
        }
        for ((answer, actions, needs_target), mut accounts) in found {
            accounts.retain(|account| account != NOWHERE);
            accounts.sort();
            gaps.push(Gap {
                kind: GapKind::Gap,
                gap: question.gap.to_owned(),
                answer,
                actions: actions.into_iter().map(str::to_owned).collect(),
                leads_to: question.leads_to.to_owned(),
                accounts,
                cure: match needs_target {
                    true => {
                        "name a target above these accounts: the desired state closes it".to_owned()
                    }
                    false => question.cure.clone(),
                },
                source: question.source.to_owned(),
            });
        }
    }
    gaps
}

/// Returns the gap that no policy can close.
pub(crate) fn management_account(id: &str) -> Gap {
    Gap {
        kind: GapKind::Gap,
        gap: "management_account".to_owned(),
        answer: Openness::Open,
        actions: vec!["*".to_owned()],
        leads_to: "everything there, as no service control policy binds the management account"
            .to_owned(),
        accounts: vec![id.to_owned()],
        cure: "keep nodes out of the management account, and let few people into it".to_owned(),
        source: "https://docs.aws.amazon.com/organizations/latest/userguide/orgs_best-practices_mgmt-acct.html".to_owned(),
    }
}

/// The account of a desired state that is judged without an organization: none that an exemption can name.
pub(crate) const NOWHERE: &str = "nowhere";

impl<'a> Place<'a> {
    /// Returns the place of a desired state that is judged without an organization, below the policies that it renders to.
    pub(crate) fn of_desired(desired: &Desired, policies: Vec<&'a Compiled>) -> Place<'a> {
        let accounts = desired.exempt_accounts.iter();
        let exempt = exempt_patterns(desired);
        let records = desired.protect_records.as_ref();
        let keepers = records.into_iter().flat_map(session_records::keepers);
        let mut place = Place {
            account: NOWHERE,
            partition: desired.partition.0.clone(),
            levels: vec![policies],
            named: exempt
                .iter()
                .cloned()
                .chain(keepers.map(str::to_owned))
                .collect(),
            exempt,
            exempt_accounts: accounts
                .map(|account| account.as_ref().to_owned())
                .collect(),
            records: Vec::new(),
            below_target: true,
            membership: Vec::new(),
        };
        place.name_records(desired);
        place
    }

    /// Has what a desired state names asked about by name.
    pub(crate) fn name_records(&mut self, desired: &Desired) {
        let records = desired.protect_records.iter();
        let partition = &desired.partition.0;
        self.records = records
            .flat_map(|records| session_records::protected(records, partition))
            .collect();
    }
}

impl Place<'_> {
    /// Returns whether an action is open to any of those who are asked about, on anything that is asked about.
    fn answer(&self, action: &str, asked: Asked, strangers: &[String]) -> Option<Openness> {
        let principals = match asked {
            Asked::Exempt => &self.exempt(strangers),
            _ => strangers,
        };
        let resources = self.resources(action, asked);
        let requests = principals.iter().flat_map(|arn| {
            let context = self.context(arn);
            resources.iter().map(move |resource| match resource {
                Some(resource) => Request::new(action, resource, context.clone()),
                None => Request::on_unknown_resource(action, context.clone()),
            })
        });
        let answers = requests.filter_map(|request| {
            let decision = self.decision(&request);
            match decision.verdict {
                Verdict::Allowed => Some(Openness::Open),
                Verdict::Denied => None,
                Verdict::Unknown if asked == Asked::AnybodyOnRecords => Some(Openness::Unknown),
                Verdict::Unknown if decision.unknown_key == Some("resource") => {
                    Some(Openness::Open)
                }
                Verdict::Unknown => Some(Openness::Unknown),
            }
        });
        answers.min()
    }

    /// Returns what is known of somebody's requests. Whether a service calls for them is left open, as some open sessions for
    /// others.
    fn context(&self, arn: &str) -> Context {
        let mut context = principal_arn::context(arn);
        if principal_arn::account(arn) == Some(self.account) {
            for (key, value) in &self.membership {
                context.set(key, vec![value.clone()]);
            }
        }
        context
    }

    /// Returns what an action is asked about; `None` is a resource that is not known.
    fn resources(&self, action: &str, asked: Asked) -> Vec<Option<String>> {
        let named = |is_meant: fn(&str) -> bool| {
            let patterns = self.exempt.iter().filter(|pattern| is_meant(pattern));
            patterns.map(|pattern| Some(self.sample(pattern))).collect()
        };
        match asked {
            Asked::Anybody => vec![None],
            Asked::AnybodyOnRecords => {
                let mut records = self.records.iter();
                match records.find(|records| records.actions.contains(&action)) {
                    Some(records) => {
                        let patterns = records.resources.iter();
                        patterns.map(|pattern| Some(self.sample(pattern))).collect()
                    }
                    None => vec![None],
                }
            }
            Asked::AnybodyOnPreferences => vec![Some(self.document("SSM-SessionManagerRunShell"))],
            Asked::AnybodyOnExemptRoles => named(is_own_role),
            Asked::AnybodyOnExemptUsers => named(is_user),
            Asked::Exempt => vec![Some(self.document("q7zkw4"))],
        }
    }

    fn document(&self, name: &str) -> String {
        let Place {
            partition, account, ..
        } = self;
        format!("arn:{partition}:ssm:q7zkw4:{account}:document/{name}")
    }

    /// Returns what a pattern matches, in the account.
    fn sample(&self, pattern: &str) -> String {
        sample_resource(&self.of_account(pattern), self.account)
    }

    fn of_account(&self, pattern: &str) -> String {
        in_account(pattern, self.account)
    }

    /// Returns a role and a user whom no policy names, and the root user where it is not exempt: a denial may be about one sort.
    fn strangers(&self) -> Vec<String> {
        let named: Vec<String> = self
            .named
            .iter()
            .map(|pattern| self.of_account(pattern))
            .collect();
        let (partition, account) = (&self.partition, self.account);
        let of = |kind: &str| stranger(partition, account, kind, &named);
        let mut strangers = vec![of("role"), of("user")];
        let root = format!("arn:{partition}:iam::{account}:root");
        let mut exempt = self.exempt.iter();
        if !exempt.any(|pattern| arn_like(&self.of_account(pattern), &root)) {
            strangers.push(root);
        }
        strangers
    }

    /// Returns a principal for each pattern and account that is exempt, and those whom no policy names: all of the account may
    /// be exempt.
    fn exempt(&self, strangers: &[String]) -> Vec<String> {
        let patterns = self.exempt.iter().map(|pattern| self.sample(pattern));
        let accounts = self.exempt_accounts.iter();
        let accounts = accounts.map(|account| anybody(&self.partition, account));
        let strangers = strangers.iter().cloned();
        patterns.chain(accounts).chain(strangers).collect()
    }

    fn decision(&self, request: &Request) -> Decision<'_> {
        let policies = Policies {
            service_control: Some(&self.levels),
            ..Policies::default()
        };
        decide(&policies, request)
    }

    /// Returns whether sessions of just-in-time node access are denied, as its role is not exempt.
    pub(crate) fn breaks_just_in_time(&self) -> bool {
        let role = sample_resource(&access_token_role(&self.partition), self.account);
        let context = self.context(&role);
        let document = self.document("SSM-SessionManagerRunShell");
        let request = Request::new("ssm:StartSession", &document, context);
        self.decision(&request).verdict == Verdict::Denied
    }
}
