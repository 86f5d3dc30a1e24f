//! How long the judgement of a denial of everything takes where the organization is large.

use std::collections::BTreeMap;
use std::time::Duration;

use cli::Reading;
use serde_json::json;

use super::cases::ALL;
use super::scene::{MANAGEMENT, Scene, W, allow, attach, create, role, trust};
use crate::model::{AccountPrincipals, PrincipalPolicies};

/// What a pipeline may be kept waiting for an organization of 500 accounts with 300 principals each, of CPU as well: there is one
/// thread.
const LONGEST: Duration = Duration::from_secs(30);
/// Of 50 accounts with 30 principals each, without optimization: three times what it takes.
const LONGEST_OF_FEW: Duration = Duration::from_secs(2);

#[test]
fn a_denial_of_everything_is_judged_while_one_waits() {
    let (n_accounts, n_principals, longest) = match std::env::var_os("LONG") {
        Some(_) => (500, 300, LONGEST),
        None => (50, 30, LONGEST_OF_FEW),
    };
    let mut scene = Scene::new();
    let model = scene
        .organization
        .entities
        .iter()
        .find(|one| one.parent.as_deref() == Some(W));
    let model = model.unwrap().clone();
    scene
        .organization
        .entities
        .retain(|one| one.parent.as_deref() != Some(W));
    scene.accounts.clear();
    let trusted = json!({"AWS": format!("arn:aws:iam::{MANAGEMENT}:root")});
    for number in 0..n_accounts {
        let account = format!("{:012}", 500_000_000_000_u64 + number);
        let mut entity = model.clone();
        entity.id.clone_from(&account);
        scene.organization.entities.push(entity);
        let principals = (0..n_principals).map(|number| PrincipalPolicies {
            arn: role(&account, &format!("team-{}/app-{number}", number % 7)),
            unique_id: None,
            policies: vec![allow(&["s3:Get*", "ssm:*", "kms:Decrypt"])],
            boundary: None,
            trust: Some(trust(trusted.clone())),
            tags: BTreeMap::new(),
        });
        scene.accounts.push(AccountPrincipals {
            principals: Reading::Present(principals.collect()),
            account,
        });
    }
    let statements = json!([
        {"Sid": "All", "Effect": "Deny", "Action": "*", "Resource": "*"},
        {"Sid": "Teams", "Effect": "Deny", "Action": ["s3:*", "ssm:Send*"], "Resource": "*",
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::*:role/team-1/*", "arn:aws:iam::*:role/team-2/*"]}}}]);
    let started = cpu();
    let risks = scene.judged(&[create("guard", statements), attach("guard", W)]);
    let taken = cpu() - started;
    assert_eq!(risks.len(), ALL.len() * n_accounts as usize);
    eprintln!("{n_accounts} accounts with {n_principals} principals each: {taken:?} of CPU");
    assert!(taken < longest, "{taken:?}");
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
