//! What random cases are made of: statements, principals, trees and plans, each by a number.

use std::collections::BTreeSet;

use iam_policy::reference;
use serde_json::{Value, json};

use super::cases::but;
use super::scene::{
    A, ACCOUNTS, B, BREAK_GLASS, FULL, ROOT, Scene, allow, attach, create, detach, role, trust,
    update,
};

/// Organizations takes units five deep below the root.
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_reference_limits.html>
pub(super) const DEEPEST: usize = 5;

const PATTERNS: [&str; 12] = [
    "*",
    "ssm:*",
    "ssm:St*",
    "ssm:StartSession",
    "ssm:SendCommand",
    "ssmmessages:*",
    "ssm:UpdateInstance*",
    "sts:AssumeRole",
    "s3:*",
    "s3:?etObject",
    "*:D*",
    "organizations:DetachPolicy",
];
pub(super) const OTHERS: [&str; 5] = [
    "sts:AssumeRole",
    "s3:PutObject",
    "s3:GetObject",
    "iam:DeleteRole",
    "organizations:DetachPolicy",
];
/// What statements are about beside everything: each leaves some resource of each action alone, or none of its type.
const RESOURCES: [&str; 5] = [
    "arn:aws:iam::*:role/ssm/*",
    "arn:aws:iam::*:role/*",
    "arn:aws:s3:::audit/*",
    "arn:aws:s3:::*",
    "arn:aws:ec2:*:*:instance/*",
];
/// What nobody knows of a request beforehand.
pub(super) const REGIONS: [&str; 2] = ["eu-central-1", "us-east-1"];
const ARNS: [&str; 8] = [
    "arn:aws:iam::*:role/ssm/BreakGlass",
    "arn:aws:iam::*:role/ssm/*",
    "arn:aws:iam::*:role/Admin",
    "arn:aws:iam::*:role/Nodes",
    "arn:aws:iam::*:role/?ev",
    "arn:aws:iam::200000000002:*",
    "arn:aws:iam::*:role/gone",
    "arn:aws:iam::*:user/*",
];

/// A small generator, so that a seed makes the same case everywhere: xorshift64*.
pub(super) struct Random(u64);

impl Random {
    /// Returns the generator of a case.
    pub(super) fn of_case(seed: u64) -> Random {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }

    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn of<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }

    fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    fn statement(&mut self) -> Value {
        let effect = if self.one_in(6) { "Allow" } else { "Deny" };
        let mut statement = json!({"Effect": effect});
        let resource = match self.one_in(4) {
            true => self.of(&RESOURCES),
            false => "*",
        };
        let element = match resource != "*" && self.one_in(4) {
            true => "NotResource",
            false => "Resource",
        };
        statement[element] = json!(resource);
        let element = if self.one_in(6) {
            "NotAction"
        } else {
            "Action"
        };
        statement[element] = json!([self.of(&PATTERNS), self.of(&PATTERNS)]);
        if !self.one_in(4) {
            let arns = [
                "ArnLike",
                "ArnNotLike",
                "ArnNotLike",
                "StringLike",
                "StringNotEquals",
            ];
            let accounts = ["StringEquals", "StringNotEquals"];
            statement["Condition"] = match self.below(5) {
                0 => {
                    json!({self.of(&accounts): {"aws:PrincipalTag/Team": self.of(&["ops", "dev"])}})
                }
                1 => {
                    json!({self.of(&accounts): {"aws:PrincipalAccount": self.of(&[A, B, "000000000000"])}})
                }
                _ => {
                    json!({self.of(&arns): {"aws:PrincipalArn": [self.of(&ARNS), self.of(&ARNS)]}})
                }
            };
        }
        if self.one_in(5) {
            let operator = self.of(&["StringEquals", "StringNotEquals"]);
            statement["Condition"][operator]["aws:RequestedRegion"] = json!(REGIONS[0]);
        }
        statement
    }

    /// Returns some actions of each pattern that statements of documents have.
    pub(super) fn actions<'v>(
        &mut self,
        documents: impl Iterator<Item = &'v Value>,
    ) -> BTreeSet<String> {
        let statements = documents.flat_map(|document| {
            let statements = &document["Statement"];
            let one = std::slice::from_ref(statements);
            statements.as_array().map_or(one, Vec::as_slice)
        });
        let patterns = statements.flat_map(|statement| {
            let elements = ["Action", "NotAction"].into_iter();
            let patterns = elements.flat_map(|element| statement[element].as_array());
            patterns.flatten().filter_map(Value::as_str)
        });
        let patterns: BTreeSet<&str> = patterns.collect();
        let mut found = BTreeSet::new();
        for pattern in patterns {
            let actions: Vec<_> = reference::actions(pattern).collect();
            for _ in 0..2 {
                found.insert(actions[self.below(actions.len())].full_name());
            }
        }
        found
    }

    fn statements(&mut self) -> Value {
        let n_statements = 1 + self.below(2);
        (0..n_statements).map(|_| self.statement()).collect()
    }

    /// Changes who may do what, and who may become whom.
    pub(super) fn principals(&mut self, scene: &mut Scene) {
        for account in scene.ids() {
            for principal in scene.principals(&account) {
                if self.one_in(3) {
                    principal.policies = vec![allow(&[self.of(&PATTERNS), self.of(&PATTERNS)])];
                }
                if self.one_in(2) {
                    let value = self.of(&["ops", "dev"]).to_owned();
                    principal.tags.insert("team".to_owned(), value);
                }
                if self.one_in(6) {
                    principal.boundary = Some(allow(&[self.of(&PATTERNS), self.of(&PATTERNS)]));
                }
                if self.one_in(3) {
                    principal.trust = Some(trust(
                        self.of(&[
                            &json!({"Service": "ec2.amazonaws.com"}),
                            &json!({"AWS": role(&account, "gone")}),
                            &json!({"AWS": role(&account, "Admin")}),
                            &json!({"AWS": role(&account, "dev")}),
                            &json!({"AWS": role(&account, "ssm/BreakGlass")}),
                            &json!({"AWS": "100000000001"}),
                        ])
                        .clone(),
                    ));
                }
                if self.one_in(8) {
                    let name = principal.arn.rsplit('/').next().unwrap_or_default();
                    principal.arn = format!("arn:aws:iam::{account}:user/{name}");
                    (principal.trust, principal.unique_id) = (None, None);
                }
            }
            if self.one_in(4) {
                let mut statement = json!({"Effect": "Deny", "Principal": "*", "Resource": "*"});
                statement["Action"] = json!(self.of(&["s3:*", "s3:GetObject", "sts:*"]));
                if statement["Action"] != "sts:*" {
                    statement["Condition"] = but(&[self.of(&[BREAK_GLASS, ARNS[2]])]);
                }
                let name = format!("perimeter-{account}");
                scene.governed(&name, json!([statement]), &account);
            }
        }
    }

    /// Changes an organization that has one policy.
    pub(super) fn plan(&mut self, scene: &mut Scene) -> Vec<Value> {
        let places = scene.places();
        let before = self.statements();
        let place = self.one_of(&places);
        scene.attached("old", before, &[place]);
        let mut changes = Vec::new();
        for _ in 0..=self.below(3) {
            let target = self.one_of(&places);
            match self.below(6) {
                0 => changes.push(update("old", self.statements())),
                1 => changes.push(detach("old", place)),
                2 => changes.push(detach(FULL, target)),
                3 => changes.push(attach("old", target)),
                _ => {
                    changes.push(create("new", self.statements()));
                    changes.push(attach("new", target));
                }
            }
        }
        changes
    }

    /// Makes an organization of some units, one below another, and two to five accounts anywhere in it. Each may have policies.
    pub(super) fn tree(&mut self) -> Scene {
        let mut units: Vec<(String, String, usize)> = Vec::new();
        for number in 0..1 + self.below(7) {
            // Most of them go below the last one, so that lines get long.
            let parent = match self.one_in(4) {
                true => units.get(self.below(units.len() + 1)),
                false => units.last(),
            };
            let parent = parent.filter(|(.., depth)| *depth < DEEPEST);
            let (parent, depth) = parent.map_or((ROOT, 0), |(id, _, depth)| (id.as_str(), *depth));
            let unit = (format!("ou-org1-{number:08}"), parent.to_owned(), depth + 1);
            units.push(unit);
        }
        let n_accounts = 2 + self.below(ACCOUNTS.len() - 1);
        let accounts: Vec<(&str, String)> = ACCOUNTS[..n_accounts]
            .iter()
            .map(|account| {
                // Deep ones are where it gets difficult.
                let parent = match self.one_in(3) {
                    true => units.iter().max_by_key(|(.., depth)| *depth),
                    false => units.get(self.below(units.len() + 1)),
                };
                let parent = parent.map_or(ROOT, |(id, ..)| id);
                (*account, parent.to_owned())
            })
            .collect();
        let units: Vec<(&str, &str)> = units
            .iter()
            .map(|(id, parent, _)| (id.as_str(), parent.as_str()))
            .collect();
        let accounts: Vec<(&str, &str)> = accounts
            .iter()
            .map(|(id, parent)| (*id, parent.as_str()))
            .collect();
        let mut scene = Scene::of(&units, &accounts);
        for place in scene.places() {
            if self.one_in(4) {
                let statements = self.statements();
                scene.attached(&format!("at-{place}"), statements, &[place.as_str()]);
            }
            if self.one_in(8) {
                let allowed = json!([{"Effect": "Allow", "Action": [self.of(&PATTERNS), self.of(&PATTERNS)], "Resource": "*"}]);
                scene.attached(&format!("allow-{place}"), allowed, &[place.as_str()]);
                scene.organization.attach(FULL, &place, self.one_in(2));
            }
        }
        scene
    }

    /// Changes an organization with policies on all levels, also those that are there.
    pub(super) fn changes(&mut self, scene: &Scene) -> Vec<Value> {
        let places = scene.places();
        let policies = scene.organization.policies.iter();
        let old: Vec<String> = policies.map(|policy| policy.name.clone()).collect();
        let mut changes = Vec::new();
        for number in 0..=self.below(4) {
            let (target, policy) = (self.one_of(&places), self.one_of(&old));
            match self.below(8) {
                0 if policy != FULL => changes.push(update(policy, self.statements())),
                0 | 1 => changes.push(attach(policy, target)),
                2 => {
                    let entities = scene.organization.entities.iter();
                    let attached =
                        entities.filter(|one| one.policies.iter().any(|name| name == policy));
                    changes.extend(attached.map(|one| detach(policy, &one.id)));
                }
                3 => changes.push(detach(policy, target)),
                4 => changes.extend([detach(FULL, target), attach(FULL, target)]),
                _ => {
                    let name = format!("new-{number}");
                    changes.push(create(&name, self.statements()));
                    changes.push(attach(&name, target));
                    if self.one_in(2) {
                        changes.push(attach(&name, self.one_of(&places)));
                    }
                }
            }
        }
        changes
    }

    fn one_of<'a>(&mut self, from: &'a [String]) -> &'a str {
        &from[self.below(from.len())]
    }
}
