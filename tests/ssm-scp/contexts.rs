//! What `simulate` asks about: actions that exist, and what a request has, has empty, has several times or does not have.

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

/// What does not exist nobody is denied, and what AWS has added since can still be asked about.
#[test]
fn simulate_answers_for_actions_that_exist() {
    let home = Home::create();
    let path = home.path().join("start.json");
    std::fs::write(&path, r#"{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"ssm:StartSession","Resource":"*"}]}"#)
        .unwrap();
    let simulate = |action: &str, flags: &[&str]| {
        let principal = "arn:aws:iam::111122223333:user/ann";
        offline(EXE)
            .args(["simulate", "--principal", principal, "--policy"])
            .args([path.to_str().unwrap(), "--action", action])
            .args(flags)
            .run()
    };
    for (action, complaint) in [
        (
            "ssm:StartSesion",
            "use ssm:StartSession, or pass --unlisted-actions",
        ),
        ("ssmmessages:StartSession", "use ssm:StartSession"),
        (
            "ssm:Frobnicate",
            "correct the name, or pass --unlisted-actions",
        ),
        ("nosuch:Frobnicate", "correct the name"),
        ("ssm:Start*", "is a pattern"),
        ("StartSession", "expected one such as ssm:StartSession"),
    ] {
        let refused = simulate(action, &[]);
        refused.assert_status(2).assert_complains(complaint);
        assert_eq!(refused.stdout, "", "{action}");
    }
    for (action, flags, expected) in [
        ("ssm:startsession", &[][..], "denied"),
        ("ssm:StartSesion", &["--unlisted-actions"], "allowed"),
    ] {
        let output = simulate(action, flags);
        output.assert_status(0).assert_stderr("");
        assert_eq!(output.records()[0]["answer"], expected, "{action}");
    }
}
