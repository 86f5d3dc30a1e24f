//! Random trees, plans and principals: whatever the judgement lets through, an evaluator of its own, which asks every
//! principal for every action, finds nobody newly denied who should have been named.

use iam_policy::{AGENT_ACTIONS, OPERATOR_ACTIONS};
use organization::Organization;
use serde_json::{Value, json};

use super::evaluator::{passes, says};
use super::scene::{
    A, B, C, FULL, ROOT, S, Scene, W, allow, attach, create, detach, role, trust, update,
};
use crate::lockout::carry_out;
use crate::model::PrincipalPolicies;

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
const OTHERS: [&str; 5] = [
    "sts:AssumeRole",
    "s3:PutObject",
    "s3:GetObject",
    "iam:DeleteRole",
    "organizations:DetachPolicy",
];
const ARNS: [&str; 7] = [
    "arn:aws:iam::*:role/ssm/BreakGlass",
    "arn:aws:iam::*:role/ssm/*",
    "arn:aws:iam::*:role/Admin",
    "arn:aws:iam::*:role/Nodes",
    "arn:aws:iam::*:role/?ev",
    "arn:aws:iam::200000000002:*",
    "arn:aws:iam::*:role/gone",
];

/// A small generator, so that a seed makes the same case everywhere: xorshift64*.
struct Random(u64);

impl Random {
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
        let mut statement = json!({"Effect": effect, "Resource": "*"});
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
        statement
    }

    fn statements(&mut self) -> Value {
        let n_statements = 1 + self.below(2);
        (0..n_statements).map(|_| self.statement()).collect()
    }

    /// Changes who may do what, and who may become whom.
    fn principals(&mut self, scene: &mut Scene) {
        for account in [A, B, C] {
            for principal in scene.principals(account) {
                if self.one_in(3) {
                    principal.policies = vec![allow(&[self.of(&PATTERNS), self.of(&PATTERNS)])];
                }
                if self.one_in(2) {
                    let value = self.of(&["ops", "dev"]).to_owned();
                    principal.tags.insert("team".to_owned(), value);
                }
                if self.one_in(4) {
                    principal.trust = Some(trust(
                        self.of(&[
                            &json!({"Service": "ec2.amazonaws.com"}),
                            &json!({"AWS": role(account, "gone")}),
                            &json!({"AWS": "100000000001"}),
                        ])
                        .clone(),
                    ));
                }
            }
        }
    }

    fn plan(&mut self, scene: &mut Scene) -> Vec<Value> {
        let places = [ROOT, W, S, A, B, C];
        let before = self.statements();
        let place = self.of(&places);
        scene.attached("old", before, &[place]);
        let mut changes = Vec::new();
        for _ in 0..=self.below(3) {
            let target = self.of(&places);
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
}

fn may_itself(principal: &PrincipalPolicies, action: &str) -> bool {
    let documents: Vec<&Value> = principal.policies.iter().collect();
    says(&documents, "Allow", principal, action)
}

/// Returns whether somebody may become a principal, by the three kinds of trust that the cases have.
fn gets_in(principal: &PrincipalPolicies) -> bool {
    let trusted = &principal.trust.as_ref().unwrap()["Statement"][0]["Principal"];
    trusted["AWS"]
        .as_str()
        .is_some_and(|name| !name.ends_with("/gone"))
}

/// One account before and after, asked for everybody and everything.
struct Asked<'a> {
    before: &'a Organization,
    after: &'a Organization,
    account: &'a str,
    letter: &'a str,
    principals: &'a [PrincipalPolicies],
    risks: &'a [String],
}

impl Asked<'_> {
    fn loses(&self, who: &PrincipalPolicies, action: &str) -> bool {
        passes(self.before, self.account, who, action)
            && !passes(self.after, self.account, who, action)
    }

    /// Returns whether a risk is named, be it of the end or of the way there.
    fn is_named(&self, kind: &str) -> bool {
        let name = format!("{kind}:{}", self.letter);
        self.risks.contains(&name) || self.risks.contains(&format!("midway:{name}"))
    }

    /// Returns whether somebody who gets in keeps an action.
    fn is_kept(&self, action: &str) -> bool {
        let keeps = |one: &&PrincipalPolicies| {
            gets_in(one) && may_itself(one, action) && passes(self.after, self.account, one, action)
        };
        self.principals.iter().any(|one| keeps(&one))
    }

    /// Returns whether somebody who gets in loses nothing of what operators do, and may do some of what others lose.
    fn has_way_in(&self) -> bool {
        let lost: Vec<&&str> = OPERATOR_ACTIONS
            .iter()
            .filter(|action| self.principals.iter().any(|one| self.loses(one, action)))
            .collect();
        self.principals.iter().any(|one| {
            let may = |action: &&&str| {
                may_itself(one, action) && passes(self.after, self.account, one, action)
            };
            gets_in(one)
                && lost.iter().all(|action| !self.loses(one, action))
                && lost.iter().any(may)
        })
    }

    /// Looks for access that is open here, and neither before nor in the end.
    fn check_open(&self, end: &Organization, case: &str) {
        for action in ["ssm:StartSession", "ssm:SendCommand"] {
            for who in self.principals {
                let is_off = passes(self.after, self.account, who, action)
                    && !passes(self.before, self.account, who, action)
                    && !passes(end, self.account, who, action);
                assert!(
                    !is_off || self.is_named("guard_off"),
                    "{case}: {} may call {action} in between: {:?}",
                    who.arn,
                    self.risks
                );
            }
        }
    }

    /// Returns how many losses were looked at.
    fn check(&self, case: &str) -> usize {
        let mut n_losses = 0;
        let agents = AGENT_ACTIONS.iter().chain(OPERATOR_ACTIONS).chain(&OTHERS);
        for action in agents {
            for principal in self.principals.iter().filter(|one| may_itself(one, action)) {
                if !self.loses(principal, action) {
                    continue;
                }
                n_losses += 1;
                let is_named = match *action {
                    action if AGENT_ACTIONS.contains(&action) => self.is_named("nodes_offline"),
                    action if OPERATOR_ACTIONS.contains(&action) => {
                        self.is_named("break_glass") || self.has_way_in()
                    }
                    "sts:AssumeRole" => self.is_named("assume_role"),
                    "s3:PutObject" => self.is_named("logging"),
                    "organizations:DetachPolicy" => self.is_named("repair") || self.is_kept(action),
                    action => self.is_named("other") || self.is_kept(action),
                };
                assert!(
                    is_named,
                    "{case}: {} loses {action}: {:?}",
                    principal.arn, self.risks
                );
            }
        }
        n_losses
    }
}

#[test]
fn nobody_is_newly_denied_without_a_name() {
    let n_cases = if std::env::var_os("LONG").is_some() {
        2000
    } else {
        100
    };
    let (mut n_losses, mut n_clean) = (0, 0);
    for seed in 1..=n_cases {
        let mut random = Random(u64::wrapping_mul(seed, 0x9E37_79B9_7F4A_7C15));
        let mut scene = Scene::new();
        random.principals(&mut scene);
        let changes = random.plan(&mut scene);
        let risks = scene.risks(&changes);
        let before = scene.organization.clone();
        let mut states = vec![before.clone()];
        for change in &changes {
            let action = serde_json::from_value(change["action"].clone()).unwrap();
            let mut next = states[states.len() - 1].clone();
            carry_out(&mut next, action, &change["from"], &change["to"]).unwrap();
            states.push(next);
        }
        let end = states[states.len() - 1].clone();
        n_clean += usize::from(risks.is_empty());
        for (account, letter) in [(A, "A"), (B, "B"), (C, "C")] {
            let principals = scene.principals(account);
            for (number, after) in states.iter().enumerate().skip(1) {
                let asked = Asked {
                    before: &before,
                    after,
                    account,
                    letter,
                    principals,
                    risks: &risks,
                };
                let case = format!("seed {seed}, after change {number}: {changes:?}");
                n_losses += asked.check(&case);
                asked.check_open(&end, &case);
            }
        }
    }
    // Cases in which nothing is lost, or everything is named, would show little.
    assert!(
        n_losses > n_cases as usize && n_clean > n_cases as usize / 20,
        "{n_losses} {n_clean}"
    );
}
