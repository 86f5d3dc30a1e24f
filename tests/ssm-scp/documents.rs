//! Session documents: what a guard that lists them does to sessions on the local AWS, and what `apply` says of such a guard.

use serde_json::{Value, json};

use super::ways::{desired, ways};
use super::{EXE, Organization, READER, organization, run};

const NODE: &str = "i-0a000000000000001";

/// Port forwarding and SSH leave no transcript, so that exempt operators start sessions with a listed document only.
#[test]
fn an_exempt_operator_gets_through_with_a_listed_document_only() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let everything = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]});
    member.seed(&json!({
        "roles": [
            {"account": member.id(), "name": "node", "trust": "ec2.amazonaws.com", "instance_profile": true,
                "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]},
            {"account": member.id(), "name": "dev", "trust": format!("arn:aws:iam::{}:root", member.id()), "inline": {"p": everything}}],
        "nodes": [{"account": member.id(), "region": "us-east-1", "instance_id": NODE, "profile": "node",
            "agent": {"version": "3.3.987.0"}}],
        "enforce_iam": [member.id()],
    }));
    let input =
        desired(&json!({"targets": [unit], "allowed_documents": ["SSM-SessionManagerRunShell"]}));
    let shell = "SSM-SessionManagerRunShell";
    let content = json!({"schemaVersion": "1.0", "description": "", "sessionType": "Standard_Stream", "inputs": {}});
    let preferences =
        json!({"Name": shell, "DocumentType": "Session", "Content": content.to_string()});
    member.call("AmazonSSM.CreateDocument", &preferences);
    // What is refused is refused by the guard, and nothing else keeps these sessions from starting.
    let refused = |role: &str, document: &str| {
        let session = member.session_as(role, NODE, document);
        let (reason, is_refused) = (
            session["reason"].to_string(),
            session["status"] == "Refused",
        );
        let by_guard = reason.contains("service control policy");
        assert_eq!(is_refused, by_guard, "{role} {document}: {session}");
        is_refused
    };
    assert!(!refused("ops", "AWS-StartPortForwardingSession"));
    let plan = run(&account, "plan", &input);
    run(&account, "apply", &plan.stdout).assert_status(0);
    for (role, document, is_refused) in [
        ("ops", shell, false),
        ("ops", "AWS-StartPortForwardingSession", true),
        ("ops", "AWS-StartSSHSession", true),
        ("dev", shell, true),
    ] {
        assert_eq!(refused(role, document), is_refused, "{role} {document}");
    }
}

#[test]
fn apply_takes_a_list_of_documents_and_refuses_one_that_leaves_no_node() {
    let Organization {
        account,
        member,
        unit,
    } = organization();
    let input = desired(
        &json!({"targets": [unit], "allowed_documents": ["SSM-SessionManagerRunShell"], "ways": ways()}),
    );
    let plan = run(&account, "plan", &input).json();
    let statements = plan["changes"][0]["to"]["document"]["Statement"].clone();
    let mut statements = statements.as_array().unwrap().iter();
    let index = statements.position(|one| one["Sid"] == "OnlyAllowedDocuments");
    for lacking in ["ec2:*:*:instance/*", "document/SSM-SessionManagerRunShell"] {
        let mut plan = plan.clone();
        let spared =
            &mut plan["changes"][0]["to"]["document"]["Statement"][index.unwrap()]["NotResource"];
        let spared = spared.as_array_mut().unwrap();
        spared.retain(|one| !one.as_str().unwrap().ends_with(lacking));
        let refused = run(&account, "apply", &plan.to_string());
        refused.assert_status(2);
        let risks: Vec<Value> = refused
            .records()
            .iter()
            .map(|risk| risk["resource"].clone())
            .collect();
        assert_eq!(
            risks,
            [json!(format!("break_glass:{}", member.id()))],
            "{lacking}"
        );
    }
    let applied = account
        .tool(EXE)
        .args(["apply"])
        .args(READER)
        .stdin(plan.to_string())
        .run();
    applied.assert_status(0);
}
