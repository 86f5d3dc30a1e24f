//! Wildcards, variables and segments, one rule a test.

use super::{Template, Values, arn_parts, glob, matches};
use crate::{Context, Version, arn_like_in, with_variables};

struct Ann;

impl Values for Ann {
    fn single(&self, key: &str) -> Option<&str> {
        (key == "aws:username").then_some("a*n")
    }
}

fn filled(text: &str) -> Option<Vec<u8>> {
    let template = Template::parse(text, Version::Of2012, true).unwrap();
    template.fill(&Ann).map(|bytes| bytes.into_owned())
}

#[test]
fn stars_and_question_marks() {
    for (pattern, text, expected) in [
        ("", "", true),
        ("", "a", false),
        ("*", "", true),
        ("a*", "a", true),
        ("*a", "ba", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abcd", false),
        ("a?c", "abc", true),
        ("a?c", "ac", false),
        ("a?c", "aéc", true),
        ("*??", "é", false),
        ("*??", "éa", true),
        ("**a**", "bab", true),
        ("*ab", "aab", true),
        ("*aab*b", "aaabxb", true),
        ("abc", "ABC", false),
        ("?", "", false),
    ] {
        assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn a_value_brings_no_wildcard() {
    let pattern = filled("home/${aws:username}/*").unwrap();
    assert!(matches(&pattern, b"home/a*n/x"));
    assert!(!matches(&pattern, b"home/ann/x"));
    assert!(matches(&filled("${*}${?}${$}").unwrap(), b"*?$"));
    assert!(matches(
        &filled("${aws:userid, 'no*body'}").unwrap(),
        b"no*body"
    ));
    assert_eq!(filled("${aws:userid}"), None);
}

#[test]
fn malformed_variables_are_reported() {
    for text in [
        "${",
        "${aws:userid",
        "${}",
        "${user}",
        "${a:b, c}",
        "${a:${b}}",
    ] {
        assert!(
            Template::parse(text, Version::Of2012, true).is_err(),
            "{text}"
        );
        assert!(
            Template::parse(text, Version::Of2008, true).is_ok(),
            "{text}"
        );
    }
}

#[test]
fn wildcards_keep_to_their_segment_but_for_a_star_at_its_end() {
    for (pattern, arn, expected) in [
        (
            "arn:aws:ssm:us-*t-1:1:d/x",
            "arn:aws:ssm:us-east-1:1:d/x",
            true,
        ),
        (
            "arn:aws:ssm:us-*t-1:1:d/x",
            "arn:aws:ssm:us-1:t-1:1:d/x",
            false,
        ),
        ("arn:aws:ssm:*:d/x", "arn:aws:ssm:us-east-1:1:d/x", true),
        ("arn:*d/x", "arn:aws:ssm:us-east-1:1:d/x", false),
        ("arn:aws:ssm:us??1:d/x", "arn:aws:ssm:us-:1:d/x", false),
        ("arn:aws:s3:::b/*/x", "arn:aws:s3:::b/1:2/x", true),
        ("arn:aws:s3:::b/?/x", "arn:aws:s3:::b/:/x", true),
        ("arn:a*s:*:e?2:*x", "arn:aws:one:two:e?2:x", true),
        ("arn:a*s:*:e*2:*x", "arn:aws:one:e1:two:e52:y:x", false),
        ("arn:a*s:*:e*2:y:*x", "arn:aws:one:e1:two:e52:y:z:x", true),
    ] {
        let template = Template::parse(pattern, Version::Of2012, true).unwrap();
        let bounded = template.bounded_by_segments();
        assert_eq!(bounded.covers(arn, &Ann), expected, "{pattern} {arn}");
    }
}

#[test]
fn an_arn_has_six_parts() {
    let parts = arn_parts("arn:aws:ssm:*:*:session/${aws:userid}:*", Version::Of2012);
    assert_eq!(
        parts,
        ["arn", "aws", "ssm", "*", "*", "session/${aws:userid}:*"]
    );
    assert_eq!(arn_parts("*", Version::Of2012), ["*"]);
}

#[test]
fn patterns_overlap_where_a_text_is_covered_by_both() {
    let compiled = |text: &str| {
        let template = Template::parse(text, Version::Of2008, true).unwrap();
        match template.bounded_by_segments() {
            Template::Fixed(bytes) => bytes,
            Template::Variable(_) => unreachable!("2008 has no variables"),
        }
    };
    for (one, other, expected) in [
        ("", "", true),
        ("a", "b", false),
        ("a*", "*b", true),
        ("a*c", "ab*", true),
        ("a?", "a", false),
        ("*", "arn:aws:s3:::b", true),
        ("a:b:c:d:*:instance/i-*", "a:b:c:d:1:*/i-1", true),
        // A name may hold a colon, and the star reaches beyond its segment.
        ("a:b:c:d:*:instance/*", "a:b:c:d:1:session/*", true),
        ("a:b:c:d:x*y:instance/*", "a:b:c:d:x1y:session/*", false),
        ("a:b:*z:d:e:x", "a:b:c:yz:d:e:x", false),
        ("a:b:*:x", "a:b:c:d:e:x", true),
    ] {
        let (a, b) = (compiled(one), compiled(other));
        assert_eq!(super::overlap(&a, &b), expected, "{one} and {other}");
        assert_eq!(super::overlap(&b, &a), expected, "{other} and {one}");
    }
}

#[test]
fn variables_have_the_values_of_a_request() {
    let context = Context::partial()
        .with("aws:PrincipalAccount", "111122223333")
        .with("aws:PrincipalTag/team", "ops");
    for (pattern, expected) in [
        (
            "arn:aws:iam::${aws:principalaccount}:role/${aws:PrincipalTag/Team}-*",
            "arn:aws:iam::111122223333:role/ops-*",
        ),
        ("user/${aws:username}", "user/*"),
        ("user/${aws:username, 'nobody'}", "user/nobody"),
        ("a${*}b${aws:unclosed", "a*b${aws:unclosed"),
        ("plain", "plain"),
    ] {
        assert_eq!(with_variables(pattern, &context), expected);
    }
    let arn = "arn:aws:iam::111122223333:role/ops-1";
    for (pattern, expected) in [
        (
            "arn:aws:iam::${aws:principalaccount}:role/${aws:PrincipalTag/Team}-*",
            true,
        ),
        ("arn:aws:iam::${aws:PrincipalAccount}:role/dev", false),
        ("arn:aws:iam::*:role/${aws:username}", false),
        ("arn:aws:iam::*:role/*", true),
    ] {
        assert_eq!(arn_like_in(pattern, arn, &context), expected, "{pattern}");
    }
}
