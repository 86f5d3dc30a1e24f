//! Servers that are not AWS, or that AWS has lost: silent, slow, endless, somebody else's. One line each, and status 2.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use testbed::{Run, Sandbox};

use super::{complains, readers};

/// Waits are divided by this; time-outs are not shorter than 5 seconds.
const DIVISOR: &str = "60";

/// Starts a server that reads a request and then does as it is told, and returns its address.
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
        "GetCallerIdentity: no complete answer from HOST within 5 s",
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
        "GetCallerIdentity: no complete answer from HOST within 5 s",
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
        "GetCallerIdentity: no complete answer from HOST within 5 s",
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
