//! The organization of the cases: management M, unit W with accounts A and B, unit S with C. In each account a break-glass role
//! that M may assume, the role of an administrator, of a developer, and that of the nodes.

use std::collections::BTreeMap;

use cli::Reading;
use organization::{FULL_ACCESS, Organization};
use serde_json::{Value, json};

use crate::lockout::{Evidence, Risk, Shift, Step, carry_out, midway, risks};
use crate::model::Action;
use crate::model::{AccountPrincipals, Document, PrincipalPolicies};
use crate::replay::{DeniedCall, Replaying};

pub(super) const ORGANIZATION: &str = "o-abcdefghij";
pub(super) const MANAGEMENT: &str = "100000000001";
pub(super) const A: &str = "200000000002";
pub(super) const B: &str = "300000000003";
pub(super) const C: &str = "400000000004";
/// Those of larger trees, A, B and C among them.
pub(super) const ACCOUNTS: [&str; 5] = [A, B, C, "500000000005", "600000000006"];
pub(super) const ROOT: &str = "r-org1";
pub(super) const W: &str = "ou-org1-workload";
pub(super) const S: &str = "ou-org1-sandboxs";
pub(super) const FULL: &str = "FullAWSAccess";
pub(super) const BREAK_GLASS: &str = "arn:aws:iam::*:role/ssm/BreakGlass";
/// What access is.
pub(super) const ACCESS: [&str; 2] = ["ssm:StartSession", "ssm:SendCommand"];

/// What nodes may do, as far as the cases go.
/// <https://docs.aws.amazon.com/aws-managed-policy/latest/reference/AmazonSSMManagedInstanceCore.html>
const NODE: [&str; 6] = [
    "ssm:UpdateInstanceInformation",
    "ssm:PutInventory",
    "ssmmessages:*",
    "ec2messages:*",
    "s3:PutObject",
    "logs:PutLogEvents",
];

/// An organization, who is in it, and who applies.
pub(super) struct Scene {
    pub(super) organization: Organization,
    pub(super) accounts: Vec<AccountPrincipals>,
    pub(super) caller: Option<String>,
}

pub(super) fn role(account: &str, path: &str) -> String {
    format!("arn:aws:iam::{account}:role/{path}")
}

pub(super) fn allow(actions: &[&str]) -> Document {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": actions, "Resource": "*"}]}).into()
}

/// Returns the trust policy that lets a kind of principals in.
pub(super) fn trust(principal: Value) -> Document {
    json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}]}).into()
}

/// Returns the unique ID of a role of the cases.
pub(super) fn unique_id(arn: &str) -> String {
    let name = arn.rsplit('/').next().unwrap_or_default();
    format!("AROA{}", name.to_ascii_uppercase())
}

fn principal(arn: &str, policy: Document, trusted: Value) -> PrincipalPolicies {
    PrincipalPolicies {
        arn: arn.to_owned(),
        unique_id: Some(unique_id(arn)),
        policies: vec![policy],
        boundary: None,
        trust: Some(trust(trusted)),
        tags: BTreeMap::new(),
    }
}

/// Returns the principals of an account.
fn people(id: &str) -> Vec<PrincipalPolicies> {
    let management = || json!({"AWS": format!("arn:aws:iam::{MANAGEMENT}:root")});
    let nodes = json!({"Service": "ec2.amazonaws.com"});
    vec![
        principal(&role(id, "ssm/BreakGlass"), allow(&["*"]), management()),
        principal(&role(id, "Admin"), allow(&["*"]), management()),
        principal(&role(id, "dev"), allow(&["ssm:*", "s3:*"]), management()),
        principal(&role(id, "Nodes"), allow(&NODE), nodes),
    ]
}

impl Scene {
    pub(super) fn new() -> Scene {
        Scene::of(&[(W, ROOT), (S, ROOT)], &[(A, W), (B, W), (C, S)])
    }

    /// Makes an organization of units and accounts, each with what it is in. A unit comes before what is in it.
    pub(super) fn of(units: &[(&str, &str)], accounts: &[(&str, &str)]) -> Scene {
        let entity = |id: &str, kind: &str, path: &str, parent: Option<&str>| {
            json!({"kind": "entity", "id": id, "type": kind, "name": id,
            "path": path, "parent": parent, "management": id == MANAGEMENT, "policies": [FULL], "organization_id": ORGANIZATION})
        };
        let mut paths = BTreeMap::from([(ROOT, "Root".to_owned())]);
        let mut records = vec![entity(ROOT, "root", "Root", None)];
        let accounts = [&[(MANAGEMENT, ROOT)], accounts].concat();
        let units = units.iter().map(|one| ("organizational_unit", one));
        let all = units.chain(accounts.iter().map(|one| ("account", one)));
        for (kind, (id, parent)) in all {
            let path = format!("{}/{id}", paths[parent]);
            records.push(entity(id, kind, &path, Some(parent)));
            paths.insert(id, path);
        }
        let ids: Vec<&str> = paths.into_keys().collect();
        records.push(json!({"kind": "policy", "id": "p-FullAWSAccess", "name": FULL, "aws_managed": true, "n_characters": 1,
            "document": serde_json::from_str::<Value>(FULL_ACCESS).unwrap(), "attached_to": ids}));
        let people = |(id, _): &(&str, &str)| AccountPrincipals {
            account: (*id).to_owned(),
            principals: Reading::Present(people(id)),
        };
        Scene {
            organization: Organization::from_records(records).unwrap(),
            accounts: accounts[1..].iter().map(people).collect(),
            caller: None,
        }
    }

    /// Returns the accounts but that of the management.
    pub(super) fn ids(&self) -> Vec<String> {
        self.accounts
            .iter()
            .map(|one| one.account.clone())
            .collect()
    }

    /// Returns where policies can be attached, but for the management account.
    pub(super) fn places(&self) -> Vec<String> {
        let entities = self.organization.entities.iter();
        let bound = entities.filter(|entity| !entity.management);
        bound.map(|entity| entity.id.clone()).collect()
    }

    /// Returns who was found in an account.
    pub(super) fn principals(&mut self, account: &str) -> &mut Vec<PrincipalPolicies> {
        let mut accounts = self.accounts.iter_mut();
        let found = accounts.find(|one| one.account == account).unwrap();
        match &mut found.principals {
            Reading::Present(principals) => principals,
            other => panic!("{other:?}"),
        }
    }

    /// Returns a principal by the end of its ARN.
    pub(super) fn principal(&mut self, account: &str, name: &str) -> &mut PrincipalPolicies {
        let mut principals = self.principals(account).iter_mut();
        principals
            .find(|one| one.arn.ends_with(&format!("/{name}")))
            .unwrap()
    }

    /// Puts a policy where it is before anything is applied.
    pub(super) fn attached(&mut self, name: &str, statements: Value, targets: &[&str]) {
        let targets: Vec<String> = targets.iter().map(|one| (*one).to_owned()).collect();
        self.organization
            .with_policy(name, &document(statements), &targets);
    }

    /// Puts a resource control policy on a unit.
    pub(super) fn governed(&mut self, name: &str, statements: Value, target: &str) {
        let policy = json!({"kind": "policy", "policy_type": "resource_control_policy", "id": "p-rcp", "name": name,
            "aws_managed": false, "n_characters": 1, "document": document(statements), "attached_to": [target]});
        let policy = serde_json::from_value(policy).unwrap();
        self.organization.resource_control.push(policy);
        let mut entities = self.organization.entities.iter_mut();
        let entity = entities.find(|one| one.id == target).unwrap();
        entity.resource_control_policies.push(name.to_owned());
    }

    /// Returns the risks of changes.
    pub(super) fn judged(&self, changes: &[Value]) -> Vec<Risk> {
        self.judged_after(changes, &[])
    }

    /// Returns the risks of changes, where calls are known that were made before.
    pub(super) fn judged_after(&self, changes: &[Value], calls: &[Value]) -> Vec<Risk> {
        let mut after = self.organization.clone();
        let actions: Vec<Action> = changes
            .iter()
            .map(|change| serde_json::from_value(change["action"].clone()).unwrap())
            .collect();
        let ids: Vec<String> = changes.iter().map(id).collect();
        let steps = changes.iter().zip(&actions).zip(&ids);
        let steps: Vec<Step<'_>> = steps
            .map(|((change, action), id)| Step {
                id,
                action: *action,
                from: &change["from"],
                to: &change["to"],
            })
            .collect();
        for step in &steps {
            carry_out(&mut after, step.action, step.from, step.to).unwrap();
        }
        let shift = Shift::of(&self.organization, &after);
        let midway = midway(&shift, &self.organization, &after, &steps).unwrap();
        let mut bound = shift.accounts();
        bound.extend(midway.iter().flat_map(|state| state.accounts.clone()));
        let accounts = self.accounts.iter();
        let accounts: Vec<AccountPrincipals> = accounts
            .filter(|account| bound.contains(&account.account))
            .cloned()
            .collect();
        let coming = shift.coming();
        let history = coming.iter().flat_map(|(policies, accounts)| {
            let mut replaying = Replaying::by(policies, |account: &str| accounts.contains(account));
            for call in calls {
                replaying.found(&cloudtrail::Found::Object(call.to_string().as_bytes()));
            }
            replaying.end().into_denied()
        });
        let history: Vec<DeniedCall> = history.collect();
        risks(&Evidence {
            shift: &shift,
            midway: &midway,
            accounts: &accounts,
            caller: self.caller.as_deref(),
            unread_path: None,
            history: &history,
            unread_history: None,
        })
    }
}

/// Returns risks by their names, accounts by their letters.
pub(super) fn lettered(risks: Vec<Risk>) -> Vec<String> {
    let letters = [(A, "A"), (B, "B"), (C, "C"), (MANAGEMENT, "M")];
    let named = risks.into_iter().map(|risk| {
        let letters = letters.iter();
        letters.fold(risk.id, |id, (account, letter)| id.replace(account, letter))
    });
    named.collect()
}

/// Returns the ID of a change, as `plan` makes it.
fn id(change: &Value) -> String {
    let action = change["action"].as_str().unwrap();
    let state = match change["to"].is_null() {
        true => &change["from"],
        false => &change["to"],
    };
    match state["target_id"].as_str() {
        Some(target) => format!("{action}:{target}"),
        None => format!("{action}:{}", state["name"].as_str().unwrap()),
    }
}

pub(super) fn document(statements: Value) -> Value {
    json!({"Version": "2012-10-17", "Statement": statements})
}

pub(super) fn create(name: &str, statements: Value) -> Value {
    json!({"action": "create_policy", "from": null,
        "to": {"name": name, "description": "", "document": document(statements)}})
}

pub(super) fn update(name: &str, statements: Value) -> Value {
    let mut change = create(name, statements);
    change["action"] = json!("update_policy");
    change
}

pub(super) fn attach(name: &str, target: &str) -> Value {
    attachment("attach_policy", name, target, true)
}

pub(super) fn detach(name: &str, target: &str) -> Value {
    attachment("detach_policy", name, target, false)
}

fn attachment(action: &str, name: &str, target: &str, attached: bool) -> Value {
    let state =
        |attached: bool| json!({"policy_name": name, "target_id": target, "attached": attached});
    json!({"action": action, "from": state(!attached), "to": state(attached)})
}
