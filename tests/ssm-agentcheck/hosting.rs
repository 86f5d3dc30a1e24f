//! `host`: a directory as the machine, a small server as its metadata service, and one as the endpoints.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::Path;

use serde_json::{Value, json};
use testbed::{Home, Output, offline};

use super::{EXE, ids};

/// Nobody listens on this port.
const CLOSED: &str = "http://127.0.0.1:1";

/// An IMDSv2 that answers only with a token, and endpoints that answer anything with 404 and the date.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html>
fn serve(role: &'static str, date: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
            let first = lines.next().and_then(Result::ok).unwrap_or_default();
            let headers: Vec<String> = lines
                .map_while(Result::ok)
                .take_while(|line| !line.is_empty())
                .map(|line| line.to_ascii_lowercase())
                .collect();
            let has_token = headers
                .iter()
                .any(|line| line == "x-aws-ec2-metadata-token: secret");
            let (status, body) = answer(&first, has_token, role);
            let text = format!(
                "HTTP/1.1 {status}\r\ndate: {date}\r\nx-aws-ec2-metadata-token-ttl-seconds: 60\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(text.as_bytes()).unwrap();
        }
    });
    url
}

fn answer(request: &str, has_token: bool, role: &'static str) -> (&'static str, &'static str) {
    const DOCUMENT: &str = r#"{"instanceId": "i-0000000000000000a", "accountId": "111122223333", "region": "eu-central-1"}"#;
    let path = request.split(' ').nth(1).unwrap_or_default();
    match path {
        "/latest/api/token" => ("200 OK", "secret"),
        _ if !has_token => ("401 Unauthorized", ""),
        "/latest/dynamic/instance-identity/document" => ("200 OK", DOCUMENT),
        "/latest/meta-data/iam/security-credentials/" if !role.is_empty() => ("200 OK", role),
        "/latest/meta-data/services/domain" => ("200 OK", "amazonaws.com"),
        _ => ("404 Not Found", ""),
    }
}

/// A healthy machine with a deb package.
fn machine(version: &str) -> Home {
    let home = Home::create();
    write(
        home.path(),
        "var/lib/dpkg/status",
        &format!(
            "Package: other\nStatus: install ok installed\nVersion: 1\n\n\
             Package: amazon-ssm-agent\nStatus: install ok installed\nVersion: {version}-1\n"
        ),
    );
    write(home.path(), "proc/7/comm", "amazon-ssm-agen\n");
    write(
        home.path(),
        "var/log/amazon/ssm/amazon-ssm-agent.log",
        "INFO start\nERROR no valid credentials could be retrieved for ec2 identity\n\
         INFO Successfully connected with instance profile role credentials\n",
    );
    home
}

fn write(root: &Path, path: &str, text: &str) {
    let path = root.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn host(root: &Path, url: &str) -> Output {
    offline(EXE)
        .args(["host", "--root", root.to_str().unwrap()])
        .args(["--metadata-endpoint", url, "--endpoint-url", url])
        // No systemctl there, as in a container.
        .env("PATH", "/nonexistent")
        .stdin("{}")
        .run()
}

fn now() -> &'static str {
    let text = std::process::Command::new("date")
        .args(["-u", "+%a, %d %b %Y %H:%M:%S GMT"])
        .output();
    let text = String::from_utf8(text.unwrap().stdout).unwrap();
    text.trim().to_owned().leak()
}

#[test]
fn a_healthy_machine_is_quiet() {
    let home = machine("3.3.987.0");
    let output = host(home.path(), &serve("web", now()));
    output.assert_status(0).assert_stderr("");
    assert_eq!(output.stdout, "");
}

/// Who reads text is not left with an empty screen.
#[test]
fn text_says_that_a_machine_is_healthy() {
    let home = machine("3.3.987.0");
    let url = serve("web", now());
    let text = offline(EXE)
        .args([
            "host",
            "-o",
            "text",
            "--root",
            home.path().to_str().unwrap(),
        ])
        .args(["--metadata-endpoint", &url, "--endpoint-url", &url])
        .env("PATH", "/nonexistent")
        .stdin("{}")
        .run();
    text.assert_status(0);
    assert_eq!(text.stderr, "ssm-agentcheck: nothing found\n");
}

#[test]
fn every_part_of_a_broken_machine_is_named() {
    let home = machine("3.1.1732.0");
    write(
        home.path(),
        "snap/amazon-ssm-agent/current/meta/snap.yaml",
        "name: x\nversion: '3.3.40.0'\n",
    );
    write(home.path(), "proc/7/comm", "bash\n");
    write(
        home.path(),
        "var/log/amazon/ssm/amazon-ssm-agent.log",
        "ERROR no valid credentials could be retrieved for ec2 identity. Default Host Management Err: AccessDenied\n",
    );
    let output = host(home.path(), &serve("", "Tue, 01 Jan 2019 00:00:00 GMT"));
    output.assert_status(1);
    let records = output.records();
    let found: Vec<_> = ids(&records).iter().map(|(id, _)| *id).collect();
    let expected = [
        "agentcheck.host.two_agents",
        "agentcheck.version.outdated",
        "agentcheck.host.service_stopped",
        "agentcheck.host.clock_skew",
        "agentcheck.host.credentials_refused",
    ];
    assert_eq!(found, expected);
    assert_eq!(records[0]["resource"], "i-0000000000000000a");
    assert_eq!(
        records[0]["target"],
        json!({"account": "111122223333", "region": "eu-central-1"})
    );
}

/// amazon-ssm-agent#543: the old success is followed by what the agent says for hours.
#[test]
fn a7b_an_old_success_does_not_hide_the_hibernation() {
    let home = machine("3.2.1705.0");
    let log = "2023-10-25 20:00:00 INFO EC2RoleProvider Successfully connected with instance profile role credentials\n\
        2023-10-25 22:14:42 INFO [ssm-agent-worker] Entering SSM Agent hibernate - AccessDeniedException: not authorized\n\
        2023-10-25 22:16:24 WARN EC2RoleProvider Failed to connect to Systems Manager with instance profile role credentials. \
        Err: AccessDeniedException\n";
    write(home.path(), "var/log/amazon/ssm/amazon-ssm-agent.log", log);
    let output = host(home.path(), &serve("web", now()));
    output.assert_status(1);
    let finding = output.json();
    assert_eq!(finding["id"], "agentcheck.host.credentials_refused");
    let message = finding["message"].as_str().unwrap();
    assert!(
        message.contains("22:16:24 WARN EC2RoleProvider"),
        "{message}"
    );
}

/// amazon-ssm-agent#144: a hibernating agent of 2.3 writes beside its log only.
#[test]
fn a7a_the_log_of_the_hibernation_is_read() {
    let home = machine("3.3.987.0");
    let logs = "var/log/amazon/ssm";
    std::fs::remove_file(home.path().join(logs).join("amazon-ssm-agent.log")).unwrap();
    let line = "2018-11-21 09:00:00 ERROR Health ping failed with error - AccessDeniedException: not authorized\n";
    write(home.path(), &format!("{logs}/hibernate.log"), line);
    let output = host(home.path(), &serve("web", now()));
    output.assert_status(1);
    assert_eq!(output.json()["id"], "agentcheck.host.credentials_refused");
}

#[test]
fn an_empty_machine_without_network_says_so() {
    let home = Home::create();
    let output = host(home.path(), CLOSED);
    output.assert_status(1);
    let records = output.records();
    let found: Vec<_> = ids(&records).iter().map(|(id, _)| *id).collect();
    assert_eq!(
        found,
        [
            "agentcheck.host.agent_absent",
            "agentcheck.host.imds_unreachable"
        ]
    );
}

#[test]
fn a_hybrid_node_needs_no_metadata_service() {
    let home = machine("3.3.987.0");
    write(
        home.path(),
        "var/lib/amazon/ssm/Vault/Store/RegistrationKey",
        r#"{"instanceID": "mi-0000000000000000a", "region": "eu-central-1", "privateKey": "x"}"#,
    );
    let url = serve("", now());
    let output = offline(EXE)
        .args([
            "host",
            "--root",
            home.path().to_str().unwrap(),
            "--endpoint-url",
            &url,
        ])
        .args(["--metadata-endpoint", CLOSED])
        .env("PATH", "/nonexistent")
        .stdin("{}")
        .run();
    output.assert_status(0);
    assert_eq!(output.stdout, "");
}

/// amazon-ssm-agent#381: its data say that it is registered, Systems Manager that it is not.
#[test]
fn a7c_a_hybrid_registration_that_is_gone_is_found() {
    let home = machine("3.3.987.0");
    write(
        home.path(),
        "var/lib/amazon/ssm/Vault/Store/RegistrationKey",
        r#"{"instanceID": "mi-0123456789abcdef0", "region": "eu-central-1"}"#,
    );
    write(
        home.path(),
        "var/log/amazon/ssm/amazon-ssm-agent.log",
        "2021-05-26 13:51:34 INFO [ssm-agent-worker] Entering SSM Agent hibernate - error occurred in \
         RequestManagedInstanceRoleToken: InvalidInstanceId: Not existing InstanceId mi-0123456789abcdef0\n",
    );
    let output = host(home.path(), &serve("", now()));
    output.assert_status(1);
    let finding = output.json();
    assert_eq!(finding["id"], "agentcheck.host.registration_gone");
    assert_eq!(finding["resource"], "mi-0123456789abcdef0");
}

#[test]
fn unreachable_endpoints_are_named() {
    let home = machine("3.1.1.0");
    let url = serve("web", now());
    let output = offline(EXE)
        .args([
            "host",
            "--root",
            home.path().to_str().unwrap(),
            "--metadata-endpoint",
            &url,
        ])
        .args(["--endpoint-url", CLOSED])
        .env("PATH", "/nonexistent")
        .stdin("{}")
        .run();
    output.assert_status(1);
    let messages: Vec<String> = output
        .records()
        .iter()
        .filter(|record| record["id"] == "agentcheck.host.endpoint_unreachable")
        .map(|record: &Value| record["message"].as_str().unwrap().to_owned())
        .collect();
    // An agent this old needs ec2messages, too.
    for (message, service) in messages
        .iter()
        .zip(["ssm ", "ssmmessages ", "ec2messages "])
    {
        assert!(
            message.starts_with(&format!("the endpoint of {service}")),
            "{message}"
        );
    }
    assert_eq!(messages.len(), 3);
}

#[test]
fn systemd_and_other_packages_are_asked_where_they_are() {
    use std::os::unix::fs::PermissionsExt;
    let home = Home::create();
    let bin = home.path().join("bin");
    write(
        home.path(),
        "bin/systemctl",
        "#!/bin/sh\nprintf 'LoadState=loaded\\nActiveState=inactive\\nUnitFileState=disabled\\n'\n",
    );
    write(home.path(), "bin/rpm", "#!/bin/sh\nprintf 3.3.987.0\n");
    write(home.path(), "usr/lib/sysimage/rpm/rpmdb.sqlite", "");
    for name in ["systemctl", "rpm"] {
        let mode = std::fs::Permissions::from_mode(0o755);
        std::fs::set_permissions(bin.join(name), mode).unwrap();
    }
    let url = serve("web", now());
    let output = offline(EXE)
        .args(["host", "--root", home.path().to_str().unwrap()])
        .args(["--metadata-endpoint", &url, "--endpoint-url", &url])
        .env("PATH", &bin)
        .stdin("{}")
        .run();
    output.assert_status(1);
    let records = output.records();
    let found: Vec<_> = ids(&records).iter().map(|(id, _)| *id).collect();
    let expected = [
        "agentcheck.host.service_stopped",
        "agentcheck.host.service_disabled",
        "agentcheck.host.registration_unknown",
    ];
    assert_eq!(found, expected);
}
