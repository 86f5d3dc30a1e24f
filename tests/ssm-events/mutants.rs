//! Three thousand records of which something is changed at random, each before one that is good.

use serde_json::json;
use testbed::{Home, Output, Slack};

use crate::break_glass::{ROLE, Scene, ids, used};
use crate::reading::{over, record, verbs};
use crate::sending::{send, statuses};

#[test]
fn of_three_thousand_mutated_records_each_good_one_comes_out_of_every_verb() {
    let mut random = testbed::Random::new(17);
    let home = Home::create();
    let odd = record("odd").to_string();
    for (before, between, after) in [("", "\n", "\n"), ("{\"Records\":[", ",", "]}")] {
        let mut bytes = before.as_bytes().to_vec();
        let mut n_odd = 0;
        for n in 0..3_000 {
            if n > 0 {
                bytes.extend(between.as_bytes());
            }
            let mutant = random.mutant(&odd);
            // One that is cut at its beginning is nothing.
            n_odd += usize::from(!mutant.is_empty());
            bytes.extend(mutant);
            bytes.extend(between.as_bytes());
            bytes.extend(record(&format!("good-{n}")).to_string().as_bytes());
        }
        bytes.extend(after.as_bytes());
        let verbs = verbs(&home, &bytes);
        let formats = formats(&home);
        for (format, output) in &formats {
            // Each mutant is a record, or counted as damaged: none is passed over as something else.
            let n_out = n_events(format, output) - 3_000;
            let n_damaged = n_gaps(output);
            assert!(n_out + n_damaged >= n_odd, "{format}: {n_out}, {n_damaged}");
        }
        for (verb, output) in verbs.into_iter().chain(formats) {
            output.assert_status(2);
            let found: std::collections::HashSet<&str> = output
                .stdout
                .split(|c: char| !c.is_ascii_alphanumeric() && c != '-')
                .collect();
            let missing: Vec<String> = (0..3_000)
                .map(|n| format!("good-{n}"))
                .filter(|id| !found.contains(id.as_str()))
                .collect();
            assert_eq!(missing, [""; 0], "{verb} {}", output.stderr);
        }
        let file = home.path().join("records");
        let good = [r#"{"eventID": [{"prefix": "good-"}]}"#];
        let matched = over(file.to_str().unwrap(), &[&["match"], &good[..]].concat());
        matched.assert_status(2);
        let records = matched.records();
        let matched = records.iter().filter(|one| one["kind"].is_null());
        assert_eq!(matched.count(), 3_000);
    }
}

/// Returns what `format` makes of the file that the verbs have read, in each form.
fn formats(home: &Home) -> Vec<(&'static str, Output)> {
    let file = home.path().join("records");
    let forms = ["text", "ocsf", "asff", "slack", "csv"];
    let format = |to| (to, over(file.to_str().unwrap(), &["format", "--to", to]));
    forms.map(format).into()
}

/// Returns how many events are in what `format` printed, or are counted as what Security Hub has no place for.
fn n_events(to: &str, output: &Output) -> usize {
    let lines = output.stdout.lines();
    match to {
        "csv" => lines.count() - 1,
        "slack" => lines
            .filter(|line| !line.starts_with("{\"kind\":\"finding\""))
            .count(),
        "asff" => {
            let left_out = output
                .stderr
                .split(" records without account, region or time");
            let left_out = left_out
                .into_iter()
                .next()
                .unwrap()
                .rsplit(' ')
                .next()
                .unwrap();
            let lists =
                lines.map(|line| serde_json::from_str::<Vec<serde_json::Value>>(line).unwrap());
            lists.map(|list| list.len()).sum::<usize>() + left_out.parse::<usize>().unwrap()
        }
        _ => lines.count(),
    }
}

/// Returns how many gaps a verb counts.
fn n_gaps(output: &Output) -> usize {
    let (_, said) = output.stderr.split_once("not all was read: ").unwrap();
    let (_, n) = said.lines().next().unwrap().rsplit_once("; ").unwrap();
    n.strip_suffix(" gaps").unwrap().parse().unwrap()
}

#[test]
fn of_three_thousand_mutated_records_each_good_one_is_a_use_that_is_open() {
    let mut random = testbed::Random::new(19);
    let scene = Scene::new(&[]);
    let call = |id: &str| used(id, "break-glass", 200, &json!({})).to_string();
    let (odd, mut bytes) = (call("odd"), Vec::new());
    let all: Vec<String> = (0..3_000).map(|n| format!("good-{n}")).collect();
    for id in &all {
        bytes.extend(random.mutant(&odd));
        bytes.extend(format!("\n{}\n", call(id)).bytes());
    }
    let file = scene.account.home().join("records");
    std::fs::write(&file, bytes).unwrap();
    let routes = json!({"break_glass": {"principals": [ROLE], "to": ["ops"]}});
    let more = ["--records", file.to_str().unwrap()];
    let found = scene.check(&routes, &json!([]), &more);
    found.assert_status(2);
    let ids: std::collections::HashSet<String> = ids(&found).into_iter().collect();
    let missing: Vec<&String> = all
        .iter()
        .filter(|id| !ids.contains(&format!("events.break_glass.used {id}")))
        .collect();
    assert_eq!(missing, [""; 0], "{}", found.stderr);
    assert!(found.stdout.contains("events.history.unread"));
}

/// A message is put on the disk before it is sent, so that these are messages of one run.
#[test]
fn of_three_thousand_mutated_records_each_good_one_is_delivered_once() {
    let mut random = testbed::Random::new(18);
    // Each delivery waits for the disk twice.
    let (slack, home) = (Slack::start(), Home::in_memory());
    let odd = record("odd").to_string();
    let file = home.path().join("records");
    let mut bytes = Vec::new();
    for n in 0..3_000 {
        bytes.extend(random.mutant(&odd));
        bytes.extend(format!("\n{}\n", record(&format!("good-{n}"))).bytes());
    }
    std::fs::write(&file, bytes).unwrap();
    let spool = home.path().join("spool");
    let file = ["-f", file.to_str().unwrap()];
    let good = |output: &Output, status: &str| {
        let mut ids: Vec<String> = statuses(output)
            .iter()
            .filter(|one| one.starts_with("good-"))
            .filter_map(|one| Some(one.strip_suffix(status)?.trim_end().to_owned()))
            .collect();
        ids.sort();
        ids
    };
    let mut all: Vec<String> = (0..3_000).map(|n| format!("good-{n}")).collect();
    all.sort();
    let sent = send(&slack, &spool, "", &file);
    sent.assert_status(2);
    assert_eq!(good(&sent, "delivered"), all);
    let arrived = || {
        let posts = slack.posts();
        let ids = posts.iter().filter_map(|post| {
            let message = post.message.to_string();
            let (_, id) = message.split_once("\"block_id\":\"event-good-")?;
            Some(format!("good-{}", id.split_once('"')?.0))
        });
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        ids
    };
    assert_eq!(arrived(), all);
    // And never again.
    let again = send(&slack, &spool, "", &file);
    again.assert_status(2);
    assert_eq!(good(&again, "duplicate"), all);
    assert_eq!(arrived(), all);
}
