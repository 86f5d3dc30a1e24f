//! `send` to two destinations of which one is down: what waits is on the disk, and what the other has got leaves it.

use std::time::Duration;

use serde_json::json;
use testbed::{Reply, Run};

use crate::routes::Scene;

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
fn peak(run: Run, status: i32) -> usize {
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
    running.wait().assert_status(status);
    peak
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
    let first = peak(run(messages()), 2);
    assert!(first < MOST, "{first} bytes");
    assert_eq!(scene.counts(), [N_MESSAGES, 0, 0]);
    let queue = std::fs::metadata(spool.join("queue.jsonl")).unwrap().len();
    let queue = usize::try_from(queue).unwrap();
    assert!((waits..waits * 2).contains(&queue), "{queue} bytes");
    // What another process has from the disk, too, and all of it arrives in its order.
    scene.slacks[1].always(Reply::Ok);
    let second = peak(run(String::new()), 0);
    assert!(second < MOST, "{second} bytes");
    assert_eq!(scene.counts(), [N_MESSAGES, N_MESSAGES, 0]);
    let arrived = scene.slacks[1].messages();
    for (index, message) in arrived.iter().enumerate() {
        assert_eq!(message["blocks"][0]["block_id"], format!("event-e-{index}"));
    }
    let queue = std::fs::metadata(spool.join("queue.jsonl")).unwrap();
    assert_eq!(queue.len(), 0);
}
