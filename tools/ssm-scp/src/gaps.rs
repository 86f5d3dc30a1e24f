//! What stays open: the ways onto nodes that no service control policy closes to whoever IAM lets, and what is closed to nobody
//! who is exempt. By the policies above accounts, or by those of a guard alone. Pure.

mod left_open;

use std::collections::BTreeMap;

use iam_policy::{Compiled, Decision, Policies, Request, Verdict, decide};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::guard::{
    DOCUMENT_ACTIONS, ROLE_ACTIONS, access_token_role, is_own_role, session_records,
};
use crate::lockout::sample_resource;
use crate::model::{CATALOGUE, Entry};
use crate::principal_arn::{self, anybody};

pub(crate) use self::left_open::LeftOpen;

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
    /// A way of a desired state, or `session_documents`, `session_records`, `preferences` or `exempt_principals`.
    pub(crate) gap: String,
    pub(crate) answer: Openness,
    /// The actions that stay open.
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
}

/// What is asked about, for all places alike.
struct Question {
    gap: &'static str,
    actions: Vec<&'static str>,
    leads_to: &'static str,
    cure: String,
    source: &'static str,
    asked: Asked,
}

/// Of whom and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Asked {
    /// A principal that no list names. What is denied on some resources only is open on the others.
    Anybody,
    /// The same of what is named resource by resource: where any is named, somebody has thought of it.
    AnybodyOnAll,
    /// The same of the preferences.
    AnybodyOnPreferences,
    /// The same of the roles that are exempt.
    AnybodyOnExempt,
    /// Those who are exempt, with a session document that no list names.
    Exempt,
}

/// Returns what stays open, in the order of the catalogue, places with the same answer together.
pub(crate) fn gaps(places: &[Place<'_>]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for question in questions() {
        let mut found: BTreeMap<(Openness, Vec<&str>), Vec<String>> = BTreeMap::new();
        for place in places {
            for openness in [Openness::Open, Openness::Unknown] {
                let actions = question.actions.iter().copied();
                let actions = actions.filter(|action| place.is(openness, action, question.asked));
                let actions: Vec<&str> = actions.collect();
                if !actions.is_empty() {
                    let accounts = found.entry((openness, actions)).or_default();
                    accounts.push(place.account.to_owned());
                }
            }
        }
        for ((answer, actions), mut accounts) in found {
            accounts.retain(|account| account != NOWHERE);
            accounts.sort();
            gaps.push(Gap {
                kind: GapKind::Gap,
                gap: question.gap.to_owned(),
                answer,
                actions: actions.into_iter().map(str::to_owned).collect(),
                leads_to: question.leads_to.to_owned(),
                accounts,
                cure: question.cure.clone(),
                source: question.source.to_owned(),
            });
        }
    }
    gaps
}

/// The account of a desired state that is judged without an organization: none that an exemption can name.
pub(crate) const NOWHERE: &str = "nowhere";

fn questions() -> Vec<Question> {
    let ways = CATALOGUE.iter().map(|entry: &Entry| Question {
        gap: entry.way.name(),
        actions: entry.actions.to_vec(),
        leads_to: entry.leads_to,
        cure: format!(
            "add \"{}\" to ways (by default sessions and commands)",
            entry.way.name()
        ),
        source: entry.source,
        asked: Asked::Anybody,
    });
    let mut questions: Vec<Question> = ways.collect();
    questions.push(Question {
        gap: "session_documents",
        actions: vec!["ssm:StartSession"],
        leads_to: "sessions of exempt principals by port forwarding and SSH, which leave no transcript",
        cure: "name the session documents in allowed_documents".to_owned(),
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html",
        asked: Asked::Exempt,
    });
    questions.push(Question {
        gap: "session_records",
        actions: session_records::actions(),
        leads_to: "transcripts removed, or kept for less long, or a trail or alert that is silent",
        cure: "name bucket, key, log group, trail and rule in protect_records".to_owned(),
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html",
        asked: Asked::AnybodyOnAll,
    });
    questions.push(Question {
        gap: "preferences",
        actions: DOCUMENT_ACTIONS.to_vec(),
        leads_to: "sessions without logging, or as another user of the node",
        cure: "set protect_preferences".to_owned(),
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-getting-started-configure-preferences.html",
        asked: Asked::AnybodyOnPreferences,
    });
    questions.push(Question {
        gap: "exempt_principals",
        actions: ROLE_ACTIONS.to_vec(),
        leads_to: "a role that is exempt, or one of its name",
        cure: "set protect_exempt_roles".to_owned(),
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage_modify.html",
        asked: Asked::AnybodyOnExempt,
    });
    questions
}

impl Place<'_> {
    fn is(&self, openness: Openness, action: &str, asked: Asked) -> bool {
        let anybody = anybody(&self.partition, self.account);
        let context = |arn: &str| principal_arn::context(arn);
        let mut requests = Vec::new();
        match asked {
            Asked::Anybody | Asked::AnybodyOnAll => {
                requests.push(Request::on_unknown_resource(action, context(&anybody)));
            }
            Asked::AnybodyOnPreferences => {
                let document = self.document("SSM-SessionManagerRunShell");
                requests.push(Request::new(action, &document, context(&anybody)));
            }
            Asked::AnybodyOnExempt => {
                for pattern in self.exempt.iter().filter(|pattern| is_own_role(pattern)) {
                    let role = sample_resource(pattern, self.account);
                    requests.push(Request::new(action, &role, context(&anybody)));
                }
            }
            Asked::Exempt => {
                let document = self.document("q7zkw4");
                for arn in self.exempt() {
                    requests.push(Request::new(action, &document, context(&arn)));
                }
            }
        }
        let mut requests = requests.iter();
        requests.any(|request| {
            let decision = self.decision(request);
            let is_open = match (decision.verdict, asked) {
                (Verdict::Allowed, _) => Some(Openness::Open),
                (Verdict::Denied, _) => None,
                (Verdict::Unknown, Asked::AnybodyOnAll)
                    if decision.unknown_key == Some("resource") =>
                {
                    None
                }
                (Verdict::Unknown, _) if decision.unknown_key == Some("resource") => {
                    Some(Openness::Open)
                }
                (Verdict::Unknown, _) => Some(Openness::Unknown),
            };
            is_open == Some(openness)
        })
    }

    fn document(&self, name: &str) -> String {
        let Place {
            partition, account, ..
        } = self;
        format!("arn:{partition}:ssm:q7zkw4:{account}:document/{name}")
    }

    /// Returns a principal for each pattern that is exempt; whoever it may be where none is.
    fn exempt(&self) -> Vec<String> {
        if self.exempt.is_empty() {
            return vec![anybody(&self.partition, self.account)];
        }
        let patterns = self.exempt.iter();
        patterns
            .map(|pattern| sample_resource(pattern, self.account))
            .collect()
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
        let context = principal_arn::context(&role);
        let document = self.document("SSM-SessionManagerRunShell");
        let request = Request::new("ssm:StartSession", &document, context);
        self.decision(&request).verdict == Verdict::Denied
    }
}
