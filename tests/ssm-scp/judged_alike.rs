//! `impact` names the risks for which `apply` refuses, and says of each role and user what follows: cases 12, 26, 42 to 44 and 58 of the
//! table of lock-outs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{EXEMPT, Organization};
use crate::{EXE, READER};

impl Organization {
    /// Returns the risks by which `impact` says what `apply` says, and the class of each role and user by its name.
    #[track_caller]
    pub(super) fn impact(&self, desired: &Value) -> (Vec<String>, BTreeMap<String, String>) {
        let run = self.management.tool(EXE).args(["impact"]).args(READER);
        let output = run.stdin(desired.to_string()).run();
        let records = output.records();
        let named = |text: &Value| {
            let text = text.as_str().unwrap();
            text.replace(self.a.id(), "A").replace(self.b.id(), "B")
        };
        let of = |kind: &'static str| records.iter().filter(move |record| record["kind"] == kind);
        assert_eq!(records[0]["kind"], "impact_counts");
        let risks: Vec<String> = of("finding").map(|risk| named(&risk["resource"])).collect();
        assert_eq!(records[0]["n_risks"], risks.len());
        output.assert_status(i32::from(!risks.is_empty()));
        let classes = of("impact").map(|one| {
            let (arn, class) = (named(&one["principal"]), named(&one["class"]));
            (arn.replace("arn:aws:iam::", ""), class)
        });
        (risks, classes.collect())
    }
}

/// 58: the guard that the desired state changes is on another unit, too, whose account has no break-glass role.
#[test]
fn a_guard_changes_wherever_it_is_attached() {
    let organization = Organization::make();
    organization.role(&organization.c, "Ops", true, None);
    let mut older = organization.guard();
    older["exempt_principals"] = json!([EXEMPT, "arn:aws:iam::*:role/ssm/Ops"]);
    older["targets"] = json!([organization.workloads, organization.other]);
    let older = organization.plan(&older);
    assert_eq!(
        organization.refused(&[&older], &READER),
        Vec::<String>::new()
    );
    let mut desired = organization.guard();
    let plan = organization.plan(&desired);
    let expected = format!("break_glass:{}", organization.c.id());
    assert_eq!(organization.refused(&[&plan], &READER), [expected.as_str()]);
    let (risks, classes) = organization.impact(&desired);
    assert_eq!(risks, [expected]);
    let ops = format!("{}:role/ssm/Ops", organization.c.id());
    assert_eq!(classes[&ops], "newly_denied");
    // Where its targets are exact it goes from there, and nobody loses anything on the way.
    desired["exact"] = json!(true);
    let (risks, classes) = organization.impact(&desired);
    assert_eq!(risks, Vec::<String>::new());
    assert_eq!(classes[&ops], "not_governed");
    let plan = organization.plan(&desired);
    assert_eq!(
        organization.refused(&[&plan], &READER),
        Vec::<String>::new()
    );
}

/// 12: a number that a template has left in the exemptions.
#[test]
fn an_account_that_nobody_has_spares_nobody() {
    let organization = Organization::make();
    let mut desired = organization.guard();
    desired["exempt_accounts"] = json!(["000000000000"]);
    desired["exempt_principals"] = json!([]);
    let expected = ["break_glass:A", "break_glass:B"];
    let plan = organization.plan(&desired);
    assert_eq!(organization.refused(&[&plan], &READER), expected);
    let (risks, classes) = organization.impact(&desired);
    assert_eq!(risks, expected);
    for account in ["A", "B"] {
        assert_eq!(
            classes[&format!("{account}:role/ssm/BreakGlass")],
            "newly_denied"
        );
    }
}

/// What a desired state cannot say is what a plan was edited to say; nodes and logging are in the actions that it may name.
#[test]
fn what_a_guard_takes_is_named_by_what_it_is_for() {
    let organization = Organization::make();
    let mut desired = organization.guard();
    desired["actions"] = json!(["ssm:StartSession", "sts:AssumeRole", "s3:PutObject"]);
    desired["exempt_principals"] = json!([EXEMPT]);
    let plan = organization.plan(&desired);
    let risks = organization.refused(&[&plan], &READER);
    let expected = ["assume_role:A", "logging:A", "assume_role:B", "logging:B"];
    assert_eq!(risks, expected);
    assert_eq!(organization.impact(&desired).0, risks);
}

#[test]
fn an_account_that_is_not_read_is_a_risk_of_both() {
    let organization = Organization::make();
    organization.b.fault(json!({"service": "iam", "operation": "GetAccountAuthorizationDetails", "kind": "denied", "times": -1}));
    let run = organization
        .management
        .tool(EXE)
        .args(["impact"])
        .args(READER);
    let output = run.stdin(organization.guard().to_string()).run();
    output.assert_status(2);
    let records = output.records();
    let of = |kind: &str| {
        records
            .iter()
            .filter(|record| record["kind"] == kind)
            .count()
    };
    assert_eq!(
        (of("unreachable"), of("finding")),
        (1, 1),
        "{}",
        output.stdout
    );
    assert_eq!(records[0]["n_accounts_unread"], 1);
    assert_eq!(
        records[1]["resource"],
        json!(format!("unread:{}", organization.b.id()))
    );
}
