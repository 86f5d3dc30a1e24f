//! Walks `tests/fixtures/ssm-scp/<case>`: a desired guard in, its documents out; and with more input, more is judged.
//! `BLESS=1` rewrites the expected files, to be read in the diff before they are committed.

use std::path::Path;

use cli::Reading;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::check::check;
use crate::commands::guard::Guard;
use crate::gaps::LeftOpen;
use crate::guard::render;
use crate::impact::{Candidate, Gathered, Impact};
use crate::lockout::{Evidence, Known, Shift, risks};
use crate::model::AccountPrincipals;
use crate::model::Desired;
use crate::model::{Observed, TargetId};
use crate::plan::{notes, plan};
use crate::replay::cloudtrail_record::Record;
use crate::replay::{DeniedCall, Replay, Replaying};
use crate::simulate::{Effective, Judges, Questions, simulate};
use organization::{FULL_ACCESS, Organization, compile};

/// `options.json`: what flags would say.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Options {
    quota: Option<usize>,
    max_policies: Option<usize>,
    until: Option<TargetId>,
    caller: Option<String>,
}

fn parsed<T: DeserializeOwned>(case: &Path, name: &str) -> Option<T> {
    let text = std::fs::read_to_string(case.join(name)).ok()?;
    let value = serde_json::from_str(&text);
    Some(value.unwrap_or_else(|error| panic!("{}/{name}: {error}", case.display())))
}

fn or_error<T>(outcome: anyhow::Result<T>, shown: impl FnOnce(T) -> Value) -> Value {
    outcome.map_or_else(|error| json!({ "error": format!("{error:#}") }), shown)
}

#[test]
fn fixtures() {
    for case in testbed::fixtures("ssm-scp") {
        check_case(&case);
    }
}

fn check_case(case: &Path) {
    let desired: Desired = parsed(case, "desired.json").unwrap();
    let options: Options = parsed(case, "options.json").unwrap_or_default();
    let max_characters = options.quota.unwrap_or(iam_policy::MAX_SCP_CHARACTERS);
    let documents = or_error(render(&desired, max_characters), |parts| {
        json!(
            parts
                .iter()
                .map(|part| json!({ "name": part.name, "document": part.document }))
                .collect::<Vec<_>>()
        )
    });
    testbed::expect(&case.join("documents.json"), &documents);
    let Ok(guard) = Guard::of(&desired, max_characters) else {
        return;
    };
    let organization = parsed::<Vec<Value>>(case, "organization.json")
        .map(|records| Organization::from_records(records).unwrap());
    if let Some(observed) = parsed::<Observed>(case, "observed.json") {
        let parts = render(&desired, max_characters).unwrap();
        let planned = plan(
            &desired,
            &parts,
            options.until.as_ref(),
            options
                .max_policies
                .unwrap_or(iam_policy::MAX_SCPS_PER_TARGET),
            &observed,
        );
        let left_open = || LeftOpen::of(&desired, &parts).unwrap();
        let notes = notes(&desired, &parts, &observed, left_open());
        testbed::expect(
            &case.join("plan.json"),
            &or_error(
                planned,
                |changes| json!({ "changes": changes, "notes": notes }),
            ),
        );
        let tree = organization
            .clone()
            .map_or(Reading::Absent, Reading::Present);
        let findings = check(&desired, &parts, (&observed, &tree), left_open());
        testbed::expect(&case.join("findings.json"), &json!(findings));
    }
    let replayed = replayed(case, &guard, organization.as_ref());
    if let Some((calls, counts)) = &replayed {
        testbed::expect(
            &case.join("replay.json"),
            &json!({ "calls": calls, "counts": counts }),
        );
    }
    if let (Some(accounts), Some(organization)) = (
        parsed::<Vec<AccountPrincipals>>(case, "principals.json"),
        &organization,
    ) {
        principals(case, &guard, organization, &accounts);
        let mut after = organization.clone();
        guard.join(&mut after);
        let shift = Shift::of(organization, &after);
        let bound = shift.accounts();
        let accounts: Vec<AccountPrincipals> = accounts
            .into_iter()
            .filter(|account| bound.contains(&account.account))
            .collect();
        let found = risks(&Evidence {
            shift: &shift,
            midway: &[],
            accounts: &accounts,
            caller: options.caller.as_deref(),
            unread_path: None,
            history: replayed.as_ref().map_or(&[], |(calls, _)| calls.as_slice()),
            unread_history: None,
        });
        let found: Vec<Value> = found
            .iter()
            .map(|risk| json!({ "id": risk.id, "message": risk.message, "fix": risk.fix }))
            .collect();
        testbed::expect(&case.join("risks.json"), &json!(found));
    }
}

fn replayed(
    case: &Path,
    guard: &Guard,
    organization: Option<&Organization>,
) -> Option<(Vec<DeniedCall>, String)> {
    let records: Vec<Value> = parsed(case, "records.json")?;
    let bound = organization.map(|organization| {
        let mut joined = organization.clone();
        guard.join(&mut joined);
        guard.governed(&joined)
    });
    let mut replaying = Replaying::by(&guard.compiled, |account: &str| {
        bound
            .as_ref()
            .is_none_or(|accounts| accounts.contains(account))
    });
    for record in records {
        replaying.found(&cloudtrail::Found::Object(record.to_string().as_bytes()));
    }
    let replay = replaying.end();
    let counts = format!("{:?}", replay.counts);
    Some((replay.into_denied().collect(), counts))
}

fn principals(
    case: &Path,
    guard: &Guard,
    organization: &Organization,
    accounts: &[AccountPrincipals],
) {
    let mut after = organization.clone();
    guard.join(&mut after);
    let shift = Shift::of(organization, &after);
    let candidate = Candidate {
        shift: &shift,
        guard: &guard.compiled,
        classes: &guard.action_classes(&shift),
        governed: &guard.governed(&after),
    };
    let mut found = Gathered::default();
    let known = Known::of(accounts);
    for (place, account) in accounts.iter().enumerate() {
        found.add(place, candidate.impacts(account, &known));
    }
    let found: Vec<Impact> = found.in_order().collect();
    testbed::expect(&case.join("impact.json"), &json!(found));
}

/// What the guards of all fixtures say about past and about asked-for calls is the same.
#[test]
fn simulate_equals_replay() {
    let principals = [
        "arn:aws:iam::222222222222:role/ssm/BreakGlass",
        "arn:aws:iam::222222222222:role/BreakGlass",
        "arn:aws:iam::444444444444:role/dev",
        "arn:aws:iam::222222222222:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef",
        "arn:aws:iam::222222222222:role/aws-service-role/ssm.amazonaws.com/AWSServiceRoleForAmazonSSM",
    ];
    let full = compile("FullAWSAccess", FULL_ACCESS).unwrap();
    let mut n_denied = 0;
    for case in testbed::fixtures("ssm-scp") {
        let desired: Desired = parsed(&case, "desired.json").unwrap();
        let Ok(guard) = Guard::of(&desired, iam_policy::MAX_SCP_CHARACTERS) else {
            continue;
        };
        for principal in principals {
            for action in iam_policy::OPERATOR_ACTIONS {
                let (service, name) = action.split_once(':').unwrap();
                let record: Record = serde_json::from_value(json!({
                    "eventSource": format!("{service}.amazonaws.com"),
                    "eventName": name,
                    "userIdentity": {"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": principal}}},
                }))
                .unwrap();
                let mut replay = Replay::default();
                replay.record(&record, &guard.compiled, &|_| true);
                let replayed = match replay.into_denied().next() {
                    None => Effective::Allowed,
                    Some(call) if call.n_denied > 0 => Effective::Denied,
                    Some(_) => Effective::Unknown,
                };
                let questions = Questions {
                    principals: vec![principal.to_owned()],
                    actions: vec![(*action).to_owned()],
                    resources: Vec::new(),
                    context: Vec::new(),
                };
                let level = std::iter::once(&full).chain(&guard.compiled).collect();
                let asked = simulate(&questions, &Judges::Levels(vec![level])).unwrap();
                assert_eq!(
                    asked[0].answer,
                    replayed,
                    "{}: {principal} {action}",
                    case.display()
                );
                n_denied += u32::from(replayed == Effective::Denied);
            }
        }
    }
    assert!(n_denied > 100, "only {n_denied}");
}
