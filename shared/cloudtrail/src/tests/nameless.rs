//! Records that do not say what was called.

use serde_json::{Value, json};

use super::record;
use crate::nameless::is_named;
use crate::{may_be_nameless, unwrap};

/// Returns whether an object, or what is in its envelope, says what was called.
fn says(object: &Value) -> bool {
    let named = |value: &Value| value.as_object().is_some_and(is_named);
    named(object) || named(&object["detail"])
}

/// However a record is wrapped, a change of one byte makes it damaged, or leaves it a record: it is never something else.
#[test]
fn no_mutant_of_a_record_is_taken_for_something_else() {
    let mut whole = record("a");
    let members = json!({"awsRegion": "eu-central-1", "eventTime": "2026-11-01T00:00:00Z", "userIdentity": {"type": "Root"}});
    whole
        .as_object_mut()
        .unwrap()
        .extend(members.as_object().unwrap().clone());
    let text = whole.to_string();
    let lower = whole.as_object().unwrap().iter();
    let lower = lower.map(|(name, value)| (name.to_lowercase(), value.clone()));
    let lower = Value::Object(lower.collect());
    let forms = [
        whole.clone(),
        json!([whole]),
        json!({"source": "aws.ssm", "detail-type": "AWS API Call via CloudTrail", "detail": whole}),
        json!({"source": "aws.ssm", "detail-type": "AWS API Call via CloudTrail", "detail": text}),
        json!({"EventId": "a", "EventName": "StartSession", "CloudTrailEvent": text}),
        lower,
        json!({"Records": [whole]}),
    ];
    let mut random = testbed::Random::new(17);
    for form in forms {
        let form = form.to_string();
        assert!(
            unwrap(serde_json::from_str(&form).unwrap())
                .objects
                .iter()
                .all(says),
            "{form}"
        );
        let mut n_read = 0;
        for _ in 0..3_000 {
            let mutant = String::from_utf8(random.mutant(&form)).ok();
            let value = mutant.as_deref().and_then(|text| crate::parse(text).ok());
            let (Some(mutant), Some(value)) = (mutant, value) else {
                continue;
            };
            let unwrapped = unwrap(value);
            n_read += 1;
            let is_counted = !unwrapped.unread.is_empty();
            assert!(is_counted || unwrapped.objects.iter().all(says), "{mutant}");
            // Who looks at the text alone looks at all that is damaged, unless it says what was called: who searches for that finds it.
            let is_said = mutant.contains("StartSession") && mutant.contains("ssm.amazonaws.com");
            assert!(
                !is_counted || may_be_nameless(&mutant) || is_said,
                "{mutant}"
            );
        }
        assert!(n_read > 500, "{n_read} of {form}");
    }
}

#[test]
fn most_objects_are_not_looked_at() {
    for (object, expected) in [
        (record("a").to_string(), false),
        (serde_json::to_string_pretty(&record("a")).unwrap(), false),
        (r#"{"source":"aws.ec2","detail-type":"EC2 Instance State-change Notification","detail":{"state":"running"}}"#.to_owned(), false),
        (r#"{"eventSource":"s3.amazonaws.com","eventName":null}"#.to_owned(), true),
        (r#"{"eventName":null,"requestParameters":{"eventName":"x"},"eventSource":"s"}"#.to_owned(), true),
        (r#"{"eventID":"e","userIdentity":{}}"#.to_owned(), true),
        (r#"{"detail-type":"AWS API Call via CloudTrail","detail":null}"#.to_owned(), true),
        (r#"{"\u0065ventID":"e","userIdentity":{}}"#.to_owned(), true),
    ] {
        assert_eq!(may_be_nameless(&object), expected, "{object}");
    }
}

/// The detail of an event is an object. A text there may be one that was put into JSON once more, and says nothing of what is beside it.
#[test]
fn a_detail_that_is_a_text_hides_nothing() {
    let of = |value: serde_json::Value| {
        let unwrapped = unwrap(value);
        (unwrapped.objects.len(), unwrapped.unread.len())
    };
    let records = json!([record("a"), record("b")]);
    assert_eq!(of(json!({"detail": "{}", "Records": records})), (2, 0));
    assert_eq!(of(json!({"detail": record("a").to_string()})), (1, 0));
    assert_eq!(of(json!({"detail": "{\"eventName\":"})), (0, 1));
    assert_eq!(
        of(json!({"detail": "{not JSON", "detail-type": "Note"})),
        (1, 0)
    );
}
