//! What a mistake in a file of routes says.

use serde_json::json;

use crate::routes::{Scene, record, routes};

#[test]
fn a_mistake_in_the_file_is_one_line_with_its_place_and_nothing_is_sent() {
    let scene = Scene::new();
    let base = routes(&json!({})).to_string();
    let with = |rest: &str| format!("{},\n{rest}}}", &base[..base.len() - 1]);
    for (text, said) in [
        (with(r#""rules": [{"name": "a", "to": ["nobody"]}]"#), "$.rules[0].to[0]: there is no destination 'nobody': name one of night, ops, security, or add it to `destinations` at line 2 column 32"),
        (with(r#""rules": [{"name": "a"}]"#), "$.rules[0]: it has neither `to` nor `mute`: add one of them at line 2 column 11"),
        (with(r#""rules": [{"name": "a", "to": ["ops"], "mute": {"reason": "r"}}]"#), "it has `to` and `mute`: keep one of them at line 2 column 11"),
        (with(r#""rules": [{"name": "a", "mute": {"reason": " "}}]"#), "$.rules[0].mute.reason: it is empty: say why these records are not sent at line 2"),
        (with(r#""rules": [{"name": "a", "to": ["ops"]}, {"name": "a", "to": ["ops"]}]"#), "$.rules[1].name: another rule has this name"),
        (with(r#""rules": [{"name": "a", "to": []}]"#), "$.rules[0].to: it is empty: name at least one of night, ops, security at line 2 column 31"),
        (with(r#""rules": [{"name": "a", "accounts": [], "to": ["ops"]}]"#), "$.rules[0].accounts: it is empty, so that the rule fits nothing"),
        (with(r#""rules": [{"name": "a", "to": ["ops", "ops"]}]"#), "$.rules[0].to[1]: 'ops' is here twice"),
        (with(r#""rules": [{"name": "a", "to": ["ops"], "wen": 1}]"#), "$.rules[0].wen: unknown field `wen`"),
        (with(r#""rules": [{"name": "a", "to": ["ops"], "pattern": {"a": "b"}}]"#), "Event pattern is not valid. Reason: \"a\" must be an object or an array"),
        (with(r#""rules": [{"name": "a", "to": ["ops"], "accounts": ["1"]}]"#), "$.rules[0].accounts[0]: '1' is not an account ID at line 2"),
        (with(r#""rules": [{"name": "a", "to": ["ops"], "hours": {"from": "8", "to": "18:00", "time_zone": "UTC"}}]"#), "'8' is not a time of the day"),
        (with(r#""rules": [{"name": "a", "to": ["ops"], "severities": ["high"]}]"#), "unknown variant `high`, expected one of `error`, `warning`, `info`"),
        (with(r#""break_glass": {"principals": ["break-glass"], "to": ["ops"]}"#), "'break-glass' is not a pattern of ARNs such as arn:aws:iam::*:role/break-glass-*"),
        (with(r#""break_glass": {"principals": [], "to": ["ops"]}"#), "$.break_glass.principals: it is empty"),
        (with(r#""reason_pattern": "(""#), "'(' is not a regular expression"),
        (with(r#""reason_pattern": ".*""#), "'.*' matches a session without a reason"),
        (r#"{"destinations": {"a b": {"sns_topic": "arn:aws:sns:us-east-1:111122223333:t"}}, "default": ["a b"]}"#.to_owned(), "'a b' is not a name"),
        (r#"{"destinations": {"a": {"slack_webhook": {"env": "https://hooks.slack.com/c4n4ry"}}}, "default": ["a"]}"#.to_owned(), "expected the name of an environment variable"),
        (r#"{"destinations": {"a": {"https": {"url": {"env": "A"}, "jq_file": "x", "headers": {"Host": {"env": "B"}}}}}, "default": ["a"]}"#.to_owned(), "expected the name of a header such as Authorization"),
        (r#"{"destinations": {"a": {"slack_bot": {"token": {"env": "A"}, "channel": "C1", "api": "https://evil.example/api"}}}, "default": ["a"]}"#.to_owned(), "$.destinations.a.slack_bot.api: it is neither Slack's Web API, slack.com/api, nor"),
        (r#"{"destinations": {"a": {"slack_bot": {"token": "xoxb-c4n4ry", "channel": "C1"}}}, "default": ["a"]}"#.to_owned(), "$.destinations.a.slack_bot.token: expected where the secret is kept"),
        (r#"{"destinations": {"a": {"slack_bot": {"token": {"file": "xoxb-c4n4ry"}, "channel": "C1"}}}, "default": ["a"]}"#.to_owned(), "$.destinations.a.slack_bot.token.file: expected where the"),
        (r#"{"destinations": {"a": {"https": {"url": {"env": "A"}, "jq_file": "x", "fields": {"routing_key": "c4n4ry"}}}}, "default": ["a"]}"#.to_owned(), "expected where the secret is kept"),
        (r#"{"destinations": {"a": {"slack_bot": {"token": {"env": "A"}, "channel": "C1", "api": "http://127.0.0.1:x@evil.example/api"}}}, "default": ["a"]}"#.to_owned(), "it is neither Slack's Web API"),
        (with(r#""rules": [{"name": "a", "to": ["ops"], "hours": {"from": "08:00", "to": "18:00", "time_zone": "UTC", "days": []}}]"#), "$.rules[0].hours.days: it is empty"),
        ("{".to_owned(), "EOF while parsing an object at line 1 column 1"),
    ] {
        let file = scene.file(&text);
        let refused = scene.send(&file, &record(&json!({})));
        refused.assert_status(2).assert_complains(said);
        assert!(refused.stderr.starts_with("ssm-events: read routes from ") && refused.stderr.contains(" at line "), "{}", refused.stderr);
        assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
        assert!(!refused.stderr.contains("c4n4ry"), "{}", refused.stderr);
        assert_eq!(refused.stdout, "");
    }
    assert_eq!(scene.counts(), [0, 0, 0]);
}
