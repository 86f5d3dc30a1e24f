//! `send` to a URL: which it may be, what is secret, and what its answers mean.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use testbed::{Home, Reply, Slack, offline};

use crate::EXE;
use crate::destinations::{CANARIES, Scene};
use crate::sending::{event, events, statuses};

#[test]
fn secrets_reach_the_url_and_never_the_spool() {
    let scene = Scene::url();
    scene.service.always(Reply::Status(503, "h34d3r r0ut1ng"));
    scene
        .send(&events(1), &["--retry-for", "0"])
        .assert_status(2);
    let queue = std::fs::read_to_string(scene.spool().join("queue.jsonl")).unwrap();
    for canary in CANARIES {
        assert!(!queue.contains(canary), "{queue}");
    }
    scene.service.always(Reply::Ok);
    scene.send("", &[]).assert_status(0);
    let posts = scene.service.posts();
    let post = posts.last().unwrap();
    assert_eq!(post.message["routing_key"], "r0ut1ng");
    assert!(post.head.contains("authorization: h34d3r"), "{}", post.head);
    assert!(
        post.head.starts_with("post /hooks/c4n4ry "),
        "{}",
        post.head
    );
}

#[test]
fn a_redirect_is_not_followed() {
    let scene = Scene::url();
    let elsewhere = Slack::json();
    let to: &'static str = Box::leak(elsewhere.url().to_owned().into_boxed_str());
    scene.service.always(Reply::Redirect(to));
    let held = scene.send(&events(1), &[]);
    held.assert_status(2)
        .assert_complains("it redirects, which is not followed");
    assert_eq!(scene.service.posts().len(), 1);
    assert!(
        elsewhere.posts().is_empty(),
        "message and secrets went elsewhere"
    );
}

#[test]
fn a_page_of_a_proxy_is_not_a_delivery_of_a_url() {
    let scene = Scene::url();
    let pages = [
        "<html>Blocked by proxy</html>",
        "\n<!DOCTYPE html><title>Sign in</title>",
        "<!-- blocked --><body>no</body>",
        "<h1>Blocked</h1>",
    ];
    for (index, page) in pages.into_iter().enumerate() {
        scene.service.always(Reply::Status(200, page));
        let held = scene.send(&event(&format!("e-{index}")), &["--retry-for", "0"]);
        held.assert_status(2)
            .assert_complains("held in")
            .assert_complains("a page for people");
    }
    // Nobody knows whether the service behind the proxy has them.
    scene.service.always(Reply::Ok);
    let sent = scene.send("", &[]);
    sent.assert_status(0);
    assert!(sent.records()[0]["note"].is_string(), "{}", sent.stdout);
    for (index, body) in ["", "1", "ok", "{}", "accepted < 5 s"]
        .into_iter()
        .enumerate()
    {
        scene.service.always(Reply::Status(200, body));
        scene
            .send(&event(&format!("f-{index}")), &[])
            .assert_status(0);
    }
}

#[test]
fn what_a_url_refuses_at_first_is_held_and_later_is_about_the_message() {
    let scene = Scene::url();
    scene
        .service
        .reply(&[Reply::Status(400, "Invalid routing key")]);
    let held = scene.send(&events(1), &[]);
    held.assert_status(2)
        .assert_complains("HTTP 400 Invalid routing key");
    assert_eq!(
        statuses(&held),
        ["e-0 held"],
        "a wrong key must not lose one message after the other"
    );
    scene.send("", &[]).assert_status(0);
    scene.service.reply(&[Reply::Status(400, "invalid event")]);
    let sent = scene.send(&[event("e-1"), event("e-2")].concat(), &[]);
    sent.assert_status(2);
    assert_eq!(statuses(&sent), ["e-1 rejected", "e-2 delivered"]);
    scene.service.reply(&[Reply::Status(401, "no")]);
    let held = scene.send(&event("e-3"), &[]);
    assert_eq!(statuses(&held), ["e-3 held"]);
}

#[test]
fn only_https_and_no_address_of_this_machine_unless_asked() {
    let home = Home::create();
    let filter = home.path().join("body.jq");
    std::fs::write(&filter, ".event").unwrap();
    let run = |url: &str, more: &[&str]| {
        let fixed = ["send", "--url", "env:URL", "--retry-for", "0", "--spool"];
        let run = offline(EXE).args(fixed).args([home.path().join("spool")]);
        let run = run.args([Path::new("--jq-file"), &filter]).args(more);
        run.env("URL", url).stdin(event(url)).run()
    };
    for url in [
        "http://example.com/x",
        "http://127.0.0.1:1/x",
        "ftp://h/x",
        "https://",
        "https://u:p@h/x",
        "https://{region}.example.com/x",
        "h/x",
    ] {
        for more in [&[][..], &["--allow-local-address"]] {
            run(url, more)
                .assert_status(2)
                .assert_complains("the URL is not one of HTTPS");
        }
    }
    for url in [
        "https://127.0.0.1:1/x",
        "https://localhost:1/x",
        "https://127.1:1/x",
        "https://2130706433:1/x",
        "https://0x7f.1:1/x",
        "https://[::1]:1/x",
        "https://[::ffff:127.0.0.1]:1/x",
        "https://169.254.169.254/latest",
        "https://[fd00:ec2::254]/latest",
        "https://0.0.0.0:1/x",
    ] {
        let held = run(url, &[]);
        held.assert_status(2)
            .assert_complains("is an address of this machine, its link or a metadata service");
    }
    // Also where the words for it are a part of the URL, which is not shown.
    run("https://127.0.0.1:1/machine", &[])
        .assert_status(2)
        .assert_complains("is an address of this .., its link")
        .assert_complains("allow it explicitly if that is meant");
    // Where it is asked for, it is tried: nothing listens there.
    let tried = run("https://127.0.0.1:1/x", &["--allow-local-address"]);
    tried.assert_status(2);
    assert!(
        !tried.stderr.contains("is an address of this machine"),
        "{}",
        tried.stderr
    );
}

/// A proxy resolves names by itself, where `localhost` is the proxy.
#[test]
fn no_proxy_is_asked_for_a_local_address_or_a_metadata_service() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = format!("http://{}", listener.local_addr().unwrap());
    let (asked, lines) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            let _ = BufReader::new(&stream).read_line(&mut line);
            let _ = asked.send(line);
            let _ = stream.write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let home = Home::create();
    let filter = home.path().join("body.jq");
    std::fs::write(&filter, ".event").unwrap();
    let run = |url: &str| {
        let fixed = ["send", "--url", "env:URL", "--retry-for", "0", "--jq-file"];
        let run = offline(EXE).args(fixed).args([&filter]).args(["--spool"]);
        let run = run.args([home.path().join("spool")]).env("URL", url);
        run.env("HTTPS_PROXY", &proxy).stdin(event("e-1")).run()
    };
    for url in [
        "https://localhost/x",
        "https://LOCALHOST.:8443/x",
        "https://a.localhost/x",
        "https://127.0.0.1/x",
        "https://2130706433/x",
        "https://[::1]/x",
        "https://metadata.google.internal/computeMetadata/v1",
        "https://Metadata.Google.Internal./computeMetadata/v1",
        "https://instance-data/latest",
        "https://169.254.169.254/latest",
    ] {
        run(url)
            .assert_status(2)
            .assert_complains("is an address of this machine, its link or a metadata service");
    }
    assert!(lines.try_recv().is_err(), "the proxy was asked");
    // What is outside is asked for.
    run("https://192.0.2.1/x").assert_status(2);
    let line = lines.recv_timeout(Duration::from_secs(10)).unwrap();
    assert!(line.starts_with("CONNECT 192.0.2.1:443 "), "{line}");
}

#[test]
fn a_secret_in_place_of_its_source_is_not_quoted() {
    for arguments in [
        &["--slack-token", "xoxb-c4n4ry", "--channel", "C1"][..],
        &["--slack-token", "env:T", "--channel", "xoxb-c4n4ry"],
        &["--url", "https://h/c4n4ry", "--jq-file", "x"],
        &[
            "--url",
            "env:U",
            "--jq-file",
            "x",
            "--header",
            "Authorization=c4n4ry",
        ],
        &[
            "--url",
            "env:U",
            "--jq-file",
            "x",
            "--field",
            "routing_key=c4n4ry",
        ],
        &["--url", "env:U", "--jq-file", "x", "--header", "c4n4ry"],
        &["--slack-token", "file:xoxb-c4n4ry", "--channel", "C1"],
        &[
            "--slack-token",
            "env:T",
            "--channel",
            "C1",
            "--slack-api",
            "xoxb-c4n4ry",
        ],
    ] {
        let home = Home::create();
        std::fs::write(home.path().join("x"), ".").unwrap();
        let run = offline(EXE).args(["send", "--spool", "spool"]);
        let arguments = arguments.iter().map(|one| match *one {
            "x" => home.path().join("x").display().to_string(),
            one => one.to_owned(),
        });
        let run = run
            .args(arguments)
            .env("T", "xoxb-1")
            .env("U", "https://h/x");
        let refused = run.run();
        refused.assert_status(2);
        assert!(!refused.stderr.contains("c4n4ry"), "{}", refused.stderr);
        let is_said = ["expected ", "it is neither "].map(|said| refused.stderr.contains(said));
        assert!(is_said.contains(&true), "{}", refused.stderr);
    }
}

#[test]
fn a_filter_that_fails_on_one_record_holds_up_no_other() {
    let scene = Scene::url();
    let filter = scene.spool().with_file_name("body.jq");
    let fails = r#"if .event.event_id == "e-1" then error("odd") else {id: .event.event_id} end"#;
    std::fs::write(filter, fails).unwrap();
    let sent = scene.send(&events(3), &[]);
    sent.assert_status(2)
        .assert_complains("event e-1 is not sent: ");
    assert_eq!(statuses(&sent), ["e-0 delivered", "e-2 delivered"]);
}

#[test]
fn a_pause_of_no_time_is_not_an_invitation() {
    let scene = Scene::url();
    scene.service.always(Reply::RetryAfter(0));
    scene
        .send(&events(1), &["--retry-for", "2"])
        .assert_status(2);
    let n_posts = scene.service.posts().len();
    assert!(
        (2..=5).contains(&n_posts),
        "{n_posts} requests in two seconds"
    );
}
