//! `simulate --context`: what a request has, has empty, has several times or does not have.

use testbed::{Home, offline};

use super::EXE;

#[test]
fn simulate_takes_keys_that_are_missing_empty_or_have_several_values() {
    let home = Home::create();
    let path = home.path().join("tags.json");
    std::fs::write(&path, r#"{"Version":"2012-10-17","Statement":[
        {"Effect":"Deny","Action":"ssm:AddTagsToResource","Resource":"*",
            "Condition":{"ForAnyValue:StringNotEquals":{"aws:TagKeys":["team","stage"]}}},
        {"Effect":"Deny","Action":"ssm:StartSession","Resource":"*","Condition":{"StringEquals":{"aws:SourceIdentity":""}}},
        {"Effect":"Deny","Action":"ssm:SendCommand","Resource":"*","Condition":{"Null":{"aws:SourceIdentity":"true"}}}]}"#).unwrap();
    let simulate = |action: &str, contexts: &[&str]| {
        let base = [
            "simulate",
            "--principal",
            "arn:aws:iam::111122223333:user/ann",
            "--policy",
        ];
        let flags = contexts.iter().flat_map(|context| ["--context", *context]);
        offline(EXE)
            .args(base)
            .args([path.to_str().unwrap(), "--action", action])
            .args(flags)
            .run()
    };
    for (action, contexts, expected) in [
        (
            "ssm:AddTagsToResource",
            &["aws:TagKeys=team"][..],
            "allowed",
        ),
        (
            "ssm:AddTagsToResource",
            &["aws:TagKeys=team", "aws:TagKeys=stage"],
            "allowed",
        ),
        // The case of a key does not matter.
        (
            "ssm:AddTagsToResource",
            &["aws:TagKeys=team", "aws:tagkeys=owner"],
            "denied",
        ),
        ("ssm:AddTagsToResource", &["aws:TagKeys"], "allowed"),
        ("ssm:StartSession", &["aws:SourceIdentity="], "denied"),
        ("ssm:StartSession", &["aws:SourceIdentity"], "allowed"),
        ("ssm:StartSession", &[], "unknown"),
        ("ssm:SendCommand", &["aws:SourceIdentity="], "allowed"),
        ("ssm:SendCommand", &["aws:SourceIdentity"], "denied"),
    ] {
        let output = simulate(action, contexts);
        output.assert_status(0).assert_stderr("");
        assert_eq!(
            output.records()[0]["answer"],
            expected,
            "{action} {contexts:?}"
        );
    }
    let both = simulate("ssm:StartSession", &["aws:TagKeys", "aws:TagKeys=team"]);
    both.assert_status(2).assert_complains("not both");
    let help = offline(EXE).args(["simulate", "--help"]).run();
    assert!(help.assert_status(0).stdout.contains("KEY[=VALUE]"));
}
