//! Each destination of `send` against a service that takes, refuses, limits, is slow, hangs up and is gone, and a `send` that is killed.

use std::collections::HashMap;
use std::path::PathBuf;

use testbed::{Front, Home, Output, Reply, Run, Slack, offline};

use crate::EXE;
use crate::held;
use crate::killed::Noted;
use crate::sending::{event, events, statuses};
use crate::waiting::peak;

pub(super) const CANARIES: [&str; 5] = ["c4n4ry", "t0ken", "xoxb-b0t", "h34d3r", "r0ut1ng"];

/// One destination and its service.
pub(super) struct Scene {
    pub(super) name: &'static str,
    pub(super) service: Slack,
    front: Option<Front>,
    home: Home,
}

impl Scene {
    pub(super) fn webhook() -> Scene {
        Scene::of("webhook", Slack::start())
    }

    pub(super) fn bot() -> Scene {
        Scene::of("bot", Slack::bot())
    }

    pub(super) fn url() -> Scene {
        let mut scene = Scene::of("url", Slack::json());
        scene.front = Some(Front::start(scene.service.address(), scene.home.path()));
        let filter = scene.home.path().join("body.jq");
        std::fs::write(filter, "{id: .event.event_id, severity}").unwrap();
        scene
    }

    fn of(name: &'static str, service: Slack) -> Scene {
        Scene {
            name,
            service,
            front: None,
            home: Home::create(),
        }
    }

    pub(super) fn all() -> [Scene; 3] {
        [Scene::webhook(), Scene::bot(), Scene::url()]
    }

    pub(super) fn spool(&self) -> PathBuf {
        self.home.path().join("spool")
    }

    pub(super) fn tool(&self, more: &[&str]) -> Run {
        let spool = self.spool();
        let run = offline(EXE)
            .args(["send", "--spool"])
            .args([spool.as_os_str()]);
        let run = match more.contains(&"--interval") {
            true => run,
            false => run.args(["--interval", "0"]),
        };
        let run = match &self.front {
            None if self.name == "bot" => {
                let api = format!("http://{}/api", self.service.address());
                let token = ["--slack-token", "env:TOKEN", "--channel", "C0123456789"];
                run.args(token)
                    .args(["--slack-api", &api])
                    .env("TOKEN", "xoxb-b0t")
            }
            None => run
                .args(["--webhook", "env:WEBHOOK"])
                .env("WEBHOOK", self.service.url()),
            Some(front) => run
                .args(["--url", "env:URL", "--allow-local-address", "--jq-file"])
                .args([self.home.path().join("body.jq")])
                .args([
                    "--header",
                    "Authorization=env:HEADER",
                    "--field",
                    "routing_key=env:KEY",
                ])
                .env("URL", format!("{}/hooks/c4n4ry", front.url()))
                .env("HEADER", "h34d3r")
                .env("KEY", "r0ut1ng")
                .env("AWS_CA_BUNDLE", front.certificate()),
        };
        run.args(more)
    }

    pub(super) fn send(&self, input: &str, more: &[&str]) -> Output {
        let output = self.tool(more).stdin(input).run();
        for canary in CANARIES {
            assert!(
                !output.stdout.contains(canary) && !output.stderr.contains(canary),
                "{}: {canary} was printed: {}",
                self.name,
                output.stderr
            );
        }
        output
    }

    /// Returns how often the service has each event.
    fn taken(&self) -> HashMap<String, usize> {
        let mut counts = HashMap::new();
        for message in self.service.messages() {
            let id = message["attachments"][0]["blocks"][1]["block_id"].as_str();
            let id = id.map(|id| id.trim_start_matches("event-").to_owned());
            let id = id.unwrap_or_else(|| message["id"].as_str().unwrap().to_owned());
            *counts.entry(id).or_default() += 1;
        }
        counts
    }
}

#[test]
fn each_event_is_delivered_once_over_any_number_of_runs() {
    for scene in Scene::all() {
        scene
            .send(&events(2), &[])
            .assert_status(0)
            .assert_stderr("");
        let again = scene.send(&events(3), &[]);
        again.assert_status(0).assert_stderr("");
        assert_eq!(
            statuses(&again),
            ["e-0 duplicate", "e-1 duplicate", "e-2 delivered"],
            "{}",
            scene.name
        );
        assert_eq!(scene.service.messages().len(), 3);
    }
}

#[test]
fn a_limit_an_error_and_a_lost_connection_are_tried_again() {
    for scene in Scene::all() {
        let times = [
            Reply::RetryAfter(1),
            Reply::Status(500, "down"),
            Reply::Close,
        ];
        scene.service.reply(&times);
        let sent = scene.send(&events(1), &[]);
        sent.assert_status(0).assert_stderr("");
        assert_eq!(statuses(&sent), ["e-0 delivered"], "{}", scene.name);
        let posts = scene.service.posts();
        assert_eq!(posts.len(), 4, "{}", scene.name);
        let waited = posts[1].at - posts[0].at;
        assert!(waited.as_secs_f64() >= 1.0, "Retry-After is honoured");
    }
}

#[test]
fn what_may_be_there_twice_within_one_run_is_noted() {
    for scene in Scene::all() {
        scene.service.reply(&[Reply::Lost, Reply::Lost]);
        let sent = scene.send(&events(2), &[]);
        sent.assert_status(0);
        let notes = sent.records();
        let doubt = "may be there twice: an earlier attempt had no clear answer";
        assert_eq!(notes[0]["note"], doubt, "{}", scene.name);
        assert!(
            notes[1]["note"].is_null(),
            "{}: what was answered is certain",
            scene.name
        );
        assert_eq!(scene.taken()["e-0"], 3);
    }
}

#[test]
fn a_service_that_is_slow_is_given_up_and_the_double_noted() {
    let scenes = Scene::all();
    std::thread::scope(|scope| {
        for scene in &scenes {
            scope.spawn(|| {
                scene.service.reply(&[Reply::Slow(12)]);
                let sent = scene.send(&events(1), &[]);
                sent.assert_status(0);
                assert!(sent.records()[0]["note"].is_string(), "{}", scene.name);
                assert_eq!(scene.taken()["e-0"], 2, "{}", scene.name);
            });
        }
    });
}

/// Only its own word is a delivery.
#[test]
fn a_page_of_a_proxy_is_not_a_delivery_of_slack() {
    for scene in [Scene::webhook(), Scene::bot()] {
        let bodies = [
            "<html>Blocked by proxy</html>",
            "",
            "{}",
            r#"{"ok":"true"}"#,
            "[]",
        ];
        for (index, body) in bodies.into_iter().enumerate() {
            scene.service.always(Reply::Status(200, body));
            let held = scene.send(&event(&format!("e-{index}")), &["--retry-for", "0"]);
            held.assert_status(2).assert_complains("held in");
        }
        scene.service.always(Reply::Ok);
        scene.send("", &[]).assert_status(0);
        assert_eq!(scene.taken().len(), 5, "{}: none is lost", scene.name);
    }
}

#[test]
fn an_answer_without_end_is_not_kept() {
    for scene in Scene::all() {
        scene.service.reply(&[Reply::Long(500, 200_000_000)]);
        let (sent, most) = peak(scene.tool(&[]).stdin(events(1)), 0);
        sent.assert_stderr("");
        assert!(most < 80_000_000, "{}: {most} bytes", scene.name);
        assert_eq!(statuses(&sent), ["e-0 delivered"], "{}", scene.name);
        // The status was understood, as an error of its own.
        assert_eq!(sent.records()[0]["note"], held::DOUBT, "{}", scene.name);
    }
}

#[test]
fn messages_wait_while_a_service_is_down_and_go_in_their_order() {
    for scene in Scene::all() {
        scene.service.always(Reply::Status(503, "down"));
        let held = scene.send(&events(3), &["--retry-for", "0"]);
        held.assert_status(2)
            .assert_complains("3 messages are held in")
            .assert_complains("HTTP 503 down");
        scene.service.always(Reply::Ok);
        let sent = scene.send(&event("e-9"), &[]);
        sent.assert_status(0).assert_stderr("");
        let expected = [
            "e-0 delivered",
            "e-1 delivered",
            "e-2 delivered",
            "e-9 delivered",
        ];
        assert_eq!(statuses(&sent), expected, "{}", scene.name);
        let notes = sent.records();
        let notes: Vec<bool> = notes.iter().map(|one| one["note"].is_null()).collect();
        // A service may have done its work before such an answer; what was not tried leaves no doubt.
        assert_eq!(notes, [false, true, true, true], "{}", scene.name);
    }
}

#[test]
fn killed_forty_times_nothing_is_lost_and_doubles_are_noted() {
    const N_EVENTS: usize = 400;
    for scene in Scene::all() {
        let input = events(N_EVENTS);
        let mut noted = Noted::default();
        for kill in 0..40_u64 {
            let running = scene.tool(&["--interval", "0.003"]).stdin(&*input).spawn();
            let after = std::time::Duration::from_millis((kill * 7) % 12);
            noted.killed(running, &scene.spool(), after);
        }
        let last = scene.send(&input, &[]);
        last.assert_status(0);
        noted.take(&last);
        let counts = scene.taken();
        assert_eq!(counts.len(), N_EVENTS, "{}: nothing is lost", scene.name);
        noted.compare(scene.name, &counts, &scene.spool());
    }
}
