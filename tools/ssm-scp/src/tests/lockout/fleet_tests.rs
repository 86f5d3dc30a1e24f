//! How long the judgement of a denial of everything takes where the organization is large.

use std::collections::BTreeMap;
use std::time::Duration;

use cli::Reading;
use serde_json::{Value, json};

use super::cases::ALL;
use super::scene::{MANAGEMENT, Scene, W, allow, attach, create, role, trust};
use crate::model::{AccountPrincipals, PrincipalPolicies};

/// What a pipeline may be kept waiting for an organization of 500 accounts with 300 principals each, of CPU as well: there is one
/// thread.
const LONGEST: Duration = Duration::from_secs(30);

/// Accounts below one unit, and what is attached to it.
struct Fleet {
    n_accounts: u64,
    n_principals: usize,
    statements: Value,
    /// Whom each role trusts; its own account where nobody is named.
    trusted: Option<String>,
}

impl Fleet {
    /// Returns how many risks the fleet has, and the CPU time of the judgement.
    fn judged(&self) -> (usize, Duration) {
        let mut scene = Scene::new();
        let entities = &mut scene.organization.entities;
        let model = entities.iter().find(|one| one.parent.as_deref() == Some(W));
        let model = model.unwrap().clone();
        entities.retain(|one| one.parent.as_deref() != Some(W));
        scene.accounts.clear();
        for number in 0..self.n_accounts {
            let account = format!("{:012}", 500_000_000_000_u64 + number);
            let mut entity = model.clone();
            entity.id.clone_from(&account);
            scene.organization.entities.push(entity);
            let own = format!("arn:aws:iam::{account}:root");
            let trusted = trust(json!({"AWS": self.trusted.as_ref().unwrap_or(&own)}));
            let principals = (0..self.n_principals).map(|number| PrincipalPolicies {
                arn: role(&account, &format!("team-{}/app-{number}", number % 7)),
                unique_id: None,
                policies: vec![allow(&["s3:Get*", "ssm:*", "kms:Decrypt"])],
                boundary: None,
                trust: Some(trusted.clone()),
                tags: BTreeMap::new(),
            });
            scene.accounts.push(AccountPrincipals {
                principals: Reading::Present(principals.collect()),
                account,
            });
        }
        let changes = [create("guard", self.statements.clone()), attach("guard", W)];
        let started = cpu();
        let risks = scene.judged(&changes);
        (risks.len(), cpu() - started)
    }
}

fn everything(n_accounts: u64, n_principals: usize) -> Fleet {
    let statements = json!([
        {"Sid": "All", "Effect": "Deny", "Action": "*", "Resource": "*"},
        {"Sid": "Teams", "Effect": "Deny", "Action": ["s3:*", "ssm:Send*"], "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/team-1/*", "arn:aws:iam::*:role/team-2/*"]}}}]);
    Fleet {
        n_accounts,
        n_principals,
        statements,
        trusted: Some(format!("arn:aws:iam::{MANAGEMENT}:root")),
    }
}

#[test]
fn a_denial_of_everything_is_judged_while_one_waits() {
    if std::env::var_os("LONG").is_some() {
        let (n_risks, taken) = everything(500, 300).judged();
        assert_eq!(n_risks, ALL.len() * 500);
        eprintln!("500 accounts with 300 principals each: {taken:?} of CPU");
        assert!(taken < LONGEST, "{taken:?}");
    }
    let (few, many) = (everything(10, 20), everything(40, 20));
    assert_eq!(
        (few.judged().0, many.judged().0),
        (ALL.len() * 10, ALL.len() * 40)
    );
    grows_with_it(&few, &many, 4);
}

/// Most are spared, and each role may be assumed by its account: whoever may assume one is found once, not again for each role.
#[test]
fn whom_a_fleet_spares_is_judged_in_time_that_grows_with_it() {
    let sparing = |n_principals| {
        let spared = [
            "arn:aws:iam::*:role/team-1/*",
            "arn:aws:iam::*:role/team-2/*",
            "arn:aws:iam::*:role/team-3/*",
            "arn:aws:iam::*:role/team-4/*",
        ];
        let but = json!({"ArnNotLike": {"aws:PrincipalArn": spared}});
        let statements = json!([
            {"Sid": "Roles", "Effect": "Deny", "Action": "sts:AssumeRole", "Resource": "*"},
            {"Sid": "Sessions", "Effect": "Deny", "Action": ["ssm:Send*", "ssm:Start*"], "Resource": "*", "Condition": but}]);
        Fleet {
            n_accounts: 2,
            n_principals,
            statements,
            trusted: None,
        }
    };
    let (few, many) = (sparing(75), sparing(300));
    let (n_few, n_many) = (few.judged().0, many.judged().0);
    assert!(n_few > 0 && n_many == n_few, "{n_few} {n_many}");
    grows_with_it(&few, &many, 4);
}

/// Asserts that so many times as much takes nearer to so many times as long than to its square. What else runs on the machine makes
/// a measurement longer and never shorter: the shortest of three counts, and they alternate. What is too short to be measured is
/// short enough.
#[track_caller]
fn grows_with_it(few: &Fleet, many: &Fleet, times: u32) {
    let rounds: [_; 3] = std::array::from_fn(|_| (few.judged().1, many.judged().1));
    let shortest = |of: fn(&(Duration, Duration)) -> Duration| rounds.iter().map(of).min().unwrap();
    let (few, many) = (shortest(|round| round.0), shortest(|round| round.1));
    let measured = few.max(Duration::from_millis(50));
    assert!(many <= measured * times * 2, "{few:?} {many:?}");
}

/// Returns the CPU time of this thread so far; others run beside it.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/thread-self/stat").unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields = fields.split_whitespace().skip(11).take(2);
    let ticks: u64 = fields.map(|ticks| ticks.parse::<u64>().unwrap()).sum();
    // USER_HZ of Linux.
    Duration::from_millis(ticks * 10)
}
