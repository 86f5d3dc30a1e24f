//! `check --routes`: users for emergencies and the root user, who need no sign-in for what they do with an access key; and uses that
//! are older than the event history.

use serde_json::{Value, json};

use crate::break_glass::{ROLE, Scene, ids, used};

const EMERGENCY: &str = "arn:aws:iam::111122223333:user/emergency";
const PATTERN: &str = "arn:aws:iam::*:user/emergency";

fn routes(principals: &[&str]) -> Value {
    json!({"break_glass": {"principals": principals, "to": ["ops"]}})
}

/// A call of another service with an access key.
fn called(id: &str, name: &str, source: &str, region: &str, who: &Value) -> Value {
    used(
        id,
        "Ops",
        2,
        &json!({"eventName": name, "eventSource": source, "awsRegion": region, "userIdentity": who,
        "requestParameters": null, "responseElements": null}),
    )
}

fn user(name: &str, path: &str) -> Value {
    json!({"type": "IAMUser", "accountId": "111122223333", "userName": name, "accessKeyId": "AKIAIOSFODNN7EXAMPLE",
        "arn": format!("arn:aws:iam::111122223333:user{path}{name}")})
}

fn open(scene: &Scene, principals: &[&str], region: &str) -> Vec<String> {
    let found = scene.check(&routes(principals), &json!([]), &["--region", region]);
    let all = ids(&found).into_iter();
    let mut all: Vec<String> = all
        .filter_map(|id| Some(id.strip_prefix("events.break_glass.used ")?.to_owned()))
        .collect();
    all.sort();
    all
}

#[test]
fn what_a_user_for_emergencies_calls_with_an_access_key_is_found() {
    let (iam, s3) = ("iam.amazonaws.com", "s3.amazonaws.com");
    let root = json!({"type": "Root", "arn": "arn:aws:iam::111122223333:root", "accountId": "111122223333"});
    let by = |name: &str| user(name, "/");
    let scene = Scene::new(&[
        called("e-iam", "CreateUser", iam, "us-east-1", &by("emergency")),
        called("e-s3", "DeleteBucket", s3, "eu-central-1", &by("emergency")),
        called("e-read", "ListBuckets", s3, "us-east-1", &by("emergency")),
        called(
            "e-2",
            "DeleteBucket",
            s3,
            "us-east-1",
            &user("emergency-2", "/ops/"),
        ),
        called("e-root", "DeleteBucket", s3, "us-east-1", &root),
        called("e-anna", "DeleteBucket", s3, "us-east-1", &by("anna")),
        // A session of a role may have any name.
        used(
            "e-role",
            "Ops",
            1,
            &json!({"userIdentity": {"type": "AssumedRole", "principalId": "AROA:emergency",
            "arn": "arn:aws:sts::111122223333:assumed-role/Ops/emergency"}}),
        ),
    ]);
    // Global services have their records in one Region, whichever the flags name.
    let all = ["e-iam", "e-read", "e-s3"];
    assert_eq!(open(&scene, &[PATTERN], "eu-central-1"), all);
    assert_eq!(
        open(&scene, &["arn:aws:iam::*:root"], "us-east-1"),
        ["e-root"]
    );
    // A user that is there no more, or not yet, is known by its name only.
    assert_eq!(
        open(&scene, &["arn:aws:iam::*:user/gone"], "us-east-1"),
        [] as [&str; 0]
    );
    let problems = scene.account.problems();
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn of_a_user_who_calls_without_end_the_newest_calls_are_read_and_the_rest_is_a_gap() {
    let call = |index: usize| {
        let who = user("emergency", "/");
        let id = format!("e-{index:03}");
        called(&id, "ListBuckets", "s3.amazonaws.com", "us-east-1", &who)
    };
    let scene = Scene::new(&(0..120).map(call).collect::<Vec<_>>());
    let check = |n_calls: &str| {
        scene.account.forget_calls();
        let more = ["--max-calls", n_calls];
        let found = scene.check(&routes(&[PATTERN]), &json!([]), &more);
        let calls = scene.account.operations().into_iter();
        let n_pages = calls.filter(|one| one.ends_with("LookupEvents")).count();
        (found, n_pages)
    };
    let (all, n_pages) = check("120");
    all.assert_status(1).assert_stderr("");
    assert_eq!(all.records().len(), 120);
    let (part, n_fewer) = check("50");
    part.assert_status(2);
    let found = ids(&part);
    assert_eq!((found.len(), n_pages - n_fewer), (51, 2));
    assert_eq!(found[50], "events.history.unread event history");
    // The newest are those that were added last.
    assert!(found.contains(&"events.break_glass.used e-119".to_owned()));
    let gap = part.records().pop().unwrap();
    assert_eq!(
        gap["message"],
        "there are more calls of the user emergency than the newest 50 calls: what is older is not looked at"
    );
    assert_eq!(
        gap["fix"],
        "look at a shorter time with --since, or read more with --max-calls"
    );
}

#[test]
fn users_are_listed_where_a_pattern_does_not_name_them() {
    let scene = Scene::new(&[]);
    let arn = |name: &str| format!("arn:aws:iam::{}:user/ops/{name}", scene.account.id());
    for name in ["emergency-1", "emergency-2", "anna"] {
        scene
            .account
            .aws(&["iam", "create-user", "--path", "/ops/", "--user-name", name]);
        let who = json!({"type": "IAMUser", "userName": name, "arn": arn(name)});
        let source = "s3.amazonaws.com";
        scene.add(&[called(name, "DeleteBucket", source, "us-east-1", &who)]);
    }
    let pattern = "arn:aws:iam::*:user/ops/emergency-*";
    let both = ["emergency-1", "emergency-2"];
    assert_eq!(open(&scene, &[pattern], "us-east-1"), both);
    let n_lists = |principals: &[&str]| {
        scene.account.forget_calls();
        open(&scene, principals, "us-east-1");
        let calls = scene.account.operations().into_iter();
        calls.filter(|one| one.ends_with("ListUsers")).count()
    };
    assert_eq!(n_lists(&[pattern]), 1);
    assert_eq!(n_lists(&[PATTERN, ROLE, "arn:aws:iam::*:root"]), 0);
    // Which users there are cannot be read: then nobody knows.
    scene
        .account
        .fault(json!({"service": "iam", "operation": "ListUsers", "kind": "denied", "times": -1}));
    let unknown = scene.check(&routes(&[pattern]), &json!([]), &[]);
    unknown.assert_status(2);
    assert!(unknown.stdout.contains("ListUsers"), "{}", unknown.stdout);
    // Each list that is not known is named.
    scene
        .account
        .fault(json!({"service": "iam", "operation": "ListRoles", "kind": "denied", "times": -1}));
    let patterns = [pattern, "arn:aws:iam::*:role/break-*"];
    let unknown = scene.check(&routes(&patterns), &json!([]), &[]);
    unknown.assert_status(2);
    for list in ["ListUsers", "ListRoles"] {
        assert!(unknown.stdout.contains(list), "{}", unknown.stdout);
    }
}

#[test]
fn all_that_a_principal_did_in_a_while_is_acknowledged_by_one_entry() {
    let call = |id: &str, minute: u32| {
        let mut record = called(
            id,
            "DeleteBucket",
            "s3.amazonaws.com",
            "us-east-1",
            &user("emergency", "/"),
        );
        let day = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(48);
        record["eventTime"] = json!(
            day.strftime(&format!("%Y-%m-%dT10:{minute:02}:00Z"))
                .to_string()
        );
        record
    };
    let records = [
        call("e-0", 0),
        call("e-1", 1),
        call("e-2", 2),
        call("e-3", 3),
    ];
    let scene = Scene::new(&records);
    let entry = |from: usize, until: usize, more: &Value| {
        let mut entry = json!({"principal": EMERGENCY, "time": records[from]["eventTime"], "until": records[until]["eventTime"],
            "who": "berta", "when": jiff::Timestamp::now().to_string(), "why": "INC-1"});
        entry
            .as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        entry
    };
    let open = |entry: Value| {
        let found = scene.check(&routes(&[PATTERN]), &json!([entry]), &[]);
        let all = ids(&found).into_iter();
        all.map(|id| id.rsplit(' ').next().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(open(entry(1, 2, &json!({}))), ["e-0", "e-3"]);
    let other = json!({"principal": ROLE});
    assert_eq!(open(entry(0, 3, &other)), ["e-0", "e-1", "e-2", "e-3"]);
    // Nobody can have looked at what came later.
    let before = json!({"when": records[1]["eventTime"]});
    assert_eq!(open(entry(0, 3, &before)), ["e-2", "e-3"]);
    let refused = scene.check(&routes(&[PATTERN]), &json!([entry(2, 1, &json!({}))]), &[]);
    refused
        .assert_status(2)
        .assert_complains("$[0].until: it is before `time`");
}

#[test]
fn a_use_before_the_event_history_is_open_until_it_is_acknowledged() {
    let old = |id: &str, days: i64| used(id, "break-glass", days, &json!({}));
    let recent = old("e-recent", 3);
    let scene = Scene::new(std::slice::from_ref(&recent));
    let file = scene.account.home().join("history.jsonl");
    let unmatched = used("e-ops", "Ops", 200, &json!({}));
    let other = used(
        "e-other",
        "break-glass",
        200,
        &json!({"recipientAccountId": "444455556666", "awsRegion": "eu-west-1"}),
    );
    let all = [
        old("e-old", 400),
        unmatched,
        other,
        recent,
        old("e-old", 400),
    ];
    let text: String = all.iter().map(|one| format!("{one}\n")).collect();
    std::fs::write(&file, &text).unwrap();
    let more = ["--records", file.to_str().unwrap()];
    let asked = routes(&["arn:aws:iam::*:role/break-glass"]);
    let found = scene.check(&asked, &json!([]), &more);
    found.assert_status(1).assert_stderr("");
    let open = |output: &testbed::Output| -> Vec<String> {
        let records = output.records().into_iter();
        let mut all: Vec<String> = records
            .map(|one| {
                let text = |value: &Value| value.as_str().unwrap().to_owned();
                format!(
                    "{} {}",
                    text(&one["resource"]),
                    text(&one["target"]["account"])
                )
            })
            .collect();
        all.sort();
        all
    };
    // Each once, also what both have.
    let here = "111122223333";
    let expected = [
        format!("e-old {here}"),
        "e-other 444455556666".to_owned(),
        format!("e-recent {here}"),
    ];
    assert_eq!(open(&found), expected);
    let entry = |id: &str| json!({"event_id": id, "who": "berta", "when": jiff::Timestamp::now().to_string(), "why": "INC-1"});
    let seen = ["e-old", "e-other", "e-recent"].map(entry);
    let none = scene.check(&asked, &json!(seen), &more);
    none.assert_status(0);
    // What of it cannot be read is never fine.
    std::fs::write(&file, format!("{text}{{\"eventName\": \"Sta\n")).unwrap();
    let gap = scene.check(&asked, &json!(seen), &more);
    gap.assert_status(2);
    assert!(
        gap.stdout.contains("events.history.unread"),
        "{}",
        gap.stdout
    );
    // A call that fails takes nothing away.
    scene.account.fault(
        json!({"service": "events", "operation": "PutEvents", "kind": "denied", "times": -1}),
    );
    let failed = scene.check(&asked, &json!([]), &[&more[..], &["--send-test"]].concat());
    failed.assert_status(2);
    assert!(failed.stdout.contains("PutEvents"), "{}", failed.stdout);
    let found = ids(&failed);
    let old = "events.break_glass.used e-old".to_owned();
    assert!(found.contains(&old), "{found:?}");
    let missing = ["--records", "/no/such"];
    scene
        .check(&asked, &json!([]), &missing)
        .assert_status(2)
        .assert_complains("/no/such");
}
