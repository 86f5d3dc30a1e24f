//! What the page says of people and of how sessions ended, which days they are on, and where its links lead.

use serde_json::{Value, json};
use testbed::{Home, offline};

use super::{Page, known, part, sessions};
use crate::EXE;

/// A call of somebody in a role.
fn call(id: usize, (account, role, name): (&str, &str, &str)) -> Value {
    json!({"eventName": "StartSession", "eventSource": "ssm.amazonaws.com", "eventID": format!("e-{id}"),
        "eventTime": format!("2026-11-01T10:{id:02}:00Z"), "awsRegion": "eu-central-1", "recipientAccountId": account,
        "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::{account}:assumed-role/x/{name}"),
            "sessionContext": {"sessionIssuer": {"arn": format!("arn:aws:iam::{account}:role/{role}")}}},
        "requestParameters": {"target": "i-0a"}, "responseElements": {"sessionId": format!("s-{id}")}})
}

fn lines(records: &[Value]) -> String {
    let lines: Vec<String> = records.iter().map(Value::to_string).collect();
    lines.join("\n")
}

/// Returns the number on a tile.
fn figure(page: &str, text: &str) -> String {
    let (_, rest) = page.split_once("id=\"figures\"").unwrap();
    let figures = &rest[..rest.find("</dl>").unwrap()];
    let (_, rest) = figures.split_once(&format!(">{text}<")).unwrap();
    let (_, value) = rest.split_once("<dd>").unwrap();
    value.split('<').next().unwrap().to_owned()
}

/// IAM Identity Center makes a role for each permission set and account; of another role the caller chooses the name.
#[test]
fn a_user_of_identity_center_is_one_row_in_all_accounts() {
    let set = |name: &str| {
        format!(
            "aws-reserved/sso.amazonaws.com/eu-central-1/AWSReservedSSO_{name}_0123456789abcdef"
        )
    };
    let (ops, admin) = (set("Ops"), set("Admin"));
    let name = "anna@example.com";
    let here = ("111122223333", ops.as_str(), name);
    let there = ("444455556666", ops.as_str(), name);
    let mut denied = [call(3, there), call(4, here)];
    for one in &mut denied {
        one["errorCode"] = json!("AccessDenied");
    }
    let [in_there, in_here] = denied;
    let records = [
        call(0, here),
        call(1, there),
        call(2, ("111122223333", &admin, name)),
        in_there,
        in_here,
        call(5, ("111122223333", "Deploy", name)),
        call(
            6,
            ("111122223333", "AWSReservedSSO_Ops_0123456789abcdef", name),
        ),
    ];
    let Some(page) = Page::of(&lines(&records), 0) else {
        return;
    };
    let shown = page.shown("#by=person");
    let (people, n_rows) = part(&shown, "t-principals");
    assert_eq!(n_rows, 3, "{people}");
    let roles =
        "permission set Admin, 111122223333; permission set Ops, 111122223333, 444455556666";
    assert!(people.contains(&format!(">{roles}</div>")), "{people}");
    assert!(
        people.contains(">role/Deploy, 111122223333</div>"),
        "{people}"
    );
    assert_eq!(figure(&shown, "people and roles"), "3");
    let filtered = page.shown("#filter=anna");
    assert_eq!(figure(&filtered, "people and roles"), "3");
    assert!(
        part(&shown, "timeline")
            .0
            .contains("3 rows, one per person")
    );
    let (_, rest) = shown.split_once("id=\"t-grouped\"").unwrap();
    let grouped = &rest[..rest.find("id=\"each\"").unwrap()];
    assert_eq!(grouped.matches("<tr").count(), 1 + 1, "{grouped}");
    assert!(grouped.contains(">permission set Ops</span>"), "{grouped}");
}

#[test]
fn how_a_session_ended_is_shown_where_it_is_known() {
    let ends = ["open", "failed", "closed", "max_duration", "unknown"];
    let mut ended = known(5, &json!(null));
    let known = ends.iter().enumerate().map(|(n, how)| {
        known(n, &json!(null)).replace(
            "\"how_it_ended\":null",
            &format!("\"how_it_ended\":\"{how}\""),
        )
    });
    ended = ended.replace("\"how_it_ended\":null", "\"how_it_ended\":\"open\"");
    let known: Vec<String> = known.chain([ended]).collect();
    // Of the last but one there is a record of the end, and of the last one nothing is known.
    let records = sessions(7);
    let is_read = |line: &&str| {
        let is_start =
            line.contains("\"eventName\":\"StartSession\"") && !line.contains("AccessDenied");
        is_start || line.contains("e-5-TerminateSession")
    };
    let records: Vec<&str> = records.lines().filter(is_read).collect();
    let Some(page) = Page::with(&records.join("\n"), &known.join("\n"), 0) else {
        return;
    };
    let shown = page.shown("");
    let (table, n_rows) = part(&shown, "t-sessions");
    assert_eq!(n_rows, 7);
    for (text, n) in [
        (">still open<", 1),
        (">failed to start<", 1),
        (">closed by its user, or idle<", 1),
        (">at its maximum duration<", 1),
        (">no end recorded<", 2),
        (">terminated<", 1),
    ] {
        assert_eq!(table.matches(text).count(), n, "{text}: {table}");
    }
    assert_eq!(figure(&shown, "with no end recorded"), "2");
    assert_eq!(figure(&shown, "still open"), "1");
    let note = part(&shown, "n-sessions").0;
    assert!(
        note.contains("7 in total, 2 with no end recorded."),
        "{note}"
    );
    for (only, n) in [("open", 2), ("lasting", 1)] {
        let shown = page.shown(&format!("#only={only}"));
        assert_eq!(part(&shown, "t-sessions").1, n, "{only}");
    }
    let shown = page.shown("#filter=failed%20to%20start");
    assert_eq!(part(&shown, "t-sessions").1, 1);
}

#[test]
fn a_day_has_whoever_was_on_a_node_then() {
    let at = |id: usize, name: &str, time: &str, session: &str| {
        let mut record = call(id, ("111122223333", "Ops", "ann"));
        record["eventName"] = json!(name);
        record["eventTime"] = json!(time);
        record["responseElements"]["sessionId"] = json!(session);
        record["requestParameters"]["sessionId"] = json!(session);
        record
    };
    let records = [
        at(1, "StartSession", "2026-10-31T23:00:00Z", "s-1"),
        at(2, "TerminateSession", "2026-11-03T01:00:00Z", "s-1"),
        at(3, "StartSession", "2026-11-03T10:00:00Z", "s-2"),
        at(4, "TerminateSession", "2026-11-03T11:00:00Z", "s-2"),
        at(5, "StartSession", "2026-11-01T10:00:00Z", "s-3"),
    ];
    let Some(page) = Page::of(&lines(&records), 0) else {
        return;
    };
    for (day, expected) in [
        ("2026-10-31", &["s-1"][..]),
        ("2026-11-01", &["s-1", "s-3"]),
        ("2026-11-02", &["s-1"]),
        ("2026-11-03", &["s-1", "s-2"]),
        // Nobody was there, so that it cannot be chosen.
        ("2026-11-04", &["s-1", "s-2", "s-3"]),
    ] {
        let shown = page.shown(&format!("#day={day}"));
        let (table, _) = part(&shown, "t-sessions");
        let ids = ["s-1", "s-2", "s-3"].into_iter();
        let found: Vec<&str> = ids
            .filter(|id| table.contains(&format!(">{id}<")))
            .collect();
        assert_eq!(found, expected, "{day}");
    }
}

#[test]
fn a_link_to_a_section_keeps_the_filter() {
    let Some(page) = Page::of(&sessions(30), 0) else {
        return;
    };
    // As somebody types and clicks.
    let page = page.then(
        "const find = (what) => document.querySelector(what);
        if (!location.hash) { find('#filter').value = 'mallory'; find('#filter').dispatchEvent(new Event('input')); }
        const link = () => find('nav a:nth-of-type(4)'), seen = [];
        const look = () => seen.push(location.hash, document.activeElement.id, link().getAttribute('href'));
        setTimeout(() => { look(); link().click(); look(); document.title = seen.join(' '); }, 500);",
    );
    let link = "#filter=mallory&amp;section=sessions";
    for (address, before) in [
        ("", "#filter=mallory  "),
        (
            "#filter=mallory&section=sessions",
            "#filter=mallory&amp;section=sessions sessions ",
        ),
    ] {
        let shown = page.shown(address);
        let (_, title) = shown.split_once("<title>").unwrap();
        let title = title.split("</title>").next().unwrap();
        let after = before.split(' ').next().unwrap();
        assert_eq!(title, format!("{before}{link} {after} sessions {link}"));
        assert_eq!(part(&shown, "t-sessions").1, 4);
    }
}

#[test]
fn a_transcript_is_a_link_in_the_row_of_its_session() {
    let transcript = json!({"s3": {"bucket": "archive", "key": "x/s-00000.log"}, "log_stream": {"log_group": "/ssm", "name": "s-00000"},
        "bytes": 7, "encrypted": true, "none": null, "missing_in": [], "message": null});
    let known = [known(0, &transcript), known(1, &json!(null))];
    let Some(page) = Page::with(&sessions(2), &known.join("\n"), 0) else {
        return;
    };
    let shown = page.shown("");
    let table = part(&shown, "t-sessions").0;
    let rows: Vec<&str> = table
        .split("<tr")
        .filter(|row| row.contains(">s-0000"))
        .collect();
    let console = "https://eu-central-1.console.aws.amazon.com";
    let links = [
        format!(
            "<a href=\"{console}/s3/object/archive?region=eu-central-1&amp;prefix=x%2Fs-00000.log\" rel=\"noopener noreferrer\">S3</a>"
        ),
        format!(
            "<a href=\"{console}/cloudwatch/home?region=eu-central-1#logsV2:log-groups/log-group/$252Fssm/log-events/s-00000\" rel=\"noopener noreferrer\">CloudWatch Logs</a>"
        ),
    ];
    for row in rows {
        for link in &links {
            assert_eq!(row.contains(link), row.contains(">s-00000<"), "{row}");
        }
    }
    assert_eq!(table.matches("<a href").count(), 2, "{table}");
}

#[test]
fn refused_calls_and_commands_have_the_names_of_nodes() {
    let home = Home::create();
    let nodes = home.path().join("nodes.jsonl");
    let node = json!({"kind": "node", "target": {"account": "111122223333", "region": "eu-central-1"}, "instance_id": "i-0a",
        "platform": {}, "managed_by": "hybrid", "tags": {"Name": "web 1"}});
    std::fs::write(&nodes, node.to_string()).unwrap();
    let who = ("111122223333", "Ops", "ann");
    let (mut refused, mut command, started) = (call(1, who), call(2, who), call(3, who));
    refused["errorCode"] = json!("AccessDenied");
    command["eventName"] = json!("SendCommand");
    command["requestParameters"] =
        json!({"documentName": "AWS-RunShellScript", "instanceIds": ["i-0a", "i-0b"]});
    let input = lines(&[refused, command, started]);
    let report = |flags: &[&str]| {
        let run = offline(EXE).args(["report", "--nodes"]).args([&nodes]);
        let made = run.args(flags).stdin(input.as_str()).run();
        made.assert_status(0);
        made
    };
    let records = report(&[]).records();
    let find = |kind: &str| records.iter().find(|one| one["kind"] == kind).unwrap();
    assert_eq!(find("refused")["node_name"], "web 1");
    assert_eq!(find("command")["node_names"], json!({"i-0a": "web 1"}));
    assert_eq!(find("session")["node_name"], "web 1");
    let text = report(&["-o", "text"]).stdout;
    assert_eq!(text.matches("web 1").count(), 3, "{text}");
}
