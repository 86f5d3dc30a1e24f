//! One reader for every verb: whatever wraps, packs or damages records, each good one comes out, and what was not read is counted.

#[path = "foreign.rs"]
mod foreign;

use serde_json::{Value, json};
use testbed::{Home, Output, offline, repository};

use crate::EXE;

pub(super) fn record(id: &str) -> Value {
    json!({"eventVersion": "1.11", "eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": "2026-07-01T22:30:00Z",
        "awsRegion": "eu-central-1", "recipientAccountId": "111122223333", "eventID": id,
        "userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{id}"), "userName": id},
        "requestParameters": {"target": "i-0123456789abcdef0", "reason": "a \"quoted\" \\ {["}, "responseElements": {"sessionId": format!("{id}-0")}})
}

/// Runs a verb over a file.
pub(super) fn over(file: &str, arguments: &[&str]) -> Output {
    offline(EXE).args(arguments).args(["-f", file]).run()
}

/// Returns what each verb prints of a file.
pub(super) fn verbs(home: &Home, bytes: &[u8]) -> Vec<(&'static str, Output)> {
    let file = home.path().join("records");
    std::fs::write(&file, bytes).unwrap();
    let file = file.to_str().unwrap();
    let list = home.path().join("ids");
    std::fs::write(&list, "").unwrap();
    let list = list.to_str().unwrap();
    let listing = home.path().join("listing.json");
    std::fs::write(&listing, r#"{"Sessions": []}"#).unwrap();
    let listing = listing.to_str().unwrap();
    vec![
        ("history", offline(EXE).args(["history", file]).run()),
        ("csv", over(file, &["format", "--to", "csv"])),
        ("report", over(file, &["report"])),
        ("reconcile", over(file, &["reconcile", "--delivered", list])),
        ("match", over(file, &["match", MATCH])),
        (
            "sessions",
            over(file, &["sessions", "--offline", "--listing", listing]),
        ),
    ]
}

/// What the records here fit, as they are and in the envelope of EventBridge.
const MATCH: &str =
    r#"{"$or": [{"eventName": ["StartSession"]}, {"detail": {"eventName": ["StartSession"]}}]}"#;

/// The exit status of a verb over what is whole: `match` finds something, and where transcripts are is not known here.
fn fine(verb: &str) -> i32 {
    match verb {
        "match" => 1,
        "sessions" => 2,
        _ => 0,
    }
}

/// Packs bytes with the interpreter that the tests have: `gzip` and `zstd` need not be there.
fn packed(home: &Home, bytes: &[u8]) -> Vec<u8> {
    let file = home.path().join("plain");
    std::fs::write(&file, bytes).unwrap();
    let code =
        "import gzip, sys; sys.stdout.buffer.write(gzip.compress(open(sys.argv[1], 'rb').read()))";
    let python = repository().join(".venv/bin/python");
    let mut run = std::process::Command::new(python);
    run.args(["-c", code]).arg(&file).output().unwrap().stdout
}

/// A zstd frame of one block that is not packed (RFC 8878, 3.1.1).
fn zstd(bytes: &[u8]) -> Vec<u8> {
    let n_bytes = u32::try_from(bytes.len()).unwrap();
    let block = (n_bytes << 3 | 1).to_le_bytes();
    let magic = [0x28, 0xb5, 0x2f, 0xfd];
    // One segment, its size in four bytes.
    [
        &magic[..],
        &[0xa0],
        &n_bytes.to_le_bytes(),
        &block[..3],
        bytes,
    ]
    .concat()
}

/// However bytes are stored, and whatever table they come from, every verb reads them.
#[test]
fn all_bytes_come_out_of_every_verb() {
    let home = Home::create();
    let (a, b) = (record("a"), record("b"));
    let lines = format!("{a}\n{b}\n").into_bytes();
    let utf_16 = |unit: fn(u16) -> [u8; 2]| -> Vec<u8> {
        let text = format!("\u{feff}{a}\r\n{b}\r\n");
        text.encode_utf16().flat_map(unit).collect()
    };
    let row = |record: &Value| -> Vec<Value> {
        let members = record.as_object().unwrap().iter();
        let cell = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        members
            .map(|(name, value)| json!({name.as_str(): cell(value)}))
            .collect()
    };
    let lake = json!({"QueryStatus": "FINISHED", "QueryResultRows": [row(&a), row(&b)]});
    let columns: Vec<String> = row(&a)
        .iter()
        .flat_map(|cell| {
            cell.as_object()
                .unwrap()
                .keys()
                .map(|name| name.to_lowercase())
        })
        .collect();
    let data = |cells: Vec<String>| {
        let cells = cells.into_iter().map(|cell| json!({"VarCharValue": cell}));
        json!({"Data": cells.collect::<Vec<_>>()})
    };
    let cells = |record: &Value| {
        let row = row(record);
        let cells = row
            .iter()
            .flat_map(|cell| cell.as_object().unwrap().values());
        data(
            cells
                .map(|cell| cell.as_str().unwrap().to_owned())
                .collect(),
        )
    };
    let athena = json!({"ResultSet": {"Rows": [data(columns), cells(&a), cells(&b)]}});
    for (kind, bytes) in [
        ("plain", lines.clone()),
        ("gzip", packed(&home, &lines)),
        (
            "gzip and zeros",
            [packed(&home, &lines), vec![0; 512]].concat(),
        ),
        ("zstd", zstd(&lines)),
        (
            "gzip and zstd",
            [
                packed(&home, format!("{a}\n").as_bytes()),
                zstd(format!("{b}\n").as_bytes()),
            ]
            .concat(),
        ),
        ("byte order mark", [b"\xef\xbb\xbf", &lines[..]].concat()),
        (
            "record separators",
            format!("\u{1e}{a}\n\u{1e}{b}\n").into_bytes(),
        ),
        ("zeros", [&lines[..], &[0; 512]].concat()),
        ("UTF-16, little", utf_16(u16::to_le_bytes)),
        ("UTF-16, big", utf_16(u16::to_be_bytes)),
        ("Lake", lake.to_string().into_bytes()),
        ("Athena", athena.to_string().into_bytes()),
    ] {
        for (verb, output) in verbs(&home, &bytes) {
            output.assert_status(fine(verb));
            for id in ["a-0", "b-0"] {
                assert!(
                    output.stdout.contains(id),
                    "{verb} of {kind}: {}",
                    output.stdout
                );
            }
        }
    }
}

#[test]
fn every_wrapping_comes_out_of_every_verb() {
    let home = Home::create();
    let (a, b) = (record("a"), record("b"));
    let text = |value: &Value| value.to_string();
    let lookup = |record: &Value| json!({"EventId": "x", "CloudTrailEvent": text(record)});
    let envelope = |record: &Value| json!({"version": "0", "source": "aws.ssm", "detail-type": "AWS API Call via CloudTrail", "detail": record});
    let sns = json!({"Type": "Notification", "Message": text(&json!({"Records": [a, b]}))});
    for wrapped in [
        json!({"Records": [a, b]}),
        json!({"account": "1", "Records": [a, b]}),
        json!([a, b]),
        json!([envelope(&a), envelope(&b)]),
        json!({"Events": [lookup(&a), lookup(&b)]}),
        json!({"Records": [{"messageId": "m", "body": text(&envelope(&a))}, {"messageId": "n", "body": text(&b)}]}),
        json!({"Messages": [{"Body": text(&sns)}]}),
        sns.clone(),
    ] {
        for (verb, output) in verbs(&home, text(&wrapped).as_bytes()) {
            output.assert_status(fine(verb));
            for id in ["a-0", "b-0"] {
                assert!(
                    output.stdout.contains(id),
                    "{verb} of {wrapped}: {}",
                    output.stdout
                );
            }
        }
    }
}

#[test]
fn a_log_file_that_a_notification_names_is_not_read_and_not_fine() {
    let home = Home::create();
    let named = json!({"Records": [{"eventSource": "aws:s3", "eventName": "ObjectCreated:Put",
        "s3": {"bucket": {"name": "trail"}, "object": {"key": "AWSLogs/1/CloudTrail/x.json.gz"}}}]});
    for (_, output) in verbs(&home, format!("{named}\n{}", record("a")).as_bytes()) {
        output.assert_status(2).assert_complains(
            "s3://trail/AWSLogs/1/CloudTrail/x.json.gz is named by a notification",
        );
    }
}

#[test]
fn a_damaged_record_is_named_by_file_and_number() {
    let home = Home::create();
    let text = format!("{}\nnull\n{}\n", record("a"), record("b"));
    for (verb, output) in verbs(&home, text.as_bytes()) {
        output
            .assert_status(2)
            .assert_complains("records: record 2");
        assert!(output.stdout.contains("b-0"), "{verb}");
    }
}

#[test]
fn ocsf_is_valid_for_every_kind_of_event() {
    let fixtures = repository().join("tests/fixtures/cloudtrail");
    let mut files = vec![fixtures];
    let (mut events, mut n_files) = (String::new(), 0);
    while let Some(path) = files.pop() {
        if path.is_dir() {
            files.extend(path.read_dir().unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|ending| ending == "json") {
            n_files += 1;
            let formatted = offline(EXE)
                .args(["format", "--to", "ocsf", "-f"])
                .args([&path])
                .run();
            events.push_str(&formatted.stdout);
        }
    }
    assert!(n_files > 5);
    let odd = [
        json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventTime": "2025-02-19 16:32:39.000000000"}),
        json!({"eventName": "", "eventSource": "", "eventTime": "yesterday"}),
        json!({"version": "0", "source": "aws.ssm", "detail-type": "EC2 Command Status-change Notification",
            "detail": {"command-id": "c", "status": "Success"}, "time": "2026-07-01T22:30:00Z"}),
    ];
    for one in &odd {
        let formatted = offline(EXE)
            .args(["format", "--to", "ocsf"])
            .stdin(one.to_string())
            .run();
        // A record without a name is damaged, and shown.
        formatted.assert_status(if one["eventName"] == "" { 2 } else { 0 });
        let lines = formatted.stdout.lines();
        let shown = lines.filter(|line| !line.contains("events.history.unread"));
        shown.for_each(|line| events.push_str(&format!("{line}\n")));
    }
    let home = Home::create();
    let file = home.path().join("ocsf.jsonl");
    std::fs::write(&file, &events).unwrap();
    let code = "import json, sys, jsonschema\n\
        schema = jsonschema.Draft202012Validator(json.load(open(sys.argv[1])))\n\
        lines = [json.loads(line) for line in open(sys.argv[2])]\n\
        print(len(lines), [error.json_path + ': ' + error.message[:200] for line in lines for error in schema.iter_errors(line)])";
    let schema = repository().join("tests/schemas/ocsf-1.4.0-api_activity.json");
    let checked = std::process::Command::new(repository().join(".venv/bin/python"))
        .args(["-c", code])
        .args([&schema, &file])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout).into_owned();
    assert_eq!(
        said.trim(),
        format!("{} []", events.lines().count()),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
}

#[test]
fn a_page_distinguishes_people_of_one_permission_set() {
    let of = |person: &str| {
        let mut record = record(person);
        let role = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef";
        record["userIdentity"] = json!({"type": "AssumedRole", "sessionContext": {"sessionIssuer": {"arn": role}},
            "arn": format!("arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/{person}@example.com")});
        record.to_string()
    };
    let input = ["ann", "bob", "bob"].iter().enumerate();
    let input: Vec<String> = input
        .map(|(n, who)| {
            of(who).replace(
                &format!("\"eventID\":\"{who}\""),
                &format!("\"eventID\":\"e-{n}\""),
            )
        })
        .map(|text| {
            text.replace(
                "-0\"",
                &format!("-{}\"", text.len() + text.matches("e-2").count()),
            )
        })
        .collect();
    let page = offline(EXE)
        .args(["report", "--html"])
        .stdin(input.join("\n"))
        .run();
    page.assert_status(0);
    let data = page.stdout.split("id=\"data\">").nth(1).unwrap();
    let data: Value = serde_json::from_str(data.split("</script>").next().unwrap()).unwrap();
    let people = data["people"].as_array().unwrap();
    let names: Vec<&str> = people
        .iter()
        .map(|one| one["session_name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["ann@example.com", "bob@example.com"]);
}

#[test]
fn an_event_without_a_name_has_a_header_that_slack_takes() {
    for name in ["", " ", "\u{200b}"] {
        let mut record = record("a");
        record["eventName"] = name.into();
        let message = offline(EXE)
            .args(["format", "--to", "slack"])
            .stdin(record.to_string())
            .run();
        // What Unicode calls white space does not name anything: the record is damaged, and shown.
        message.assert_status(if name.trim().is_empty() { 2 } else { 0 });
        let header = message.records()[0]["attachments"][0]["blocks"][0]["text"]["text"].clone();
        assert_eq!(header, "a call without a name");
    }
}
