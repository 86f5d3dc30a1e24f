//! Files made at random, read by the filter of `history` and by the reader of every other verb, against a plain look at each record
//! that shares no code with them: nothing that fits is lost, nothing else comes out, and what is left out is counted.

use cli::IoArgs;
use serde_json::{Value, json};
use testbed::{Home, Random};

use super::history::{EventFilter, Wanted};
use super::source;

const SSM: &str = "ssm.amazonaws.com";
const QUICK_SETUP: &str = "ssm-quicksetup.amazonaws.com";
const CALLS: [(&str, &str); 7] = [
    (SSM, "StartSession"),
    (SSM, "StartSession"),
    (SSM, "SendCommand"),
    (SSM, "DescribeSessions"),
    (QUICK_SETUP, "UpdateServiceSettings"),
    ("athena.amazonaws.com", "StartSession"),
    ("s3.amazonaws.com", "GetObject"),
];
/// What is watched when nothing else is said.
const WATCHED: [(&str, &str); 3] = [
    (SSM, "StartSession"),
    (SSM, "SendCommand"),
    (QUICK_SETUP, "UpdateServiceSettings"),
];
const TIMES: [&str; 6] = [
    "2026-11-01T09:59:59Z",
    "2026-11-01T10:00:00Z",
    "2026-11-02T00:00:00Z",
    "2026-11-03T09:59:59Z",
    "2026-11-03T10:00:00Z",
    "in the morning",
];
const PEOPLE: [&str; 3] = ["ann", "anna", "bob@example.com"];
const NODES: [&str; 2] = ["i-0123456789abcdef0", "i-0fedcba9876543210"];
const ERRORS: [&str; 5] = [
    "",
    "",
    "AccessDenied",
    "Client.UnauthorizedOperation",
    "ThrottlingException",
];

fn one<'c, T>(random: &mut Random, choices: &'c [T]) -> &'c T {
    &choices[random.below(choices.len())]
}

fn record(random: &mut Random, id: &str) -> Value {
    let (source, name) = one(random, &CALLS);
    let person = one(random, &PEOPLE);
    let identity = match random.below(2) {
        0 => {
            json!({"type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{person}"), "userName": person})
        }
        _ => {
            json!({"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/Ops/{person}"),
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/team/Ops"}}})
        }
    };
    let node = one(random, &NODES);
    let request = match random.below(4) {
        0 => json!({"target": node}),
        1 => json!({"instanceIds": [NODES[0], node]}),
        2 => json!({"targets": [{"key": "InstanceIds", "values": [node]}]}),
        _ => Value::Null,
    };
    let mut record = json!({"eventVersion": "1.11", "eventName": name, "eventSource": source, "eventID": id,
        "awsRegion": "eu-central-1", "recipientAccountId": "111122223333", "userIdentity": identity, "requestParameters": request,
        "responseElements": {"sessionId": format!("s-{id}"), "tokenValue": "c4n4ry", "note": "a \"q\" \\ {[ é"}});
    if random.below(8) > 0 {
        record["eventTime"] = (*one(random, &TIMES)).into();
    }
    let error = one(random, &ERRORS);
    if !error.is_empty() {
        record["errorCode"] = (*error).into();
    }
    record
}

/// What a filter asks for, as flags and as this file understands them.
#[derive(Debug, Default)]
struct Asked {
    since: Option<&'static str>,
    until: Option<&'static str>,
    /// `None` is what is watched; no entry is every call.
    calls: Option<Vec<(Option<&'static str>, &'static str)>>,
    /// With one `*` at most, at an end.
    principal: Option<&'static str>,
    node: Option<&'static str>,
    denied: bool,
}

impl Asked {
    fn at_random(random: &mut Random) -> Asked {
        let calls = match random.below(5) {
            0 | 1 => None,
            2 => Some(vec![]),
            3 => Some(vec![(None, "StartSession")]),
            _ => Some(vec![(Some(SSM), "StartSession"), (None, "GetObject")]),
        };
        let principals = [
            "ann",
            "ann*",
            "*example.com",
            "arn:aws:iam::111122223333:role/team/Ops",
            "Ops",
            "nobody",
        ];
        let mut maybe = |n: usize| random.below(n) == 0;
        let (since, until, principal, node, denied) =
            (maybe(2), maybe(2), maybe(3), maybe(3), maybe(3));
        Asked {
            since: since.then_some(TIMES[1]),
            until: until.then_some(TIMES[4]),
            calls,
            principal: principal.then(|| *one(random, &principals)),
            node: node.then(|| *one(random, &NODES)),
            denied,
        }
    }

    fn filter(&self) -> EventFilter {
        let calls = self.calls.clone();
        let events = calls.map_or_else(Vec::new, |calls| match calls.is_empty() {
            true => vec!["all".to_owned()],
            false => calls
                .into_iter()
                .map(|(source, name)| match source {
                    Some(_) => format!("ssm:{name}"),
                    None => name.to_owned(),
                })
                .collect(),
        });
        let wanted = Wanted {
            since: self.since.map(str::to_owned),
            until: self.until.map(str::to_owned),
            events,
            principal: self.principal.map(str::to_owned),
            node: self.node.map(str::to_owned),
            denied: self.denied,
        };
        EventFilter::new(&wanted, jiff::Timestamp::UNIX_EPOCH).unwrap()
    }

    /// The plain look: members of the record as it was made, compared as texts.
    fn fits(&self, record: &Value) -> bool {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (source, name) = (text(&record["eventSource"]), text(&record["eventName"]));
        let is_called = match &self.calls {
            None => WATCHED.contains(&(source.as_str(), name.as_str())),
            Some(calls) => {
                calls.is_empty()
                    || calls
                        .iter()
                        .any(|(of, called)| *called == name && of.is_none_or(|of| of == source))
            }
        };
        // What has no time that can be compared is printed rather than lost.
        let time = text(&record["eventTime"]);
        let is_in_time = !time.starts_with("2026")
            || (self.since.is_none_or(|since| since <= time.as_str())
                && self.until.is_none_or(|until| time.as_str() < until));
        let arn = text(&record["userIdentity"]["arn"]);
        let role = text(&record["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"]);
        let mut names = vec![arn.clone(), role.clone()];
        names.extend([&arn, &role].map(|one| one.rsplit('/').next().unwrap().to_owned()));
        let is_by = |asked: &str| {
            names.iter().any(|name| match asked.split_once('*') {
                Some(("", end)) => name.ends_with(end),
                Some((start, _)) => name.starts_with(start),
                None => name == asked,
            })
        };
        let is_on = |asked: &str| record["requestParameters"].to_string().contains(asked);
        let error = text(&record["errorCode"]);
        is_called
            && is_in_time
            && self.principal.is_none_or(is_by)
            && self.node.is_none_or(is_on)
            && (!self.denied || error.contains("Denied") || error.contains("Unauthorized"))
    }
}

/// Objects that are not records.
const OTHERS: [&str; 3] = [
    r#"{"number":7}"#,
    r#"{"message":"StartSession"}"#,
    r#"{"events":[{"eventName":1}]}"#,
];

/// A file, and what was put into it.
#[derive(Default)]
struct Made {
    bytes: Vec<u8>,
    good: Vec<Value>,
    n_others: u64,
    /// Lines that a plain parser does not take.
    n_spoilt: usize,
    n_lines: u64,
    is_wrapped: bool,
}

/// Returns the text of a record, now and then with a name that is spelled otherwise.
fn spelled(random: &mut Random, record: &Value) -> String {
    let text = record.to_string();
    match random.below(6) {
        0 => text.replace("StartSession", "Start\\u0053ession"),
        1 => text.replace("\"eventName\":", "\"event\\u004eame\" : "),
        _ => text,
    }
}

fn wrapped(random: &mut Random, record: &Value) -> (String, bool) {
    let text = spelled(random, record);
    let of_text = json!(text);
    let wrapped = match random.below(12) {
        0 => format!(r#"{{"Records":[{text}]}}"#),
        1 => format!(r#"{{"Events":[{{"EventId":"x","CloudTrailEvent":{of_text}}}]}}"#),
        2 => format!(
            r#"{{"source":"aws.ssm","detail-type":"AWS API Call via CloudTrail","detail":{text}}}"#
        ),
        3 => format!(r#"{{"Records":[{{"messageId":"m","body":{of_text}}}]}}"#),
        4 => format!("[{text}]"),
        _ => return (text, false),
    };
    (wrapped, true)
}

fn made(random: &mut Random, is_spoilt: bool) -> Made {
    let mut made = Made::default();
    for n in 0..random.below(30) {
        match random.below(6) {
            0 if is_spoilt => {
                let odd = record(random, "odd").to_string();
                let mutant = random.mutant(&odd);
                made.n_spoilt += usize::from(serde_json::from_slice::<Value>(&mutant).is_err());
                made.bytes.extend(mutant);
            }
            1 => {
                made.n_others += 1;
                made.bytes.extend(one(random, &OTHERS).bytes());
            }
            _ => {
                let good = record(random, &format!("good-{n}"));
                let (text, is_wrapped) = wrapped(random, &good);
                made.is_wrapped |= is_wrapped;
                made.bytes.extend(text.bytes());
                made.good.push(good);
            }
        }
        made.n_lines += 1;
        made.bytes.push(b'\n');
    }
    made
}

fn ids<'v>(records: impl IntoIterator<Item = &'v Value>) -> Vec<&'v str> {
    let ids = records
        .into_iter()
        .filter_map(|one| one["eventID"].as_str());
    let mut ids: Vec<&str> = ids.filter(|id| id.starts_with("good-")).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn the_filter_agrees_with_a_plain_look_at_each_record() {
    let mut random = Random::new(17);
    let (mut n_fitting, mut n_left_out) = (0, 0);
    for round in 0..1_000 {
        let asked = Asked::at_random(&mut random);
        let made = made(&mut random, round % 3 == 0);
        let mut lines = String::new();
        let filter = asked.filter();
        let (counts, reason) = filter.records_of(made.bytes.as_slice(), |more| {
            lines.push_str(&more);
            Ok(())
        });
        if let Some(mut stage) = filter.of_node() {
            lines = stage.take(&lines);
        }
        let found: Vec<Value> = lines
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect();
        let fitting = made.good.iter().filter(|record| asked.fits(record));
        let shown = || String::from_utf8_lossy(&made.bytes).into_owned();
        assert_eq!(ids(&found), ids(fitting), "{asked:?}\n{}", shown());
        // What is changed at random may be the name of a secret.
        let is_shown = |line: &str| line.contains("good-") && line.contains("c4n4ry");
        assert!(!lines.lines().any(is_shown), "{lines}");
        assert!(made.n_spoilt == 0 || reason.is_some(), "{}", shown());
        if round % 3 != 0 {
            assert_eq!(counts.n_found, ids(&found).len() as u64);
            assert!(made.is_wrapped || counts.n_objects == made.n_lines);
            // An input of other things has no answer, and one record is enough for one.
            let has_none = made.good.is_empty() && made.n_others > 0;
            assert_eq!(
                counts.reason().is_some(),
                has_none,
                "{asked:?}\n{}",
                shown()
            );
            let is_gap = has_none || made.bytes.is_empty();
            assert_eq!(reason.is_some(), is_gap, "{reason:?}\n{}", shown());
        }
        n_fitting += found.len();
        n_left_out += made.good.len() - ids(&found).len();
    }
    assert!(
        n_fitting > 1_000 && n_left_out > 1_000,
        "{n_fitting} {n_left_out}"
    );
}

#[test]
fn every_record_is_handed_over_and_everything_else_is_counted() {
    let mut random = Random::new(18);
    let home = Home::create();
    let file = home.path().join("records");
    for round in 0..400 {
        let is_spoilt = round % 3 == 0;
        let made = made(&mut random, is_spoilt);
        std::fs::write(&file, &made.bytes).unwrap();
        let mut found = Vec::new();
        let left_out = source::records(&IoArgs::of_file(&file), |record, _| {
            found.push(record.clone());
            Ok(())
        });
        let left_out = left_out.unwrap();
        let shown = || String::from_utf8_lossy(&made.bytes).into_owned();
        assert_eq!(ids(&found), ids(&made.good), "{}", shown());
        assert_eq!(left_out.n_records, found.len() as u64);
        let is_none = made.bytes.is_empty() || made.good.is_empty() && made.n_others > 0;
        if is_spoilt {
            assert!(
                made.n_spoilt == 0 || !left_out.unread.is_empty(),
                "{}",
                shown()
            );
        } else {
            assert_eq!(left_out.n_unknown, made.n_others, "{}", shown());
            assert_eq!(left_out.unread.n(), u64::from(is_none), "{}", shown());
        }
    }
}
