//! Servers that are not AWS, or that AWS has lost: silent, slow, endless, somebody else's. One line each, and status 2.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use testbed::{Run, Sandbox};

use super::{complains, readers};

/// Waits are divided by this; time-outs are not shorter than 5 seconds.
const DIVISOR: &str = "300";

/// Starts a server that reads a request and then does what `answer` does, and returns its address.
fn server(answer: fn(&mut TcpStream) -> std::io::Result<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || {
                let _ = stream.read(&mut [0; 65_536]);
                // The client may have gone.
                let _ = answer(&mut stream);
            });
        }
    });
    address
}

/// Runs each reader with this server in place of AWS, twice at most, and expects the line.
#[track_caller]
fn all_say(address: &str, said: &str) {
    let account = Sandbox::start().account();
    let url = format!("http://{address}");
    let runs: Vec<_> = readers(&account)
        .map(|(tool, run)| (tool, quick(run).env("AWS_ENDPOINT_URL", &url).spawn()))
        .collect();
    for (tool, run) in runs {
        complains(&run.wait(), tool, &said.replace("HOST", address));
    }
}

fn quick(run: Run) -> Run {
    run.env("SSM_TIME_DIVISOR", DIVISOR)
        .env("AWS_MAX_ATTEMPTS", "2")
}

/// A part of an answer that never ends, one byte in two seconds.
fn drip(stream: &mut TcpStream) -> std::io::Result<()> {
    loop {
        stream.write_all(b"x")?;
        std::thread::sleep(Duration::from_secs(2));
    }
}

#[test]
fn a_silent_server_is_given_up() {
    let address = server(|_| {
        std::thread::sleep(Duration::from_secs(100));
        Ok(())
    });
    let start = Instant::now();
    all_say(
        &address,
        "GetCallerIdentity: no complete answer from HOST within 6 s",
    );
    assert!(start.elapsed() < Duration::from_secs(60));
}

#[test]
fn headers_that_drip_are_given_up() {
    let address = server(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-slow: ")?;
        drip(stream)
    });
    all_say(
        &address,
        "GetCallerIdentity: no complete answer from HOST within 6 s",
    );
}

#[test]
fn a_body_that_drips_is_given_up() {
    let address = server(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-amzn-requestid: 1\r\n\r\n")?;
        drip(stream)
    });
    all_say(
        &address,
        "GetCallerIdentity: no complete answer from HOST within 6 s",
    );
}

#[test]
fn an_endless_answer_is_not_kept() {
    let address = server(|stream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\nx-amzn-requestid: 1\r\n\r\n")?;
        loop {
            stream.write_all(&[b' '; 65_536])?;
        }
    });
    all_say(
        &address,
        "GetCallerIdentity: HOST sends an answer of more than 64 MiB, which AWS does not",
    );
}

#[test]
fn the_page_of_a_proxy_is_reported_with_its_status_and_its_server() {
    let address = server(|stream| {
        let page = "<html><head><title>Access \x1b[31mDenied</title></head></html>";
        write!(
            stream,
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nServer: squid/5.7\r\nVia: 1.1 proxy.example\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        )
    });
    all_say(
        &address,
        "GetCallerIdentity: HTTP 403 from HOST (Server: squid/5.7, Via: 1.1 proxy.example), which is not an answer of AWS (text/html): Access [31mDenied\n",
    );
}

#[test]
fn a_redirect_is_reported_and_not_followed() {
    for status in ["302 Found", "307 Temporary Redirect"] {
        let answer: fn(&mut TcpStream) -> std::io::Result<()> = match status {
            "302 Found" => |stream| redirect(stream, "302 Found"),
            _ => |stream| redirect(stream, "307 Temporary Redirect"),
        };
        let said = format!(
            "GetCallerIdentity: HTTP {} from HOST, which is not an answer of AWS: it redirects to http://portal.example/login\n",
            &status[..3]
        );
        all_say(&server(answer), &said);
    }
}

fn redirect(stream: &mut TcpStream, status: &str) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 {status}\r\nLocation: http://portal.example/login\r\nContent-Length: 0\r\n\r\n"
    )
}

#[test]
fn a_portal_that_answers_200_is_not_aws() {
    let address = server(|stream| {
        let page = "<!doctype html><title>\nSign in to the Wi-Fi\n</title>";
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        )
    });
    all_say(
        &address,
        "HTTP 200 from HOST, which is not an answer of AWS (text/html): Sign in to the Wi-Fi\n",
    );
}

#[test]
fn json_of_something_else_is_not_aws() {
    let address = server(|stream| {
        let json = r#"{"status": "ok"}"#;
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{json}",
            json.len()
        )
    });
    all_say(
        &address,
        "HTTP 200 from HOST, which is not an answer of AWS (application/json): {\"status\": \"ok\"}\n",
    );
}

/// Only the service is somebody else's: its JSON must not be read as an empty list.
#[test]
fn a_stranger_in_place_of_one_service_is_not_an_empty_answer() {
    let account = Sandbox::start().account();
    let address = server(|stream| {
        write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{{}}"
        )
    });
    for (tool, run) in readers(&account) {
        let run = quick(run).env("AWS_ENDPOINT_URL_SSM", format!("http://{address}"));
        let said = format!(
            "HTTP 200 from {address}, which is not an answer of AWS (application/json): {{}}\n"
        );
        complains(&run.run(), tool, &said);
    }
}

/// The proxy closes what it refuses, and sees the password that it asks for; nobody else does.
#[test]
fn a_proxy_that_lets_no_https_through_is_reported_with_its_status() {
    let address = server(|stream| {
        let page = "<title>Blocked by policy</title>";
        write!(
            stream,
            "HTTP/1.1 403 Forbidden\r\nServer: squid/5.7\r\nContent-Type: text/html\r\nContent-Length: {}\r\n\r\n{page}",
            page.len()
        )
    });
    let account = Sandbox::start().account();
    for (tool, run) in readers(&account) {
        let run = quick(run.env_remove("AWS_ENDPOINT_URL"));
        let output = run
            .env("HTTPS_PROXY", format!("http://me:canary@{address}"))
            .run();
        let said = format!(
            "GetCallerIdentity: HTTP 403 from {address} (Server: squid/5.7), which is not an answer of AWS (text/html): Blocked by policy\n"
        );
        complains(&output, tool, &said);
        assert!(!output.stderr.contains("canary"));
    }
}

#[test]
fn a_metadata_service_that_is_disabled_leaves_no_credentials() {
    let address = server(|stream| {
        stream
            .write_all(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
    });
    let account = Sandbox::start().account();
    let profile = "[profile shop]\nregion = us-east-1\nrole_arn = arn:aws:iam::111122223333:role/shop\ncredential_source = Ec2InstanceMetadata\n";
    let config = account.home().join("config");
    std::fs::write(&config, profile).unwrap();
    let without_keys = |run: Run| {
        quick(run)
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY")
            .env_remove("AWS_EC2_METADATA_DISABLED")
            .env("AWS_CONFIG_FILE", &config)
            .env(
                "AWS_EC2_METADATA_SERVICE_ENDPOINT",
                format!("http://{address}"),
            )
    };
    for (tool, run) in readers(&account) {
        complains(
            &without_keys(run).run(),
            tool,
            "GetCallerIdentity: no credentials: run `aws sso login --profile NAME` and pass --profile NAME, or set AWS_PROFILE",
        );
    }
    for (tool, run) in readers(&account) {
        complains(
            &without_keys(run).args(["--profile", "shop"]).run(),
            tool,
            "GetCallerIdentity: no credentials: run `aws sso login --profile shop`, or give profile 'shop' keys or a role",
        );
    }
}
