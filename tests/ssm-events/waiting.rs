//! `send` to two destinations of which one is down: what waits is on the disk, and what the other has got leaves it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testbed::{Output, Reply, Run};

use crate::routes::{Scene, record};

const N_MESSAGES: usize = 800;
const LENGTH: usize = 24 * 1024;
/// The program itself takes 40 MiB when it is built for tests, and what is read ahead at most 20. With all messages for both it would be
/// nearly 80.
const MOST: usize = 70 * 1024 * 1024;

/// Messages as `format` prints them, each as long as Slack may be sent.
fn messages() -> String {
    let text = "x".repeat(LENGTH);
    let message = |index: usize| {
        let block = json!({"type": "section", "block_id": format!("event-e-{index}"), "text": {"type": "mrkdwn", "text": "x"}});
        format!("{}\n", json!({"text": text, "blocks": [block]}))
    };
    (0..N_MESSAGES).map(message).collect()
}

/// Runs to its end, and returns the most memory that it had at once, in bytes.
pub(crate) fn peak(run: Run, status: i32) -> (Output, usize) {
    let running = run.spawn();
    let file = format!("/proc/{}/status", running.id());
    let mut peak = 0;
    // The kernel keeps the peak; it is gone with the process.
    while let Some(kib) = std::fs::read_to_string(&file).ok().and_then(|text| {
        let line = text.lines().find(|line| line.starts_with("VmHWM:"))?;
        line.split_whitespace().nth(1)?.parse::<usize>().ok()
    }) {
        peak = kib * 1024;
        std::thread::sleep(Duration::from_millis(2));
    }
    let output = running.wait();
    output.assert_status(status);
    (output, peak)
}

#[test]
fn what_waits_is_not_in_memory_and_what_was_delivered_not_in_the_queue() {
    let scene = Scene::new();
    let file = scene.routes(&json!({"default": ["ops", "security"]}));
    let spool = scene.home.path().join("spool");
    let flags = ["--interval", "0", "--retry-for", "0", "--spool"];
    let flags = [&flags[..], &[spool.to_str().unwrap()]].concat();
    let run = |input: String| scene.tool(&file, &flags).stdin(input);
    scene.slacks[1].always(Reply::Status(503, "down"));
    let waits = N_MESSAGES * LENGTH;
    let (_, first) = peak(run(messages()), 2);
    assert!(first < MOST, "{first} bytes");
    assert_eq!(scene.counts(), [N_MESSAGES, 0, 0]);
    let queue = std::fs::metadata(spool.join("queue.jsonl")).unwrap().len();
    let queue = usize::try_from(queue).unwrap();
    assert!((waits..waits * 2).contains(&queue), "{queue} bytes");
    // What another process has from the disk, too, and all of it arrives in its order.
    scene.slacks[1].always(Reply::Ok);
    let (_, second) = peak(run(String::new()), 0);
    assert!(second < MOST, "{second} bytes");
    assert_eq!(scene.counts(), [N_MESSAGES, N_MESSAGES, 0]);
    let arrived = scene.slacks[1].messages();
    for (index, message) in arrived.iter().enumerate() {
        assert_eq!(message["blocks"][0]["block_id"], format!("event-e-{index}"));
    }
    let queue = std::fs::metadata(spool.join("queue.jsonl")).unwrap();
    assert_eq!(queue.len(), 0);
}

/// Its log is written for other reasons, too, such as records that a rule mutes.
#[test]
fn the_interval_between_runs_is_counted_from_the_last_call_of_the_same_destination() {
    let scene = Scene::new();
    let rule = |name: &str, more: Value| {
        let mut rule = json!({"name": name, "pattern": {"eventName": [name]}});
        rule.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        rule
    };
    let rules = [
        rule("Quiet", json!({"mute": {"reason": "known"}})),
        rule("Night", json!({"to": ["night"]})),
    ];
    let file = scene.routes(&json!({"rules": rules}));
    let spool = scene.home.path().join("spool");
    let send = |id: &str, name: &str, interval: &str| {
        let flags = ["--interval", interval, "--spool", spool.to_str().unwrap()];
        let began = Instant::now();
        let record = record(&json!({"eventID": id, "eventName": name}));
        let sent = scene.tool(&file, &flags).stdin(record).run();
        sent.assert_status(0);
        began.elapsed()
    };
    send("e-1", "StartSession", "0");
    // An hour later.
    let log = spool.join("deliveries.jsonl");
    let text = std::fs::read_to_string(&log).unwrap();
    let earlier = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(1);
    let earlier = json!(earlier.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    let line = |line: &str| {
        let mut line: Value = serde_json::from_str(line).unwrap();
        line["time"] = earlier.clone();
        format!("{line}\n")
    };
    std::fs::write(&log, text.lines().map(line).collect::<String>()).unwrap();
    let short = Duration::from_secs(20);
    send("e-2", "Quiet", "0");
    assert!(send("e-3", "StartSession", "40") < short, "after a mute");
    assert!(send("e-4", "Night", "40") < short, "after another one's");
    let (after, interval) = (scene.slacks[0].posts(), Duration::from_secs(3));
    send("e-5", "StartSession", "3");
    let posts = scene.slacks[0].posts();
    let last = posts.last().unwrap().at - after.last().unwrap().at;
    assert_eq!((after.len(), posts.len()), (2, 3));
    assert!(last >= interval && last < short, "{last:?}");
}
