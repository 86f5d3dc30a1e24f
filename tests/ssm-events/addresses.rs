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

/// Returns what names the URL of a webhook in a spool.
fn digits(slack: &Slack) -> String {
    let script = "printf %s \"$URL\" | sha256sum | cut -c 1-16";
    let run = offline("/bin/sh").args(["-c", script]);
    let found = run.env("URL", slack.url()).run();
    found.stdout.trim().to_owned()
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
    ).assert_complains(&format!(
        "for an earlier URL of --webhook: run send again with that URL, or with --url-replaced {} if the present URL has replaced it",
        digits(&one)
    ));
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
    let of_gone = digits(&gone);
    held.assert_complains(&format!("with --url-replaced {of_gone} if"));
    let replaced = ["--url-replaced", &of_gone];
    let sent = send(&new, spool, &event("e-0"), &replaced);
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

#[test]
fn of_three_urls_the_last_replaces_only_the_one_that_is_named() {
    let ([a, b, c], home) = ([(); 3].map(|()| Slack::start()), Home::create());
    let spool = home.path();
    let counts = || [&a, &b, &c].map(|slack| slack.messages().len());
    a.always(Reply::Status(503, "down"));
    send(&a, spool, &event("e-1"), &["--retry-for", "0"]).assert_status(2);
    send(&b, spool, &event("e-1"), &[]).assert_status(2);
    let (of_a, of_b) = (digits(&a), digits(&b));
    let sent = send(&c, spool, "", &["--url-replaced", &of_a]);
    sent.assert_status(0).assert_stderr("");
    assert_eq!(statuses(&sent), ["e-1 delivered"]);
    assert_eq!((counts(), missing(spool, "e-1")), ([0, 1, 1], 0));
    // What the second has got is still of the second, and nothing is of the first any more.
    let again = send(&b, spool, &event("e-1"), &[]);
    again.assert_status(0).assert_stderr("");
    let none = "nothing in the spool is for such an earlier URL of a destination of this run";
    let again = send(&c, spool, &event("e-1"), &["--url-replaced", &of_a]);
    again
        .assert_status(0)
        .assert_complains(&format!("--url-replaced {of_a}: {none}"));
    assert_eq!(statuses(&again), ["e-1 duplicate"]);
    // Until it is said of it, too.
    send(&b, spool, &event("e-2"), &[]).assert_status(0);
    let both = ["--url-replaced", &of_b, "--url-replaced", &of_a];
    let sent = send(&c, spool, &events(3), &both);
    let mut all = statuses(&sent);
    all.sort();
    assert_eq!(all, ["e-0 delivered", "e-1 duplicate", "e-2 duplicate"]);
    assert_eq!(counts(), [0, 2, 2]);
}

/// Both sources had the same URL; one of them has another now, and that of the other cannot be read.
#[test]
fn of_two_destinations_each_gets_what_was_for_its_own_earlier_url() {
    let scene = routes::Scene::new();
    let file = scene.routes(&json!({"default": ["ops", "security"]}));
    let spool = scene.home.path().join("spool");
    let flags = ["--interval", "0", "--retry-for", "0", "--spool"];
    let flags = [&flags[..], &[spool.to_str().unwrap()]].concat();
    let run = |[ops, security]: [&str; 2], more: &[&str]| -> Output {
        let run = scene.tool(&file, &[&flags, more].concat());
        let run = run.env("OPS", ops).env("SECURITY", security);
        run.stdin(routes::record(&json!({"eventID": "e-1"}))).run()
    };
    let [before, ops, security] = &scene.slacks;
    before.always(Reply::Status(503, "down"));
    run([before.url(); 2], &[]).assert_status(2);
    let digits = digits(before);
    let replaced = ["--url-replaced", &digits];
    let sent = run([ops.url(), ""], &replaced);
    sent.assert_status(2).assert_complains(&format!(
        "--url-replaced {digits}: what is for the destination 'security' is still for that URL: its new one is not known in this run"
    ));
    assert_eq!(scene.counts(), [0, 1, 0]);
    let sent = run([ops.url(), security.url()], &replaced);
    sent.assert_status(0).assert_stderr("");
    assert_eq!(scene.counts(), [0, 1, 1]);
}

/// A run that is killed has written the log anew, and not yet the queue.
#[test]
fn a_run_that_was_killed_between_the_log_and_the_queue_doubles_nothing() {
    let (gone, new, home) = (Slack::start(), Slack::start(), Home::create());
    let spool = home.path();
    gone.reply(&[Reply::Ok]);
    gone.always(Reply::Status(404, "no_service"));
    // What is delivered stays in the queue while something behind it waits.
    send(&gone, spool, &events(2), &[]).assert_status(2);
    let replaced = ["--url-replaced", &digits(&gone)];
    // The queue cannot be written anew where a directory has the name of the new file.
    std::fs::create_dir(spool.join("queue.new")).unwrap();
    send(&new, spool, "", &replaced).assert_status(2);
    let of_log = &lines(spool, "deliveries.jsonl")[0]["address"];
    let of_queue = &lines(spool, "queue.jsonl")[0]["address"];
    assert_eq!(
        (of_log.as_str(), of_queue.as_str()),
        (Some(&*digits(&new)), Some(&*digits(&gone)))
    );
    std::fs::remove_dir(spool.join("queue.new")).unwrap();
    let held = send(&new, spool, &events(2), &[]);
    held.assert_status(2)
        .assert_complains("2 messages are held in");
    let all = send(&new, spool, &events(2), &replaced);
    all.assert_status(0).assert_stderr("");
    // The first was delivered before.
    let sent: Vec<String> = new.messages().iter().map(ToString::to_string).collect();
    assert!(sent.len() == 1 && sent[0].contains("s-e-1"), "{sent:?}");
}

#[test]
fn digits_that_replace_nothing_are_refused() {
    let home = Home::create();
    let spool = home.path().to_str().unwrap();
    let url = "https://hooks.slack.com/services/c4n4ry";
    let topic = "arn:aws:sns:eu-central-1:111122223333:alerts";
    for (to, digits, expected) in [
        (
            ["--webhook", "env:WEBHOOK"],
            url,
            "--url-replaced: expected the 16 digits",
        ),
        (
            ["--topic", topic],
            "0123456789abcdef",
            "cannot be used with '--topic",
        ),
    ] {
        let run = offline(EXE).args(["send", "--spool", spool, "--url-replaced", digits]);
        let output = run.args(to).env("WEBHOOK", url).run();
        output.assert_status(2).assert_complains(expected);
        assert!(!output.stderr.contains("c4n4ry"), "{}", output.stderr);
    }
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
        .assert_complains("for an earlier URL of the destination 'security'");
    assert_eq!((first.messages().len(), second.messages().len()), (0, 2));
    first.always(Reply::Ok);
    let sent = run(first.url(), "e-1");
    sent.assert_status(0).assert_stderr("");
    assert_eq!((first.messages().len(), second.messages().len()), (1, 2));
}

/// Nobody knows whether it will get it twice.
#[test]
fn what_was_delivered_before_its_secret_was_gone_is_not_only_held() {
    let scene = routes::Scene::new();
    let file = scene.routes(&json!({"default": ["security"]}));
    let url = scene.slacks[1].url().to_owned();
    let run = |security: &str, id: &str| -> Output {
        let spool = scene.home.path().join("spool");
        let run = scene.tool(&file, &["--interval", "0", "--spool"]);
        let run = run.args([spool]).env("SECURITY", security);
        run.stdin(routes::record(&json!({"eventID": id}))).run()
    };
    run(&url, "e-1").assert_status(0);
    let held = run("", "e-1");
    held.assert_status(2)
        .assert_complains("(1 sent before, if the URL is still the same): security (Slack):");
    let note = held.records()[0]["note"].as_str().unwrap().to_owned();
    assert!(
        note.ends_with("; sent before, if the URL is still the same"),
        "{note}"
    );
    let held = run("", "e-2");
    held.assert_status(2)
        .assert_complains("2 messages are held in")
        .assert_complains("(1 sent before,");
    run(&url, "e-2").assert_status(0).assert_stderr("");
    assert_eq!(scene.slacks[1].messages().len(), 2);
}
