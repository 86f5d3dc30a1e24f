//! How `ssm-prefs probe` goes about the plugin: what it gives it, and how it ends it.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::probing::{NEW, Scene, WHOLE, reported, stand_in};

#[test]
fn the_plugin_acts_as_whoever_probes_and_no_list_of_processes_shows_the_token() {
    for (version, by_variable) in [(NEW, true), ("1.2.497.0", false), ("unknown", false)] {
        let scene = Scene::new(WHOLE, &[]);
        let home = scene.account.home();
        std::fs::create_dir(home.join(".aws")).unwrap();
        std::fs::write(home.join(".aws/config"), "[profile p]\noutput = json\n").unwrap();
        let script = "env | grep ^AWS_ >variables; printf '%s\\n' \"$@\" >arguments";
        let output = scene
            .probe(&scene.plugin(version, script))
            .args(["--assume-role", &scene.operator])
            .env("AWS_PROFILE", "p")
            .run();
        output.assert_status(2);
        let lines = |name: &str| -> Vec<String> {
            let text = std::fs::read_to_string(home.join(name)).unwrap();
            text.lines().map(str::to_owned).collect()
        };
        let variables = lines("variables");
        let value = |name: &str| {
            let mut found = variables.iter();
            found.find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        };
        assert_ne!(
            value("AWS_ACCESS_KEY_ID").unwrap(),
            scene.account.access_key()
        );
        assert!(!value("AWS_SESSION_TOKEN").unwrap().is_empty());
        assert_eq!(value("AWS_REGION"), Some("us-east-1"));
        assert_eq!(value("AWS_PROFILE"), None);
        let arguments = lines("arguments");
        let response = match by_variable {
            true => {
                assert_eq!(arguments[0], "AWS_SSM_START_SESSION_RESPONSE");
                value("AWS_SSM_START_SESSION_RESPONSE").unwrap()
            }
            false => &arguments[0],
        };
        let response: Value = serde_json::from_str(response).unwrap();
        let token = response["TokenValue"].as_str().unwrap();
        assert_eq!(
            response["SessionId"],
            scene.account.sessions()[0]["session_id"]
        );
        assert!(
            response["StreamUrl"]
                .as_str()
                .unwrap()
                .starts_with("wss://")
        );
        assert_eq!(arguments.concat().contains(token), !by_variable);
        assert!(!output.stdout.contains(token) && !output.stderr.contains(token));
        let target = json!({"Target": scene.node}).to_string();
        let endpoint = value("AWS_ENDPOINT_URL").unwrap();
        assert_eq!(
            arguments[1..],
            ["us-east-1", "StartSession", "", &target, endpoint]
        );
    }
}

/// Both are calls of the plugin, by whoever probes.
#[test]
fn a_session_whose_channel_or_key_is_refused_is_not_opened() {
    for (action, status, expected) in [
        ("ssmmessages:OpenDataChannel", 2, "prefs.probe.not_opened"),
        // That sessions are refused is what it finds.
        ("kms:GenerateDataKey", 1, "prefs.probe.refused"),
    ] {
        let scene = Scene::new(WHOLE, &[]);
        let output = scene.probe(&stand_in()).without(action).run();
        output.assert_status(status);
        assert!(!output.refused.is_empty(), "{action}");
        let (record, ids) = reported(&output);
        assert_eq!(ids[0], expected);
        let reason = record["reason"].as_str().unwrap();
        assert!(reason.contains(action), "{reason}");
        scene.assert_nothing_is_left();
    }
}

#[test]
fn a_plugin_that_opens_nothing_is_ended_with_its_children_and_so_is_the_session() {
    for (script, reason) in [
        (
            "sleep 600 & echo $! >child; echo $$ >parent; sleep 600",
            "session-manager-plugin showed nothing of the session for 180 s and was ended",
        ),
        (
            "trap '' HUP INT TERM; echo; echo \"Starting session with SessionId: ${AWS_SSM_START_SESSION_RESPONSE#*SessionId\\\":\\\"}\"; sleep 600 & echo $! >child; echo $$ >parent; wait",
            "showed nothing of the session for",
        ),
        (
            "echo 'Bad CPU type in executable' >&2; exit 86",
            "session-manager-plugin ended: Bad CPU type in executable",
        ),
        ("kill -9 $$", "session-manager-plugin exited without output"),
    ] {
        let scene = Scene::new(WHOLE, &[]);
        let began = Instant::now();
        let output = scene.probe(&scene.plugin(NEW, script)).run();
        output.assert_status(2).assert_stderr("");
        assert!(began.elapsed() < Duration::from_secs(30));
        let (record, ids) = reported(&output);
        assert_eq!(ids, ["prefs.probe.not_opened"], "{script}");
        assert_eq!(record["verdict"], "unknown");
        assert_eq!(record["s3"]["state"], "not_looked_for");
        let said = record["reason"].as_str().unwrap();
        assert!(said.contains(reason), "{script}: {said}");
        scene.assert_nothing_is_left();
        for name in ["child", "parent"] {
            if let Ok(id) = std::fs::read_to_string(scene.account.home().join(name)) {
                assert!(is_gone(id.trim()), "{name} of {script}");
            }
        }
    }
}

#[test]
fn a_plugin_that_does_not_say_its_version_is_given_no_session() {
    let scene = Scene::new(WHOLE, &[]);
    let output = scene.probe(&scene.plugin("1; exec sleep 600 #", "")).run();
    output.assert_status(2).assert_stderr(
        "ssm-prefs: session-manager-plugin --version: no answer within 15 s, so no session was started\n",
    );
    assert!(scene.account.sessions().is_empty());
}

/// Returns whether a process has ended; nobody may have waited for it yet.
fn is_gone(id: &str) -> bool {
    let deadline = Instant::now() + Duration::from_secs(5);
    while Instant::now() < deadline {
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        if status.is_empty() || status.contains("State:\tZ") {
            return true;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

#[test]
fn a_signal_ends_plugin_and_session_and_says_so() {
    for (signal, status) in [("INT", 130), ("TERM", 143)] {
        let scene = Scene::new(WHOLE, &[]);
        let running = scene
            .probe(&scene.plugin(NEW, "echo $$ >parent; sleep 600"))
            .spawn();
        let parent = scene.account.home().join("parent");
        let deadline = Instant::now() + Duration::from_secs(60);
        while !parent.exists() && Instant::now() < deadline {
            std::thread::sleep(Duration::from_millis(10));
        }
        kill(signal, running.id());
        let output = running.wait();
        let session = scene.assert_nothing_is_left();
        let id = session["session_id"].as_str().unwrap();
        output
            .assert_status(status)
            .assert_stderr(&format!("ssm-prefs: interrupted: session {id} was ended\n"));
        let (record, ids) = reported(&output);
        assert_eq!((ids, &record["reason"]), (vec![], &json!("interrupted")));
        let parent = std::fs::read_to_string(parent).unwrap();
        assert!(is_gone(parent.trim()));
    }
}

#[test]
fn a_signal_while_the_transcript_is_awaited_makes_it_unknown() {
    let scene = Scene::new("strict/no-put/delegates/kms/encrypted", &[]);
    let running = scene.patient_probe(&stand_in(), "3000").spawn();
    let deadline = Instant::now() + Duration::from_secs(60);
    let looks = |scene: &Scene| {
        let operations = scene.account.operations();
        operations.contains(&"s3:GetObject".to_owned())
    };
    while !looks(&scene) && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(50));
    }
    kill("INT", running.id());
    let (record, ids) = reported(running.wait().assert_status(130));
    assert_eq!(record["verdict"], "unknown");
    assert_eq!(record["s3"]["state"], "unread");
    assert_eq!(record["s3"]["detail"], "interrupted");
    assert_eq!(ids, ["prefs.probe.transcript_unknown"]);
}

fn kill(signal: &str, id: u32) {
    let killed = std::process::Command::new("kill")
        .args(["-s", signal, &id.to_string()])
        .status();
    assert!(killed.unwrap().success());
}
