//! `send`: what waits, for whom it waits, and what makes it go.

use serde_json::json;
use testbed::Reply;

use crate::destinations::Scene;
use crate::routes::{self, record};
use crate::sending::{event, events, send, statuses};
use crate::topic::Topic;

pub(super) const DOUBT: &str = "may be there twice: an earlier attempt had no clear answer";

fn filter(scene: &Scene, text: &str) {
    std::fs::write(scene.spool().with_file_name("body.jq"), text).unwrap();
}

#[test]
fn destinations_of_flags_do_not_share_what_waits_and_what_was_delivered() {
    let topic = Topic::new("sessions");
    let slack = testbed::Slack::start();
    let spool = topic.home.path().join("spool");
    send(&slack, &spool, &event("e-0"), &[]).assert_status(0);
    slack.always(Reply::Status(503, "down"));
    send(&slack, &spool, &event("e-1"), &["--retry-for", "0"]).assert_status(2);
    let sent = topic.send(&events(2), &[]);
    // What waits for the webhook is said, and is not sent to the topic.
    sent.assert_status(2)
        .assert_complains("1 message is held in")
        .assert_complains("for --webhook, which this run does not have");
    assert_eq!(statuses(&sent), ["e-0 delivered", "e-1 delivered"]);
    let received = topic.received();
    assert_eq!(received.len(), 2);
    for one in &received {
        assert!(one["Message"].as_str().unwrap().contains("e-"), "{one}");
    }
    slack.always(Reply::Ok);
    let sent = send(&slack, &spool, "", &[]);
    assert_eq!(statuses(&sent), ["e-1 delivered"]);
}

#[test]
fn what_was_made_for_another_kind_of_destination_is_held_until_it_is_made_anew() {
    let topic = Topic::new("sessions");
    let slack = testbed::Slack::start();
    let home = topic.home.path();
    let run = |destination: &serde_json::Value, input: &str| {
        let routes = json!({"default": ["ops"], "destinations": {"ops": destination}});
        let file = home.join("routes.json");
        std::fs::write(&file, routes.to_string()).unwrap();
        let flags = ["send", "--interval", "0", "--retry-for", "0", "--spool"];
        let run = topic.account.tool(crate::EXE).args(flags);
        let run = run.args([home.join("spool")]).args(["--routes"]);
        run.args([file])
            .env("WEBHOOK", slack.url())
            .stdin(input)
            .run()
    };
    slack.always(Reply::Status(503, "down"));
    let webhook = json!({"slack_webhook": {"env": "WEBHOOK"}});
    run(&webhook, &event("e-0")).assert_status(2);
    let other = json!({"sns_topic": topic.arn});
    let held = run(&other, "");
    held.assert_status(2)
        .assert_complains("was made for another kind of destination");
    assert_eq!(statuses(&held), ["e-0 held"]);
    assert!(topic.received().is_empty());
    let sent = run(&other, &event("e-0"));
    sent.assert_status(0).assert_stderr("");
    let all = statuses(&sent);
    for one in ["e-0 duplicate", "e-0 delivered"] {
        assert!(all.contains(&one.to_owned()), "{all:?}");
    }
    assert_eq!(topic.received().len(), 1);
}

#[test]
fn a_second_refusal_in_a_row_holds_also_after_a_restart() {
    let scene = Scene::url();
    scene.send(&event("e-0"), &[]).assert_status(0);
    let refusal = Reply::Status(400, "invalid routing key");
    scene.service.reply(&[refusal, refusal]);
    let sent = scene.send(&[event("e-1"), event("e-2"), event("e-3")].concat(), &[]);
    sent.assert_status(2);
    assert_eq!(statuses(&sent), ["e-1 rejected", "e-2 held"]);
    scene.service.reply(&[refusal]);
    assert_eq!(statuses(&scene.send("", &[])), ["e-2 held"]);
    let sent = scene.send("", &[]);
    assert_eq!(statuses(&sent), ["e-2 delivered", "e-3 delivered"]);
}

#[test]
fn fields_need_an_object_and_nothing_is_lost_without_one() {
    let scene = Scene::url();
    scene.send(&event("e-0"), &[]).assert_status(0);
    filter(&scene, ".event.event_id");
    let unsent = scene.send(&event("e-1"), &[]);
    unsent.assert_status(2).assert_complains(
        "event e-1 is not sent: the jq filter makes something that is not an object",
    );
    assert_eq!(unsent.stdout, "");
    filter(&scene, "{id: .event.event_id}");
    let sent = scene.send(&event("e-1"), &[]);
    assert_eq!(statuses(&sent), ["e-1 delivered"]);
}

#[test]
fn a_filter_that_yields_nothing_is_said() {
    let scene = Scene::url();
    filter(&scene, "empty");
    let unsent = scene.send(&event("e-1"), &[]);
    unsent
        .assert_status(2)
        .assert_complains("event e-1 is not sent: the jq filter yields nothing");
}

#[test]
fn a_message_that_waits_is_made_anew_by_a_corrected_filter() {
    let scene = Scene::url();
    scene.service.always(Reply::Status(400, "no summary"));
    scene.send(&event("e-0"), &[]).assert_status(2);
    filter(&scene, "{id: .event.event_id, summary: .title}");
    let again = scene.send(&event("e-0"), &[]);
    let mut all = statuses(&again);
    all.sort();
    all.dedup();
    assert_eq!(all, ["e-0 duplicate", "e-0 held"]);
    // Also by another process, which has it from the disk.
    scene.service.always(Reply::Ok);
    scene.send("", &[]).assert_status(0);
    let posts = scene.service.posts();
    assert_eq!(posts.last().unwrap().message["summary"], "StartSession");
    assert_eq!(statuses(&scene.send(&event("e-0"), &[])), ["e-0 duplicate"]);
}

/// A service may also fail with an error of its own because of what a filter makes.
#[test]
fn a_message_that_may_have_been_taken_is_made_anew_and_noted() {
    let scene = Scene::url();
    scene.service.always(Reply::Status(500, "no summary"));
    let one = ["--retry-for", "0"];
    scene.send(&event("e-0"), &one).assert_status(2);
    filter(&scene, "{id: .event.event_id, summary: .title}");
    scene.send(&event("e-0"), &one).assert_status(2);
    scene.service.always(Reply::Ok);
    let sent = scene.send("", &one);
    sent.assert_status(0);
    assert_eq!(sent.records()[0]["note"], DOUBT);
    let posts = scene.service.posts();
    assert_eq!(posts.last().unwrap().message["summary"], "StartSession");
}

#[test]
fn a_destination_without_its_secret_holds_up_no_other() {
    let scene = routes::Scene::new();
    let file = scene.routes(&json!({"default": ["ops", "security"]}));
    let spool = scene.home.path().join("spool");
    let flags = ["--interval", "0", "--spool", spool.to_str().unwrap()];
    let run = scene.tool(&file, &flags).env("SECURITY", "c4n4ry");
    let sent = run.stdin(record(&json!({}))).run();
    sent.assert_status(2)
        .assert_complains(
            "destination 'security': environment variable SECURITY holds no Slack webhook",
        )
        .assert_complains("1 message is held in")
        .assert_complains("security (Slack): ");
    assert!(!sent.stderr.contains("c4n4ry"), "{}", sent.stderr);
    assert_eq!(scene.counts(), [1, 0, 0]);
    scene.send(&file, "").assert_status(0).assert_stderr("");
    assert_eq!(scene.counts(), [1, 1, 0]);
    // With nothing to hold, too: the next message would be.
    let run = scene.tool(&file, &flags).env("SECURITY", "c4n4ry");
    run.stdin("").run().assert_status(2);
}

#[test]
fn what_may_have_been_taken_before_an_error_is_noted() {
    for scene in Scene::all() {
        for (status, text, note) in [
            (502, "Bad Gateway", json!(DOUBT)),
            (500, "Internal Server Error", json!(DOUBT)),
            (503, "down", json!(DOUBT)),
            (504, "", json!(DOUBT)),
            (200, "<html>Blocked by proxy</html>", json!(DOUBT)),
            (429, "slow down", json!(null)),
            (408, "", json!(null)),
        ] {
            scene.service.reply(&[Reply::Status(status, text)]);
            let sent = scene.send(&event(&format!("e-{status}")), &[]);
            sent.assert_status(0);
            let found = &sent.records()[0]["note"];
            assert_eq!(*found, note, "{} {status}", scene.name);
        }
    }
    let topic = Topic::new("sessions");
    let cut = json!({"service": "sns", "operation": "Publish", "kind": "cut", "times": 1});
    topic.account.fault(cut);
    let sent = topic.send(&event("e-1"), &[]);
    sent.assert_status(0);
    assert_eq!(sent.records()[0]["note"], DOUBT);
    assert_eq!(topic.received().len(), 2);
}

/// <https://docs.slack.dev/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>,
/// <https://docs.slack.dev/reference/methods/chat.postMessage#errors>
#[test]
fn what_slack_says_that_it_has_not_done_leaves_no_doubt() {
    for (scene, answers) in [
        (
            Scene::webhook(),
            &[(500, "rollup_error", true), (500, "oops", false)][..],
        ),
        (
            Scene::bot(),
            &[
                (503, r#"{"ok":false,"error":"service_unavailable"}"#, true),
                (200, r#"{"ok":false,"error":"request_timeout"}"#, true),
                (500, r#"{"ok":false,"error":"internal_error"}"#, false),
                (500, r#"{"ok":false,"error":"fatal_error"}"#, false),
                (500, r#"{"ok":false,"error":"new_error"}"#, false),
            ],
        ),
    ] {
        for (index, (status, text, is_certain)) in answers.iter().enumerate() {
            scene.service.reply(&[Reply::Status(*status, text)]);
            let sent = scene.send(&event(&format!("e-{index}")), &[]);
            sent.assert_status(0);
            let note = &sent.records()[0]["note"];
            assert_eq!(note.is_null(), *is_certain, "{} {text}", scene.name);
        }
    }
}

/// Where nobody listens nothing is sent: what is delivered later is there once.
#[test]
fn a_service_that_was_down_leaves_no_doubt() {
    let home = testbed::Home::create();
    let mut sent = Vec::new();
    for is_bot in [false, true] {
        let down = testbed::Slack::down();
        let api = format!("http://{down}/api");
        let token = ["--slack-token", "env:TOKEN", "--channel", "C0123456789"];
        let flags = match is_bot {
            true => [&token[..], &["--slack-api", &api]].concat(),
            false => vec!["--webhook", "env:WEBHOOK"],
        };
        let send = |more: &[&str]| {
            let run = testbed::offline(crate::EXE).args(["send", "--interval", "0", "--spool"]);
            let spool = home.path().join(format!("spool-{is_bot}"));
            let run = run.args([spool]).args(&flags).args(more);
            let webhook = format!("http://{down}/services/T0/B0/c4n4ry");
            let run = run.env("WEBHOOK", webhook).env("TOKEN", "xoxb-b0t");
            run.stdin(event("e-0")).run()
        };
        let held = send(&["--retry-for", "0"]);
        held.assert_status(2).assert_complains("held in");
        let slack = testbed::Slack::up(&down, is_bot);
        sent.push(send(&[]));
        assert_eq!(slack.messages().len(), 1);
    }
    let topic = Topic::new("sessions");
    let run = topic.tool(&["--retry-for", "0"]).stdin(event("e-0"));
    let down = format!("http://{}", testbed::Slack::down());
    let held = run.env("AWS_ENDPOINT_URL_SNS", &down).run();
    held.assert_status(2).assert_complains("held in");
    sent.push(topic.send("", &[]));
    for sent in sent {
        let all = sent.assert_status(0).records();
        let delivered = all.iter().find(|one| one["status"] == "delivered");
        assert_eq!(delivered.unwrap()["note"], json!(null), "{}", sent.stdout);
    }
}

#[test]
fn a_long_answer_of_slack_is_understood() {
    let scene = Scene::bot();
    let text = "x".repeat(200_000);
    let body = format!(r#"{{"ok":true,"message":{{"text":"{text}"}},"ts":"1764000000.000009"}}"#);
    let body: &'static str = Box::leak(body.into_boxed_str());
    scene.service.reply(&[Reply::Status(200, body)]);
    let sent = scene.send(&events(1), &[]);
    sent.assert_status(0);
    assert!(sent.records()[0]["note"].is_null());
    assert_eq!(scene.service.posts().len(), 1, "it is not posted again");
}

#[test]
fn a_token_with_rotation_is_one_of_a_bot() {
    let scene = Scene::bot();
    let run = scene.tool(&[]).env("TOKEN", "xoxe.xoxb-1-r0t4te");
    run.stdin(events(1)).run().assert_status(0);
    let head = &scene.service.posts()[0].head;
    assert!(
        head.contains("authorization: bearer xoxe.xoxb-1-"),
        "{head}"
    );
}

#[test]
fn the_rules_judge_by_the_reason_pattern_of_the_flag() {
    let scene = routes::Scene::new();
    let file = scene.routes(
        &json!({"rules": [{"name": "unsure", "severities": ["warning"], "to": ["security"]}]}),
    );
    let pattern = ["--reason-pattern", "JIRA-[0-9]+"];
    let explain = [&["--explain"], &pattern[..]].concat();
    let explained = scene.tool(&file, &explain).stdin(record(&json!({}))).run();
    assert_eq!(explained.json()["rule"], "unsure");
    let spool = scene.home.path().join("spool");
    let flags = ["--interval", "0", "--spool", spool.to_str().unwrap()];
    let run = scene.tool(&file, &[&flags[..], &pattern].concat());
    run.stdin(record(&json!({}))).run().assert_status(0);
    assert_eq!(scene.counts(), [0, 1, 0]);
}

#[test]
fn an_answer_that_repeats_a_part_of_the_url_is_not_shown() {
    let scene = Scene::url();
    let said = "Route POST:/hooks/c4n4ry not found";
    scene.service.always(Reply::Status(404, said));
    scene
        .send(&events(1), &[])
        .assert_status(2)
        .assert_complains("HTTP 404 Route POST:.. not found");
}
