//! The reference is read whole, and finds what policies ask for.

use super::{KeyKind, Level, TEXT, action, actions, date, global_keys, service, services};

#[test]
fn nothing_of_the_text_is_lost() {
    let lines = |start: &'static str| TEXT.lines().filter(move |line| line.starts_with(start));
    let (mut n_actions, mut n_types, mut n_keys) = (0, 0, global_keys().len());
    let (mut n_resources, mut n_references) = (0, 0);
    for prefix in services() {
        let service = service(prefix).unwrap();
        n_actions += service.actions.len();
        n_types += service.resource_types.len();
        n_keys += service.keys.len();
        n_resources += service
            .actions
            .iter()
            .map(|one| one.resources.len())
            .sum::<usize>();
        n_references += service
            .actions
            .iter()
            .map(|one| one.keys.len())
            .sum::<usize>();
    }
    let words: Vec<Vec<&str>> = ["L ", "R ", "W ", "T ", "P "]
        .into_iter()
        .flat_map(lines)
        .map(|line| line.split(' ').collect())
        .collect();
    let sum = |of: &dyn Fn(&Vec<&str>) -> usize| words.iter().map(of).sum::<usize>();
    let listed = |word: &str| word.split(',').filter(|one| *one != "-").count();
    assert_eq!(n_actions, sum(&|words| words.len() - 3));
    assert_eq!(
        n_resources,
        sum(&|words| (words.len() - 3) * listed(words[1]))
    );
    assert_eq!(
        n_references,
        sum(&|words| (words.len() - 3) * listed(words[2]))
    );
    assert_eq!(n_types, lines("type ").count());
    assert_eq!(n_keys, lines("key ").count());
    assert!(
        n_actions > 20_000 && services().count() > 400,
        "{n_actions}"
    );
    assert_eq!(date().len(), "2026-09-26".len());
}

#[test]
fn an_action_has_its_resources_and_keys() {
    let start = action("SSM:startsession").unwrap();
    assert_eq!(
        (start.full_name().as_str(), start.level),
        ("ssm:StartSession", Level::Write)
    );
    let arns: Vec<&str> = start.resources.iter().map(|one| one.of.arn).collect();
    assert_eq!(
        arns,
        [
            "ssm:*:*:document/*",
            "ec2:*:*:instance/*",
            "ssm:*:*:managed-instance/*",
            "ecs:*:*:task/*"
        ]
    );
    for key in [
        "ssm:AccessRequestId",
        "ssm:resourceTag/team",
        "aws:ResourceTag/team",
    ] {
        assert!(start.keys().any(|one| one.is(key)), "{key}");
    }
    assert!(!start.keys().any(|one| one.is("ec2:ResourceTag/team")));
    assert!(action("ssm:DescribeSessions").unwrap().resources.is_empty());
    assert!(action("ssm:GetParameter").unwrap().resources[0].required);
    assert!(action("iam:AssumeRole").is_none() && action("ssm").is_none());
}

#[test]
fn a_pattern_finds_actions() {
    let names =
        |pattern: &str| -> Vec<String> { actions(pattern).map(|one| one.full_name()).collect() };
    assert_eq!(
        names("sts:AssumeRoleWith*"),
        ["sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity"]
    );
    assert_eq!(names("SS?:STARTSESSION"), ["ssm:StartSession"]);
    assert_eq!(
        names("ssm*:StartConnection"),
        ["ssm-guiconnect:StartConnection"]
    );
    assert_eq!(names("nothing:*"), [""; 0]);
    assert!(names("*").len() > 20_000);
}

#[test]
fn keys_know_their_type_and_what_is_filled_in() {
    let global = |name: &str| global_keys().iter().find(|key| key.is(name)).unwrap();
    assert_eq!(global("aws:sourceip").kind, KeyKind::IpAddress);
    assert_eq!(global("aws:SourceVpcArn").kind, KeyKind::Arn);
    assert!(global("aws:TagKeys").several && !global("aws:SourceIp").several);
    assert!(global("aws:PrincipalTag/a").is("aws:principaltag/b"));
    assert!(!global("aws:PrincipalTag/a").is("aws:PrincipalTag/"));
}

#[test]
fn every_key_of_an_action_is_found_by_its_name() {
    for prefix in services() {
        for action in &service(prefix).unwrap().actions {
            for key in action.keys() {
                let name = key.name.replace('*', "x").to_ascii_uppercase();
                assert!(key.is(&name), "{name}");
                assert!(super::key(&name).is_some(), "{name}");
            }
        }
    }
    assert!(super::keys_of("aws").count() > 50);
    assert!(super::key("aws:PrincipleArn").is_none());
    assert!(super::key("ssm:AccessRequestId").is_some());
}
