//! Two URLs behind one source: what waits for one, and what it has got, says nothing of the other.

use std::path::Path;

use serde_json::{Value, json};
use testbed::{Home, Output, Reply, Slack, offline};

use crate::EXE;
use crate::routes;
use crate::sending::{event, events, send, statuses};

fn lines(spool: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(spool.join(name)).unwrap();
    let lines = text.lines();
    lines
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn missing(spool: &Path, id: &str) -> i32 {
    let log = spool.join("deliveries.jsonl");
    let run = offline(EXE).args(["reconcile", "--exit-code", "--delivered"]);
    run.args([log]).stdin(event(id)).run().status
}

#[test]
fn what_one_url_has_and_waits_for_does_not_go_to_another_and_does_not_count_for_it() {
    let (one, other, home) = (Slack::start(), Slack::start(), Home::create());
    let spool = home.path();
    send(&one, spool, &event("e-0"), &[]).assert_status(0);
    one.always(Reply::Status(503, "down"));
    send(&one, spool, &event("e-1"), &["--retry-for", "0"]).assert_status(2);
    let sent = send(&other, spool, &events(3), &[]);
    sent.assert_status(2).assert_complains(
        "1 message is held in",
    ).assert_complains("for another URL than the destination of flags has now: run send again with that URL, or with --url-replaced");
    assert_eq!(
        statuses(&sent),
        ["e-0 delivered", "e-1 delivered", "e-2 delivered"]
    );
    assert_eq!(other.messages().len(), 3);
    // Of two URLs one has not got it.
    assert_eq!([missing(spool, "e-0"), missing(spool, "e-1")], [0, 1]);
    one.always(Reply::Ok);
    let drained = send(&one, spool, &event("e-2"), &[]);
    drained.assert_status(0).assert_stderr("");
    assert_eq!(statuses(&drained), ["e-1 delivered", "e-2 delivered"]);
    assert_eq!(missing(spool, "e-1"), 0);
    send(&other, spool, &events(3), &[]).assert_status(0);
    assert_eq!((one.messages().len(), other.messages().len()), (3, 3));
    for name in ["queue.jsonl", "deliveries.jsonl"] {
        let text = std::fs::read_to_string(spool.join(name)).unwrap();
        let is_shown = [&one, &other]
            .iter()
            .any(|slack| text.contains(slack.address()));
        assert!(!is_shown && !text.contains("c4n4ry"), "{text}");
    }
}

#[test]
fn a_url_that_was_replaced_gets_what_waits_and_not_what_was_delivered() {
    let (gone, new, home) = (Slack::start(), Slack::start(), Home::create());
    let spool = home.path();
    send(&gone, spool, &event("e-0"), &[]).assert_status(0);
    gone.always(Reply::Status(404, "no_service"));
    send(&gone, spool, &events(3), &[]).assert_status(2);
    let held = send(&new, spool, "", &[]);
    held.assert_status(2)
        .assert_complains("2 messages are held in");
    assert_eq!((held.stdout.as_str(), new.messages().len()), ("", 0));
    let sent = send(&new, spool, &event("e-0"), &["--url-replaced"]);
    sent.assert_status(0).assert_stderr("");
    let mut all = statuses(&sent);
    all.sort();
    assert_eq!(all, ["e-0 duplicate", "e-1 delivered", "e-2 delivered"]);
    // Later runs need not say it again.
    let again = send(&new, spool, &events(3), &[]);
    again.assert_status(0).assert_stderr("");
    assert_eq!(new.messages().len(), 2);
    assert_eq!([0, 1, 2].map(|n| missing(spool, &format!("e-{n}"))), [0; 3]);
}

/// Takes the addresses out of the files, as older versions wrote them.
fn grow_old(spool: &Path) {
    for name in ["queue.jsonl", "deliveries.jsonl"] {
        let old = lines(spool, name).into_iter().map(|mut line| {
            line.as_object_mut().unwrap().remove("address");
            format!("{line}\n")
        });
        let old: String = old.collect();
        std::fs::write(spool.join(name), old).unwrap();
    }
}

#[test]
fn an_old_spool_is_of_the_url_that_opens_it_first() {
    let (one, other, home) = (Slack::start(), Slack::start(), Home::create());
    let spool = home.path();
    send(&one, spool, &event("e-0"), &[]).assert_status(0);
    one.always(Reply::Status(503, "down"));
    send(&one, spool, &events(2), &["--retry-for", "0"]).assert_status(2);
    grow_old(spool);
    // What a run that was killed while it wrote the file anew has left.
    std::fs::write(spool.join("queue.new"), "{\"event").unwrap();
    let held = send(&one, spool, "", &["--retry-for", "0"]);
    assert_eq!(statuses(&held), ["e-1 held"]);
    let all = [
        lines(spool, "queue.jsonl"),
        lines(spool, "deliveries.jsonl"),
    ]
    .concat();
    assert!(
        all.iter().all(|line| line["address"] == all[0]["address"]),
        "{all:?}"
    );
    assert_eq!(all[0]["address"].as_str().unwrap().len(), 16);
    assert!(!spool.join("queue.new").exists());
    let sent = send(&other, spool, &events(2), &[]);
    assert_eq!(statuses(&sent), ["e-0 delivered", "e-1 delivered"]);
    one.always(Reply::Ok);
    let drained = send(&one, spool, &events(2), &[]);
    let mut all = statuses(&drained);
    all.sort();
    assert_eq!(all, ["e-0 duplicate", "e-1 delivered", "e-1 duplicate"]);
}

/// Which URL it will be is not known while it cannot be read.
#[test]
fn what_waits_for_a_secret_goes_to_the_url_that_it_turns_out_to_be() {
    let scene = routes::Scene::new();
    let file = scene.routes(&json!({"default": ["ops", "security"]}));
    let spool = scene.home.path().join("spool");
    let flags = [
        "--interval",
        "0",
        "--retry-for",
        "0",
        "--spool",
        spool.to_str().unwrap(),
    ];
    let run = |security: &str, id: &str| -> Output {
        let run = scene.tool(&file, &flags).env("SECURITY", security);
        run.stdin(routes::record(&json!({"eventID": id}))).run()
    };
    let (first, second) = (Slack::start(), Slack::start());
    first.always(Reply::Status(503, "down"));
    run(first.url(), "e-1").assert_status(2);
    run("", "e-2").assert_status(2);
    let sent = run(second.url(), "e-3");
    sent.assert_status(2)
        .assert_complains("for another URL than the destination 'security' has now");
    assert_eq!((first.messages().len(), second.messages().len()), (0, 2));
    first.always(Reply::Ok);
    let sent = run(first.url(), "e-1");
    sent.assert_status(0).assert_stderr("");
    assert_eq!((first.messages().len(), second.messages().len()), (1, 2));
}
